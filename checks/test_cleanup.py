"""Cleanup: the revoke policy goes when no revoked session can still be alive, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.asserts import assert_allowed, assert_denied
from pytest_stsguard.cloud import DEMO

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.revocation import Revocation

pytestmark = pytest.mark.stsguard_drill


def test_early_removal_brings_the_stolen_session_back_to_life(
    sts_assume_role: Callable[..., Credentials], sts_revoke: Callable[..., Revocation]
) -> None:
    stolen = sts_assume_role(DEMO.data_role)
    revocation = sts_revoke(DEMO.data_role)
    assert_denied(stolen, "s3.list_buckets")
    revocation.remove()
    assert_allowed(stolen, "s3.list_buckets")


def test_removal_is_safe_twelve_hours_after_the_cutoff(
    sts_cloud: Cloud, sts_assume_role: Callable[..., Credentials], sts_drill: Drill
) -> None:
    stolen = sts_assume_role(DEMO.data_role)
    revocation = sts_drill.revoke(DEMO.data_role)
    sts_drill.clean_up()
    assert sts_cloud.clock.now() >= revocation.cutoff + timedelta(hours=12)
    with pytest.raises(ClientError, match="ExpiredToken"):
        stolen.session().client("s3").list_buckets()


def test_cleaned_role_works_as_before(sts_assume_role: Callable[..., Credentials], sts_drill: Drill) -> None:
    sts_drill.revoke(DEMO.data_role)
    sts_drill.clean_up()
    assert_allowed(sts_assume_role(DEMO.data_role), "s3.list_buckets")
