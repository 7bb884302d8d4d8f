from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import World

ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def principals(world: World, role: str) -> Any:
    document = world.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return document["Statement"][0]["Principal"]["AWS"]


def test_users_have_ids_as_iam_gives_them(world: World) -> None:
    made = world.iam.create_user(UserName="alice")["User"]["UserId"]
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", made)
    assert world.iam.get_user(UserName="alice")["User"]["UserId"] == made
    assert world.iam.get_user(UserName="stsguard-administrator")["User"]["UserId"].startswith("AIDA")


def test_a_user_that_is_made_again_is_someone_else(world: World) -> None:
    user = world.user("alice")
    arn = f"arn:aws:iam::{world.account}:user/alice"
    role = world.role("target", principal={"AWS": arn})
    assert world.assume(role, user)
    assert principals(world, "target") == arn

    first_id = world.iam.get_user(UserName="alice")["User"]["UserId"]
    world.iam.delete_access_key(UserName="alice", AccessKeyId=user.access_key_id)
    world.iam.delete_user(UserName="alice")
    assert principals(world, "target") == first_id

    again = world.user("alice", ANY)
    assert world.iam.get_user(UserName="alice")["User"]["UserId"] != first_id
    assert world.refused(world.assumed, role=role, by=again).code == "AccessDenied"
    assert principals(world, "target") == first_id

    trust = {"Effect": "Allow", "Principal": {"AWS": [arn]}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    world.iam.update_assume_role_policy(RoleName="target", PolicyDocument=document)
    assert world.assume(role, again)


def test_a_role_that_is_made_again_is_someone_else_and_so_are_its_sessions(world: World) -> None:
    source = world.role("source", access=())
    session = f"arn:aws:sts::{world.account}:assumed-role/source/one"
    by_role = world.role("by-role", principal={"AWS": [source]})
    by_session = world.role("by-session", principal={"AWS": session})
    held = world.assume(source, RoleSessionName="one")
    assert world.assume(by_role, held)
    assert world.assume(by_session, held)

    old = world.iam.get_role(RoleName="source")["Role"]["RoleId"]
    world.iam.delete_role(RoleName="source")
    assert principals(world, "by-role") == [old]
    assert principals(world, "by-session") == f"{old}:one"
    world.role("source", access=(ANY,))
    fresh = world.assume(source, RoleSessionName="one")
    for target in (by_role, by_session):
        assert world.refused(world.assumed, role=target, by=fresh).code == "AccessDenied"
        assert world.refused(world.assumed, role=target, by=held).code == "AccessDenied"


def test_a_deletion_that_fails_changes_nothing(world: World) -> None:
    source = world.role("source")
    world.role("target", principal={"AWS": source})
    assert world.refused(world.iam.delete_role, RoleName="source").code == "DeleteConflict"
    assert principals(world, "target") == source


def test_a_bucket_policy_forgets_a_deleted_user_too(world: World) -> None:
    user = world.user("alice")
    arn = f"arn:aws:iam::{world.account}:user/alice"
    s3 = world.cloud.client("s3")
    s3.create_bucket(Bucket="shared-bucket")
    grant = {
        "Effect": "Allow",
        "Principal": {"AWS": arn},
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::shared-bucket",
    }
    s3.put_bucket_policy(Bucket="shared-bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": [grant]}))
    world.cloud.client("s3", user).list_objects_v2(Bucket="shared-bucket")
    world.iam.delete_access_key(UserName="alice", AccessKeyId=user.access_key_id)
    world.iam.delete_user(UserName="alice")

    again = world.user("alice")
    found = world.refused(world.cloud.client("s3", again).list_objects_v2, Bucket="shared-bucket")
    assert found.code == "AccessDenied"


def test_a_bucket_policy_names_only_who_exists(world: World) -> None:
    s3 = world.cloud.client("s3")
    s3.create_bucket(Bucket="shared-bucket")
    arn = f"arn:aws:iam::{world.account}:user/absent"
    grant = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:*", "Resource": "arn:aws:s3:::shared-bucket"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
    found = world.refused(s3.put_bucket_policy, Bucket="shared-bucket", Policy=document)
    assert (found.code, found.status, found.message) == ("MalformedPolicy", 400, "Invalid principal in policy")


def test_a_principal_that_does_not_exist_is_refused_in_an_account_that_is_known(world: World) -> None:
    for kind in ("user/absent", "role/absent"):
        arn = f"arn:aws:iam::{world.account}:{kind}"
        found = world.refused(world.role, name="target", principal={"AWS": arn})
        assert (found.code, found.status) == ("MalformedPolicyDocument", 400)
        assert found.message == f'Invalid principal in policy: "AWS":"{arn}"'
    assert world.role("target", principal={"AWS": "arn:aws:iam::999988887777:role/elsewhere"})


def test_a_user_that_is_renamed_stays_the_same(world: World) -> None:
    world.user("alice")
    role = world.role("target", principal={"AWS": f"arn:aws:iam::{world.account}:user/alice"})
    world.iam.update_user(UserName="alice", NewUserName="alicia")
    assert principals(world, "target") == f"arn:aws:iam::{world.account}:user/alicia"
    assert world.assume(role, world.cloud.user_credentials("alicia"))
