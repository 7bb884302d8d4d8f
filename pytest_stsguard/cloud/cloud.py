"""The simulated AWS that a test holds: opened, used through real clients, closed without a trace."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.authentication import Authenticator
from pytest_stsguard.cloud.authorization import Authorizer
from pytest_stsguard.cloud.backend import Backend
from pytest_stsguard.cloud.consistency import Consistency, Propagation
from pytest_stsguard.cloud.credentials import Credentials
from pytest_stsguard.cloud.gate import Gate
from pytest_stsguard.cloud.inprocess import close_entrance, open_entrance
from pytest_stsguard.cloud.instances import Fleet, Instance
from pytest_stsguard.cloud.layers import Organization, ResourcePolicies
from pytest_stsguard.cloud.ledger import Ledger
from pytest_stsguard.cloud.metadata import LATEST_MOMENT
from pytest_stsguard.cloud.server import Server
from pytest_stsguard.cloud.sessions import Sessions
from pytest_stsguard.cloud.snapshot import Stores, restore, save
from pytest_stsguard.cloud.state import State
from pytest_stsguard.cloud.sts import TokenService
from pytest_stsguard.cloud.trail import Trail
from pytest_stsguard.cloud.world import WORLDS, create_administrator
from pytest_stsguard.cloud.worldfile import world_file
from pytest_stsguard.errors import CloudError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import boto3

    from pytest_stsguard.cloud.containers import Container
    from pytest_stsguard.cloud.loading import Blueprint, Loaded
    from pytest_stsguard.cloud.providers import OidcProvider, SamlProvider
    from pytest_stsguard.cloud.signin import SigninServer

__all__ = ["DEFAULT_ACCOUNT", "DEFAULT_REGION", "Cloud"]

DEFAULT_ACCOUNT = "111122223333"
DEFAULT_REGION = "us-east-1"


class Closable(Protocol):
    """Something that runs beside the cloud and ends with it."""

    def close(self) -> None:
        """End it; a second call does nothing."""


class Cloud:
    """A fresh, enforcing simulated AWS account. Use it as a context manager, or through the fixture `sts_cloud`.

    Any boto3 client of this process that signs with credentials from here is enforced here. One cloud may be open in a
    process at a time, since moto's state is global; threads share it safely.

    `world` is ``"demo"``, ``"empty"``, or a file: a CloudFormation template (with its `parameters`), or a state that
    `save` gave.

    With `consistency` changes of policies, principals and keys are seen late, as on AWS: within so many seconds, or
    ``"SECONDS:SEED"``; see docs/consistency.md.

    Raises:
        CloudError: when a second one is opened, or one is used after it was closed.
        InputError: for a world's file that cannot be read or carried out.
        ConfigurationError: for an unknown `world`, an account id or a `consistency` that is none.
    """

    def __init__(
        self,
        *,
        account: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
        world: str | Path = "demo",
        parameters: Mapping[str, str] | None = None,
        consistency: Consistency | float | str | None = None,
    ) -> None:
        self._file = world_file(world, parameters)
        _check_account(account)
        self.account = account
        self.region = region
        self.clock = SimulatedClock()
        self.trail = Trail()
        self._world = "empty" if self._file else str(world)
        self.left_out: tuple[str, ...] = ()
        self._backend = Backend(account, region)
        self._ledger = Ledger(self.clock)
        state = State(self._backend)
        self._organization = Organization(self._backend, state)
        resource_policies = ResourcePolicies(self._backend, state)
        authorizer = Authorizer(state, self.clock, organization=self._organization, resource_policies=resource_policies)
        self._authenticator = Authenticator(self._ledger, state, self.clock)
        self.tokens = TokenService(ledger=self._ledger, state=state, authorizer=authorizer, clock=self.clock)
        self.gate = Gate(
            backend=self._backend,
            state=state,
            authenticator=self._authenticator,
            authorizer=authorizer,
            tokens=self.tokens,
            organization=self._organization,
            resource_policies=resource_policies,
            trail=self.trail,
            clock=self.clock,
        )
        self._state = state
        self.consistency = consistency
        self._fleet = Fleet(
            backend=self._backend, state=state, ledger=self._ledger, authorizer=authorizer, clock=self.clock
        )
        self.gate.observers.append(self._fleet.observe)
        self._servers: list[Server] = []
        self._kept: list[Closable] = [self.tokens.outbound, self.gate.stacks]
        self._loaded: list[Loaded] = []
        self._signin: SigninServer | None = None
        self._administrators: dict[str, Credentials] = {}
        self._lock = threading.RLock()
        self._clients = Sessions(region)

    def __enter__(self) -> Self:
        """Open the cloud: moto is held, the clients of this process are led to the gate, the world is planted."""
        open_entrance(self.gate, self._backend)
        try:
            self._backend.open()
        except BaseException:
            close_entrance(frozenset())
            raise
        try:
            WORLDS[self._world](self._backend)
            self._administrators[self.account] = self._create_administrator(self.account)
            if self._file is not None:
                self.left_out = self._file.plant(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the cloud: servers stop, handlers go, moto forgets the accounts."""
        for kept in (*self._kept, *self._servers):
            kept.close()
        self._fleet.close()
        retired = self._ledger.key_ids() | self._state.key_ids()
        self._backend.close()
        close_entrance(retired)
        self._administrators.clear()

    @property
    def consistency(self) -> Consistency | None:
        """How late changes are seen; it can be set, for the changes that are made from then on. None: at once."""
        return self._consistency

    @consistency.setter
    def consistency(self, value: Consistency | float | str | None) -> None:
        self._consistency = Consistency.of(value)
        self._state.propagation = Propagation(self._consistency, self.clock) if self._consistency else None

    @property
    def propagation(self) -> float:
        """Seconds after which every change is seen everywhere; 0: at once."""
        return self._consistency.seconds if self._consistency else 0.0

    @property
    def admin(self) -> Credentials:
        """The keys of an IAM user with AdministratorAccess."""
        found = self._administrators.get(self.account)
        if found is None:
            raise CloudError("the simulated cloud is not open", hint="use it in a `with` block, or take `sts_cloud`")
        return found

    def administrator(self, account: str) -> Credentials:
        """Give the keys of an administrator of another account of this cloud; the account opens when it is first named.

        The home account is the management account of the organisation to which all accounts of the cloud belong.

        Raises:
            ConfigurationError: `account` is no account id.
        """
        _check_account(account)
        self.admin  # noqa: B018 - raises when the cloud is closed
        with self._lock:
            if account not in self._administrators:
                self._administrators[account] = self._create_administrator(account)
            return self._administrators[account]

    def _create_administrator(self, account: str) -> Credentials:
        key = create_administrator(self._backend, account)
        self.gate.principals.adopt(account)
        self._organization.membership.admit(account)
        return Credentials(key.access_key_id, key.secret_access_key, origin=self)

    def root(self, account: str | None = None) -> Credentials:
        """Make an access key of an account's root user, by default the home account's, as nobody should have one."""
        if account is not None:
            self.administrator(account)
        key = self._ledger.issue_root(account or self.account)
        return Credentials(key.access_key_id, key.secret_access_key, origin=self)

    def load(self, account: Blueprint) -> Loaded:
        """Put an account, as an export, a template or a plan tells it, into this cloud; gives what was and what was not.

        Documents, ARNs and unique ids stay as they are; instances run in the home account and region alone.

        Raises:
            ConfigurationError: the account's id is none, or its partition is not simulated.
        """
        from pytest_stsguard.cloud.loading import load  # noqa: PLC0415 - few clouds hold a real account

        self.admin  # noqa: B018 - raises when the cloud is closed
        if account.id != self.account:
            self.administrator(account.id)
        with self._lock:
            self._loaded.append(load(account, self._backend))
            return self._loaded[-1]

    @property
    def loaded(self) -> tuple[Loaded, ...]:
        """What was loaded, and what could not be, in order."""
        return tuple(self._loaded)

    def client(self, service: str, credentials: Credentials | None = None, **options: Any) -> Any:
        """Make a boto3 client for `service`, by default the administrator's; `options` are boto3's own."""
        session: Any = (credentials or self.admin).session()
        return session.client(service, **options)

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> Server:
        """Serve this cloud over HTTP on loopback, beside the clients of this process; closed with the cloud.

        Raises:
            InputError: the address or the port cannot be used.
        """
        server = Server(self, host=host, port=port)
        self._servers.append(server)
        return server

    def oidc_provider(self, shape: str = "plain", *, register: bool = True, **options: Any) -> OidcProvider:
        """Start an OIDC provider on loopback, closed with the cloud; see `providers.OidcProvider` for `options`.

        `shape` is ``"plain"``, ``"github"``, ``"gitlab"`` or ``"eks"``. With `register` IAM of the home account knows it.
        """
        from pytest_stsguard.cloud.providers import OidcProvider  # noqa: PLC0415 - few clouds have one

        provider = OidcProvider(self.clock, self.tokens.issuers, shape=shape, **options)
        self._kept.append(provider)
        if register:
            provider.register(self.client("iam"))
        return provider

    def saml_provider(self, *, register: bool = True, **options: Any) -> SamlProvider:
        """Make a SAML provider; see `providers.SamlProvider` for `options`. With `register` IAM knows it."""
        from pytest_stsguard.cloud.providers import SamlProvider  # noqa: PLC0415 - few clouds have one

        provider = SamlProvider(self.clock, **options)
        if register:
            provider.register(self.client("iam"))
        return provider

    def container(self, role: str, **options: Any) -> Container:
        """Run an ECS task, or with ``kind="eks"`` a pod, of the home account with `role`; see `containers.Container`."""
        from pytest_stsguard.cloud.containers import Container  # noqa: PLC0415 - few clouds run one

        container = Container(self.tokens, role, account=self.account, region=self.region, **options)
        self._kept.append(container)
        return container

    @property
    def federation_url(self) -> str:
        """The federation endpoint on loopback, in the place of ``https://signin.aws.amazon.com/federation``."""
        from pytest_stsguard.cloud.signin import SigninServer  # noqa: PLC0415 - few clouds have a console

        with self._lock:
            if self._signin is None:
                self._signin = SigninServer(self.tokens, self._authenticator, self.trail, region=self.region)
                self._kept.append(self._signin)
        return self._signin.federation_url

    def sign_in(self, credentials: Credentials, *, duration: int | None = None) -> Credentials:
        """Sign in to the console with temporary credentials, over HTTP; gives what the console's pages call with.

        Raises:
            CloudError: the sign-in service refuses them, or the `duration` (seconds).
        """
        from pytest_stsguard.cloud.signin import console_credentials, sign_in_url  # noqa: PLC0415 - as above

        return self.credentials_of(
            console_credentials(sign_in_url(self.federation_url, credentials, duration=duration))
        )

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The EC2 instances that are not terminated."""
        return self._fleet.all()

    def metadata_timing(self, *, profile_delay: float = 0, replace_before: float = 300) -> None:
        """Say when metadata services follow, for instances that were not looked at yet.

        A change of a profile's association or role is seen `profile_delay` seconds after the call; a stop and a start
        bring it at once. Credentials are replaced `replace_before` seconds before they expire, at least 300.
        """
        if profile_delay < 0 or replace_before < LATEST_MOMENT.total_seconds():
            raise ConfigurationError(
                "profiles are seen 0 or more seconds late, credentials replaced 300 or more before"
            )
        self._fleet.profile_delay = timedelta(seconds=profile_delay)
        self._fleet.replace_before = timedelta(seconds=replace_before)

    def instance(self, instance: str) -> Instance:
        """Find an instance by its id or its Name tag."""
        return self._fleet.find(instance)

    def role_arn(self, role: str) -> str:
        """Give the ARN of a role that is named by its name or its ARN."""
        if role.startswith("arn:"):
            return role
        found = self._state.role(self.account, name=role)
        if found is None:
            why = [str(one) for each in self._loaded for one in each.left_out if one.what.endswith(f"/{role}")]
            raise CloudError(f"there is no role `{role}` in account `{self.account}`", hint=why[0] if why else None)
        return found.arn

    def credentials_of(self, answer: Mapping[str, Any]) -> Credentials:
        """Bind what STS or a metadata service answered (`AccessKeyId` and so on) to this cloud."""
        session = self._ledger.session(answer["AccessKeyId"])
        if session is None:
            raise CloudError("these credentials were not issued by this cloud")
        token = answer.get("SessionToken") or answer.get("Token")
        return Credentials(
            answer["AccessKeyId"],
            answer["SecretAccessKey"],
            token,
            session.expires_at,
            session.issued_at,
            session.arn,
            origin=self,
        )

    def user_credentials(self, user: str) -> Credentials:
        """Make a new access key for a user and give it."""
        with self._lock:
            key = self._backend.service("iam").create_access_key(user)
        return Credentials(key.access_key_id, key.secret_access_key, origin=self)

    def save(self) -> dict[str, Any]:
        """Give the state of the cloud as JSON data; ``left_out`` in it names what is not saved. See docs/serve.md."""
        self.admin  # noqa: B018 - raises when the cloud is closed
        keys = {one: (key.access_key_id, key.secret_access_key) for one, key in self._administrators.items()}
        return save(self._stores, keys)

    def restore(self, state: Any) -> None:
        """Put a saved state in the place of everything that is here; sessions and keys of that state work again.

        Raises:
            InputError: `state` is none, or one of another account, region or version of moto; nothing has changed then.
        """
        self.admin  # noqa: B018 - as above
        with self._lock:
            keys = restore(self._stores, state)
            self._administrators = {one: Credentials(*key, origin=self) for one, key in keys.items()}
            for account in self._administrators:
                self._organization.membership.admit(account)

    @property
    def _stores(self) -> Stores:
        return Stores(self._backend, self._ledger, self.clock, self._fleet)

    # What credentials.Origin asks.

    def session(self, credentials: Credentials) -> boto3.Session:
        """Make a boto3 session of this process that signs with `credentials`."""
        self.admin  # noqa: B018 - raises when the cloud is closed
        return self._clients.session(credentials)

    def environment(self) -> Mapping[str, str]:
        """Name the settings by which a subprocess finds this cloud: its region, and its endpoint while it is served."""
        settings = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}
        if self._servers:
            settings["AWS_ENDPOINT_URL"] = self._servers[-1].url
        return settings

    def explain(self, request_id: str) -> str | None:
        """Tell why a call was allowed or denied, by its request id."""
        event = self.trail.find(request_id)
        if event is None or not event.decisions:
            return None
        return event.decisions[-1].text()


def _check_account(account: str) -> None:
    if not (len(account) == 12 and account.isascii() and account.isdigit()):  # noqa: PLR2004 - an account id
        raise ConfigurationError(f"`{account}` is no AWS account id", hint="an account id has twelve digits")
