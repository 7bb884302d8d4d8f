"""Principals of resource policies are kept by unique id: who is deleted and made again is someone else, in every service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Accounts = Any  # the class of conftest.py

NAME = "unique-ids"


def _secret(client: Any, text: str) -> Callable[[Any], Any]:
    arn = client.create_secret(Name=NAME, SecretString="x")["ARN"]
    client.put_resource_policy(SecretId=arn, ResourcePolicy=text)
    return lambda guest: guest.get_secret_value(SecretId=arn)


def _queue(client: Any, text: str) -> Callable[[Any], Any]:
    url = client.create_queue(QueueName=NAME, Attributes={"Policy": text})["QueueUrl"]
    return lambda guest: guest.send_message(QueueUrl=url, MessageBody="x")


def _topic(client: Any, text: str) -> Callable[[Any], Any]:
    arn = client.create_topic(Name=NAME)["TopicArn"]
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
    return lambda guest: guest.publish(TopicArn=arn, Message="x")


def _key(client: Any, text: str) -> Callable[[Any], Any]:
    arn = client.create_key(Policy=text)["KeyMetadata"]["Arn"]
    return lambda guest: guest.describe_key(KeyId=arn)


def _grant(client: Any, text: str) -> Callable[[Any], Any]:
    arn = client.create_key()["KeyMetadata"]["Arn"]
    principal = json.loads(text)["Statement"][0]["Principal"]["AWS"]
    client.create_grant(KeyId=arn, GranteePrincipal=principal, Operations=["DescribeKey"])
    return lambda guest: guest.describe_key(KeyId=arn)


def _function(client: Any, text: str) -> Callable[[Any], Any]:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("h.py", "")
    principal = json.loads(text)["Statement"][0]["Principal"]["AWS"]
    role = f"arn:aws:iam::{principal.split(':')[4]}:role/{NAME}"
    client.create_function(
        FunctionName=NAME, Runtime="python3.12", Role=role, Handler="h.h", Code={"ZipFile": buffer.getvalue()}
    )
    client.add_permission(FunctionName=NAME, StatementId="s", Action="lambda:GetFunction", Principal=principal)
    return lambda guest: guest.get_function(FunctionName=NAME)


MAKERS: dict[str, tuple[str, str, Callable[[Any, str], Callable[[Any], Any]]]] = {
    "secret": ("secretsmanager", "secretsmanager:*", _secret),
    "queue": ("sqs", "sqs:*", _queue),
    "topic": ("sns", "sns:Publish", _topic),
    "key": ("kms", "kms:*", _key),
    "grant": ("kms", "kms:*", _grant),
    "function": ("lambda", "lambda:*", _function),
}


@pytest.mark.parametrize("resource", MAKERS)
def test_user_made_again_is_someone_else(accounts: Accounts, resource: str) -> None:
    service, action, make = MAKERS[resource]
    iam = accounts.client("iam")
    guest = accounts.client(service, accounts.user(resource, account=accounts.home))
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    named = {**statement, "Principal": {"AWS": f"arn:aws:iam::{accounts.home}:user/{resource}"}}
    if resource == "function":
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=accounts.document(trust))
    call = make(accounts.client(service), accounts.document(named))
    call(guest)
    (key,) = iam.list_access_keys(UserName=resource)["AccessKeyMetadata"]
    iam.delete_access_key(UserName=resource, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=resource)
    again = accounts.client(service, accounts.user(resource, account=accounts.home))
    assert accounts.code_of(call, again) in {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.mark.parametrize(
    ("service", "code", "words"),
    [
        ("kms", "MalformedPolicyDocumentException", "one or more invalid principals"),
        ("sqs", "InvalidAttributeValue", "Invalid value for the parameter Policy"),
    ],
)
def test_principal_that_does_not_exist_is_refused(accounts: Accounts, service: str, code: str, words: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{accounts.home}:user/nobody"}}
    text = accounts.document({**statement, "Action": f"{service}:*", "Resource": "*"})
    client = accounts.client(service)
    refused = {"kms": lambda: client.create_key(Policy=text)}.get(
        service, lambda: client.create_queue(QueueName="refused", Attributes={"Policy": text})
    )
    assert accounts.code_of(refused) == code
    assert words in accounts.message_of(refused)
