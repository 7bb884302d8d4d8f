"""The way to an account on which a drill may be played, and everything that must hold before the first change.

The account must be named in the allow-list of the configuration, exactly; it must not be the management account of an
organisation, which no service control policy reaches; a role that exists must have opted in by its tag, and must not carry
a revoke policy already.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.credentials import Credentials
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, InputError
from pytest_stsguard.policy import Policy
from pytest_stsguard.revocation import assess
from pytest_stsguard.revocation.retries import ONE_ATTEMPT, Retries
from pytest_stsguard.revocation.service_time import measured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import boto3

__all__ = ["OPT_IN", "TAG", "Access", "check_account", "check_role"]

TAG = "stsguard-drill"
"""The tag that a drill puts on what it makes, with the drill's id as its value."""

OPT_IN = "allowed"
"""The value of the tag by which a role that exists lets drills be played on it."""

_REGION = "us-east-1"


@dataclass(frozen=True)
class Access:
    """A boto3 session, whose account it is, and clients with retries; it makes sessions of other credentials too.

    Attributes:
        configured: whether the endpoints that the environment or the profile names are used.
        listener: is told each call before it is made: whose, the service, the operation and its parameters.
        retries: what repeats the calls of all clients; whoever plays a drill listens to it.
        offset: how far the service's time is ahead of this machine's.
    """

    session: boto3.Session
    account: str
    arn: str
    region: str = _REGION
    configured: bool = True
    listener: Callable[[str, str, str, Mapping[str, Any]], None] | None = None
    retries: Retries = field(default_factory=Retries, repr=False, compare=False)
    offset: timedelta = timedelta()
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _sessions: dict[str, boto3.Session] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, session: boto3.Session) -> Access:
        """Ask whose credentials they are.

        Raises:
            AwsUnavailableError: AWS is out of reach, or refuses them.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - whoever has a session has botocore

        region = session.region_name or _REGION
        asking = cls(session, "", "", region)
        try:
            answer, offset = measured(asking.client("sts").get_caller_identity)
        except (BotoCoreError, ClientError) as error:
            raise AwsUnavailableError(f"no way to AWS: {' '.join(str(error).split()).rstrip('.')}") from error
        return cls(session, answer["Account"], answer["Arn"], region, retries=asking.retries, offset=offset)

    @property
    def partition(self) -> str:
        """The partition of the account: ``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self.arn.split(":")[1]

    @property
    def runner(self) -> Credentials:
        """The credentials of the session itself, as they are now."""
        found: Any = self.session.get_credentials()
        if found is None:
            raise AwsUnavailableError("no way to AWS: there are no credentials")
        held = found.get_frozen_credentials()
        return Credentials(held.access_key, held.secret_key, held.token, arn=self.arn)

    def client(self, service: str, credentials: Credentials | None = None) -> Any:
        """Give a client, by default of the session itself; the same one each time."""
        key = (credentials.access_key_id if credentials else "", service)
        if key not in self._clients:
            session: Any = self.session_of(credentials)
            self._clients[key] = session.client(service, region_name=self.region, config=self._settings)
        return self._clients[key]

    def session_of(self, credentials: Credentials | None) -> boto3.Session:
        """Give a boto3 session of other credentials that reaches the same place."""
        key = credentials.access_key_id if credentials else ""
        if key not in self._sessions:
            session = self.session if credentials is None else self._session(credentials)
            self.retries.install(session)
            if self.listener is not None:
                self._listen(session, "the runner" if credentials is None else credentials.arn or "a key")
            self._sessions[key] = session
        return self._sessions[key]

    def _session(self, credentials: Credentials) -> boto3.Session:
        import boto3  # noqa: PLC0415 - as above
        import botocore.session  # noqa: PLC0415 - as above

        # The profile stays, for the endpoints and the certificates that it may name.
        profile = self.session.profile_name if self._has_profile else None
        hooks: Any = copy(self._events)
        core: Any = botocore.session.Session(profile=profile, event_hooks=hooks, include_builtin_handlers=False)
        core.set_default_client_config(self._settings)
        core.register_component("data_loader", _loader())
        made = boto3.Session(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            region_name=self.region,
            botocore_session=core,
        )
        # Each boto3 session adds its own folder once more.
        _loader().search_paths[:] = dict.fromkeys(_loader().search_paths)
        return made

    @cached_property
    def _events(self) -> Any:
        """Botocore's own handlers of events: registering them once is most of what a session would cost."""
        import botocore.session  # noqa: PLC0415 - as above
        from botocore.hooks import HierarchicalEmitter  # noqa: PLC0415 - as above

        emitter = HierarchicalEmitter()
        botocore.session.Session(event_hooks=emitter)
        return emitter

    @property
    def _has_profile(self) -> bool:
        return self.session.profile_name in self.session.available_profiles

    @property
    def _settings(self) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - as above

        options: dict[str, Any] = {
            "retries": {"mode": "standard", "total_max_attempts": ONE_ATTEMPT},
            "connect_timeout": 10,
            "read_timeout": 30,
            "ignore_configured_endpoint_urls": not self.configured,
        }
        return Config(**options)

    def _listen(self, session: boto3.Session, whose: str) -> None:
        def tell(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            assert self.listener is not None  # noqa: S101 - checked where it is registered
            self.listener(whose, str(model.service_model.service_name), str(model.name), params)

        session.events.register("before-parameter-build", tell)


@cache
def _loader() -> Any:
    """One loader of service models for all sessions: reading them is most of what a session costs."""
    import botocore.loaders  # noqa: PLC0415 - as above

    loader: Any = botocore.loaders.create_loader()
    loader.load_data_with_path = cache(loader.load_data_with_path)
    return loader


def check_account(access: Access, allowed: Sequence[str]) -> None:
    """Require that drills may change the account.

    Raises:
        ConfigurationError: it is not in the allow-list, or it is a management account, or the caller is its root user.
        AwsUnavailableError: whether it is a management account cannot be known.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    if access.account not in allowed:
        raise ConfigurationError(
            f"account `{access.account}` is not to be changed by a drill",
            hint=f'list it in stsguard.toml: [live] accounts = ["{access.account}"]',
        )
    if access.arn.endswith(":root"):
        raise ConfigurationError("the root user cannot play a drill", hint="it may not assume roles: take a role")
    try:
        organization = access.client("organizations").describe_organization()["Organization"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "AWSOrganizationsNotInUseException":
            return
        raise AwsUnavailableError(
            f"whether `{access.account}` is a management account cannot be known: {error.response['Error']['Code']}",
            hint="allow the runner organizations:DescribeOrganization",
        ) from error
    except BotoCoreError as error:
        raise AwsUnavailableError(f"no way to AWS: {' '.join(str(error).split())}") from error
    if organization["MasterAccountId"] == access.account:
        raise ConfigurationError(
            f"account `{access.account}` is the management account of its organisation: no drill is played there",
            hint="take a sandbox account of the organisation",
        )


def check_role(access: Access, name: str, *, now: datetime) -> None:
    """Require that a drill may be played on a role that exists.

    Raises:
        InputError: no such role, one that did not opt in, or one that carries a revoke policy already.
    """
    iam = access.client("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException:
        raise InputError(f"there is no role `{name}` in account `{access.account}`") from None
    if {"Key": TAG, "Value": OPT_IN} not in role.get("Tags", []):
        raise InputError(f"role `{name}` did not opt in to drills", hint=f"tag it: {TAG}={OPT_IN}")
    left = assess(list(_policies(iam, name)), now=now, principal_arn=role["Arn"], principal_id=role["RoleId"])
    if left:
        raise InputError(
            f"role `{name}` carries a revoke policy already: a drill on it would prove nothing",
            hint="see `stsguard cleanup`",
        )


def _policies(iam: Any, name: str) -> list[Policy]:
    """Read the identity policies of a role as far as they can be read."""
    documents: dict[str, Any] = {}
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=name):
        for policy in page["PolicyNames"]:
            documents[policy] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name):
        for one in page["AttachedPolicies"]:
            version = iam.get_policy(PolicyArn=one["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = iam.get_policy_version(PolicyArn=one["PolicyArn"], VersionId=version)
            documents[one["PolicyArn"]] = found["PolicyVersion"]["Document"]
    return [Policy.parse(document, name=policy, lenient=True) for policy, document in documents.items()]
