"""The images of EC2: the same in every cloud, and what a test does to one stays in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto import mock_aws
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import AmiBackend

from pytest_stsguard.cloud import Cloud, images

if TYPE_CHECKING:
    import pytest

OWN = AmiBackend._load_amis  # noqa: SLF001 - what moto has when no cloud is open
NOBODY = "999988887777"


def state_of(cloud: Cloud) -> dict[str, Any]:
    """Give all that is known of each image, but for whose it is and when it was made."""

    def told(thing: Any) -> dict[str, Any]:
        known = vars(thing).items()
        return {
            name: held for name, held in known if name not in {"ec2_backend", "start_time", "ebs_snapshot", "volume"}
        }

    backend = ec2_backends[cloud.account][cloud.region]
    for image in backend.amis.values():
        assert image.ec2_backend is image.ebs_snapshot.ec2_backend is backend
        assert backend.snapshots[image.ebs_snapshot.id] is image.ebs_snapshot
    return {
        image.id: [told(image), told(image.ebs_snapshot), told(image.ebs_snapshot.volume)]
        for image in backend.amis.values()
    }


def opened(**settings: Any) -> Any:
    return Cloud(world="empty", **settings)


def test_copies_are_what_moto_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_MADE", {})
    with opened() as cloud:
        cloud.client("ec2").describe_vpcs()
        made = state_of(cloud)
    assert len(images._MADE) == 2  # noqa: SLF001 - moto opens an account of its own beside the cloud's
    with opened() as cloud:
        cloud.client("ec2").describe_vpcs()
        copied = state_of(cloud)
    assert len(made) > 500
    assert copied == made


def test_change_of_an_image_stays_in_its_cloud() -> None:
    with opened() as cloud:
        ec2 = cloud.client("ec2")
        ec2.describe_vpcs()
        image, gone, *_ = state_of(cloud)
        (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
        snapshot = shown["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": NOBODY}]})
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[NOBODY]
        )
        ec2.create_tags(Resources=[image], Tags=[{"Key": "team", "Value": "x"}])
        ec2.deregister_image(ImageId=gone)
        assert ec2.describe_images(ImageIds=[image])["Images"] != [shown]
    with opened() as cloud:
        ec2 = cloud.client("ec2")
        assert ec2.describe_images(ImageIds=[image])["Images"] == [shown]
        assert len(ec2.describe_images(ImageIds=[gone])["Images"]) == 1
        held = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
        assert {"UserId": NOBODY} not in held
        granted = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        assert granted["CreateVolumePermissions"] == []


def test_each_region_has_images_of_its_own() -> None:
    with opened() as cloud:
        cloud.client("ec2").describe_vpcs()
        here = state_of(cloud)
    with opened(region="eu-west-1") as cloud:
        cloud.client("ec2").describe_vpcs()
        assert state_of(cloud).keys() != here.keys()


def test_images_that_are_not_wanted_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with opened() as cloud:
        assert cloud.client("ec2").describe_images()["Images"] == []


def test_moto_has_its_own_way_when_the_cloud_is_closed() -> None:
    with opened() as cloud:
        cloud.client("ec2").describe_vpcs()
        assert AmiBackend._load_amis is not OWN  # noqa: SLF001 - as above
    assert AmiBackend._load_amis is OWN  # noqa: SLF001 - as above
    with mock_aws():
        assert ec2_backends["123456789012"]["us-east-1"].amis
