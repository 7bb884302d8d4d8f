"""Builds, deployments, pipelines, data catalogues, queries, things and other services with few exceptions.

https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html,
https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.onward import query_results
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.reference import Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]


def _build(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a project, which a build's id begins with: ``project:uuid``."""
    if use.name != "project" or value.startswith("arn:"):
        return None
    place = f"arn:{scope.partition}:codebuild:{scope.call.region}:{scope.account}:project/"
    return place + value.partition(":")[0]


def _glue(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a table, which lies in a database that the call names."""
    place = f"arn:{scope.partition}:glue:{scope.call.region}:{scope.account}"
    databases = scope.text("DatabaseName", "TableInput.DatabaseName", "Name")
    if use.name in ("table", "userdefinedfunction") and not value.startswith("arn:"):
        kind = {"userdefinedfunction": "userDefinedFunction"}.get(use.name, use.name)
        return f"{place}:{kind}/{databases or '*'}/{value}"
    if use.name == "catalog":
        return f"{place}:catalog" if value.isdigit() or value == "=" else f"{place}:catalog/{value}"
    return None


def _deployment(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of the group that a deployment goes to."""
    if use.name != "deploymentgroup" or value not in scope.texts("deploymentId", "deploymentIds"):
        return None
    return scope.state.existing_arn("codedeploy", "deployment", value, scope.call.region) or scope.arn(use.template)


def _athena(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of the workgroup that a query belongs to."""
    if use.name != "workgroup" or value != scope.text("QueryExecutionId", "NamedQueryId"):
        return None
    return scope.state.existing_arn("athena", "query", value, scope.call.region) or scope.arn(use.template)


_ALL_TABLES = {"table": "=*"}
_SCHEMA = {"registry": "SchemaId.RegistryName RegistryId.RegistryName ?", "schema": "SchemaId.SchemaName SchemaName ?"}
_SCHEMAS = [
    "DeleteSchema",
    "GetSchema",
    "GetSchemaByDefinition",
    "GetSchemaVersion",
    "PutSchemaVersionMetadata",
    "RegisterSchemaVersion",
    "UpdateSchema",
]
_DIFFERENT = {
    "experiment-trial": "TrialName",
    "experiment-trial-component": "TrialComponentName",
    "processing-job": "-",
}

_DATABREW = [
    (f"{verb}{kind}", verb)
    for verb in ("Create", "Delete", "Describe", "Update", "Publish")
    for kind in ("Dataset", "Job", "Recipe", "Ruleset")
]

TABLES = {
    "codebuild": Service(
        operations={
            "BatchGetBuilds": {"project": "ids"},
            "StopBuild": {"project": "id"},
            "BatchGetProjects": {"project": "names"},
            "CreateProject": {"project": "name"},
            "ListBuildsForProject": {"project": "projectName"},
            "StartBuild": {"project": "projectName"},
        },
        arn=_build,
        role_names=frozenset({"serviceRole"}),
    ),
    "codedeploy": Service(
        operations={
            "BatchGetDeployments": {"deploymentgroup": "deploymentIds"},
            "GetDeployment": {"deploymentgroup": "deploymentId"},
            "ListDeployments": {"deploymentgroup": "deploymentGroupName ?"},
        },
        arn=_deployment,
    ),
    "codepipeline": Service(
        variables={"PipelineName": "name pipelineName pipeline.name"},
    ),
    "glue": Service(
        variables={
            "TableName": "TableName TableInput.Name Name",
            "DevEndpointName": "EndpointName",
            "UserDefinedFunctionName": "FunctionName FunctionInput.Name",
        },
        paths={"catalog": "-", "devendpoint": "EndpointName"},
        operations={
            **dict.fromkeys(_SCHEMAS, _SCHEMA),
            "BatchDeleteTable": {"table": "TablesToDelete"},
            "BatchGetTable": {"table": "TableEntries.Name"},
            "CreateDatabase": {"database": "DatabaseInput.Name"},
            "CreateRegistry": {"registry": "RegistryName"},
            "CreateSchema": {"registry": "RegistryId.RegistryName =default-registry", "schema": "SchemaName"},
            "CreateTable": {"table": "TableInput.Name", "database": "DatabaseName"},
            "DeleteDatabase": {**_ALL_TABLES, "database": "Name", "userdefinedfunction": "=*"},
            "DeleteRegistry": {"registry": "RegistryId.RegistryName"},
            "GetDatabase": {"database": "Name"},
            "GetDatabases": {"database": "=*"},
            "GetRegistry": {"registry": "RegistryId.RegistryName ?"},
            "GetTables": _ALL_TABLES,
            "PutWorkflowRunProperties": {"workflow": "Name"},
            "UpdateDatabase": {"database": "Name DatabaseInput.Name"},
            "UpdateTable": {"table": "TableInput.Name Name", "database": "DatabaseName"},
        },
        arn=_glue,
        role_names=frozenset({"Role"}),
    ),
    "athena": Service(
        variables={"DataCatalogName": "CatalogName Name", "WorkGroupName": "WorkGroup WorkGroupName Name"},
        operations={
            "GetNamedQuery": {"workgroup": "NamedQueryId"},
            "GetQueryExecution": {"workgroup": "QueryExecutionId"},
            "GetQueryResults": {"workgroup": "QueryExecutionId"},
            "GetQueryRuntimeStatistics": {"workgroup": "QueryExecutionId"},
            "StopQueryExecution": {"workgroup": "QueryExecutionId"},
            "CreateNamedQuery": {"workgroup": "WorkGroup =primary"},
            "ListNamedQueries": {"workgroup": "WorkGroup =primary"},
            "ListQueryExecutions": {"workgroup": "WorkGroup =primary"},
            "StartQueryExecution": {"workgroup": "WorkGroup =primary", "datacatalog": "-"},
            "CreatePreparedStatement": {"workgroup": "WorkGroup"},
            "GetPreparedStatement": {"workgroup": "WorkGroup"},
        },
        arn=_athena,
        besides=query_results,
    ),
    "sagemaker": Service(
        variables={
            "DataQualityJobDefinitionName": "JobDefinitionName",
            "ModelBiasJobDefinitionName": "JobDefinitionName",
            "ModelExplainabilityJobDefinitionName": "JobDefinitionName",
            "ModelQualityJobDefinitionName": "JobDefinitionName",
        },
        paths={"cluster": "ClusterName"},
        existing=frozenset({"cluster"}),
        operations={
            "CreateCluster": {"cluster": "+"},
            "DisassociateTrialComponent": _DIFFERENT,
            "AssociateTrialComponent": _DIFFERENT,
            "ListModelPackages": {"model-package": "-"},
        },
        anywhere=frozenset({"ListModelPackages"}),
        tagging="AddTags",
    ),
    "appsync": Service(
        variables={"GraphQLAPIId": "apiId", "ApiId": "apiId"},
    ),
    "iot": Service(
        paths={"cacert": "certificateId", "cert": "certificateId principal target"},
        templates={
            "domainconfiguration": "arn:${Partition}:iot:${Region}:${Account}:domainconfiguration/${DomainConfigurationName}/*"
        },
        operations={
            "AttachPolicy": {"cert": "target", "thinggroup": "target"},
            "DetachPolicy": {"cert": "target", "thinggroup": "target"},
            "CreateJob": {"thing": "targets", "thinggroup": "targets", "job": "jobId"},
        },
    ),
    "iot-data": Service(prefix="iot"),
    "transfer": Service(anywhere=frozenset({"CreateConnector"}), tagging="TagResource"),
    "workspaces": Service(
        paths={"directoryid": "DirectoryId ResourceId ResourceIds"},
        operations={
            "CreateWorkspaces": {
                "directoryid": "Workspaces.DirectoryId",
                "workspacebundle": "Workspaces.BundleId",
                "workspaceid": "+",
            },
            "TerminateWorkspaces": {"workspaceid": "TerminateWorkspaceRequests.WorkspaceId"},
        },
        passes={"InstanceIamRoleArn": "workspaces.amazonaws.com"},
    ),
    "synthetics": Service(principal="lambda.amazonaws.com"),
    "databrew": Service(
        operations={
            **{name: {name.removeprefix(verb): "Name"} for name, verb in _DATABREW},
            "DeleteRecipeVersion": {"Recipe": "Name"},
            "ListRecipeVersions": {"Recipe": "Name"},
        }
    ),
    "quicksight": Service(
        templates={
            "group": "arn:${Partition}:quicksight:${Region}:${Account}:group/${Namespace}/${GroupName}",
            "user": "arn:${Partition}:quicksight:${Region}:${Account}:user/${Namespace}/${UserName}",
        },
    ),
    "s3vectors": Service(variables={"BucketName": "vectorBucketName"}),
    "sagemaker-runtime": Service(prefix="sagemaker"),
}
