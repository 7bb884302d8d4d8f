"""The stage of one scenario: the sessions it holds, the roles it made, what it saw, what it has to put back."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.credentials import masked
from pytest_stsguard.drill.attribution import foreign
from pytest_stsguard.drill.ground import cloud_of
from pytest_stsguard.drill.patience import Patience
from pytest_stsguard.drill.sighting import THIEF, WORKLOAD, Held, Moments, Sighting
from pytest_stsguard.drill.strike import strike
from pytest_stsguard.errors import ConfigurationError, DrillError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pytest_stsguard.cloud import Credentials
    from pytest_stsguard.cloud.providers import OidcProvider
    from pytest_stsguard.drill.ground import Ground
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
        ground: where it plays, and whose credentials set the stage, contain and clean up.
        scenario: what is played.
        note: takes each line of the timeline: a word and the rest.
        given: roles that exist already, by the name of the role of the scenario that each stands for.
    """

    def __init__(
        self,
        ground: Ground,
        scenario: Scenario,
        *,
        note: Callable[[str, str], None],
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.ground = ground
        self.scenario = scenario
        self.note = note
        self.given = dict(given or {})
        self.phase = "warm_up"
        self.sessions: dict[str, Held] = {}
        self.arns: dict[str, str] = {}
        self.adopted: dict[str, str] = {}
        self.revocations: list[Revocation] = []
        self.sightings: list[Sighting] = []
        self.failures: list[str] = []
        self.moments = Moments()
        self.closed: set[str] = set()
        self.kept = False

    @property
    def within(self) -> float:
        """Seconds that each expectation is waited for: the scenario's, else what the place needs."""
        return self.ground.propagation if self.scenario.within is None else self.scenario.within

    @cached_property
    def provider(self) -> OidcProvider:
        """The identity provider of CI jobs, started when it is first asked for."""
        return cloud_of(self.ground, "an identity provider").oidc_provider("github")

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Give a client, by default the runner's."""
        return self.ground.client(service, credentials)

    def session(self, name: str) -> Held:
        """Find a session that an earlier act has made."""
        found = self.sessions.get(name)
        if found is None:
            raise ConfigurationError(f"there is no session `{name}` yet", hint=f"there are: {', '.join(self.sessions)}")
        return found

    def arn(self, role: str) -> str:
        """Give the ARN of a role of the scenario, or of the world."""
        return self.arns.get(role) or self.adopted.get(role) or self.ground.role_arn(role)

    def named(self, name: str) -> str:
        """Give the name that a role or user of the scenario bears here."""
        arn = self.arns.get(name) or self.adopted.get(name)
        return arn.rpartition("/")[2] if arn else name

    def patience(self, *, in_a_row: int = 1) -> Patience:
        """Give how long an expectation is waited for."""
        return Patience(self.ground.clock, self.within, in_a_row)

    def hold(self, name: str, credentials: Credentials, side: str | None = None) -> Held:
        """Keep a session and see at once what it may do: only what was allowed proves something when it is denied."""
        chosen = side or (THIEF if self.phase == "theft" else WORKLOAD)
        if chosen not in {THIEF, WORKLOAD}:
            raise ConfigurationError(f"there is no side `{chosen}`", hint="thief or workload")
        held = Held(name, credentials, chosen, self.phase, self.ground.clock.now())
        self.sessions[name] = held
        if chosen == THIEF and self.moments.stolen is None:
            self.moments.stolen = held.at
        until = f", expires {isoformat(credentials.expiration)}" if credentials.expiration else ""
        whose = f"{credentials.arn or 'a key'}, {masked(credentials.access_key_id)}{until}"
        self.note("session", f"{name} of the {chosen}: {whose}")
        self._settle(held)
        return held

    def _settle(self, held: Held) -> None:
        """Probe until everything is allowed that will be: a role that was just made is not known everywhere at once.

        After a containment nothing is waited for: what is denied then is meant to be.
        """
        patience = self.patience()
        deadline = patience.deadline()
        while True:
            for probe in self.scenario.probes:
                if probe not in held.proven and self.see(held, probe).outcome == "allowed":
                    held.proven.add(probe)
            whole = len(held.proven) == len(self.scenario.probes)
            if whole or self.moments.revoked is not None or not held.credentials.session_token:
                return
            if patience.over(deadline) or (held.proven and self.adopted):
                return

    def see(self, held: Held, probe: str) -> Observation:
        """Make one probe and keep what came of it."""
        self.ground.before(f"{probe} by {held.name}")
        seen = held.prober.observe(probe)
        self._keep(held, seen)
        return seen

    def _keep(self, held: Held, seen: Observation) -> None:
        self.sightings.append(
            Sighting(
                self.ground.clock.now(),
                held.name,
                held.side,
                self.phase,
                seen.probe,
                seen.outcome,
                explicit=seen.explicit,
                made_in=held.phase,
            )
        )
        self.note(seen.outcome, f"{seen.probe} to {held.name}{f' ({seen.code})' if seen.code else ''}")

    def _ask(self, held: Held, probe: str, wanted: str, deadline: datetime, *, in_a_row: int = 1) -> Observation:
        def see(seen: Observation) -> None:
            self._keep(held, seen)
            self.ground.before(f"{probe} by {held.name}")

        patience = self.patience(in_a_row=in_a_row)
        seen = patience.ask(held.prober, probe, wanted, deadline=deadline, see=see)
        if seen.outcome == "inconclusive":
            raise DrillError(f"{probe} to `{held.name}` was no authorization decision: {seen.code}: {seen.message}")
        return seen

    def check_denied(self, held: Held, probes: tuple[str, ...]) -> None:
        """Require N denials in a row of each probe; one that the containment did not cause proves nothing."""
        deadline = self.patience().deadline()
        known = held.proven or {probe for one in self.sessions.values() for probe in one.proven}
        for probe in probes or tuple(one for one in self.scenario.probes if one in known) or self.scenario.probes:
            seen = self._ask(held, probe, "denied", deadline, in_a_row=self.scenario.denials)
            if seen.outcome == "allowed":
                self.fail(f"{probe} to `{held.name}` was allowed, and denied was expected")
            elif why := foreign(seen, [one.method for one in self.revocations]):
                raise DrillError(f"{probe} was denied to `{held.name}` {why}: that proves nothing of the containment")
            elif probe not in known or not (held.proven or seen.explicit):
                # A session that came after the containment was allowed nothing: what another was, must be denied explicitly.
                raise DrillError(f"{probe} was never allowed to `{held.name}`: its denial proves nothing")

    def check_allowed(self, held: Held, probes: tuple[str, ...]) -> None:
        """Require that each probe is allowed."""
        deadline = self.patience().deadline()
        for probe in probes or (tuple(held.proven) if self.adopted else ()) or self.scenario.probes:
            if self._ask(held, probe, "allowed", deadline).outcome != "allowed":
                self.fail(f"{probe} to `{held.name}` was denied, and allowed was expected")

    def fail(self, text: str) -> None:
        """Note an expectation that was not met; the drill goes on."""
        self.failures.append(text)
        self.note("failed", text)

    def filled(self, value: Any) -> Any:
        """Put ARNs in place of ``{role}``, and names in place of ``{role:name}``."""
        if isinstance(value, str):
            for name, arn in (self.arns | self.adopted).items():
                value = value.replace("{" + name + "}", arn).replace("{" + name + ":name}", arn.rpartition("/")[2])
            return value
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        return [self.filled(one) for one in value] if isinstance(value, list) else value

    def put_back(self) -> None:
        """Take back what is still in force, the last first."""
        while self.revocations:
            self.put_back_last()

    def put_back_last(self) -> None:
        """Take back what was done last; it can be tried again when it fails."""
        revocation = self.revocations[-1]
        if revocation.method != "delete-role":
            revocation.remove()
        self.revocations.pop()
        self.note("restored", revocation.summary)

    def strike(self, name: str) -> None:
        """Delete a role or user that the scenario made, with whatever has come to hang on it."""
        arn = self.arns[name]
        strike(self.client("iam"), "user" if ":user/" in arn else "role", arn.rpartition("/")[2])
        del self.arns[name]


def document(statements: list[Mapping[str, Any]]) -> str:
    """Write a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
