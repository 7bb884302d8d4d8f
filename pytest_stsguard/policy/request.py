"""What is asked: an action on a resource by a principal, and the context keys that come with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.clock import Clock, isoformat
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.arns import account_of
from pytest_stsguard.policy.principals import Caller, Kind, caller_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

__all__ = ["Request"]


class Request:
    """One request to be authorised.

    Args:
        action: As ``s3:GetObject``; the case does not matter.
        resource: The ARN, or ``*`` where the action has no resource.
        principal: The caller's ARN (user, role, session, federated user, root, identity provider), a service's name,
            or ``*`` for an anonymous caller.
        context: Context keys (in any case) with a text, or a list of texts for a multi-valued key. What the request
            implies (aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:username, aws:ResourceAccount,
            aws:CurrentTime, aws:EpochTime from the clock) is derived unless it is given here; an empty list says that a key is absent.
        resource_account: The account that owns the resource; by default the one in its ARN, else the caller's.
    """

    __slots__ = ("_derived", "_folded", "action", "context", "moment", "principal", "resource", "resource_account")

    def __init__(
        self,
        action: str,
        resource: str,
        principal: str,
        context: Mapping[str, str | list[str]] | None = None,
        *,
        resource_account: str | None = None,
    ) -> None:
        self.action = action
        self.resource = resource
        self.principal = principal
        self.context: dict[str, str | list[str]] = dict(context) if context else {}
        self.resource_account = resource_account
        self.moment: datetime | None = None
        self._folded: dict[str, str | tuple[str, ...] | None] | None = None
        self._derived: dict[str, str | None] | None = None

    def __repr__(self) -> str:
        return f"Request({self.action!r}, {self.resource!r}, {self.principal!r}, {dict(self.context)!r})"

    @property
    def caller(self) -> Caller:
        """Who calls, read from `principal`."""
        return caller_of(self.principal)

    @property
    def owner(self) -> str:
        """The account that owns the resource; empty where nothing says."""
        return self.resource_account or account_of(self.resource) or self.caller.account

    def given(self, key: str) -> str | None:
        """Give the single text of a context key (lower case) that the request itself carries, else None."""
        value = self._table().get(key)
        return value if isinstance(value, str) else None

    def value(self, key: str) -> str | tuple[str, ...] | None:
        """Give a context key's text, its texts, or None where it is absent; `key` is lower case."""
        table = self._table()
        if key in table:
            return table[key]
        derive = _DERIVED.get(key)
        if derive is None:
            return None
        derived = self._derived
        if derived is None:
            derived = self._derived = {}
        if key not in derived:
            derived[key] = derive(self)
        return derived[key]

    def _table(self) -> dict[str, str | tuple[str, ...] | None]:
        """Fold the case of the keys, once, when the first key is asked for that was not given as it is written."""
        table = self._folded
        if table is None:
            table = self._folded = {key.lower(): _read(key, value) for key, value in self.context.items()}
        return table


def _read(key: str, value: object) -> str | tuple[str, ...] | None:
    """Read a context value: a text, several texts, or None for an empty list."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(item, str) for item in value):
        return tuple(value) or None
    raise InputError("a context value is a text or a list of texts", location=f"context[{key[:100]}]")


def _account(request: Request) -> str | None:
    caller = request.caller
    return caller.account if caller.owns_policies else None


def _user_name(request: Request) -> str | None:
    caller = request.caller
    return caller.name if caller.kind is Kind.USER else None


def _now(request: Request) -> datetime:
    """Read the clock once for a request, so that all of its conditions see one moment."""
    if request.moment is None:
        request.moment = Clock().now()
    return request.moment


_DERIVED: Final[dict[str, Callable[[Request], str | None]]] = {
    "aws:principalarn": lambda request: request.caller.principal_arn,
    "aws:principalaccount": _account,
    "aws:principaltype": lambda request: request.caller.principal_type,
    "aws:username": _user_name,
    "aws:resourceaccount": lambda request: request.owner or None,
    "aws:currenttime": lambda request: isoformat(_now(request)),
    "aws:epochtime": lambda request: str(int(_now(request).timestamp())),
}
