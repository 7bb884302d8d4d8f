"""Why controls came to no verdict, over several checks, accounts and processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Reasons"]

_SHOWN: Final = 5
"""Accounts that are named for one reason; an organisation may have thousands."""


class Reasons:
    """Reasons by control, each told once, with the accounts that it holds for where there are several."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, list[str]]] = {}

    def add(self, control: str, reason: str, *, account: str = "") -> None:
        """Note why a control has no verdict; `account` where there are several."""
        accounts = self._known.setdefault(control, {}).setdefault(reason, [])
        if account and account not in accounts:
            accounts.append(account)

    def take(self, handed: Mapping[str, Mapping[str, list[str]]]) -> None:
        """Take over what another process noted, as `as_json` gave it."""
        for control, reasons in handed.items():
            for reason, accounts in reasons.items():
                for account in accounts or [""]:
                    self.add(control, reason, account=account)

    def as_json(self) -> dict[str, dict[str, list[str]]]:
        """Give everything, JSON-able: control to reason to accounts."""
        return self._known

    def texts(self) -> dict[str, str]:
        """Give one text for each control."""
        return {
            control: "; ".join(_told(reason, accounts) for reason, accounts in reasons.items())
            for control, reasons in self._known.items()
        }


def _told(reason: str, accounts: list[str]) -> str:
    if not accounts:
        return reason
    more = f" and {len(accounts) - _SHOWN} more" if len(accounts) > _SHOWN else ""
    return f"account{'s' if len(accounts) > 1 else ''} {', '.join(accounts[:_SHOWN])}{more}: {reason}"
