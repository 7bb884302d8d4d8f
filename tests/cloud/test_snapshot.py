"""A saved state brings back the account, its keys and its sessions; a hostile file brings nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.snapshot.thaw import Thawer
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKET = "a4l-secrets-111122223333"
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def saved() -> dict[str, Any]:
    """Fill the demo world a little, steal from it, and save it; gives what a test compares with as well."""
    with Cloud() as cloud:
        cloud.client("s3").put_object(Bucket=BUCKET, Key="large", Body=b"0123456789" * 500_000)
        cloud.client("dynamodb").create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        cloud.client("dynamodb").put_item(TableName="t", Item={"k": {"S": "kept"}})
        cloud.client("sqs").create_queue(QueueName="q")
        cloud.client("ssm").put_parameter(Name="p", Value="v", Type="String")
        key = cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
        cloud.clock.advance(3600)
        stolen = cloud.instance("A").credentials("2.0")
        root = cloud.root()
        return {
            "text": json.dumps(cloud.save()),
            "stolen": stolen,
            "root": root,
            "admin": cloud.admin,
            "key": key,
            "instances": [each.instance_id for each in cloud.instances],
        }


def test_everything_is_there_again(saved: dict[str, Any]) -> None:
    with Cloud(world="empty") as cloud:
        cloud.client("s3").create_bucket(Bucket="of-before")
        cloud.clock.advance(7200)
        cloud.restore(json.loads(saved["text"]))
        assert cloud.clock.offset.total_seconds() >= 7200
        assert cloud.admin == saved["admin"]
        s3 = cloud.client("s3")
        assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == [BUCKET]
        assert s3.get_object(Bucket=BUCKET, Key="large")["Body"].read() == b"0123456789" * 500_000
        assert cloud.client("dynamodb").get_item(TableName="t", Key={"k": {"S": "kept"}})["Item"]
        assert cloud.client("sqs").list_queues()["QueueUrls"]
        assert cloud.client("ssm").get_parameter(Name="p")["Parameter"]["Value"] == "v"
        encrypted = cloud.client("kms").encrypt(KeyId=saved["key"], Plaintext=b"secret")["CiphertextBlob"]
        assert cloud.client("kms").decrypt(CiphertextBlob=encrypted)["Plaintext"] == b"secret"
        assert [each.instance_id for each in cloud.instances] == saved["instances"]
        assert cloud.instance("A").credentials("2.0") == saved["stolen"]
        # And it goes on: the new is made beside the old.
        launched = cloud.client("ec2").run_instances(ImageId="ami-0c02fb55956c7d316", MinCount=1, MaxCount=1)
        address = launched["Instances"][0]["PrivateIpAddress"]
        assert not address.endswith((".0.1", ".0.2", ".0.3"))
        s3.put_object(Bucket=BUCKET, Key="new", Body=b"new")


def test_a_stolen_session_lives_on_and_can_be_revoked(saved: dict[str, Any]) -> None:
    with Cloud(world="empty") as cloud:
        cloud.restore(json.loads(saved["text"]))
        stolen = saved["stolen"]
        session = boto3.Session(stolen.access_key_id, stolen.secret_access_key, stolen.token, region_name="us-east-1")
        assert session.client("s3").list_buckets()["Buckets"]
        root = boto3.Session(saved["root"].access_key_id, saved["root"].secret_access_key, region_name="us-east-1")
        assert root.client("sts").get_caller_identity()["Arn"].endswith(":root")
        cloud.client("iam").put_role_policy(
            RoleName="A4L-InstanceRole", PolicyName="deny", PolicyDocument=json.dumps(DENY)
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            session.client("s3").list_buckets()
        cloud.clock.advance(6 * 3600)
        with pytest.raises(ClientError, match="ExpiredToken"):
            session.client("s3").list_buckets()


def test_what_is_not_saved_is_named(saved: dict[str, Any]) -> None:
    state = json.loads(saved["text"])
    assert "the trail" in state["left_out"]
    assert not [each for each in state["left_out"] if "111122223333" in each]
    assert [each for each in state["table"] if each["o"].startswith("moto.iam.models:")]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "list": lambda _: [],
    "nothing": lambda _: {},
    "format": lambda state: {**state, "stsguard-state": 2},
    "moto": lambda state: {**state, "moto": "0.0"},
    "account": lambda state: {**state, "account": "444455556666"},
    "region": lambda state: {**state, "region": "eu-west-1"},
    "cut": lambda state: {**state, "table": state["table"][:50]},
    "class": lambda state: {**state, "table": [{"o": "os:system"}]},
    "sessions": lambda state: {**state, "ledger": {"u": [["no session"], []]}},
    "backend": lambda state: {**state, "backends": [["iam", "../..", "aws", {}]]},
    "offset": lambda state: {**state, "offset": "nan"},
    "member": lambda state: {name: each for name, each in state.items() if name != "instances"},
}


def test_a_file_that_is_no_state_changes_nothing() -> None:
    with Cloud(world="empty") as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="stays")
        s3.put_object(Bucket="stays", Key="k", Body=b"v")
        text = json.dumps(cloud.save())
        s3.create_bucket(Bucket="later")
        for name, change in CHANGES.items():
            with pytest.raises(InputError) as refused:
                cloud.restore(change(json.loads(text)))
            assert "\n" not in str(refused.value), name
            assert {each["Name"] for each in s3.list_buckets()["Buckets"]} == {"later", "stays"}, name
        cloud.restore(json.loads(text))
        assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["stays"]


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([{"o": "os:_wrap_close", "a": {}}], None),
        ([{"o": "subprocess:Popen", "a": {}}], None),
        ([{"o": "pytest_stsguard.cloud.cloud:Cloud", "a": {}}], None),
        ([{"o": "moto.iam.models:json", "a": {}}], None),
        ([{"o": "moto.iam.models:Role.__init__.__globals__", "a": {}}], None),
        ([{"o": "moto.server:DomainDispatcherApplication", "a": {}}], None),
        ([{"o": "moto..iam:Role", "a": {}}], None),
        ([{"o": "moto.iam.models:Role", "a": {"__class__": 1}}], None),
        ([{"o": "moto.iam.models:Role", "a": {}}], {"h": [{"r": 0}, "__init__"]}),
        ([{"o": "list", "n": []}], {"h": [{"r": 0}, "append"]}),
        ([], {"c": "os:PathLike"}),
        ([], {"e": ["os:PathLike", "x"]}),
        ([], {"value": 1}),
        ([], {"r": 0}),
        ([], {"r": -1}),
        ([], {"l": "Thread"}),
        ([], {"w": "no key"}),
    ],
)
def test_a_file_makes_only_what_it_may(table: list[Any], value: Any) -> None:
    import moto.iam.models  # noqa: F401 - so that its classes could be found

    allowed = ("moto.", "pytest_stsguard.cloud.ledger.")
    with pytest.raises((ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError)):
        Thawer(table, lambda *_: None, allowed).value(value)


def test_a_state_is_a_world(tmp_path: Any) -> None:
    file = tmp_path / "state.json"
    with Cloud(world="empty") as cloud:
        file.write_text(json.dumps(cloud.save()))
        admin = cloud.admin
    with Cloud(world=file) as cloud:
        assert cloud.admin == admin
        assert "the trail" in cloud.left_out
    with pytest.raises(InputError, match="takes no parameters"):
        Cloud(world=file, parameters={"A": "b"})
    with pytest.raises(InputError, match="is of account"), Cloud(world=file, account="444455556666"):
        pytest.fail("the cloud has opened")
