"""A resource policy admits whom it names, in its own account and, with that account's own permission, in another.

One table: for each service how its resource is made, how its policy is written, and a call that the policy decides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Credentials

    Accounts = Any  # the class of conftest.py


@dataclass
class Case:
    """`make` gives the ARN with the owner's client, `write` stores a document, `call` uses it with another's client."""

    service: str
    action: str
    make: Callable[[Any], str]
    write: Callable[[Any, str, str], Any]
    call: Callable[[Any, str], Any]
    denied: str = "AccessDeniedException"
    resource: bool = True


def _name(arn: str) -> str:
    return arn.rpartition(":")[2].rpartition("/")[2]


def _table(client: Any) -> str:
    made = client.create_table(
        TableName="shared",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return str(made["TableDescription"]["TableArn"])


def _bucket(client: Any) -> str:
    client.create_bucket(Bucket="shared-between-accounts")
    client.put_object(Bucket="shared-between-accounts", Key="k", Body=b"x")
    return "arn:aws:s3:::shared-between-accounts/*"


def _queue(client: Any) -> str:
    url = client.create_queue(QueueName="shared")["QueueUrl"]
    return str(client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _queue_url(client: Any, arn: str) -> str:
    return f"{client.meta.endpoint_url}/{arn.split(':')[4]}/{_name(arn)}"


def _stream(client: Any) -> str:
    client.create_stream(StreamName="shared", ShardCount=1)
    return str(client.describe_stream_summary(StreamName="shared")["StreamDescriptionSummary"]["StreamARN"])


CASES = [
    Case(
        "s3",
        "s3:GetObject",
        _bucket,
        lambda client, _, text: client.put_bucket_policy(Bucket="shared-between-accounts", Policy=text),
        lambda client, _: client.get_object(Bucket="shared-between-accounts", Key="k"),
        "AccessDenied",
    ),
    Case(
        "sqs",
        "sqs:SendMessage",
        _queue,
        lambda client, arn, text: client.set_queue_attributes(
            QueueUrl=_queue_url(client, arn), Attributes={"Policy": text}
        ),
        lambda client, arn: client.send_message(QueueUrl=_queue_url(client, arn), MessageBody="x"),
        "AccessDenied",
    ),
    Case(
        "sns",
        "sns:Publish",
        lambda client: str(client.create_topic(Name="shared")["TopicArn"]),
        lambda client, arn, text: client.set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=text
        ),
        lambda client, arn: client.publish(TopicArn=arn, Message="x"),
        "AuthorizationError",
    ),
    Case(
        "secretsmanager",
        "secretsmanager:DescribeSecret",
        lambda client: str(client.create_secret(Name="shared", SecretString="x")["ARN"]),
        lambda client, arn, text: client.put_resource_policy(SecretId=arn, ResourcePolicy=text),
        lambda client, arn: client.describe_secret(SecretId=arn),
    ),
    Case(
        "kms",
        "kms:DescribeKey",
        lambda client: str(client.create_key()["KeyMetadata"]["Arn"]),
        lambda client, arn, text: client.put_key_policy(KeyId=arn, PolicyName="default", Policy=_with_owner(arn, text)),
        lambda client, arn: client.describe_key(KeyId=arn),
    ),
    Case(
        "dynamodb",
        "dynamodb:GetItem",
        _table,
        lambda client, arn, text: client.put_resource_policy(ResourceArn=arn, Policy=text),
        lambda client, arn: client.get_item(TableName=arn, Key={"k": {"S": "x"}}),
    ),
    Case(
        "ecr",
        "ecr:DescribeImages",
        lambda client: str(client.create_repository(repositoryName="shared")["repository"]["repositoryArn"]),
        lambda client, _, text: client.set_repository_policy(repositoryName="shared", policyText=text),
        lambda client, arn: client.describe_images(registryId=arn.split(":")[4], repositoryName="shared"),
        resource=False,
    ),
    Case(
        "events",
        "events:PutEvents",
        lambda client: str(client.create_event_bus(Name="shared")["EventBusArn"]),
        lambda client, _, text: client.put_permission(EventBusName="shared", Policy=text),
        lambda client, arn: client.put_events(
            Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}", "EventBusName": arn}]
        ),
    ),
    Case(
        "kinesis",
        "kinesis:DescribeStreamSummary",
        _stream,
        lambda client, arn, text: client.put_resource_policy(ResourceARN=arn, Policy=text),
        lambda client, arn: client.describe_stream_summary(StreamARN=arn),
    ),
]
BY_SERVICE = {case.service: case for case in CASES}


def _with_owner(arn: str, text: str) -> str:
    """A key's policy must go on to admit its own account."""
    document = json.loads(text)
    owner = {"AWS": f"arn:aws:iam::{arn.split(':')[4]}:root"}
    document["Statement"].append({"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"})
    return json.dumps(document)


@dataclass
class People:
    """Who asks: named or not, permitted at home or not."""

    named: Credentials
    unpermitted: Credentials
    neighbour: Credentials
    principals: list[str]


@pytest.fixture(scope="module")
def people(accounts: Accounts) -> People:
    every = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    principals = [
        f"arn:aws:iam::{accounts.member}:user/named",
        f"arn:aws:iam::{accounts.member}:user/unpermitted",
        f"arn:aws:iam::{accounts.home}:user/neighbour",
    ]
    return People(
        accounts.user("named", every),
        accounts.user("unpermitted"),
        accounts.user("neighbour", account=accounts.home),
        principals,
    )


@pytest.mark.parametrize("service", BY_SERVICE)
def test_both_sides_must_allow_across_accounts(accounts: Accounts, people: People, service: str) -> None:
    case, owner = BY_SERVICE[service], accounts.client(service)
    arn = case.make(owner)

    def ask(credentials: Credentials) -> str:
        return str(accounts.code_of(case.call, accounts.client(service, credentials), arn))

    def admitted(credentials: Credentials) -> Any:
        return case.call(accounts.client(service, credentials), arn)

    for who in (people.named, people.unpermitted, people.neighbour):
        assert ask(who) == case.denied
    resource = {"Resource": arn} if case.resource else {}
    allow = {"Effect": "Allow", "Principal": {"AWS": people.principals}, "Action": case.action, **resource}
    case.write(owner, arn, accounts.document({"Sid": "allow", **allow}))
    admitted(people.named)
    admitted(people.neighbour)
    assert ask(people.unpermitted) == case.denied
    deny = {**allow, "Sid": "deny", "Effect": "Deny", "Principal": {"AWS": people.principals[:1]}}
    case.write(owner, arn, accounts.document({"Sid": "allow", **allow}, deny))
    assert ask(people.named) == case.denied
    admitted(people.neighbour)
    admitted(accounts.cloud.admin)


def test_lambda_permission_is_a_statement(accounts: Accounts, people: People) -> None:
    owner, iam = accounts.client("lambda"), accounts.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=accounts.document(trust))["Role"]["Arn"]
    arn = owner.create_function(
        FunctionName="shared", Runtime="python3.12", Role=role, Handler="h.h", Code={"ZipFile": _zip()}
    )["FunctionArn"]
    guest = accounts.client("lambda", people.named)
    assert accounts.code_of(guest.get_function, FunctionName=arn) == "AccessDeniedException"
    owner.add_permission(
        FunctionName="shared", StatementId="guest", Action="lambda:GetFunction", Principal=accounts.member
    )
    assert guest.get_function(FunctionName=arn)["Configuration"]["FunctionArn"] == arn
    assert accounts.code_of(guest.list_versions_by_function, FunctionName=arn) == "AccessDeniedException"
    unpermitted = accounts.client("lambda", people.unpermitted)
    assert accounts.code_of(unpermitted.get_function, FunctionName=arn) == "AccessDeniedException"
    owner.remove_permission(FunctionName="shared", StatementId="guest")
    assert accounts.code_of(guest.get_function, FunctionName=arn) == "AccessDeniedException"


def _zip() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("h.py", "def h(event, context): return 1")
    return buffer.getvalue()


def test_session_policy_limits_what_the_role_was_granted(accounts: Accounts) -> None:
    role = accounts.role("limited", {"Effect": "Allow", "Action": "sts:*", "Resource": "*"}, account=accounts.home)
    queue = accounts.client("sqs").create_queue(QueueName="of-the-role")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{accounts.home}:of-the-role"
    allow = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sqs:SendMessage", "Resource": arn}
    accounts.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": accounts.document(allow)})
    sts = accounts.client("sts")
    whole = accounts.cloud.credentials_of(sts.assume_role(RoleArn=role, RoleSessionName="whole")["Credentials"])
    accounts.client("sqs", whole).send_message(QueueUrl=queue, MessageBody="x")
    other = accounts.document({"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": "*"})
    answer = sts.assume_role(RoleArn=role, RoleSessionName="limited", Policy=other)
    limited = accounts.client("sqs", accounts.cloud.credentials_of(answer["Credentials"]))
    text = accounts.message_of(limited.send_message, QueueUrl=queue, MessageBody="x")
    assert text.endswith("because no session policy allows the sqs:SendMessage action")


def test_policy_that_cannot_be_read_is_said_aloud(accounts: Accounts) -> None:
    from moto.sqs.models import sqs_backends

    sqs = accounts.client("sqs")
    url = sqs.create_queue(QueueName="odd")["QueueUrl"]
    queue = sqs_backends[accounts.home]["us-east-1"].queues["odd"]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": "*",
        "Condition": {"Odd": {"a": "b"}},
    }
    queue.policy = accounts.document(statement)
    assert accounts.code_of(sqs.send_message, QueueUrl=url, MessageBody="x") == "NotImplemented"


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("s3", "MalformedPolicy"),
        ("sqs", "InvalidAttributeValue"),
        ("sns", "InvalidParameter"),
        ("kms", "MalformedPolicyDocumentException"),
        ("secretsmanager", "MalformedPolicyDocumentException"),
        ("dynamodb", "ValidationException"),
        ("kinesis", "InvalidArgumentException"),
    ],
)
def test_document_that_the_service_refuses_is_not_stored(accounts: Accounts, service: str, code: str) -> None:
    case, owner = BY_SERVICE[service], accounts.client(service)
    arn = _arn_of(service, accounts.home)
    broken = {"Effect": "Allow", "Principal": "*", "Action": case.action, "Resource": "*", "Condition": {"Odd": {}}}
    assert accounts.code_of(case.write, owner, arn, accounts.document(broken)) == code


def _arn_of(service: str, account: str) -> str:
    if service == "s3":
        return "arn:aws:s3:::shared-between-accounts"
    noun = {"dynamodb": "table/", "kinesis": "stream/", "secretsmanager": "secret:", "kms": "key/"}.get(service, "")
    return f"arn:aws:{service}:us-east-1:{account}:{noun}shared"


def test_unsigned_request_reaches_what_is_open_to_everyone_alone(accounts: Accounts) -> None:
    from botocore import UNSIGNED
    from botocore.config import Config

    def unsigned(service: str) -> Any:
        return accounts.cloud.client(service, config=Config(signature_version=UNSIGNED))

    url = accounts.client("sqs").create_queue(QueueName="open")["QueueUrl"]
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    accounts.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": accounts.document(everyone)})
    unsigned("sqs").send_message(QueueUrl=url, MessageBody="x")
    assert accounts.code_of(unsigned("sqs").receive_message, QueueUrl=url) == "AccessDenied"
    assert accounts.code_of(unsigned("s3").list_buckets) == "AccessDenied"
    assert accounts.code_of(unsigned("iam").list_users) == "MissingAuthenticationToken"
    assert accounts.code_of(unsigned("dynamodb").list_tables) == "MissingAuthenticationTokenException"


def test_owners_operations_are_not_shared(accounts: Accounts, people: People) -> None:
    queue = accounts.client("sqs").create_queue(QueueName="of-its-owner")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{accounts.home}:of-its-owner"
    everything = {"Effect": "Allow", "Principal": {"AWS": people.principals}, "Action": "sqs:*", "Resource": arn}
    accounts.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": accounts.document(everything)})
    guest = accounts.client("sqs", people.named)
    guest.send_message(QueueUrl=queue, MessageBody="x")
    assert accounts.code_of(guest.delete_queue, QueueUrl=queue) == "AccessDenied"
    key = accounts.client("kms").create_key()["KeyMetadata"]["Arn"]
    shared = {**everything, "Action": "kms:*", "Resource": "*"}
    text = _with_owner(key, accounts.document(shared))
    accounts.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=text)
    kms = accounts.client("kms", people.named)
    kms.describe_key(KeyId=key)
    refused = accounts.code_of(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=7)
    assert refused == "AccessDeniedException"
    accounts.client("sqs", people.neighbour).delete_queue(QueueUrl=queue)


def test_policies_that_moto_keeps_by_arn_are_read(accounts: Accounts) -> None:
    from moto.backends import get_backend

    from pytest_stsguard.cloud.layers import READERS

    text = accounts.document({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})
    for service, package, store in (
        ("comprehend", "comprehend", lambda backend, arn: backend.put_resource_policy(arn, text)),
        ("cloudhsm", "cloudhsmv2", lambda backend, arn: backend.put_resource_policy(arn, text)),
        ("osis", "osis", lambda backend, arn: backend.resource_policies.update({arn: text})),
        ("kafka", "kafka", lambda backend, arn: backend.policies.update({arn: {"policy": text}})),
    ):
        backend = get_backend(package)[accounts.home]["us-east-1"]
        arn = f"arn:aws:{service}:us-east-1:{accounts.home}:thing/shared"
        assert READERS[service](backend, arn, "thing/shared") is None
        store(backend, arn)
        assert READERS[service](backend, arn, "thing/shared") == text


def test_service_whose_policies_are_not_read_says_so_once_it_has_one(accounts: Accounts) -> None:
    ses = accounts.client("sesv2")
    ses.create_email_identity(EmailIdentity="example.com")
    ses.get_email_identity(EmailIdentity="example.com")
    allow = {"Effect": "Allow", "Principal": {"AWS": accounts.member}, "Action": "ses:SendEmail", "Resource": "*"}
    ses.create_email_identity_policy(EmailIdentity="example.com", PolicyName="p", Policy=accounts.document(allow))
    assert accounts.code_of(ses.get_email_identity, EmailIdentity="example.com") == "NotImplemented"
    text = accounts.message_of(ses.get_email_identity, EmailIdentity="example.com")
    assert "does not read the resource policies of `ses` yet" in text


def test_a_queues_policy_outlives_a_change_of_its_other_attributes(accounts: Accounts) -> None:
    sqs = accounts.client("sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": accounts.document(deny)})
    assert accounts.code_of(sqs.send_message, QueueUrl=url, MessageBody="m") == "AccessDenied"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    assert accounts.code_of(sqs.send_message, QueueUrl=url, MessageBody="m") == "AccessDenied"
    assert "Deny" in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]


def test_a_table_is_made_with_its_policy(accounts: Accounts) -> None:
    dynamodb = accounts.client("dynamodb")
    arn = f"arn:aws:dynamodb:us-east-1:{accounts.home}:table/closed"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": arn}
    dynamodb.create_table(
        TableName="closed",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        ResourcePolicy=accounts.document(deny),
    )
    key = {"id": {"S": "a"}}
    assert accounts.code_of(dynamodb.get_item, TableName="closed", Key=key) == "AccessDeniedException"
    dynamodb.delete_resource_policy(ResourceArn=arn)
    assert dynamodb.get_item(TableName="closed", Key=key)


def test_awss_own_key_admits_nobody_of_another_account(accounts: Accounts) -> None:
    """https://repost.aws/knowledge-center/secrets-manager-cross-account-key, and S3's aws/s3 alike."""
    user = accounts.user("outside-the-default-key", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    principal = {"AWS": f"arn:aws:iam::{accounts.member}:user/outside-the-default-key"}
    secrets, s3 = accounts.client("secretsmanager"), accounts.client("s3")
    arn = secrets.create_secret(Name="default-key", SecretString="v")["ARN"]
    allow = {"Effect": "Allow", "Principal": principal, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=accounts.document(allow))
    refused = accounts.code_of(accounts.client("secretsmanager", user).get_secret_value, SecretId=arn)
    assert refused == "InvalidRequestException"
    s3.create_bucket(Bucket="default-key")
    s3.put_object(Bucket="default-key", Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    s3.put_object(Bucket="default-key", Key="plain", Body=b"x")
    allow = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::default-key/*",
    }
    s3.put_bucket_policy(Bucket="default-key", Policy=accounts.document(allow))
    reader = accounts.client("s3", user)
    assert reader.get_object(Bucket="default-key", Key="plain")
    assert accounts.code_of(reader.get_object, Bucket="default-key", Key="k") == "AccessDenied"
    assert s3.get_object(Bucket="default-key", Key="k")
