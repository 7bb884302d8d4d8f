"""Instance profiles that are associated, replaced, emptied and taken away, as the instance sees it; calls from the instance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import DEMO, Cloud
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "of-another"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud() as held:
        held.metadata_timing(profile_delay=60)
        iam = held.client("iam")
        iam.create_role(RoleName=OTHER, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.create_instance_profile(InstanceProfileName=OTHER)
        iam.add_role_to_instance_profile(InstanceProfileName=OTHER, RoleName=OTHER)
        yield held


def served(cloud: Cloud, path: str = "iam/security-credentials/") -> str | None:
    url = f"{cloud.instance('A').metadata_url}/latest/meta-data/{path}"
    answer = requests.get(url, timeout=5)
    return answer.text if answer.status_code == 200 else None


def document(cloud: Cloud, role: str) -> Any:
    return json.loads(served(cloud, f"iam/security-credentials/{role}") or "null")


def test_a_profile_comes_goes_and_is_replaced_with_a_delay(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    instance = cloud.instance("A").instance_id
    assert served(cloud) == DEMO.instance_role
    first = document(cloud, DEMO.instance_role)["AccessKeyId"]
    mine = [{"Name": "instance-id", "Values": [instance]}]
    (held,) = ec2.describe_iam_instance_profile_associations(Filters=mine)["IamInstanceProfileAssociations"]
    replaced = ec2.replace_iam_instance_profile_association(
        AssociationId=held["AssociationId"], IamInstanceProfile={"Name": OTHER}
    )["IamInstanceProfileAssociation"]
    # The old one goes on for a while, with the very same credentials.
    assert served(cloud) == DEMO.instance_role
    assert document(cloud, DEMO.instance_role)["AccessKeyId"] == first
    cloud.clock.advance(61)
    assert served(cloud) == OTHER
    assert document(cloud, OTHER)["AccessKeyId"] != first
    assert OTHER in json.loads(served(cloud, "iam/info") or "")["InstanceProfileArn"]
    ec2.disassociate_iam_instance_profile(AssociationId=replaced["AssociationId"])
    assert served(cloud) == OTHER
    cloud.clock.advance(61)
    assert served(cloud) is None
    ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Name": DEMO.instance_role})
    assert served(cloud) is None
    cloud.clock.advance(61)
    assert served(cloud) == DEMO.instance_role
    # The stolen credentials know nothing of all this: a profile's replacement revokes no session.
    assert document(cloud, DEMO.instance_role)["AccessKeyId"] != first


def test_a_stop_and_a_start_bring_it_at_once(cloud: Cloud) -> None:
    ec2, iam = cloud.client("ec2"), cloud.client("iam")
    instance = cloud.instance("A").instance_id
    assert document(cloud, DEMO.instance_role)["Code"] == "Success"
    # Another role in the same profile.
    iam.remove_role_from_instance_profile(InstanceProfileName=DEMO.instance_role, RoleName=DEMO.instance_role)
    iam.add_role_to_instance_profile(InstanceProfileName=DEMO.instance_role, RoleName=OTHER)
    assert served(cloud) == DEMO.instance_role
    ec2.reboot_instances(InstanceIds=[instance])
    assert served(cloud) == DEMO.instance_role
    ec2.stop_instances(InstanceIds=[instance])
    ec2.start_instances(InstanceIds=[instance])
    assert served(cloud) == OTHER
    # A trust that no longer admits EC2: what is held lives on, then the document says why there is nothing.
    held = document(cloud, OTHER)["AccessKeyId"]
    nobody = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": "lambda.amazonaws.com"}}]}  # type: ignore[dict-item]
    iam.update_assume_role_policy(RoleName=OTHER, PolicyDocument=json.dumps(nobody))
    assert document(cloud, OTHER)["AccessKeyId"] == held
    cloud.clock.advance(6 * 3600)
    assert document(cloud, OTHER)["Code"] == "AssumeRoleUnauthorizedAccess"


def test_credentials_are_replaced_when_it_was_said(cloud: Cloud) -> None:
    cloud.metadata_timing(replace_before=5 * 3600)
    first = document(cloud, DEMO.instance_role)["AccessKeyId"]
    cloud.clock.advance(3601)
    assert document(cloud, DEMO.instance_role)["AccessKeyId"] != first
    for wrong in ({"profile_delay": -1}, {"replace_before": 299}):
        with pytest.raises(ConfigurationError):
            cloud.metadata_timing(**wrong)


def test_stolen_credentials_come_from_elsewhere(cloud: Cloud) -> None:
    # The guard that AWS publishes: credentials of an instance work only through that instance's VPC.
    guard = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:Ec2InstanceSourceVpc": "${aws:SourceVpc}"},
            "Null": {"ec2:SourceInstanceARN": "false"},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
        },
    }
    cloud.client("iam").put_role_policy(
        RoleName=DEMO.instance_role,
        PolicyName="guard",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [guard]}),
    )
    instance = cloud.instance("A")
    held = instance.credentials("2.0")
    answer = {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key, "Token": held.token}
    s3 = cloud.credentials_of(answer).session().client("s3")
    with pytest.raises(ClientError, match="explicit deny"):
        s3.list_buckets()
    with instance.calling(), pytest.raises(ClientError, match="explicit deny"):
        s3.list_buckets()
    with instance.calling(endpoint="vpce-0123456789abcdef0"):
        assert s3.list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="explicit deny"):
        s3.list_buckets()


def test_the_address_is_hidden_by_an_endpoint(cloud: Cloud) -> None:
    only = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.1"}},
    }
    cloud.client("iam").put_role_policy(
        RoleName=DEMO.instance_role,
        PolicyName="guard",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [only]}),
    )
    instance = cloud.instance("A")
    held = instance.credentials("2.0")
    answer = {"AccessKeyId": held.access_key_id, "SecretAccessKey": held.secret_access_key, "Token": held.token}
    s3 = cloud.credentials_of(answer).session().client("s3")
    assert s3.list_buckets()["Buckets"]
    # The key is absent then, and a negated operator is true of an absent key.
    for endpoint in (None, "vpce-0123456789abcdef0"):
        with instance.calling(endpoint=endpoint), pytest.raises(ClientError, match="explicit deny"):
            s3.list_buckets()
