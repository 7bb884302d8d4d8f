"""The example export in the simulated cloud: all of it there, as it was, and deciding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.account import Account, load
from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.cloud.loading import Loaded

EXPORT = Path(__file__).parents[3] / "examples" / "account.json"
HOME = "111122223333"


@pytest.fixture(scope="module")
def example() -> Account:
    return load(f"export:{EXPORT}")


@pytest.fixture(scope="module")
def loaded_cloud(example: Account) -> Iterator[tuple[Cloud, Loaded]]:
    with Cloud(account=example.id, world="empty") as cloud:
        yield cloud, cloud.load(example)


def test_the_loaded_account_reads_back_as_it_was(loaded_cloud: tuple[Cloud, Loaded], example: Account) -> None:
    cloud, loaded = loaded_cloud
    builder = AccountBuilder("cloud")
    pages = cloud.client("iam").get_paginator("get_account_authorization_details").paginate()
    builder.add_text(json.dumps([{**page, "ResponseMetadata": {}} for page in pages], default=str), None)
    read = builder.build()
    for role in (role for role in example.roles if not role.service_linked):
        found = read.role(role.arn)
        assert found is not None
        assert role.arn in loaded.arns
        assert (found.id, found.created, found.path, found.tags) == (role.id, role.created, role.path, role.tags)
        assert (found.boundary, found.attached, found.last_used) == (role.boundary, role.attached, role.last_used)
        assert found.trust.value == role.trust.value
        assert [(one.name, one.value) for one in found.inline] == [(one.name, one.value) for one in role.inline]
    for user in example.users:
        same = read.user(user.arn)
        assert same is not None
        assert (same.id, same.created, same.groups, same.attached) == (
            user.id,
            user.created,
            user.groups,
            user.attached,
        )
        assert [one.value for one in same.inline] == [one.value for one in user.inline]
    for group in example.groups:
        assert (twin := read.group(group.arn)) is not None
        assert (twin.id, twin.attached) == (group.id, group.attached)
    for policy in (one for one in example.policies if ":iam::aws:" not in one.arn):
        assert (own := read.policy(policy.arn)) is not None
        assert [(one.id, one.default, one.document.value) for one in own.versions] == [
            (one.id, one.default, one.document.value) for one in policy.versions
        ]


def test_what_is_not_there_is_listed_with_its_reason(loaded_cloud: tuple[Cloud, Loaded]) -> None:
    cloud, loaded = loaded_cloud
    linked = f"arn:aws:iam::{HOME}:role/aws-service-role/support.amazonaws.com/AWSServiceRoleForSupport"
    assert "AWS owns it" in loaded.doubts(linked)[0]
    assert linked not in loaded.arns
    told = {one.what: one for one in loaded.left_out}
    assert told["instances"].reason == "no listing of describe-instances"
    assert told["MaxSessionDuration"].whole is False
    assert cloud.role_arn("app-server") == f"arn:aws:iam::{HOME}:role/app-server"


def test_the_policies_in_force_decide(loaded_cloud: tuple[Cloud, Loaded]) -> None:
    cloud, _ = loaded_cloud
    jane = cloud.user_credentials("jane.doe")
    cloud.client("iam", jane).list_roles()
    with pytest.raises(ClientError, match="AccessDenied"):  # MFA is asked for
        cloud.client("sts", jane).assume_role(
            RoleArn=f"arn:aws:iam::{HOME}:role/break-glass", RoleSessionName="stsguard"
        )
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.client("iam", cloud.user_credentials("richard.roe")).list_roles()


def test_nothing_that_is_there_is_replaced(loaded_cloud: tuple[Cloud, Loaded], example: Account) -> None:
    cloud, _ = loaded_cloud
    again = cloud.load(example)
    assert again.arns == []
    assert "there already" in again.doubts(f"arn:aws:iam::{HOME}:role/app-server")[0]
