"""Revocation: the stolen session dies, a session made later lives."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.asserts import assert_allowed, assert_contained, assert_denied
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.revocation import Revocation

pytestmark = pytest.mark.stsguard_drill


def test_stolen_session_is_denied_and_a_fresh_one_works(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role, session_name="stolen")
    assert_allowed(stolen)
    sts_revoke(DEMO.data_role)
    fresh = sts_assume_role(DEMO.data_role, session_name="fresh")
    assert_contained(stolen=stolen, fresh=fresh)


def test_revoked_session_is_denied_in_every_protocol(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role)
    sts_revoke(DEMO.data_role)
    assert_denied(stolen, "s3.list_buckets")
    assert_denied(stolen, "ec2.describe_instances")
    assert_denied(stolen, "dynamodb.list_tables")
    assert_denied(stolen, "iam.list_account_aliases")


def test_denial_names_the_explicit_deny(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role)
    sts_revoke(DEMO.data_role)
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        stolen.session().client("s3").list_buckets()


def test_stolen_instance_credentials_are_denied_after_the_revocation(
    imds_credentials: Callable[[str], Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = imds_credentials("A")
    sts_revoke(DEMO.instance_role)
    assert_denied(stolen, "s3.list_buckets", "ec2.describe_instances")


def test_live_session_of_another_instance_is_collateral(
    imds_credentials: Callable[[str], Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen, workload = imds_credentials("A"), imds_credentials("B")
    sts_revoke(DEMO.instance_role)
    assert_denied(stolen, "s3.list_buckets")
    assert_denied(workload, "s3.list_buckets")


def test_other_roles_and_long_term_keys_are_untouched(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    other = sts_assume_role(DEMO.data_role)
    sts_revoke(DEMO.instance_role)
    assert_allowed(other, "s3.list_buckets")
    assert_allowed(sts_cloud.admin, "s3.list_buckets")


def test_caller_identity_answers_even_a_revoked_session(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role, session_name="stolen")
    sts_revoke(DEMO.data_role)
    assert stolen.session().client("sts").get_caller_identity()["Arn"] == stolen.arn


def test_earlier_cutoff_never_replaces_a_later_one(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role)
    first = sts_revoke(DEMO.data_role)
    again = sts_revoke(DEMO.data_role, cutoff=sts_cloud.clock.now() - timedelta(hours=1))
    assert again.cutoff == first.cutoff
    assert_denied(stolen, "s3.list_buckets")
