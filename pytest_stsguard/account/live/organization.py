"""The source ``org:``: every account of an organisation, each through a role that may read it.

One account's failure never ends the others' audit: it is a problem of that account.
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from re import ASCII
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader, create_loader

from pytest_stsguard.account.audit_role import AUDIT_ROLE
from pytest_stsguard.account.live.calls import Calls, Step, reason_of
from pytest_stsguard.account.live.session import read_session
from pytest_stsguard.account.model import Account
from pytest_stsguard.account.resource import Organization
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, InputError, StsGuardError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["JOBS", "load_organization"]

JOBS: Final = 4
"""Accounts that are read at the same time, each with a few calls under way."""

_CALLS: Final = 4
_SESSION: Final = 3600
_ROLE = regex(r"[\w+=,.@-]{1,64}", ASCII)
_MEMBERS = Step("accounts", "organizations", "list_accounts", "NextToken")
_ALL: Final = (
    "roles", "users", "groups", "policies", "instances", "identity providers", "MaxSessionDuration", "RoleLastUsed",
)  # fmt: skip


def load_organization(
    session: boto3.Session,
    *,
    audit_role: str = AUDIT_ROLE,
    source: str = "org",
    regions: Iterable[str] | None = None,
    jobs: int = JOBS,
    keep: str | Path | None = None,
    wanted: Collection[str] = (),
    skipped: Collection[str] = (),
) -> tuple[Account, ...]:
    """Read every active account of the organisation that a session's credentials belong to.

    Args:
        session: credentials of the management account, or of one that may list accounts, which may assume the role.
        audit_role: the role's name in every account; the session's own account is read without it.
        source: what the organisation is called; each account's source is that and its id.
        regions: as for `read_session`.
        jobs: accounts that are read at the same time.
        keep: a directory; each account has one in it.
        wanted: the ids of the accounts to read; empty: all active ones.
        skipped: the ids of those not to read.

    Returns:
        The accounts in the organisation's order; one that cannot be read is empty, and its `problems` say why.

    Raises:
        AwsUnavailableError: AWS is out of reach, or refuses to list the accounts.
        ConfigurationError: the role's name is none, an id is of no active account, or no account is left.
    """
    if _ROLE.fullmatch(audit_role) is None:
        raise ConfigurationError(
            f"`{short(audit_role)}` is no name of a role", hint="the name alone, without path or ARN"
        )
    calls = Calls(session)
    try:
        caller = calls.caller()
        listed = [member for page in calls.answers(_MEMBERS) for member in page["Accounts"]]
    except (ClientError, BotoCoreError) as error:
        hint = "it needs credentials that may call organizations:ListAccounts"
        raise AwsUnavailableError(
            f"cannot list the accounts: {reason_of(error)}", location=source, hint=hint
        ) from error
    members = tuple(str(member["Id"]) for member in listed if member.get("Status", "ACTIVE") == "ACTIVE")
    chosen = _chosen(members, wanted, skipped, source)
    reader = _Reader(
        calls=calls,
        own=caller.account,
        partition=caller.partition,
        role=audit_role,
        source=source,
        regions=None if regions is None else tuple(regions),
        organization=_describe(calls, members),
        keep=None if keep is None else Path(keep),
    )
    pool = ThreadPoolExecutor(max(jobs, 1), thread_name_prefix="stsguard-org")
    try:
        return tuple(pool.map(reader.read, chosen))
    finally:
        pool.shutdown(cancel_futures=True)


def _chosen(
    members: tuple[str, ...], wanted: Collection[str], skipped: Collection[str], source: str
) -> tuple[str, ...]:
    """Choose the accounts to read: those that were asked for, all of which must be there."""
    strange = [one for one in wanted if one not in members]
    if strange:
        raise ConfigurationError(
            f"`{strange[0]}` is no active account of the organisation", location=source, hint="see live.audit_accounts"
        )
    chosen = tuple(one for one in members if (not wanted or one in wanted) and one not in skipped)
    if not chosen:
        raise ConfigurationError("no account is left to audit", location=source, hint="see live.skip_accounts")
    return chosen


def _describe(calls: Calls, members: tuple[str, ...]) -> Organization | None:
    """Describe the organisation; None when that is refused: each account then says what it is told itself."""
    try:
        described = calls.client("organizations").describe_organization()["Organization"]
    except (ClientError, BotoCoreError):
        return None
    return Organization(str(described["Id"]), described.get("MasterAccountId"), members)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the accounts of one organisation, each on its own."""

    calls: Calls
    own: str
    partition: str
    role: str
    source: str
    regions: tuple[str, ...] | None
    organization: Organization | None
    keep: Path | None
    models: Loader = field(default_factory=create_loader)
    """What all accounts' clients are made from: reading EC2's model costs more than reading an account."""

    def read(self, member: str) -> Account:
        """Read one account."""
        source = f"{self.source} {member}"
        try:
            account = read_session(
                self._session(member),
                source=source,
                regions=self.regions,
                jobs=_CALLS,
                keep=None if self.keep is None else self.keep / member,
            )
        except (ClientError, BotoCoreError) as error:
            return self._failed(member, source, reason_of(error))
        except StsGuardError as error:
            return self._failed(member, source, error.message)
        if self.organization is None:
            return account
        gaps = {name: reason for name, reason in account.gaps.items() if name != "organization"}
        return replace(account, organization=self.organization, gaps=gaps)

    def _session(self, member: str) -> boto3.Session:
        """Give a session in the account: the own one, or that of the audit role there."""
        session = self.calls.session
        if member == self.own:
            return session
        answer: dict[str, Any] = self.calls.client("sts").assume_role(
            RoleArn=f"arn:{self.partition}:iam::{member}:role/{self.role}",
            RoleSessionName="stsguard-audit",
            DurationSeconds=_SESSION,
        )
        made = answer["Credentials"]
        profile = session.profile_name if session.profile_name in session.available_profiles else None
        inner = botocore.session.Session(profile=profile)
        inner.register_component("data_loader", self.models)
        return boto3.Session(
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
            aws_session_token=made["SessionToken"],
            region_name=self.calls.region,
            botocore_session=inner,
        )

    def _failed(self, member: str, source: str, reason: str) -> Account:
        problem = InputError(f"the account `{member}` could not be read: {reason}", location=source)
        return Account(
            id=member,
            partition=self.partition,
            organization=self.organization,
            problems=(problem,),
            gaps=dict.fromkeys(_ALL, reason),
            source=source,
        )
