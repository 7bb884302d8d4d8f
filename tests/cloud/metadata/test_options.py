"""Metadata options that change one by one, and the tags that they show, as the instance's own client meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED = "is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\\\-_+=,.@:]{1,255})"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


@pytest.fixture
def ec2(cloud: Cloud) -> Any:
    """Give a client of EC2, the options of instance A as they are by default."""
    client = cloud.client("ec2")
    client.modify_instance_metadata_options(
        InstanceId=cloud.instance("A").instance_id,
        HttpTokens="optional",
        HttpPutResponseHopLimit=1,
        HttpEndpoint="enabled",
        InstanceMetadataTags="disabled",
    )
    return client


def test_a_change_of_one_option_leaves_the_others(cloud: Cloud, ec2: Any) -> None:
    instance = cloud.instance("A")
    ec2.modify_instance_metadata_options(InstanceId=instance.instance_id, HttpTokens="required")
    told = ec2.modify_instance_metadata_options(
        InstanceId=instance.instance_id, HttpPutResponseHopLimit=2, InstanceMetadataTags="enabled"
    )["InstanceMetadataOptions"]
    wanted = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "enabled"}
    assert told == {"State": "pending", "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", **wanted}
    (reservation,) = ec2.describe_instances(InstanceIds=[instance.instance_id])["Reservations"]
    assert reservation["Instances"][0]["MetadataOptions"] == {**told, "State": "applied"}
    # IMDSv1 does not come back with the hop limit.
    assert requests.get(f"{instance.metadata_url}/latest/meta-data/", timeout=5).status_code == 401


@pytest.mark.parametrize("key", ["Patch Group", "kubernetes.io/cluster", "_index", ".."])
def test_a_tag_that_metadata_cannot_show_is_refused_once_they_show_tags(cloud: Cloud, ec2: Any, key: str) -> None:
    instance = cloud.instance("A").instance_id
    tags = [{"Key": key, "Value": "v"}]
    ec2.create_tags(Resources=[instance], Tags=tags)
    show = {"InstanceId": instance, "InstanceMetadataTags": "enabled"}
    with pytest.raises(ClientError) as opening:
        ec2.modify_instance_metadata_options(**show)
    ec2.delete_tags(Resources=[instance], Tags=tags)
    ec2.modify_instance_metadata_options(**show)
    with pytest.raises(ClientError) as adding:
        ec2.create_tags(Resources=[instance], Tags=tags)
    with pytest.raises(ClientError) as launching:
        ec2.run_instances(
            ImageId="ami-0c02fb55956c7d316",
            MinCount=1,
            MaxCount=1,
            MetadataOptions={"InstanceMetadataTags": "enabled"},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
    for raised in (opening, adding, launching):
        error: Any = raised.value.response["Error"]
        assert error["Code"] == "InvalidParameterValue"
        assert error["Message"].startswith(f"'{key}' {REFUSED}")


def test_ids_are_as_aws_makes_them(cloud: Cloud, ec2: Any) -> None:
    instance = cloud.instance("A")
    info = requests.get(f"{instance.metadata_url}/latest/meta-data/iam/info", timeout=5).json()
    made = cloud.client("iam").create_instance_profile(InstanceProfileName="made")["InstanceProfile"]
    for each in (info, made):
        assert each["InstanceProfileId"].startswith("AIPA")
        assert len(each["InstanceProfileId"]) == 21
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    placement = f"{instance.metadata_url}/latest/meta-data/placement/"
    name, zone = (
        requests.get(placement + path, timeout=5).text for path in ("availability-zone", "availability-zone-id")
    )
    assert {"name": name, "id": zone} in [{"name": each["ZoneName"], "id": each["ZoneId"]} for each in zones]
