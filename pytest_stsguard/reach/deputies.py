"""Services that say for whom they act when they assume a role: those that a trust policy can hold to it.

The list is data, from the page "Cross-service confused deputy prevention" that the guide of each of these services has,
and from https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html. A service that is not in it may send no source,
and a condition on one would lock it out: EC2, Lambda and ECS tasks are kept in the account by iam:PassRole instead.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SENDS_SOURCE", "sends_source"]

SENDS_SOURCE: Final = frozenset(
    """
    access-analyzer airflow airflow-env amplify appflow apprunner appstream appsync auditmanager backup batch
    batchoperations.s3 bedrock bedrock-agentcore billingconductor budgets build.apprunner chatbot cloudformation
    cloudtrail codebuild codedeploy codepipeline cognito-idp cognito-sync comprehend config connect costexplorer
    databrew datasync delivery.logs devops-guru dlm dms eks elasticmapreduce emr-serverless events evidently
    export.rds firehose fis forecast frauddetector gamelift glue grafana greengrass healthlake imagebuilder
    internetmonitor iot iotanalytics iotevents iotfleetwise iotsitewise kendra kinesisanalytics lakeformation lex
    lexv2 logs lookoutmetrics m2 macie malware-protection-plan.guardduty mediaconvert medialive mediatailor
    monitoring.rds omics opsworks osis-pipelines osis.opensearchservice personalize pinpoint pipes pods.eks polly
    profile qldb quicksight rds redshift redshift-serverless rekognition resiliencehub rolesanywhere rum s3
    sagemaker scheduler securitylake servicecatalog ses sms-voice sns spotfleet ssm ssm-incidents ssm-sap states
    storagegateway tasks.apprunner textract timestream transcribe transfer translate voiceid vpc-flow-logs
    wellarchitected workspaces workspaces-web xray
    """.split()  # noqa: SIM905 - a paragraph reads better than a hundred quoted names
)
"""The names of the services without their domain."""

_NEVER: Final = frozenset({"ec2", "lambda", "ecs-tasks"})
_NAME: Final = re.compile(r"(?P<name>[a-z0-9.-]+?)(\.[a-z]{2}(-[a-z]+)+-\d)?\.amazonaws\.com(\.cn)?", re.IGNORECASE)


def sends_source(service: str) -> bool:
    """Tell whether a service principal (``sns.amazonaws.com``, also with a region in it) is known to send a source."""
    found = _NAME.fullmatch(service)
    return found is not None and found["name"].lower() in SENDS_SOURCE - _NEVER
