"""The gate decides as AWS does, says no in the service's words, and refuses by name what it does not know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials

DENIED = {
    "s3": ("list_buckets", "AccessDenied", 403),
    "ec2": ("describe_instances", "UnauthorizedOperation", 403),
    "iam": ("list_roles", "AccessDenied", 403),
    "dynamodb": ("list_tables", "AccessDeniedException", 400),
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role(cloud: Cloud, name: str, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> None:
    trusted = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "sts:AssumeRole",
        **(trust or {}),
    }
    iam = cloud.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trusted))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="access", PolicyDocument=document(*statements))


def error_of(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    return dict(raised.value.response)


@pytest.mark.parametrize("service", DENIED)
def test_implicit_denial_speaks_the_services_protocol(sts_cloud: Cloud, service: str) -> None:
    method, code, status = DENIED[service]
    client = sts_cloud.client(service, sts_cloud.user_credentials("a4l-developer"))
    error = error_of(getattr(client, method))
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    message = error["Error"]["Message"]
    assert "arn:aws:iam::111122223333:user/a4l-developer is not authorized to perform: " in message
    assert "because no identity-based policy allows the " in message


@pytest.mark.parametrize("service", DENIED)
def test_explicit_denial_says_so(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Any], service: str
) -> None:
    method, code, _ = DENIED[service]
    stolen = sts_assume_role("A4L-DataRole")
    sts_revoke("A4L-DataRole")
    error = error_of(getattr(stolen.session().client(service), method))
    assert error["Error"]["Code"] == code
    assert "with an explicit deny in an identity-based policy" in error["Error"]["Message"]


def test_operation_that_is_not_mapped_is_neither_allowed_nor_denied(sts_cloud: Cloud) -> None:
    arn = f"arn:aws:sqs:us-east-1:{sts_cloud.account}:q"
    tagging = sts_cloud.client("resourcegroupstaggingapi")
    error = error_of(lambda: tagging.tag_resources(ResourceARNList=[arn], Tags={"a": "1"}))
    assert error["Error"]["Code"] == "NotImplemented"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "TagResources" in error["Error"]["Message"]


def test_operation_that_moto_lacks_is_refused_by_name(sts_cloud: Cloud) -> None:
    error = error_of(lambda: sts_cloud.client("ec2").describe_reserved_instances())
    assert error["Error"]["Code"] == "NotImplemented"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_deny_on_one_prefix_spares_the_rest(sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]) -> None:
    bucket = f"arn:aws:s3:::a4l-secrets-{sts_cloud.account}"
    role(
        sts_cloud,
        "reader",
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{bucket}/secret*"},
    )
    sts_cloud.client("s3").put_object(Bucket=bucket[13:], Key="open.txt", Body=b"open")
    s3 = sts_assume_role("reader").session().client("s3")
    assert s3.get_object(Bucket=bucket[13:], Key="open.txt")["Body"].read() == b"open"
    assert error_of(lambda: s3.get_object(Bucket=bucket[13:], Key="secret.txt"))["Error"]["Code"] == "AccessDenied"


def test_permissions_boundary_limits(sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]) -> None:
    role(sts_cloud, "bounded", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam = sts_cloud.client("iam")
    boundary = iam.create_policy(
        PolicyName="only-s3", PolicyDocument=document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    )["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=boundary)
    session = sts_assume_role("bounded").session()
    assert session.client("s3").list_buckets()["Buckets"]
    error = error_of(session.client("dynamodb").list_tables)
    assert "because no permissions boundary allows the dynamodb:ListTables action" in error["Error"]["Message"]


def test_managed_policy_of_aws_counts(sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials]) -> None:
    role(sts_cloud, "auditor")
    sts_cloud.client("iam").attach_role_policy(
        RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    s3 = sts_assume_role("auditor").session().client("s3")
    assert s3.list_buckets()["Buckets"]
    assert error_of(lambda: s3.create_bucket(Bucket="mine"))["Error"]["Code"] == "AccessDenied"


def test_group_policy_counts_for_its_members(sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")
    iam.create_group(GroupName="readers")
    iam.put_group_policy(
        GroupName="readers",
        PolicyName="read",
        PolicyDocument=document({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}),
    )
    iam.add_user_to_group(GroupName="readers", UserName="a4l-developer")
    assert sts_cloud.client("s3", sts_cloud.user_credentials("a4l-developer")).list_buckets()["Buckets"]


def test_bucket_policy_alone_admits_a_user_of_the_account(sts_cloud: Cloud) -> None:
    bucket = f"a4l-secrets-{sts_cloud.account}"
    sts_cloud.client("s3").put_bucket_policy(
        Bucket=bucket,
        Policy=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{sts_cloud.account}:user/a4l-developer"},
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ),
    )
    s3 = sts_cloud.client("s3", sts_cloud.user_credentials("a4l-developer"))
    assert s3.get_object(Bucket=bucket, Key="secret.txt")["Body"].read()


def test_instance_keys_reach_conditions(sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]) -> None:
    instance = sts_cloud.instance("A").instance_id
    sts_cloud.client("iam").put_role_policy(
        RoleName="A4L-InstanceRole",
        PolicyName="not-from-a",
        PolicyDocument=document(
            {
                "Effect": "Deny",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"ArnEquals": {"ec2:SourceInstanceARN": f"arn:aws:ec2:*:*:instance/{instance}"}},
            }
        ),
    )
    assert error_of(imds_credentials("A").session().client("s3").list_buckets)["Error"]["Code"] == "AccessDenied"
    assert imds_credentials("B").session().client("s3").list_buckets()["Buckets"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "is not JSON"),
        (document({"Effect": "Allow", "Action": "s3:*"}), "Statement[0]"),
        (document({"Effect": "allow", "Action": "s3:*", "Resource": "*"}), "Statement[0].Effect"),
        (
            document({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateBefore": {"a:b": "c"}}}),
            "DateBefore",
        ),
    ],
)
def test_document_that_aws_refuses_is_refused_at_the_door(sts_cloud: Cloud, text: str, place: str) -> None:
    error = error_of(
        lambda: sts_cloud.client("iam").put_role_policy(
            RoleName="A4L-DataRole", PolicyName="broken", PolicyDocument=text
        )
    )
    assert error["Error"]["Code"] == "MalformedPolicyDocument"
    assert place in error["Error"]["Message"]


def test_stopped_and_started_instance_holds_new_credentials(
    sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]
) -> None:
    before = imds_credentials("A")
    other = imds_credentials("B")
    ec2, instance = sts_cloud.client("ec2"), sts_cloud.instance("A").instance_id
    ec2.reboot_instances(InstanceIds=[instance])
    assert imds_credentials("A").access_key_id == before.access_key_id
    ec2.stop_instances(InstanceIds=[instance])
    ec2.start_instances(InstanceIds=[instance])
    assert imds_credentials("A").access_key_id != before.access_key_id
    assert imds_credentials("B").access_key_id == other.access_key_id


def test_replaced_profile_brings_the_other_roles_credentials(
    sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]
) -> None:
    trust = {"Principal": {"Service": "ec2.amazonaws.com"}}
    role(sts_cloud, "other", trust=trust)
    iam, ec2 = sts_cloud.client("iam"), sts_cloud.client("ec2")
    iam.create_instance_profile(InstanceProfileName="other")
    iam.add_role_to_instance_profile(InstanceProfileName="other", RoleName="other")
    instance = sts_cloud.instance("A").instance_id
    assert ":assumed-role/A4L-InstanceRole/" in str(imds_credentials("A").arn)
    (held,) = ec2.describe_iam_instance_profile_associations(Filters=[{"Name": "instance-id", "Values": [instance]}])[
        "IamInstanceProfileAssociations"
    ]
    ec2.replace_iam_instance_profile_association(
        AssociationId=held["AssociationId"], IamInstanceProfile={"Name": "other"}
    )
    assert imds_credentials("A").arn == f"arn:aws:sts::111122223333:assumed-role/other/{instance}"


def test_instance_whose_role_ec2_may_not_assume_gets_no_credentials(sts_cloud: Cloud) -> None:
    import urllib.request

    sts_cloud.client("iam").update_assume_role_policy(
        RoleName="A4L-InstanceRole",
        PolicyDocument=document(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    )
    url = sts_cloud.instance("A").metadata_url + "/latest/meta-data/iam/security-credentials/A4L-InstanceRole"
    with urllib.request.urlopen(url, timeout=5) as response:
        assert json.load(response)["Code"] == "AssumeRoleUnauthorizedAccess"


def test_failed_start_renews_nothing(sts_cloud: Cloud, imds_credentials: Callable[[str], Credentials]) -> None:
    before = imds_credentials("A")
    known = sts_cloud.instance("A").instance_id
    error = error_of(lambda: sts_cloud.client("ec2").start_instances(InstanceIds=[known, "i-00000000000000000"]))
    assert error["Error"]["Code"] == "InvalidInstanceID.NotFound"
    assert imds_credentials("A").access_key_id == before.access_key_id


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("delete_bucket_analytics_configuration", {"Id": "x"}), ("get_bucket_request_payment", {})],
)
def test_operation_that_moto_takes_for_another_is_refused(
    sts_cloud: Cloud, operation: str, parameters: dict[str, str]
) -> None:
    s3 = sts_cloud.client("s3")
    error = error_of(lambda: getattr(s3, operation)(Bucket="a4l-secrets-111122223333", **parameters))
    assert error["Error"]["Code"] == "NotImplemented"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["a4l-secrets-111122223333"]


@pytest.mark.skipif(botocore.__version__ < "1.44", reason="the newest of these operations came with botocore 1.44")
def test_operations_that_moto_takes_for_others_exist() -> None:
    from botocore.session import Session

    from pytest_stsguard.cloud.moto_gaps import MISTAKEN

    for service, operations in MISTAKEN.items():
        assert operations <= set(Session().get_service_model(service).operation_names)


def test_fault_inside_moto_is_no_answer(sts_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.ec2.models import EC2Backend

    def break_down(*_: object, **__: object) -> None:
        raise KeyError("vpcs")

    ec2 = sts_cloud.client("ec2")
    ec2.describe_vpcs()
    monkeypatch.setattr(EC2Backend, "describe_vpcs", break_down)
    error = error_of(ec2.describe_vpcs)
    assert error["Error"]["Code"] == "NotImplemented"
    assert "KeyError" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("s3:authType", "REST-HEADER", "AccessDenied"),
        ("s3:authType", "REST-QUERY-STRING", "allowed"),
        ("s3:signatureversion", "AWS4-HMAC-SHA256", "AccessDenied"),
        ("s3:ExistingObjectTag/level", "secret", "AccessDenied"),
        ("s3:ExistingObjectTag/level", "open", "allowed"),
    ],
)
def test_keys_of_signature_and_object_reach_conditions(sts_cloud: Cloud, key: str, value: str, expected: str) -> None:
    bucket, s3 = "a4l-secrets-111122223333", sts_cloud.client("s3")
    tags = {"TagSet": [{"Key": "level", "Value": "secret"}]}
    s3.put_object_tagging(Bucket=bucket, Key="secret.txt", Tagging=tags)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {key: value}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=document(deny))
    if expected == "allowed":
        assert s3.get_object(Bucket=bucket, Key="secret.txt")["Body"].read()
    else:
        assert error_of(lambda: s3.get_object(Bucket=bucket, Key="secret.txt"))["Error"]["Code"] == expected


def test_what_the_world_holds_of_a_service_is_planted_when_it_is_reached(sts_cloud: Cloud) -> None:
    from moto.s3.models import s3_backends

    sts_cloud.client("iam").list_roles()
    sts_cloud.client("dynamodb").list_tables()
    sts_cloud.client("sqs").create_queue(QueueName="q")
    assert not s3_backends.bucket_accounts
    sts_cloud.client("s3").list_buckets()
    assert s3_backends.bucket_accounts
