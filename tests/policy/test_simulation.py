"""Records of `stsguard simulate`: their shape, what they imply, and what is refused."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_stsguard.policy.reading import read_json
from pytest_stsguard.policy.simulation import simulate_record

USER = "arn:aws:iam::111122223333:user/alice"
ALLOW: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
RECORD: dict[str, Any] = {"id": "r1", "PolicyInputList": [ALLOW], "CallerArn": USER, "ActionNames": ["s3:GetObject"]}


def result(**fields: Any) -> dict[str, Any]:
    answer = simulate_record({**RECORD, **fields})
    assert "Error" not in answer, answer
    (found,) = answer["EvaluationResults"]
    assert isinstance(found, dict)
    return found


def error(record: object) -> tuple[str, str]:
    answer = simulate_record(record)
    assert "EvaluationResults" not in answer
    return answer["Error"]["Code"], answer["Error"]["Message"]


def test_the_shape_of_an_answer() -> None:
    assert simulate_record(MappingProxyType(RECORD)) == {
        "id": "r1",
        "EvaluationResults": [
            {
                "EvalActionName": "s3:GetObject",
                "EvalResourceName": "*",
                "EvalDecision": "allowed",
                "MatchedStatements": [
                    {
                        "SourcePolicyId": "PolicyInputList.1",
                        "SourcePolicyType": "IAM Policy",
                        "Statement": "Statement[0]",
                        "Sid": "All",
                    }
                ],
                "MissingContextValues": [],
            }
        ],
    }


def test_a_result_for_each_resource_and_action() -> None:
    answer = simulate_record({**RECORD, "ActionNames": ["s3:A", "s3:B"], "ResourceArns": ["arn:aws:s3:::x", "*"]})
    pairs = [(found["EvalResourceName"], found["EvalActionName"]) for found in answer["EvaluationResults"]]
    assert pairs == [("arn:aws:s3:::x", "s3:A"), ("arn:aws:s3:::x", "s3:B"), ("*", "s3:A"), ("*", "s3:B")]


def test_documents_may_be_texts() -> None:
    assert result(PolicyInputList=[json.dumps(ALLOW)])["EvalDecision"] == "allowed"


def test_missing_context_values() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "true"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    assert result(PolicyInputList=[policy])["MissingContextValues"] == ["aws:SecureTransport"]
    bucket = {"Statement": {**statement, "Principal": "*"}}
    assert result(ResourcePolicy=bucket, SessionPolicyInputList=[policy])["MissingContextValues"] == [
        "aws:SecureTransport"
    ]


@pytest.mark.parametrize(("statement_action", "allowed"), [("*", True), ("ec2:*", False)])
def test_details_of_boundary_and_organisation(statement_action: str, *, allowed: bool) -> None:
    limit = {"Statement": [{"Effect": "Allow", "Action": statement_action, "Resource": "*"}]}
    found = result(PermissionsBoundaryPolicyInputList=[limit], ServiceControlPolicyInputList=[[ALLOW], [limit]])
    assert found["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": allowed}
    assert found["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": allowed}


def test_the_callers_own_notes_and_awss_own_fields_are_left_alone() -> None:
    assert result(why="a note", MaxItems=5, ResourceHandlingOption="x")["EvalDecision"] == "allowed"


def context(**entry: Any) -> dict[str, Any]:
    condition = {"ForAnyValue:StringEquals": {"a:b": ["true", "5", "x"]}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    return {"PolicyInputList": [{"Statement": statement}], "ContextEntries": [{"ContextKeyName": "a:b", **entry}]}


@pytest.mark.parametrize(
    ("entry", "decision"),
    [
        ({"ContextKeyValues": ["x"], "ContextKeyType": "string"}, "allowed"),
        ({"ContextKeyValues": ["x"]}, "allowed"),
        ({"ContextKeyValues": ["x"], "ContextKeyType": "stringList"}, "allowed"),
        ({"ContextKeyValues": [True], "ContextKeyType": "boolean"}, "allowed"),
        ({"ContextKeyValues": [5], "ContextKeyType": "numeric"}, "allowed"),
        ({"ContextKeyValues": ["y", "x"]}, "allowed"),
        ({"ContextKeyValues": []}, "implicitDeny"),
        ({}, "implicitDeny"),
    ],
)
def test_context_entries(entry: dict[str, Any], decision: str) -> None:
    assert result(**context(**entry))["EvalDecision"] == decision


def test_without_a_caller_the_account_is_the_resources() -> None:
    record = {name: value for name, value in RECORD.items() if name != "CallerArn"}
    for fields in ({"ResourceOwner": "444455556666"}, {"ResourceArns": ["arn:aws:sqs:x:444455556666:q"]}, {}):
        assert simulate_record({**record, **fields})["EvaluationResults"][0]["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"PolicyInputLst": []}, "PolicyInputLst: unknown field `PolicyInputLst`"),
        ({"ActionNames": []}, "ActionNames: no action is named"),
        ({"ActionNames": None}, "ActionNames: no action is named"),
        ({"ActionNames": "s3:GetObject"}, "ActionNames: expected a list, found a string"),
        ({"ActionNames": [5]}, "ActionNames: expected a string, found a number"),
        ({"ActionNames": {"a": 1}}, "ActionNames: expected a list, found an object"),
        ({"CallerArn": 5}, "CallerArn: expected a string, found a number"),
        ({"CallerArn": "alice"}, "principal: `alice` cannot call"),
        ({"CallerArn": None, "ResourcePolicy": ALLOW}, "CallerArn: a resource policy needs a caller"),
        ({"ResourceOwner": "me"}, "ResourceOwner: `me` names no account"),
        ({"ResourceOwner": "arn:aws:s3:::b"}, "ResourceOwner: `arn:aws:s3:::b` names no account"),
        ({"PolicyInputList": [5]}, "PolicyInputList.1: a policy is an object or a JSON text, not a number"),
        ({"PolicyInputList": [ALLOW, {}]}, "PolicyInputList.2: Statement: the element `Statement` is missing"),
        ({"PolicyInputList": ["5"]}, "PolicyInputList.1: a policy is an object, not a number"),
        (
            {"ServiceControlPolicyInputList": [ALLOW]},
            "ServiceControlPolicyInputList.1: expected a list, found an object",
        ),
        ({"ResourcePolicy": ALLOW}, "ResourcePolicy: Statement[0].Principal: the element `Principal` is missing"),
        ({"ContextEntries": ["x"]}, "ContextEntries.1: a context entry is an object, not a string"),
        ({"ContextEntries": [{}]}, "ContextEntries.1: a context entry needs a `ContextKeyName`"),
        (context(ContextKeyValues=[None]), "ContextEntries.1.ContextKeyValues: a context value is a string"),
        (context(ContextKeyType="text"), "ContextEntries.1.ContextKeyType: unknown type of context key `text`"),
        (
            {"ContextEntries": [{"ContextKeyName": "a:b"}, {"ContextKeyName": "A:B"}]},
            "ContextEntries.2: the context key `A:B` comes twice",
        ),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    assert error({**RECORD, **fields})[1].startswith(message)


def test_codes_tell_a_bad_policy_from_a_bad_record() -> None:
    assert error({**RECORD, "PolicyInputList": ["5"]})[0] == "MalformedPolicyDocument"
    assert error({**RECORD, "PolicyInputList": [5]})[0] == "InvalidInput"
    odd = {"Statement": {**ALLOW["Statement"][0], "Condition": {"ForAnyValue:Null": {"a:b": "true"}}}}
    assert error({**RECORD, "PolicyInputList": [odd]})[0] == "UnsupportedPolicyElement"


def test_a_repeated_field_is_refused() -> None:
    assert error(read_json('{"id": "x", "id": "y"}')) == ("InvalidInput", "id: the field `id` comes twice")


@pytest.mark.parametrize("record", [None, 5, "x", [], [RECORD], True])
def test_a_record_is_an_object(record: object) -> None:
    assert error(record)[1].startswith("a record is an object")


def test_an_id_is_echoed_or_refused() -> None:
    for label in ("a", 5, 1.5, None, True):
        assert simulate_record({**RECORD, "id": label})["id"] == label
    answer = simulate_record({**RECORD, "id": ["deep"]})
    assert answer == {"id": None, "Error": {"Code": "InvalidInput", "Message": "id: an id is a string or a number"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["*", USER, "Allow", "s3:*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(list(RECORD)), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from([*RECORD, "ResourcePolicy", "ContextEntries", "ServiceControlPolicyInputList", "ResourceArns"]),
    JSON,
)
def test_no_record_raises(field: str, value: Any) -> None:
    answer = simulate_record({**RECORD, field: value})
    assert len(answer) == 2
    json.dumps(answer)
