"""Stacks, parameters, logs, metrics, trails, rules, names and routes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html,
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.permissions.message_keys import log_checks
from pytest_stsguard.cloud.permissions.secret_keys import parameter_keys
from pytest_stsguard.cloud.permissions.table import Service

if TYPE_CHECKING:
    from pytest_stsguard.cloud.permissions.permission import Context
    from pytest_stsguard.cloud.permissions.reference import Action, Use
    from pytest_stsguard.cloud.permissions.scope import Scope

__all__ = ["TABLES"]


def _stack_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give a stack's condition keys: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html."""
    found: dict[str, str | list[str] | None] = {
        "cloudformation:TemplateUrl": scope.text("TemplateURL"),
        "cloudformation:StackPolicyUrl": scope.text("StackPolicyURL"),
        "cloudformation:RoleArn": scope.text("RoleARN"),
        "cloudformation:ChangeSetName": scope.text("ChangeSetName"),
        "cloudformation:ResourceTypes": scope.texts("ResourceTypes") or None,
        "cloudformation:TargetRegion": scope.texts("Regions") or None,
        "cloudformation:CreateAction": None,
    }
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _logs(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a log group, which the checks of all but its tags extend by the streams in it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html#CWL_ARN_Format: policies
    name a group as ``log-group:NAME:*``, and as ``log-group:NAME`` for its tags alone.
    """
    place = f"arn:{scope.partition}:logs:{scope.call.region}:{scope.account}:log-group:"
    if value == scope.text("queryId"):
        return scope.state.existing_arn("logs", "query", value, scope.call.region) or f"{place}*"
    if use.name == "log-group":
        group = value.removesuffix(":*") if value.startswith("arn:") else f"{place}{value}"
        if ":log-stream:" in group:
            return group
        return group if scope.call.operation in _ON_THE_GROUP_ALONE else f"{group}:log-stream:"
    if use.name == "destination" and value.startswith("arn:") and ":destination:" not in value:
        # A subscription's destination may be a function or a stream as well, whose own policies admit it.
        return ""
    if use.name == "log-stream" and not value.startswith("arn:"):
        group = scope.text("logGroupName", "logGroupIdentifier") or "*"
        group = group.removesuffix(":*") if group.startswith("arn:") else f"{place}{group}"
        return f"{group}:log-stream:{value}"
    return None


_ON_THE_GROUP_ALONE = {"TagResource", "UntagResource", "ListTagsForResource"}


def _ssm(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a parameter, whose leading slash it leaves out, and of a document, which may be Amazon's.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
    """
    if value.startswith("arn:"):
        return None
    place = f"arn:{scope.partition}:ssm:{scope.call.region}:"
    if value == scope.text("ResourceId") and _TAGGED.get(scope.text("ResourceType") or "", "parameter") != use.name:
        return ""
    if use.name == "parameter":
        return f"{place}{scope.account}:parameter/{value.partition(':')[0].lstrip('/')}"
    if use.name == "document":
        owner = "" if value.startswith(("AWS-", "AWSSupport-", "AmazonCloudWatch-")) else scope.account
        return f"{place}{owner}:document/{value}"
    return None


_TAGGED = {
    "Document": "document",
    "ManagedInstance": "managed-instance",
    "MaintenanceWindow": "maintenancewindow",
    "PatchBaseline": "patchbaseline",
    "OpsItem": "opsitem",
    "OpsMetadata": "opsmetadata",
    "Automation": "automation-execution",
}


def _parameter_keys(scope: Scope, action: Action, _: str) -> Context:
    found = {
        "ssm:Overwrite": scope.text("Overwrite"),
        "ssm:Recursive": scope.text("Recursive"),
        "ssm:Policies": scope.text("Policies"),
        "ssm:DocumentType": scope.text("DocumentType"),
    }
    return {key: value for key, value in found.items() if value is not None and key in action.all_keys}


def _route(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a zone, whose id may come as a path, and of what a type names when it is tagged."""
    kind = scope.text("ResourceType")
    if kind is not None and kind != use.name:
        return ""
    return (
        None if value.startswith("arn:") else f"arn:{scope.partition}:route53:::{use.name}/{value.rpartition('/')[2]}"
    )


def _record_keys(scope: Scope, action: Action, _: str) -> Context:
    """Give what a change of records can be limited by: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-rrset-conditions.html."""
    if action.name != "ChangeResourceRecordSets":
        return {}
    names = scope.texts("ChangeBatch.Changes.ResourceRecordSet.Name")
    return {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name.lower().rstrip(".") for name in names],
        "route53:ChangeResourceRecordSetsRecordTypes": scope.texts("ChangeBatch.Changes.ResourceRecordSet.Type"),
        "route53:ChangeResourceRecordSetsActions": scope.texts("ChangeBatch.Changes.Action"),
    }


def _discovered(scope: Scope, use: Use, value: str) -> str | None:
    """Write the ARN of a namespace or service that is called by its name; everywhere else it is called by its id."""
    if not scope.call.operation.startswith("Discover"):
        return None
    known = scope.state.existing_arn("servicediscovery", use.name, value, scope.call.region)
    return known or scope.arn(use.template)


_STACK_SETS = {"stackset-target": "-", "type": "-"}
_PARAMETERS = {"parameter": "Name Names Path"}
_DOCUMENTS = {"document": "Name DocumentName"}
_WINDOW = {"maintenancewindow": "WindowId"}
_BASELINE = {"patchbaseline": "BaselineId"}
_SSM_TAGS = {"parameter": "-"}

TABLES = {
    "cloudformation": Service(
        typed=True,
        templates={
            "stack": "arn:${Partition}:cloudformation:${Region}:${Account}:stack/${StackName}/*",
            "stackset": "arn:${Partition}:cloudformation:${Region}:${Account}:stackset/${StackSetName}:*",
        },
        existing=frozenset({"stack", "stackset"}),
        operations={
            **dict.fromkeys(
                ("CreateStackInstances", "DeleteStackInstances", "UpdateStackInstances", "UpdateStackSet"), _STACK_SETS
            ),
            "CreateStackSet": {"stackset": "StackSetName"},
            "DeleteChangeSet": {"stack": "StackName ChangeSetName"},
            "DescribeChangeSet": {"stack": "StackName ChangeSetName"},
            "ExecuteChangeSet": {"stack": "StackName ChangeSetName"},
            "DescribeStackResources": {"stack": "StackName ?"},
            "GetTemplate": {"stack": "StackName ChangeSetName"},
        },
        context=_stack_keys,
        passes={"ExecutionRoleName": ""},
    ),
    "cloudwatch": Service(
        prefix="cloudwatch",
        variables={"InsightRuleName": "RuleName RuleNames", "AlarmName": "AlarmName AlarmNames"},
        anywhere=frozenset({"ListMetrics", "GetMetricData", "GetMetricStatistics", "PutMetricData"}),
        operations={"PutMetricAlarm": {"alarm": "AlarmName"}, "DescribeAlarms": {"alarm": "AlarmNames ?"}},
        keys={"cloudwatch:namespace": "Namespace", "cloudwatch:AlarmActions": "AlarmActions"},
        tagging="TagResource",
    ),
    "logs": Service(
        paths={
            "log-group": "logGroupName logGroupNames logGroupIdentifier logGroupIdentifiers logGroupArnList resourceArn",
            "log-stream": "logStreamName",
            "delivery": "id",
            "delivery-source": "name deliverySourceName",
            "delivery-destination": "name deliveryDestinationName deliveryDestinationArn",
        },
        operations={
            "CreateDelivery": {"delivery": "+"},
            "CreateExportTask": {"log-group": "logGroupName"},
            "CreateLogStream": {"log-group": "-", "log-stream": "logStreamName"},
            "DeleteDeliverySource": {"delivery-destination": "-", "delivery-source": "name"},
            "GetDeliverySource": {"delivery-source": "name"},
            "PutDeliverySource": {"delivery-source": "name"},
            "DescribeLogGroups": {"log-group": "?"},
            "GetLogEvents": {"log-stream": "logStreamName", "log-group": "-"},
            "GetQueryResults": {"log-group": "queryId"},
            "PutLogEvents": {"log-stream": "logStreamName", "log-group": "-"},
            "PutSubscriptionFilter": {"destination": "destinationArn"},
        },
        arn=_logs,
        keys={"logs:LogGeneratingResourceArns": "resourceArn"},
        besides=log_checks,
        tagging="TagResource",
    ),
    "ssm": Service(
        paths={
            "parameter": "Name Names Path",
            "document": "DocumentName",
            "maintenancewindow": "WindowId",
            "patchbaseline": "BaselineId",
            "instance": "InstanceIds InstanceId",
            "managed-instance": "-",
        },
        operations={
            **dict.fromkeys(
                [
                    "CreateDocument",
                    "DeleteDocument",
                    "DescribeDocument",
                    "DescribeDocumentPermission",
                    "GetDocument",
                    "ModifyDocumentPermission",
                    "UpdateDocument",
                    "UpdateDocumentDefaultVersion",
                    "ListDocumentVersions",
                ],
                _DOCUMENTS,
            ),
            "CreateMaintenanceWindow": {"maintenancewindow": "+"},
            "CreatePatchBaseline": {"patchbaseline": "+"},
            "RegisterTargetWithMaintenanceWindow": _WINDOW,
            "DescribePatchBaselines": {"patchbaseline": "-"},
            "RegisterTaskWithMaintenanceWindow": {**_WINDOW, "windowtask": "-"},
            "SendCommand": {
                "document": "DocumentName",
                "instance": "InstanceIds",
                "managed-instance": "-",
                "bucket": "-",
            },
            "ListCommandInvocations": {"instance": "InstanceId"},
            **{
                name: dict.fromkeys(
                    ("document", "maintenancewindow", "patchbaseline", "parameter", "opsitem", "opsmetadata"),
                    "ResourceId",
                )
                | {
                    "instance": "-",
                    "automation-execution": "ResourceId",
                    "association": "ResourceId",
                    "managed-instance": "ResourceId",
                }
                for name in ("AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource")
            },
        },
        arn=_ssm,
        context=_parameter_keys,
        besides=parameter_keys,
        tagging="AddTagsToResource",
    ),
    "cloudtrail": Service(
        variables={"TrailName": "TrailName Name trailNameList ResourceId ResourceIdList"},
        operations={"LookupEvents": {}},
        tagging="AddTags",
    ),
    "config": Service(
        existing=frozenset(
            {
                "ConfigRule",
                "ConfigurationAggregator",
                "ConfigurationRecorder",
                "OrganizationConformancePack",
                "ConformancePack",
            }
        ),
        variables={
            "ConfigRuleId": "ConfigRuleName ConfigRuleNames ConfigRule.ConfigRuleName",
            "AggregatorId": "ConfigurationAggregatorName ConfigurationAggregatorNames",
            "RecorderId": ("ConfigurationRecorderName ConfigurationRecorderNames ConfigurationRecorder.name"),
            "OrganizationConformancePackId": "OrganizationConformancePackName OrganizationConformancePackNames",
            "AggregatorAccount": "AuthorizedAccountId",
            "AggregatorRegion": "AuthorizedAwsRegion",
        },
        operations={"PutConfigRule": {"ConfigRule": "ConfigRule.ConfigRuleName +"}},
        anywhere=frozenset(
            {"SelectResourceConfig", "GetResourceConfigHistory", "BatchGetResourceConfig", "ListDiscoveredResources"}
        ),
    ),
    "budgets": Service(
        actions={
            "CreateBudget": "ModifyBudget",
            "UpdateBudget": "ModifyBudget",
            "DeleteBudget": "ModifyBudget",
            "CreateNotification": "ModifyBudget",
            "DeleteNotification": "ModifyBudget",
            "DescribeBudget": "ViewBudget",
            "DescribeBudgets": "ViewBudget",
            "DescribeNotificationsForBudget": "ViewBudget",
        },
        variables={"BudgetName": "BudgetName Budget.BudgetName"},
    ),
    "resourcegroupstaggingapi": Service(
        prefix="tag",
        refused=dict.fromkeys(
            ("TagResources", "UntagResources"), "it also needs the tagging permission of every service that is tagged"
        ),
    ),
    "resource-groups": Service(
        variables={"GroupName": "GroupName Group Name"},
        operations={
            "SearchResources": {},
            **{name: {"group": "Arn"} for name in ("GetTags", "Tag", "Untag")},
        },
    ),
    "route53": Service(
        paths={
            "hostedzone": "HostedZoneId Id ResourceId ResourceIds",
            "healthcheck": "HealthCheckId ResourceId ResourceIds",
        },
        operations={
            "CreateHostedZone": {"vpc": "-"},
            "AssociateVPCWithHostedZone": {"vpc": "-"},
            "DisassociateVPCFromHostedZone": {"vpc": "-"},
        },
        anywhere=frozenset({"ListHostedZones", "ListHostedZonesByName", "ListHealthChecks", "ListHostedZonesByVPC"}),
        arn=_route,
        context=_record_keys,
    ),
    "route53resolver": Service(anywhere=frozenset({"GetResolverRuleAssociation"})),
    "cloudfront": Service(
        actions={"CreateDistributionWithTags": "CreateDistribution TagResource"},
        operations={"CreateDistribution": {"distribution": "+"}, "CreateDistributionWithTags": {"distribution": "+"}},
    ),
    "servicediscovery": Service(
        operations={
            "DiscoverInstances": {"namespace": "NamespaceName", "service": "ServiceName"},
            "DiscoverInstancesRevision": {"namespace": "NamespaceName", "service": "ServiceName"},
            "GetOperation": {"namespace": "?"},
        },
        arn=_discovered,
        tagging="TagResource",
    ),
    "service-quotas": Service(prefix="servicequotas"),
    "account": Service(prefix="account", paths={"account": "=own"}),
    "ce": Service(prefix="ce"),
}
