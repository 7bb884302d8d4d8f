"""A change of one setting: from what was there to what is to be, made and undone so that neither can be done twice.

Whoever else changed the setting in between wins: a change that meets neither of its two states is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError
from pytest_stsguard.revocation.setting import KINDS, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.revocation.clients import Clients

__all__ = ["Change"]

RESTART = "instance-run"


@dataclass(frozen=True, slots=True)
class Change:
    """`before` and `after` are states: JSON, or None for absence."""

    setting: Setting
    before: Any
    after: Any

    def make(self, clients: Clients, *, fresh: bool = False) -> bool:
        """Write `after`; whether it had to be written.

        Args:
            clients: makes boto3 clients.
            fresh: whether `before` was read a moment ago, for this very change: then it is not read once more.

        Raises:
            InputError: the setting holds neither state.
        """
        if fresh or self.setting.kind == RESTART:
            self.setting.write(clients, self.after)
            return True
        return self._write(clients, self.before, self.after)

    def undo(self, clients: Clients) -> bool:
        """Write `before` again; whether it had to be written.

        Raises:
            InputError: the setting holds neither state, or what was there cannot be put back.
        """
        if self.setting.kind == RESTART:
            return False  # there is nothing to put back
        return self._write(clients, self.after, self.before)

    def as_json(self) -> dict[str, Any]:
        """Write it as a journal keeps it."""
        return {
            "kind": self.setting.kind,
            "where": dict(self.setting.where),
            "before": self.before,
            "after": self.after,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Change:
        """Read it back.

        Raises:
            InputError: an unknown kind, or a missing member.
        """
        try:
            kind, where = data["kind"], dict(data["where"])
            before, after = data["before"], data["after"]
        except (KeyError, TypeError, ValueError):
            raise InputError("a change of the journal lacks a member") from None
        if kind not in KINDS:
            raise InputError(f"the journal holds a change of unknown kind `{kind}`")
        return cls(Setting(kind, where), before, after)

    def _write(self, clients: Clients, old: Any, new: Any) -> bool:
        held = self.setting.read(clients)
        if held == new:
            return False
        if held != old:
            raise InputError(
                f"`{self.setting}` was changed by somebody else since",
                hint="look at it, then revoke anew: writing over it could give sessions back",
            )
        self.setting.write(clients, new)
        return True
