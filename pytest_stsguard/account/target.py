"""From a target, as the user names it, to an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    import boto3

    from pytest_stsguard.account.model import Account

__all__ = ["from_session", "load"]

_VALID = "valid targets: `demo`, `export:FILE`, `export:DIRECTORY`, `aws`, `aws:PROFILE`"
_LATER = ("cfn", "tfplan", "org")


def load(target: str) -> Account:
    """Load the account that a target names: ``export:PATH`` or ``aws[:PROFILE]``.

    Sources are imported here, when one is used: msgspec and boto3 cost an unrelated run nothing.

    Raises:
        ConfigurationError: an unknown scheme, or one that is not supported yet.
        InputError: the input cannot be read.
        AwsUnavailableError: AWS out of reach, or access denied there.
    """
    scheme, colon, rest = target.partition(":")
    if scheme == "export" and rest:
        from pytest_stsguard.account.export import read_export  # noqa: PLC0415 - msgspec, only when a file is read

        return read_export(rest, source=target)
    if scheme == "aws" and (rest or not colon):
        return from_session(_session(rest or None), source=target)
    shown = short(target)
    if scheme in _LATER:
        raise ConfigurationError(f"target `{shown}` is not supported yet", hint=_VALID)
    if scheme == "export":
        raise ConfigurationError(f"target `{shown}` names no file", hint="`export:FILE`")
    raise ConfigurationError(f"unknown target `{shown}`", hint=_VALID)


def from_session(session: boto3.Session, *, source: str = "aws") -> Account:
    """Read the account that a boto3 session's credentials belong to, page by page.

    Raises:
        AwsUnavailableError: AWS is out of reach, or refuses to give the account's authorization details.
    """
    from pytest_stsguard.account.live import read_session  # noqa: PLC0415 - botocore, only when a session is read

    return read_session(session, source=source)


def _session(profile: str | None) -> boto3.Session:
    import boto3  # noqa: PLC0415 - only when a live account is read
    from botocore.exceptions import BotoCoreError, ProfileNotFound  # noqa: PLC0415 - as above

    try:
        return boto3.Session(profile_name=profile)
    except ProfileNotFound as error:
        raise ConfigurationError(f"AWS profile `{profile}` does not exist") from error
    except BotoCoreError as error:
        raise AwsUnavailableError(f"no AWS session: {str(error).rstrip('.').lower()}") from error
