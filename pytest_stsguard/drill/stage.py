"""The stage of one scenario: the sessions it holds, the roles it made, what it saw, what it has to put back."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.credentials import masked
from pytest_stsguard.drill.observation import observe
from pytest_stsguard.drill.sighting import THIEF, WORKLOAD, Held, Moments, Sighting
from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.cloud.providers import OidcProvider
    from pytest_stsguard.drill.observation import Observation
    from pytest_stsguard.drill.scenario import Scenario
    from pytest_stsguard.revocation import Revocation

__all__ = ["ACCESS", "PATH", "Stage", "document"]

PATH = "/stsguard-drill/"
ACCESS = "Access"
"""What the inline policies of the roles and users of a scenario are called."""


class Stage:
    """What the acts of one scenario share.

    Args:
        cloud: where it plays.
        scenario: what is played.
        runner: whose credentials set the stage, contain and clean up.
        note: takes each line of the timeline: a word and the rest.
    """

    def __init__(
        self, cloud: Cloud, scenario: Scenario, *, runner: Credentials, note: Callable[[str, str], None]
    ) -> None:
        self.cloud = cloud
        self.scenario = scenario
        self.runner = runner
        self.note = note
        self.phase = "warm_up"
        self.sessions: dict[str, Held] = {}
        self.arns: dict[str, str] = {}
        self.revocations: list[Revocation] = []
        self.sightings: list[Sighting] = []
        self.failures: list[str] = []
        self.moments = Moments()

    @cached_property
    def provider(self) -> OidcProvider:
        """The identity provider of CI jobs, started when it is first asked for."""
        return self.cloud.oidc_provider("github")

    def client(self, service: str) -> Any:
        """Make a client of the runner."""
        return self.cloud.client(service, self.runner)

    def session(self, name: str) -> Held:
        """Find a session that an earlier act has made."""
        found = self.sessions.get(name)
        if found is None:
            raise ConfigurationError(f"there is no session `{name}` yet", hint=f"there are: {', '.join(self.sessions)}")
        return found

    def arn(self, role: str) -> str:
        """Give the ARN of a role of the scenario, or of the world."""
        return self.arns.get(role) or self.cloud.role_arn(role)

    def hold(self, name: str, credentials: Credentials, side: str | None = None) -> Held:
        """Keep a session and see at once what it may do: only what was allowed proves something when it is denied."""
        chosen = side or (THIEF if self.phase == "theft" else WORKLOAD)
        if chosen not in {THIEF, WORKLOAD}:
            raise ConfigurationError(f"there is no side `{chosen}`", hint="thief or workload")
        held = Held(name, credentials, chosen, self.phase, self.cloud.clock.now())
        self.sessions[name] = held
        if chosen == THIEF and self.moments.stolen is None:
            self.moments.stolen = held.at
        self.note(
            "session", f"{name} of the {chosen}: {credentials.arn or 'a key'}, {masked(credentials.access_key_id)}"
        )
        for probe in self.scenario.probes:
            if self.see(held, probe).outcome == "allowed":
                held.proven.add(probe)
        return held

    def see(self, held: Held, probe: str) -> Observation:
        """Make one probe and keep what came of it."""
        seen = observe(held.credentials, probe)
        self.sightings.append(
            Sighting(
                self.cloud.clock.now(),
                held.name,
                held.side,
                self.phase,
                probe,
                seen.outcome,
                explicit=seen.explicit,
                made_in=held.phase,
            )
        )
        self.note(seen.outcome, f"{probe} to {held.name}{f' ({seen.code})' if seen.code else ''}")
        return seen

    def check_denied(self, held: Held, probes: tuple[str, ...]) -> None:
        """Require N denials in a row of each probe; a denial by nothing but a missing permission proves nothing."""
        for probe in probes or tuple(one for one in self.scenario.probes if one in held.proven) or self.scenario.probes:
            for _ in range(self.scenario.denials):
                seen = self.see(held, probe)
                if seen.outcome == "inconclusive":
                    raise DrillError(
                        f"{probe} to `{held.name}` was no authorization decision: {seen.code}: {seen.message}"
                    )
                if seen.outcome == "allowed":
                    self.fail(f"{probe} to `{held.name}` was allowed, and denied was expected")
                    break
                if probe not in held.proven and not seen.explicit:
                    raise DrillError(f"{probe} was never allowed to `{held.name}`: its denial proves nothing")

    def check_allowed(self, held: Held, probes: tuple[str, ...]) -> None:
        """Require that each probe is allowed."""
        for probe in probes or self.scenario.probes:
            seen = self.see(held, probe)
            if seen.outcome == "inconclusive":
                raise DrillError(f"{probe} to `{held.name}` was no authorization decision: {seen.code}: {seen.message}")
            if seen.outcome != "allowed":
                self.fail(f"{probe} to `{held.name}` was denied, and allowed was expected")

    def fail(self, text: str) -> None:
        """Note an expectation that was not met; the drill goes on."""
        self.failures.append(text)
        self.note("failed", text)

    def filled(self, value: Any) -> Any:
        """Put ARNs in place of ``{role}``."""
        if isinstance(value, str):
            for name, arn in self.arns.items():
                value = value.replace("{" + name + "}", arn)
            return value
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    def put_back(self) -> None:
        """Take back what is still in force, the last first."""
        while self.revocations:
            revocation = self.revocations.pop()
            if revocation.method != "delete-role":
                revocation.remove()
            self.note("restored", revocation.summary)

    def strike(self, name: str) -> None:
        """Delete a role or user that the scenario made, so that it can be played again."""
        arn, iam = self.arns.pop(name), self.client("iam")
        gone = iam.exceptions.NoSuchEntityException
        with suppress(gone):  # a method of the scenario may have deleted it
            if ":user/" in arn:
                self._strike_user(iam, name)
                return
            with suppress(gone):
                iam.delete_role_policy(RoleName=name, PolicyName=ACCESS)
            iam.delete_role(RoleName=name)

    def _strike_user(self, iam: Any, name: str) -> None:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_user_policy(UserName=name, PolicyName=ACCESS)
        iam.delete_user(UserName=name)


def document(statements: list[Mapping[str, Any]]) -> str:
    """Write a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
