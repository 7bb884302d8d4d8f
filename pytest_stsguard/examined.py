"""What a run examines: the accounts of its target, as of when, which are left out, and what they themselves ask to ignore."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Configuration, Mute

__all__ = ["inline_mutes", "left_out", "load_accounts", "moment_of"]


def load_accounts(target: str, configuration: Configuration) -> tuple[Account, ...]:
    """Load the accounts that a target names, as the configuration says: those of an organisation, else one.

    Raises:
        StsGuardError: the target cannot be used, or cannot be reached.
    """
    from pytest_stsguard.account import AUDIT_ROLE, load_all  # noqa: PLC0415 - an unrelated run must not pay for it

    return load_all(
        target,
        # A template or a plan does not say which account it is for; the zones do.
        account=configuration.zones.get("account"),
        audit_role=configuration.audit_role or AUDIT_ROLE,
        wanted=configuration.audit_accounts,
        skipped=configuration.skip_accounts,
        regions=configuration.regions,
    )


def left_out(accounts: Sequence[Account]) -> list[str]:
    """Say which accounts of the organisation are not among those that were read."""
    read = {one.id for one in accounts}
    members = {member for one in accounts if one.organization for member in one.organization.accounts}
    missing = sorted(members - read)
    return [f"left out of the audit by the configuration: {', '.join(missing)}"] if missing else []


def inline_mutes(account: Account) -> list[Mute]:
    """Give what a template itself asks to be ignored, each as a mute that its place answers for."""
    from pytest_stsguard.findings import Mute  # noqa: PLC0415 - as above

    return [
        Mute(
            one.control,
            ", ".join(one.resources) or "no resource",
            owner=place,
            reason=one.reason,
            expiry=one.until,
            place=place,
            also=one.resources,
            lines=(one.file, *one.lines) if any(one.lines) else None,
        )
        for one in account.pragmas
        for place in (f"{one.file}:{one.line}",)
    ]


def moment_of(text: str) -> datetime:
    """Read the moment to audit as of; one without an offset is in UTC.

    Raises:
        ConfigurationError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"`{text}` is no moment", hint="write it in ISO 8601: 2026-11-20T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
