"""Whatever a client sends, a call that can be read is mapped or refused by name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.cloud.calls import UnknownOperationError, UnparsableRequestError, parse
from pytest_stsguard.cloud.permissions import UnmappedOperationError, required
from pytest_stsguard.cloud.permissions.implemented import implemented
from pytest_stsguard.cloud.permissions.samples import Nothing, sample
from pytest_stsguard.cloud.request import Request

_TEXT = st.text(max_size=6) | st.sampled_from(
    ["arn:", "arn:aws:iam::1:role/r", "*", "a.b", "/", "i-1", "1", "b/k", "?"]
)
_OPERATIONS = st.sampled_from(
    ["GetItem", "PutItem", "Query", "BatchGetItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement", "Scan"]
)
_NAMES = st.sampled_from(
    [
        "TableName",
        "IndexName",
        "Key",
        "Item",
        "id",
        "S",
        "RequestItems",
        "Keys",
        "TransactItems",
        "Put",
        "Statement",
        "t",
        "KeyConditions",
        "KeyConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "PutRequest",
    ]
)
_VALUES = st.recursive(
    _TEXT, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=10
)
_BODIES = st.dictionaries(_NAMES, _VALUES, max_size=5)
_WORDS = st.sampled_from(
    [
        "SELECT",
        "*",
        "FROM",
        "INSERT INTO",
        "UPDATE",
        "DELETE",
        '"t"',
        "t",
        ".",
        "WHERE",
        "id",
        "=",
        "?",
        "'a'",
        "IN",
        "[",
        "]",
        "(",
    ]
)
_STATEMENTS = st.lists(_WORDS, max_size=12).map(" ".join)
_FIELDS = st.sampled_from(
    [
        "UserName",
        "RoleName",
        "Path",
        "NewUserName",
        "NewPath",
        "Tags.member.1.Key",
        "Tags.member.1.Value",
        "PolicyArn",
        "InstanceId.1",
        "ResourceId.1",
        "Tag.1.Key",
        "TagSpecification.1.ResourceType",
        "IamInstanceProfile.Name",
        "GroupId",
        "RoleArn",
        "SourceIdentity",
        "Name",
        "TargetPrincipal",
        "DeletionTaskId",
        "Url",
        "PolicySourceArn",
    ]
)
_ACTIONS = st.sampled_from(
    [
        ("iam", name)
        for name in ("UpdateUser", "CreateRole", "GetUser", "DeleteServiceLinkedRole", "SimulatePrincipalPolicy")
    ]
    + [("ec2", name) for name in ("RunInstances", "CreateTags", "CreateFlowLogs", "AssociateIamInstanceProfile")]
    + [("sts", name) for name in ("AssumeRole", "AssumeRoot", "GetFederationToken")]
)


class _Keyed(Nothing):
    def partition_key(self, table: str) -> str | None:
        return "id"


def _survives(request: Request, service: str) -> None:
    try:
        call = parse(request, signing_name=service, region=None)
        found = required(call, account="111122223333", state=_Keyed())
    except (UnknownOperationError, UnparsableRequestError, UnmappedOperationError) as error:
        assert str(error)  # noqa: PT017 - any of them will do
        return
    for permission in found:
        prefix, _, name = permission.action.partition(":")
        assert prefix
        assert name
        assert permission.resource == "*" or permission.resource.startswith("arn:")


_NASTY = st.text(max_size=8) | st.sampled_from(
    [
        "arn:",
        "arn:aws:x",
        "http://[",
        "://",
        "::",
        "a:b:c:d:e:f:g",
        "alias/",
        "+1",
        "=",
        "${Account}",
        "fsap-",
        "ou-",
        "*",
        "arn:aws:lambda:us-east-1:1:function:",
        "arn:aws:iam::111122223333:role/x",
        "x" * 60,
    ]
)
_HOOKED = [
    "lambda",
    "ecs",
    "batch",
    "autoscaling",
    "elbv2",
    "emr",
    "rds",
    "redshift",
    "efs",
    "sqs",
    "sns",
    "events",
    "kinesis",
    "stepfunctions",
    "scheduler",
    "ses",
    "sesv2",
    "kms",
    "secretsmanager",
    "organizations",
    "ds",
    "wafv2",
    "cloudformation",
    "logs",
    "ssm",
    "config",
    "route53",
    "servicediscovery",
    "codebuild",
    "codedeploy",
    "glue",
    "athena",
    "apigateway",
    "apigatewayv2",
    "iot",
]


def _with(value: Any, text: str) -> Any:
    """Put a text in the place of every other."""
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [_with(each, text) for each in value]
    return {key: _with(each, text) for key, each in value.items()} if isinstance(value, dict) else value


@given(st.sampled_from(_HOOKED), st.integers(0, 10_000), _NASTY, st.booleans())
def test_any_call_of_a_service_with_a_table(service: str, number: int, text: str, full: bool) -> None:  # noqa: FBT001 - a drawn value
    names = implemented(service)
    drawn = sample(service, names[number % len(names)], full=full)
    try:
        found = required(
            replace(drawn, parameters=_with(drawn.parameters, text)), account="111122223333", state=Nothing()
        )
    except UnmappedOperationError as error:
        assert str(error)  # noqa: PT017 - a refusal by name will do as well
        return
    assert found
    for permission in found:
        assert re.fullmatch("[a-z0-9-]+:[A-Za-z0-9]+", permission.action)
        assert permission.resource == "*" or permission.resource.startswith("arn:")


def _json(operation: str, body: dict[str, Any]) -> Request:
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "host": "localhost"}
    return Request("POST", "http://localhost/", headers, json.dumps(body).encode())


@given(_OPERATIONS, _BODIES)
def test_any_dynamodb_call(operation: str, body: dict[str, Any]) -> None:
    _survives(_json(operation, body), "dynamodb")


@given(_STATEMENTS, st.lists(st.just({"S": "x"}), max_size=2))
def test_any_statement(statement: str, parameters: list[Any]) -> None:
    _survives(_json("ExecuteStatement", {"Statement": statement, "Parameters": parameters}), "dynamodb")


@given(_ACTIONS, st.dictionaries(_FIELDS, _TEXT, max_size=6))
def test_any_query_call(action: tuple[str, str], fields: dict[str, str]) -> None:
    from urllib.parse import urlencode

    body = urlencode({"Action": action[1], **fields})
    headers = {"content-type": "application/x-www-form-urlencoded", "host": "localhost"}
    _survives(Request("POST", "http://localhost/", headers, body.encode()), action[0])


@given(st.sampled_from(["GET", "PUT", "DELETE", "POST", "HEAD"]), st.lists(_TEXT, max_size=3), _TEXT)
def test_any_s3_call(method: str, parts: list[str], source: str) -> None:
    from urllib.parse import quote

    url = "http://localhost/" + "/".join(quote(part, safe="") for part in parts)
    headers = {"host": "localhost"} | ({"x-amz-copy-source": source} if method == "PUT" and source.isascii() else {})
    _survives(Request(method, url, headers), "s3")
