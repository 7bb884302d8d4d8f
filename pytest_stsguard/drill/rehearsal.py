"""A live drill without the account: the same acts through the same code, in a simulated cloud, each call told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.drill.access import OPT_IN, TAG, Access
from pytest_stsguard.drill.acts import READ
from pytest_stsguard.drill.game import Result, play
from pytest_stsguard.drill.kill_switch import KillSwitch
from pytest_stsguard.drill.live import LiveAccount
from pytest_stsguard.drill.stage import ACCESS, document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.drill.scenario import Scenario

__all__ = ["rehearse"]


def rehearse(
    scenario: Scenario,
    access: Access,
    *,
    given: Mapping[str, str] | None = None,
    listener: Callable[[str, str, str, Mapping[str, Any]], None],
) -> Result:
    """Play a scenario as it would be played on the account; nothing reaches the account.

    Args:
        scenario: what is played.
        access: the way to the account; only its id and its region are used.
        given: roles of the account that stand in for the scenario's; the rehearsal makes some of the same names.
        listener: is told each call before it is made: whose, the service, the operation and its parameters.

    Raises:
        ConfigurationError: the scenario cannot be played on an account.
    """
    with Cloud(account=access.account, region=access.region, world="empty") as cloud:
        iam = cloud.client("iam")
        for name in (given or {}).values():
            trust = {"Effect": "Allow", "Principal": {"AWS": cloud.account}, "Action": "sts:AssumeRole"}
            tags = [{"Key": TAG, "Value": OPT_IN}]
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document([trust]), Tags=tags)
            allow = {"Effect": "Allow", "Action": list(READ), "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName=ACCESS, PolicyDocument=document([allow]))
        stand_in = Access(
            cloud.admin.session(),
            access.account,
            access.arn,
            access.region,
            configured=False,
            listener=listener,
        )
        ground = LiveAccount(stand_in, scenario, clock=cloud.clock, switch=KillSwitch(), journal=None, propagation=0.0)
        return play(scenario, ground, given=given)
