"""Which roles are revoked together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.reach.blast import Ground
from pytest_stsguard.reach.sets import revocation_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.reach import Survey

HOME = "111122223333"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def role(name: str) -> str:
    return f"arn:aws:iam::{HOME}:role/{name}"


def trusting(*names: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": [role(name) for name in names]}, "Action": "sts:AssumeRole"}


def test_a_cycle_is_those_that_come_back_and_reachable_is_all(survey_of: Callable[..., Survey]) -> None:
    trusts = {"a": trusting("c"), "b": trusting("a"), "c": trusting("b"), "side": trusting("b"), "alone": EC2}
    ground = Ground([survey_of(trusts).account], now=NOW)
    assert revocation_set(ground, "a", "cycle") == (role("a"), role("b"), role("c"))
    assert set(revocation_set(ground, "a", "reachable")) == {role("a"), role("b"), role("c"), role("side")}
    assert revocation_set(ground, "side", "cycle") == (role("side"),)
    assert revocation_set(ground, "alone", "reachable") == (role("alone"),)


def test_the_roles_of_an_instance(survey_of: Callable[..., Survey]) -> None:
    profile = f"arn:aws:iam::{HOME}:instance-profile/web"
    held = {"Arn": profile, "InstanceProfileName": "web", "Roles": [{"RoleName": "web"}]}
    machine = {
        "InstanceId": "i-1",
        "State": {"Name": "running"},
        "Placement": {"AvailabilityZone": "us-east-1a"},
        "IamInstanceProfile": {"Arn": profile},
    }
    account = survey_of(
        {"web": EC2, "other": EC2},
        details={"web": {"InstanceProfileList": [held]}},
        listings=({"Reservations": [{"Instances": [machine]}]},),
    ).account
    ground = Ground([account], now=NOW)
    assert revocation_set(ground, "i-1", "instance") == (role("web"),)
    assert revocation_set(ground, "web", "instance") == (role("web"),)
    assert revocation_set(ground, "other", "instance") == (role("other"),)
    with pytest.raises(ConfigurationError, match="no instance or role `i-2`"):
        revocation_set(ground, "i-2", "instance")


def test_what_cannot_be_meant_is_refused(survey_of: Callable[..., Survey]) -> None:
    ground = Ground([survey_of({"a": EC2}).account], now=NOW)
    with pytest.raises(ConfigurationError, match="unknown set `everything`"):
        revocation_set(ground, "a", "everything")
    with pytest.raises(ConfigurationError, match="not known: instances"):
        revocation_set(ground, "i-1", "instance")


def test_a_cycle_among_many_identities_is_whole(survey_of: Callable[..., Survey]) -> None:
    # a -> b -> a, and c comes back through b alone: among many identities that step is not told by the blast radius.
    trusts: dict[str, Any] = {"a": trusting("b"), "b": trusting("a", "c"), "c": trusting("a")}
    trusts |= {f"x{number}": trusting("a") for number in range(120)}
    ground = Ground([survey_of(trusts).account], now=NOW)
    assert set(revocation_set(ground, "a", "cycle")) == {role("a"), role("b"), role("c")}
