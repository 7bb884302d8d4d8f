"""DeleteObjects is answered key by key: what may be deleted is, the rest comes back as errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    World = Any  # the class of conftest.py

BUCKET = "box-of-batches"
KEEP = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{BUCKET}/keep/*"}
ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
KEYS = ["keep/1", "go/1", "keep/<&>", "go/2"]


@pytest.fixture
def s3(world: World) -> Any:
    client = world.cloud.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return client


def left(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def delete(client: Any, *keys: str, quiet: bool = False) -> Any:
    return client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": quiet})


@pytest.mark.parametrize("quiet", [False, True])
def test_denied_keys_stay_and_are_named(world: World, s3: Any, *, quiet: bool) -> None:
    client = world.cloud.client("s3", world.user("cleaner", ALLOW, KEEP))
    answer = delete(client, *KEYS, quiet=quiet)
    assert [each["Key"] for each in answer.get("Deleted", ())] == ([] if quiet else ["go/1", "go/2"])
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [
        ("keep/1", "AccessDenied"),
        ("keep/<&>", "AccessDenied"),
    ]
    assert answer["Errors"][0]["Message"].endswith("with an explicit deny in an identity-based policy")
    assert left(s3) == ["keep/1", "keep/<&>"]


def test_batch_that_is_denied_whole_deletes_nothing(world: World, s3: Any) -> None:
    answer = delete(world.cloud.client("s3", world.user("nobody")), *KEYS)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [each["Key"] for each in answer["Errors"]] == KEYS
    assert "Deleted" not in answer
    assert left(s3) == sorted(KEYS)


def test_versions_are_checked_with_their_own_action(world: World, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="go/1", Body=b"y")["VersionId"]
    client = world.cloud.client("s3", world.user("cleaner", {**ALLOW, "Action": "s3:DeleteObject"}))
    objects = [{"Key": "go/1", "VersionId": version}, {"Key": "go/2"}]
    answer = client.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
    assert [(each["Key"], each["VersionId"]) for each in answer["Errors"]] == [("go/1", version)]
    assert [each["Key"] for each in answer["Deleted"]] == ["go/2"]
    assert s3.get_object(Bucket=BUCKET, Key="go/1")["Body"].read() == b"y"


def test_bucket_that_does_not_exist(world: World) -> None:
    assert world.refused(lambda: delete(world.cloud.client("s3"), "k")).code == "NoSuchBucket"
