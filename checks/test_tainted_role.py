"""A role that carries a revoke policy is tainted: the audit says so, and from when the policy may go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.account import from_session
from pytest_stsguard.cloud import DEMO
from pytest_stsguard.revocation import State, assess

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_stsguard.cloud import Cloud
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.revocation import Leftover

pytestmark = pytest.mark.stsguard_drill


def leftover_of(cloud: Cloud, role_name: str, *, now: datetime) -> Leftover:
    account = from_session(cloud.admin.session())
    role = account.role(role_name)
    assert role is not None
    policies = [document.policy for document in account.identity_documents(role)]
    (found,) = assess(policies, now=now, principal_arn=role.arn, principal_id=role.id)
    return found


def test_revoked_role_is_flagged_with_the_date_from_which_cleanup_is_safe(sts_cloud: Cloud, sts_drill: Drill) -> None:
    revocation = sts_drill.revoke(DEMO.instance_role)
    found = leftover_of(sts_cloud, DEMO.instance_role, now=sts_cloud.clock.now())
    assert found.state is State.ACTIVE
    assert found.cutoff == revocation.cutoff
    assert found.safe_date == revocation.cutoff + timedelta(hours=12)


def test_revoke_policy_is_flagged_as_removable_after_the_safe_date(sts_cloud: Cloud, sts_drill: Drill) -> None:
    revocation = sts_drill.revoke(DEMO.instance_role)
    sts_cloud.clock.wait_until(revocation.safe_removal)
    found = leftover_of(sts_cloud, DEMO.instance_role, now=sts_cloud.clock.now())
    assert found.state is State.REMOVABLE
