"""An account as the ground of a drill: everything made is marked, bounded and noted before it is made, and put back.

What a drill makes lies under ``/stsguard-drill/``, bears the drill's id as a tag and in its name, and has a permissions
boundary that allows no more than the scenario is about. The journal holds names and policies, never a secret.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.credentials import Credentials
from pytest_stsguard.drill.access import TAG
from pytest_stsguard.drill.acts import READ
from pytest_stsguard.drill.patience import PROPAGATION, Patience
from pytest_stsguard.drill.stage import PATH
from pytest_stsguard.drill.strike import strike
from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation.journal import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.drill.access import Access
    from pytest_stsguard.drill.kill_switch import KillSwitch
    from pytest_stsguard.drill.scenario import Scenario
    from pytest_stsguard.revocation import Journal, Plan
    from pytest_stsguard.revocation.retries import Retry

__all__ = ["LiveAccount"]

_HARMFUL = ("iam:", "sts:", "organizations:", "sso:", "account:")
_ON_DRILL_ROLES = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "iam:DeleteRolePolicy")


class LiveAccount:
    """The ground of one drill on an account.

    Args:
        access: the way to it.
        scenario: what will be played: it decides what the boundary allows.
        clock: real time, watched by the kill switch.
        switch: stops the drill.
        journal: newly created; None: nothing is noted, for a rehearsal.
        propagation: seconds in which a change is seen everywhere.
    """

    def __init__(
        self,
        access: Access,
        scenario: Scenario,
        *,
        clock: Clock,
        switch: KillSwitch,
        journal: Journal | None,
        propagation: float = PROPAGATION,
    ) -> None:
        self.access = access
        self.account = access.account
        self.region = access.region
        self.clock = clock
        self.runner = access.runner
        self.propagation = propagation
        self.run = secrets.token_hex(4)
        self._scenario = scenario
        self._switch = switch
        self._journal = journal
        self._boundary = ""
        self._tell: Callable[[str, str], None] | None = None
        access.retries.listener = self._again
        if journal is not None:
            journal.write("drill", schema=SCHEMA, account=self.account, scenario=scenario.name, run=self.run)

    @property
    def creation(self) -> Mapping[str, Any]:
        """The drill's tag, and the boundary."""
        return {"Tags": [{"Key": TAG, "Value": self.run}], "PermissionsBoundary": self._boundary}

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Give a client, by default the runner's; the same one each time."""
        return self.access.client(service, credentials)

    def role_arn(self, role: str) -> str:
        """Give the ARN of a role by its name or ARN."""
        if role.startswith("arn:"):
            return role
        return str(self.client("iam").get_role(RoleName=role)["Role"]["Arn"])

    def credentials_of(self, answer: Mapping[str, Any], arn: str | None = None) -> Credentials:
        """Bind what STS answered to this account."""
        return Credentials(
            answer["AccessKeyId"],
            answer["SecretAccessKey"],
            answer["SessionToken"],
            answer["Expiration"],
            self.clock.now(),
            arn,
            origin=self,
        )

    def user_credentials(self, user: str) -> Credentials:
        """Make an access key."""
        key = self.client("iam").create_access_key(UserName=user)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=self)

    def own_name(self, name: str) -> str:
        """Give the name with the drill's id, so that two drills never meet."""
        return f"{name}-{self.run}"

    def hear(self, note: Callable[[str, str], None]) -> None:
        """Tell of each call that is made again, and note it."""
        self._tell = note

    def before(self, step: str) -> None:  # noqa: ARG002 - the kill switch asks not what it stops
        """Look at the kill switch.

        Raises:
            DrillError: it was pulled.
        """
        self._switch.check()

    def making(self, kind: str, name: str) -> None:
        """Note what is going to be made; the boundary is made before the first of them."""
        if not self._boundary:
            self._make_boundary()
        self._note("making", kind=kind, name=name)

    def planned(self, plan: Plan) -> None:
        """Note what a revocation is going to change."""
        self._note("plan", plan=plan.as_json())

    def restoring(self) -> None:
        """Let nothing stop what follows."""
        self._switch.disarm()

    def restored(self) -> None:
        """Delete the boundary, and note that nothing is left."""
        if self._boundary:
            strike(self.client("iam"), "policy", self._boundary)
            self._boundary = ""
        self._note("back")

    # What credentials.Origin asks.

    def session(self, credentials: Credentials) -> boto3.Session:
        """Make a boto3 session that signs with `credentials`."""
        return self.access.session_of(credentials)

    def environment(self) -> Mapping[str, str]:
        """Name the region; the endpoints are those of the environment."""
        return {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def explain(self, request_id: str) -> str | None:  # noqa: ARG002 - AWS does not tell
        """Tell nothing: AWS does not say why."""
        return None

    def _again(self, retry: Retry) -> None:
        """Learn that a call is about to be made again.

        Raises:
            DrillError: the kill switch was pulled meanwhile.
        """
        self._switch.check()
        with suppress(InputError):  # it announces no change: a journal that cannot be written stops no restoring
            self._note("retry", **retry.as_json())
        if self._tell is not None:
            self._tell("retry", str(retry))

    def _note(self, entry: str, **members: Any) -> None:
        if self._journal is not None:
            self._journal.write(entry, **members)

    def _make_boundary(self) -> None:
        name = f"StsGuardDrill-{self.run}"
        arn = f"arn:{self.access.partition}:iam::{self.account}:policy{PATH}{name}"
        self._note("making", kind="policy", name=arn)
        iam, document = self.client("iam"), self._boundary_document()
        # A retried call may have come through the first time: nobody else knows this drill's id.
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_policy(PolicyName=name, Path=PATH, PolicyDocument=json.dumps(document))
        self._boundary = arn
        self._wait_for(arn)

    def _wait_for(self, arn: str) -> None:
        """Return when IAM knows the policy, or when it is too late to wait."""
        iam, patience = self.client("iam"), Patience(self.clock, self.propagation)
        deadline = patience.deadline()
        while True:
            try:
                iam.get_policy(PolicyArn=arn)
            except iam.exceptions.NoSuchEntityException:
                if not patience.over(deadline):
                    continue
            return

    def _boundary_document(self) -> dict[str, Any]:
        """Allow what the scenario's roles are given, and of IAM and STS only what stays among the drill's own."""
        arn = f"arn:{self.access.partition}"
        given = {action for act in self._scenario.acts for action in act.parameters.get("allow") or ()}
        harmless = {one for one in given if ":" in one and not one.lower().startswith((*_HARMFUL, "*"))}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": sorted({*READ, *harmless}), "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": list(_ON_DRILL_ROLES),
                    "Resource": f"{arn}:iam::{self.account}:role{PATH}*",
                },
                {
                    "Effect": "Allow",
                    "Action": "sts:GetFederationToken",
                    "Resource": f"{arn}:sts::{self.account}:federated-user/*",
                },
            ],
        }
