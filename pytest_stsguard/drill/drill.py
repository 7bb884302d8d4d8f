"""A drill in the simulated cloud: theft, revocation, proof, recovery, cleanup, each step on a timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.credentials import masked
from pytest_stsguard.drill.game import play
from pytest_stsguard.drill.listening import listening
from pytest_stsguard.drill.metadata import fetch_instance_credentials
from pytest_stsguard.drill.observation import Observation, observe
from pytest_stsguard.drill.patience import IN_A_ROW
from pytest_stsguard.drill.step import Step, told_as
from pytest_stsguard.drill.verdict import check_allowed, check_denied
from pytest_stsguard.errors import DrillError
from pytest_stsguard.revocation import Revocation, revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill.game import Result
    from pytest_stsguard.drill.scenario import Scenario

__all__ = ["Drill"]


class Drill:
    """Steals, revokes, probes, recovers and cleans up in one simulated cloud, and keeps the timeline.

    `lines` is the timeline as text, for reports; it grows as the drill goes on.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._timeline: list[Step] = []
        self.lines: list[str] = []
        self._revocations: list[Revocation] = []

    @property
    def timeline(self) -> tuple[Step, ...]:
        """Every step so far, oldest first."""
        return tuple(self._timeline)

    def note(self, action: str, detail: str) -> None:
        """Put a step of the test's own on the timeline."""
        step = Step(self._cloud.clock.now(), action, detail)
        self._timeline.append(step)
        self.lines.append(str(step))

    def hear(self, credentials: Credentials, seen: Observation) -> None:
        """Put on the timeline what a probe answered."""
        self.note(seen.outcome, f"{seen.probe} with key {masked(credentials.access_key_id)}")

    def assume(
        self, role: str, *, session_name: str = "stsguard", by: Credentials | None = None, **params: Any
    ) -> Credentials:
        """Assume `role`, by the administrator or with the credentials `by`; `params` are those of AssumeRole."""
        sts = self._cloud.client("sts", by)
        answer = sts.assume_role(RoleArn=self._cloud.role_arn(role), RoleSessionName=session_name, **params)
        credentials = self._cloud.credentials_of(answer["Credentials"])
        self.note("issued", _told(credentials))
        return credentials

    def steal(self, instance: str) -> Credentials:
        """Take the role's credentials from an instance over HTTP, as a thief on it would."""
        credentials = self._taken(instance)
        self.note("stolen", _told(credentials))
        return credentials

    def fetch(self, instance: str) -> Credentials:
        """Fetch the role's credentials from an instance's metadata service, with IMDSv2."""
        credentials = self._taken(instance)
        self.note("issued", _told(credentials))
        return credentials

    def revoke(self, role: str, *, method: str = "older-sessions", **scope: Any) -> Revocation:
        """End the sessions of `role`; returns when a session made from now on is spared."""
        if "instance" in scope:
            scope["instance"] = self._cloud.instance(scope["instance"]).instance_id
        revocation = revoke(
            self._cloud.client("iam"), role, method=method, clock=self._cloud.clock, clients=self._cloud.client, **scope
        )
        self._revocations.append(revocation)
        self.note(told_as(revocation), revocation.summary)
        return revocation

    def probe(self, credentials: Credentials, *probes: str | Callable[[boto3.Session], Any]) -> tuple[Observation, ...]:
        """Make the probes and put each outcome on the timeline, whatever it is."""
        if not probes:
            raise DrillError("a drill's probe needs at least one call", hint='give one, as "s3.list_buckets"')
        seen = tuple(observe(credentials, probe) for probe in probes)
        for one in seen:
            self.hear(credentials, one)
        return seen

    def denied(
        self,
        credentials: Credentials,
        *probes: str | Callable[[boto3.Session], Any],
        who: str = "session",
        within: float | None = None,
        in_a_row: int = IN_A_ROW,
    ) -> None:
        """Require that every probe is denied; see `assert_denied`."""
        with listening(self.hear):
            check_denied(credentials, *probes, who=who, within=within, in_a_row=in_a_row)

    def allowed(
        self,
        credentials: Credentials,
        *probes: str | Callable[[boto3.Session], Any],
        who: str = "session",
        within: float | None = None,
        in_a_row: int = 1,
    ) -> None:
        """Require that every probe is allowed; see `assert_allowed`."""
        with listening(self.hear):
            check_allowed(credentials, *probes, who=who, within=within, in_a_row=in_a_row)

    def recover(self, instance: str) -> Credentials:
        """Stop and start an instance, and fetch the new credentials that it then holds."""
        ec2 = self._cloud.client("ec2")
        identity = self._cloud.instance(instance).instance_id
        ec2.stop_instances(InstanceIds=[identity])
        ec2.start_instances(InstanceIds=[identity])
        self.note("restart", f"{identity} stopped and started")
        return self.fetch(instance)

    def clean_up(self) -> None:
        """Remove the revocations of this drill, at their earliest safe time."""
        while self._revocations:
            # The last one first: each gives back what it found.
            revocation = self._revocations.pop()
            self._cloud.clock.wait_until(revocation.safe_removal)
            revocation.remove()
            self.note("cleaned", f"{revocation.policy_name or revocation.method} removed from {revocation.role}")

    def refuses(self, scenario: Scenario | str) -> str:  # noqa: ARG002 - every one can be played in the simulated cloud
        """Say why a scenario cannot be played here; empty when it can."""
        return ""

    def play(self, scenario: Scenario | str) -> Result:
        """Play a scenario: a shipped one by its name, one from a TOML file, or data; its steps join the timeline.

        Raises:
            ConfigurationError: the scenario cannot be used.
        """
        return play(scenario, self._cloud, listener=lambda step: self.note(step.action, step.detail))

    def _taken(self, instance: str) -> Credentials:
        return self._cloud.credentials_of(fetch_instance_credentials(self._cloud.instance(instance).metadata_url))


def _told(credentials: Credentials) -> str:
    """Write whose credentials they are and until when, as the report's timeline reads it."""
    until = f", expires {isoformat(credentials.expiration)}" if credentials.expiration else ""
    return f"{credentials.arn or 'a session'}, key {masked(credentials.access_key_id)}{until}"
