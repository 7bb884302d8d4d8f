"""The drill of a pytest run on an account: scenarios are played there, each noted in a journal; nothing else is done."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import Clock
from pytest_stsguard.drill.access import Access, check_account, check_role
from pytest_stsguard.drill.drill import Drill
from pytest_stsguard.drill.game import Result, play
from pytest_stsguard.drill.kill_switch import KillSwitch, WatchedClock
from pytest_stsguard.drill.live import LiveAccount
from pytest_stsguard.drill.script import load_scenario
from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.revocation import Journal
from pytest_stsguard.revocation.lock import locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_stsguard.drill.scenario import Scenario

__all__ = ["KILL_SWITCH", "TIME_LIMIT", "LiveDrill", "open_account"]

KILL_SWITCH = "stsguard-drill.stop"
"""The file whose presence in the folder of the run stops a drill on an account."""

TIME_LIMIT = 3600.0
"""Seconds after which a drill on an account stops, and puts everything back."""


def open_account(profile: str | None, allowed: Sequence[str]) -> Access:
    """Reach the account of an AWS profile, and require that drills may change it, before anything else is asked of it.

    Args:
        profile: its name; None: what the environment says.
        allowed: the allow-list of account ids.

    Raises:
        ConfigurationError: no such profile, or an account that no drill may change.
        AwsUnavailableError: AWS is out of reach, or does not tell what must be known.
    """
    import boto3  # noqa: PLC0415 - whoever plays a live drill pays for it
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415 - as above

    try:
        access = Access.open(boto3.Session(profile_name=profile))
    except ProfileNotFound:
        raise ConfigurationError(f"AWS profile `{profile}` does not exist") from None
    check_account(access, allowed)
    return access


class _Nowhere:
    """Stands where a simulated cloud would be."""

    clock = Clock()

    def __getattr__(self, name: str) -> Any:
        raise ConfigurationError(
            f"there is no simulated cloud here whose `{name}` could be had",
            hint="on an account only scenarios are played",
        )


class LiveDrill(Drill):
    """A drill on an account, of which only `play` works.

    Args:
        access: the way to the account, checked already.
        folder: where journals are written, and where a file `KILL_SWITCH` stops the drill.
        roles: roles that exist and have opted in, which stand in for those of each scenario, in order; none: it makes its own.

    Raises:
        ConfigurationError: one of them is a pattern.
    """

    def __init__(self, access: Access, folder: Path, *, roles: Sequence[str] = ()) -> None:
        nowhere: Any = _Nowhere()
        super().__init__(nowhere)
        if patterns := [role for role in roles if set("*?[") & set(role)]:
            raise ConfigurationError(
                f"`{patterns[0]}` is a pattern: a live drill is played on roles that are named",
                hint="name one that has opted in: --stsguard-role NAME",
            )
        self._access = access
        self._folder = folder
        self._roles = tuple(roles)

    def refuses(self, scenario: Scenario | str) -> str:
        """Say why a scenario cannot be played here; empty when it can."""
        chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
        if chosen.simulated_only:
            return f"`{chosen.name}` is for the simulated cloud: it has `{chosen.simulated_only[0]}` in it"
        if len(self._roles) > len(chosen.roles):
            return f"`{chosen.name}` has {len(chosen.roles)} roles to stand in for, and {len(self._roles)} are named"
        return ""

    def play(self, scenario: Scenario | str) -> Result:
        """Play a scenario on the account; its steps join the timeline.

        Raises:
            ConfigurationError: the scenario cannot be used, or not on an account.
            InputError: a named role is not there, has not opted in, or carries a revoke policy already.
            DrillError: the kill switch was pulled before it began.
        """
        chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
        if why := self.refuses(chosen):
            raise ConfigurationError(why)
        switch = KillSwitch(self._folder / KILL_SWITCH, limit=TIME_LIMIT)
        switch.check()
        clock = WatchedClock(switch, self._access.offset)
        path = self._folder / f"stsguard-drill-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl"
        with ExitStack() as stack:
            for role in self._roles:
                stack.enter_context(locked(f"{self._access.account}/{role}"))
                check_role(self._access, role, now=clock.now())
            journal = stack.enter_context(Journal.create(path))
            self.note("journal", str(path))
            ground = LiveAccount(
                self._access,
                chosen,
                clock=clock,
                switch=switch,
                journal=journal,
            )
            given = dict(zip(chosen.roles, self._roles, strict=False))
            return play(chosen, ground, given=given, listener=lambda step: self.note(step.action, step.detail))
