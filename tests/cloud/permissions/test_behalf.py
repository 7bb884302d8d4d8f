"""Keys that a service uses on the caller's behalf: https://docs.aws.amazon.com/kms/latest/developerguide/services-s3.html."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Needs = Callable[..., Any]

KEY = "arn:aws:kms:us-east-1:111122223333:key/k"
PARAMETER = "arn:aws:ssm:us-east-1:111122223333:parameter/p"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:s-AbCdEf"


def kms(found: Any) -> list[tuple[str, str]]:
    """Give KMS's checks among all of a call."""
    return [(each.action.removeprefix("kms:"), each.resource) for each in found if each.action.startswith("kms:")]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, []),
        ({"ServerSideEncryption": "AES256"}, []),
        ({"ServerSideEncryption": "aws:kms"}, []),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/aws/s3"}, []),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}, [("GenerateDataKey", KEY)]),
        ({"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": KEY}, [("GenerateDataKey", KEY)]),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/app"}, [("GenerateDataKey", f"{KEY}-alias")]),
    ],
)
def test_what_encrypts_a_new_object(parameters: dict[str, Any], expected: Any, needs: Needs, world: Any) -> None:
    world.existing = {("kms", "alias", "alias/app"): f"{KEY}-alias"}
    found = needs("s3", "PutObject", {"Bucket": "b", "Key": "k", **parameters})
    assert found[0].action == "s3:PutObject"
    assert kms(found) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, [("GenerateDataKey", KEY)]),
        ({"ServerSideEncryption": "aws:kms"}, [("GenerateDataKey", KEY)]),
        ({"ServerSideEncryption": "AES256"}, []),
        ({"SSECustomerAlgorithm": "AES256"}, []),
        ({"SSEKMSKeyId": "other"}, [("GenerateDataKey", KEY.replace("key/k", "key/other"))]),
    ],
)
def test_a_buckets_default_key(parameters: dict[str, Any], expected: Any, needs: Needs, world: Any) -> None:
    world.encrypted = {"arn:aws:s3:::b": ("k", True)}
    world.tags = {KEY: {"team": "blue"}}
    found = needs("s3", "PutObject", {"Bucket": "b", "Key": "k", **parameters})
    assert kms(found) == expected
    if not parameters:
        assert found[-1].context == {
            "kms:ViaService": "s3.us-east-1.amazonaws.com",
            "kms:CallerAccount": "111122223333",
            "aws:ViaAWSService": "true",
            "aws:CalledVia": ["s3.amazonaws.com"],
            "aws:CalledViaFirst": "s3.amazonaws.com",
            "aws:CalledViaLast": "s3.amazonaws.com",
            "aws:SourceIp": "52.94.133.131",
            "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::b",
            "kms:EncryptionContextKeys": ["aws:s3:arn"],
            "aws:ResourceTag/team": "blue",
        }


def test_a_request_settles_whether_the_buckets_own_key_is_used(needs: Needs, world: Any) -> None:
    world.encrypted = {"arn:aws:s3:::b": ("k", True)}
    found = needs("s3", "PutObject", {"Bucket": "b", "Key": "k", "BucketKeyEnabled": False})
    assert found[-1].context["kms:EncryptionContext:aws:s3:arn"] == "arn:aws:s3:::b/k"


def test_what_decrypts_an_object(needs: Needs, world: Any) -> None:
    world.encrypted = {"arn:aws:s3:::b/k": ("k", False)}
    assert kms(needs("s3", "GetObject", {"Bucket": "b", "Key": "k"})) == [("Decrypt", KEY)]
    assert kms(needs("s3", "GetObject", {"Bucket": "b", "Key": "plain"})) == []
    assert kms(needs("s3", "HeadObject", {"Bucket": "b", "Key": "k"})) == []
    assert kms(needs("s3", "CopyObject", {"Bucket": "b", "Key": "new", "CopySource": "b/k"})) == [("Decrypt", KEY)]
    multipart = {"Bucket": "b", "Key": "k", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"}
    assert kms(needs("s3", "CreateMultipartUpload", multipart)) == [("GenerateDataKey", KEY), ("Decrypt", KEY)]


def test_secure_parameters(needs: Needs, world: Any) -> None:
    world.encrypted = {PARAMETER: ("k", False)}
    assert kms(needs("ssm", "GetParameter", {"Name": "p", "WithDecryption": True})) == [("Decrypt", KEY)]
    assert kms(needs("ssm", "GetParameter", {"Name": "p"})) == []
    assert kms(needs("ssm", "GetParameters", {"Names": ["p", "q"], "WithDecryption": True})) == [("Decrypt", KEY)]
    put = {"Name": "q", "Value": "x", "Type": "SecureString", "KeyId": "k"}
    assert kms(needs("ssm", "PutParameter", put)) == [("Encrypt", KEY)]
    assert kms(needs("ssm", "PutParameter", {**put, "Tier": "Advanced"})) == [("GenerateDataKey", KEY)]
    assert kms(needs("ssm", "PutParameter", {"Name": "p", "Value": "x", "Overwrite": True})) == [("Encrypt", KEY)]
    assert kms(needs("ssm", "PutParameter", {"Name": "q", "Value": "x", "Type": "String"})) == []


def test_secrets(needs: Needs, world: Any) -> None:
    world.encrypted = {SECRET: ("k", False)}
    writing = [("GenerateDataKey", KEY), ("Decrypt", KEY)]
    assert kms(needs("secretsmanager", "GetSecretValue", {"SecretId": SECRET})) == [("Decrypt", KEY)]
    assert kms(needs("secretsmanager", "PutSecretValue", {"SecretId": SECRET, "SecretString": "x"})) == writing
    assert kms(needs("secretsmanager", "UpdateSecret", {"SecretId": SECRET, "SecretString": "x"})) == writing
    assert kms(needs("secretsmanager", "UpdateSecret", {"SecretId": SECRET, "Description": "d"})) == []
    assert kms(needs("secretsmanager", "UpdateSecret", {"SecretId": SECRET, "SecretBinary": b"x"})) == writing
    assert kms(needs("secretsmanager", "CreateSecret", {"Name": "n", "KmsKeyId": "k"})) == writing
    assert kms(needs("secretsmanager", "CreateSecret", {"Name": "n"})) == []


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def key(cloud: Cloud) -> str:
    return str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])


def reader(cloud: Cloud, name: str, *statements: dict[str, Any]) -> Any:
    """Make a user who may read everything, and what `statements` add to that."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    services = {
        "Effect": "Allow",
        "Action": ["s3:*Object", "ssm:*", "secretsmanager:*"],
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [services, *statements]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    return cloud.user_credentials(name).session()


def test_who_may_not_use_the_key_may_not_read_what_it_encrypts(cloud: Cloud, key: str) -> None:
    s3, ssm, secrets = cloud.client("s3"), cloud.client("ssm"), cloud.client("secretsmanager")
    s3.create_bucket(Bucket="box")
    s3.put_object(Bucket="box", Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    s3.put_object(Bucket="box", Key="plain", Body=b"x")
    ssm.put_parameter(Name="/p", Value="x", Type="SecureString", KeyId=key)
    secrets.create_secret(Name="s", SecretString="x", KmsKeyId=key)
    without = reader(cloud, "without")
    assert without.client("s3").get_object(Bucket="box", Key="plain")["Body"].read() == b"x"
    assert without.client("ssm").get_parameter(Name="/p")["Parameter"]["Value"]
    calls: list[Callable[[Any], Any]] = [
        lambda session: session.client("s3").get_object(Bucket="box", Key="k"),
        lambda session: session.client("ssm").get_parameter(Name="/p", WithDecryption=True),
        lambda session: session.client("secretsmanager").get_secret_value(SecretId="s"),
    ]
    said = "is not authorized to perform: kms:Decrypt on resource"
    for call, words in zip(calls, (said, said, "Access to KMS is not allowed"), strict=True):
        with pytest.raises(ClientError, match=words):
            call(without)
    able = reader(cloud, "able", {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key})
    for call in calls:
        assert call(able)
    via_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
    narrow = reader(cloud, "narrow", {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": via_s3})
    assert calls[0](narrow)["Body"].read() == b"x"
    with pytest.raises(ClientError, match="kms:Decrypt"):
        calls[1](narrow)
    with pytest.raises(ClientError, match="kms:Encrypt"):
        narrow.client("kms").encrypt(KeyId=key, Plaintext=b"x")


def test_a_buckets_default_key_is_needed_to_write(cloud: Cloud, key: str) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="locked")
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }
    s3.put_bucket_encryption(Bucket="locked", ServerSideEncryptionConfiguration={"Rules": [rule]})
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        reader(cloud, "writer").client("s3").put_object(Bucket="locked", Key="k", Body=b"x")
    by_bucket = {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::locked"}}
    grant = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key, "Condition": by_bucket}
    assert reader(cloud, "writer-with-key", grant).client("s3").put_object(Bucket="locked", Key="k", Body=b"x")
