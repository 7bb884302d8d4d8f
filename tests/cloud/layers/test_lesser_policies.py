"""Resource policies of services that few use: read all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Accounts = Any  # the class of conftest.py

DENIED = "with an explicit deny in a resource-based policy"


def deny(accounts: Accounts, action: str, **more: Any) -> str:
    principal = {"AWS": f"arn:aws:iam::{accounts.home}:user/stsguard-administrator"}
    text: str = accounts.document({"Effect": "Deny", "Principal": principal, "Action": action, **more})
    return text


def test_log_groups_are_under_all_policies_of_the_account(accounts: Accounts) -> None:
    logs = accounts.client("logs")
    for name in ("open", "shut"):
        logs.create_log_group(logGroupName=name)
    shut = f"arn:aws:logs:us-east-1:{accounts.home}:log-group:shut*"
    harmless = f"arn:aws:logs:us-east-1:{accounts.home}:log-group:other*"
    for name, resource in (("one", harmless), ("two", shut)):
        document = deny(accounts, "logs:PutRetentionPolicy", Resource=resource)
        logs.put_resource_policy(policyName=name, policyDocument=document)
    logs.put_retention_policy(logGroupName="open", retentionInDays=7)
    text = accounts.message_of(logs.put_retention_policy, logGroupName="shut", retentionInDays=7)
    assert text.endswith(DENIED)


def test_log_destination_has_its_own(accounts: Accounts) -> None:
    from moto.logs.models import logs_backends

    from pytest_stsguard.cloud.layers import READERS

    store = logs_backends[accounts.home]["us-east-1"]
    store.put_destination("shared", f"arn:aws:iam::{accounts.home}:role/r", "arn:aws:kinesis:::stream/s", None)
    arn = f"arn:aws:logs:us-east-1:{accounts.home}:destination:shared"
    assert READERS["logs"](store, arn, "destination:shared") is None
    accounts.client("logs").put_destination_policy(destinationName="shared", accessPolicy=deny(accounts, "logs:*"))
    assert "Deny" in str(READERS["logs"](store, arn, "destination:shared"))


def test_file_system(accounts: Accounts) -> None:
    efs = accounts.client("efs")
    system = efs.create_file_system(CreationToken="token")["FileSystemId"]
    efs.put_lifecycle_configuration(FileSystemId=system, LifecyclePolicies=[])
    document = deny(accounts, "elasticfilesystem:PutLifecycleConfiguration", Resource="*")
    efs.put_file_system_policy(FileSystemId=system, Policy=document)
    text = accounts.message_of(efs.put_lifecycle_configuration, FileSystemId=system, LifecyclePolicies=[])
    assert text.endswith(DENIED)


def test_media_container(accounts: Accounts) -> None:
    mediastore = accounts.client("mediastore")
    mediastore.create_container(ContainerName="box")
    mediastore.describe_container(ContainerName="box")
    document = deny(accounts, "mediastore:DescribeContainer", Resource="*")
    mediastore.put_container_policy(ContainerName="box", Policy=document)
    assert accounts.message_of(mediastore.describe_container, ContainerName="box").endswith(DENIED)


def test_what_does_not_exist_has_none(accounts: Accounts) -> None:
    from moto.backends import get_backend

    from pytest_stsguard.cloud.layers import READERS

    packages = {"elasticfilesystem": "efs", "lambda": "awslambda", "acm-pca": "acmpca"}
    tails = {"lambda": "function:none:1", "logs": "destination:none", "sns": "none", "sqs": "none"}
    for service in ("lambda", "sqs", "sns", "ecr", "events", "secretsmanager", "dynamodb", "mediastore", *packages):
        store = get_backend(packages.get(service, service))[accounts.home]["us-east-1"]
        tail = tails.get(service, "thing/none")
        assert READERS[service](store, f"arn:aws:{service}:us-east-1:{accounts.home}:{tail}", tail) is None
    store = get_backend("lambda")[accounts.home]["us-east-1"]
    assert READERS["lambda"](store, f"arn:aws:lambda:us-east-1:{accounts.home}:layer:l", "layer:l") is None
