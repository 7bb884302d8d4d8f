"""From a target, as the user names it, to an account, or to all accounts of an organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.account.audit_role import AUDIT_ROLE
from pytest_stsguard.account.standins import Standins
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    import boto3

    from pytest_stsguard.account.model import Account

__all__ = ["from_session", "load", "load_all"]

_VALID: Final = (
    "valid targets: `demo`, `export:FILE`, `export:DIRECTORY`, `cfn:FILE`, `tfplan:FILE`, `aws`, `aws:PROFILE`, "
    "`org`, `org:PROFILE`"
)
_FILES: Final = ("export", "cfn", "tfplan")


def load(
    target: str,
    *,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    keep: str | Path | None = None,
    regions: Collection[str] | None = None,
) -> Account:
    """Load the account that a target names: ``export:PATH``, ``cfn:FILE``, ``tfplan:FILE`` or ``aws[:PROFILE]``.

    Sources are imported here, when one is used: msgspec, PyYAML and boto3 cost an unrelated run nothing.

    Args:
        target: as the user gave it.
        account: the account that a template or plan is for, where it does not say so.
        region: the region that a template or plan is for.
        parameters: values of a template's parameters, in place of their defaults.
        keep: a directory for what is read of a live account, so that an interrupted run can be taken up again.
        regions: where to look for a live account's instances; default: in every region that it has enabled.

    Raises:
        ConfigurationError: an unknown scheme, or one that names several accounts.
        InputError: the input cannot be read.
        AwsUnavailableError: AWS out of reach, or access denied there.
    """
    scheme, colon, rest = target.partition(":")
    if scheme == "export" and rest:
        from pytest_stsguard.account.export import read_export  # noqa: PLC0415 - msgspec, only when a file is read

        return read_export(rest, source=target)
    standins = Standins(account, region, parameters=parameters or {})
    if scheme == "cfn" and rest:
        from pytest_stsguard.account.stack import read_stack  # noqa: PLC0415 - PyYAML, only when a template is read

        return read_stack(rest, source=target, standins=standins)
    if scheme == "tfplan" and rest:
        from pytest_stsguard.account.plan import read_plan  # noqa: PLC0415 - msgspec, only when a plan is read

        return read_plan(rest, source=target, standins=standins)
    if scheme == "aws" and (rest or not colon):
        from pytest_stsguard.account.live import read_session  # noqa: PLC0415 - botocore, only when a session is read

        return read_session(_session(rest or None), source=target, regions=regions, keep=keep)
    raise _unknown(target, scheme, one_account=scheme == "org" and bool(rest or not colon))


def load_all(
    target: str,
    *,
    account: str | None = None,
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    keep: str | Path | None = None,
    audit_role: str = AUDIT_ROLE,
    wanted: Collection[str] = (),
    skipped: Collection[str] = (),
    regions: Collection[str] | None = None,
) -> tuple[Account, ...]:
    """Load the accounts that a target names: those of an organisation for ``org[:PROFILE]``, else the one of `load`.

    An account of an organisation that cannot be read is among them, empty, with the reason among its `problems`.

    Args:
        target: as the user gave it.
        account: as for `load`.
        region: as for `load`.
        parameters: as for `load`.
        keep: as for `load`; each account of an organisation has a directory in it.
        audit_role: the name of the role that is assumed in each account of an organisation.
        wanted: the ids of an organisation's accounts to read; empty: all.
        skipped: the ids of those not to read.
        regions: as for `load`.

    Raises:
        StsGuardError: as for `load`.
    """
    scheme, colon, rest = target.partition(":")
    if scheme == "org" and (rest or not colon):
        from pytest_stsguard.account.live import load_organization  # noqa: PLC0415 - botocore, as in `load`

        return load_organization(
            _session(rest or None),
            audit_role=audit_role,
            source=target,
            keep=keep,
            wanted=wanted,
            skipped=skipped,
            regions=regions,
        )
    return (load(target, account=account, region=region, parameters=parameters, keep=keep, regions=regions),)


def from_session(
    session: boto3.Session, *, source: str = "aws", regions: Iterable[str] | None = (), keep: str | Path | None = None
) -> Account:
    """Read the account that a boto3 session's credentials belong to, page by page.

    Args:
        session: anything that makes boto3 clients.
        source: what the account is called.
        regions: where to look for instances; default the session's region alone, None for every region of the account.
        keep: as for `load`.

    Raises:
        AwsUnavailableError: AWS is out of reach, or refuses to give the account's authorization details.
    """
    from pytest_stsguard.account.live import read_session  # noqa: PLC0415 - botocore, only when a session is read

    return read_session(session, source=source, regions=regions, keep=keep)


def _session(profile: str | None) -> boto3.Session:
    import boto3  # noqa: PLC0415 - only when a live account is read
    from botocore.exceptions import BotoCoreError, ProfileNotFound  # noqa: PLC0415 - as above

    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise ConfigurationError(f"AWS profile `{profile}` does not exist") from error
    except BotoCoreError as error:
        raise AwsUnavailableError(f"no AWS session: {str(error).rstrip('.').lower()}") from error


def _unknown(target: str, scheme: str, *, one_account: bool) -> ConfigurationError:
    shown = short(target)
    if one_account:
        return ConfigurationError(f"target `{shown}` names several accounts", hint="this reads one account at a time")
    if scheme in _FILES:
        return ConfigurationError(f"target `{shown}` names no file", hint=f"`{scheme}:FILE`")
    return ConfigurationError(f"unknown target `{shown}`", hint=_VALID)
