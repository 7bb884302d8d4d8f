"""Whatever a client sends, a call that can be read is mapped or refused by name."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.cloud.calls import UnknownOperationError, UnparsableRequestError, parse
from pytest_stsguard.cloud.permissions import UnmappedOperationError, required
from pytest_stsguard.cloud.permissions.samples import Nothing
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
