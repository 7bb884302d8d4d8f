"""Where a drill plays: the simulated cloud, or an account that the ordinary AWS settings reach.

A scenario knows neither: it asks the ground for clients, credentials and the time, and tells it what it is about to do.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.cloud.providers import OidcProvider, SamlProvider
    from pytest_stsguard.revocation import Plan

__all__ = ["Ground", "Simulated", "cloud_of"]


class Ground(Protocol):
    """What a drill needs of the place.

    Attributes:
        account: the id of the account.
        region: the region of its clients.
        clock: the time that it lives by.
        propagation: seconds in which a change is seen everywhere; 0: at once.
        runner: whose credentials set the stage, contain and clean up.
        creation: parameters of every call that makes a role or a user.
    """

    account: str
    region: str
    clock: Clock
    runner: Credentials

    @property
    def propagation(self) -> float:
        """Seconds in which a change is seen everywhere; 0: at once."""

    @property
    def creation(self) -> Mapping[str, Any]:
        """What every role and user is made with: tags and a boundary."""

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Give a client, by default the runner's; the same one each time."""

    def role_arn(self, role: str) -> str:
        """Give the ARN of a role by its name or ARN."""

    def credentials_of(self, answer: Mapping[str, Any], arn: str | None = None) -> Credentials:
        """Bind what STS answered to this place."""

    def user_credentials(self, user: str) -> Credentials:
        """Make an access key."""

    def own_name(self, name: str) -> str:
        """Give the name under which something of the scenario is made here."""

    def hear(self, note: Callable[[str, str], None]) -> None:
        """Take what puts a line on the drill's timeline, for what the place itself has to tell."""

    def before(self, step: str) -> None:
        """Learn what comes next; raises when the drill is to stop."""

    def making(self, kind: str, name: str) -> None:
        """Learn that a role or user is going to be made, before it is."""

    def planned(self, plan: Plan) -> None:
        """Learn what a revocation is going to change, before it does."""

    def restoring(self) -> None:
        """Learn that from now on everything is put back: nothing stops that."""

    def restored(self) -> None:
        """Learn that everything of the scenario is put back: what the ground itself made can go."""


class Simulated:
    """A simulated cloud as the ground of a drill.

    Args:
        cloud: where.
        runner: whose credentials set the stage; default: the administrator's.
        account: the account of the cloud that the runner is of; default: the home account.
    """

    creation: Mapping[str, Any] = {}

    def __init__(self, cloud: Cloud, runner: Credentials | None = None, *, account: str = "") -> None:
        self.cloud = cloud
        self.account = account or cloud.account
        self.region = cloud.region
        self.clock: Clock = cloud.clock
        self.runner = runner or cloud.admin
        self._clients: dict[tuple[str, str], Any] = {}
        self._sessions: dict[str, Any] = {}

    @cached_property
    def provider(self) -> OidcProvider:
        """The identity provider of CI jobs, started when it is first asked for; no account knows it yet."""
        return self.cloud.oidc_provider("github", register=False)

    @cached_property
    def saml(self) -> SamlProvider:
        """The identity provider of people who sign on, made when it is first asked for; no account knows it yet."""
        return self.cloud.saml_provider(register=False)

    @property
    def propagation(self) -> float:
        """Seconds in which a change is seen everywhere: that of the cloud's consistency."""
        return float(getattr(self.cloud, "propagation", 0.0))

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Give a client, by default the runner's; the same one each time."""
        whose = credentials or self.runner
        key = whose.access_key_id
        if (key, service) not in self._clients:
            if key not in self._sessions:
                self._sessions[key] = whose.session()
            self._clients[key, service] = self._sessions[key].client(service)
        return self._clients[key, service]

    def role_arn(self, role: str) -> str:
        """Give the ARN of a role by its name or ARN."""
        return self.cloud.role_arn(role)

    def credentials_of(self, answer: Mapping[str, Any], arn: str | None = None) -> Credentials:  # noqa: ARG002 - the cloud knows whose they are
        """Bind what STS answered to the cloud."""
        return self.cloud.credentials_of(answer)

    def user_credentials(self, user: str) -> Credentials:
        """Make an access key."""
        return self.cloud.user_credentials(user)

    def own_name(self, name: str) -> str:
        """Give the name as it stands: the cloud is the drill's alone."""
        return name

    def hear(self, note: Callable[[str, str], None]) -> None:
        """Nothing to tell: every call is answered at once."""

    def before(self, step: str) -> None:
        """Go on: nothing here can be harmed."""

    def making(self, kind: str, name: str) -> None:
        """Nothing to note: the cloud ends with the drill."""

    def planned(self, plan: Plan) -> None:
        """Nothing to note, as above."""

    def restoring(self) -> None:
        """Nothing to note, as above."""

    def restored(self) -> None:
        """Nothing to delete, as above."""


def cloud_of(ground: Ground, what: str) -> Cloud:
    """Give the simulated cloud under a drill.

    Raises:
        ConfigurationError: it plays on an account.
    """
    if not isinstance(ground, Simulated):
        raise ConfigurationError(f"{what} can be had in the simulated cloud only", hint="play it with --target demo")
    return ground.cloud
