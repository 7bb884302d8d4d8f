"""A class of requests: who asks, for what, what its context keys can be, and what of it lies inside the zones.

Within a class every statement's principal matches all requests or none, so only the conditions are left to be solved.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pytest_stsguard.trust.budget import Budget
    from pytest_stsguard.trust.check import Check
    from pytest_stsguard.trust.option import Key
    from pytest_stsguard.trust.zones import Zones

__all__ = ["Clause", "Literal", "RequestClass", "Scene"]


class Literal(NamedTuple):
    """A check that must hold, or must fail."""

    check: Check
    want: bool


Clause = tuple[Literal, ...]
"""Literals of which at least one must come true."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What all classes of one proof share: the zones, the moment, and the words that the policy uses.

    `keys` are the condition keys that it mentions (variables included), in lower case; `accounts` every account that
    the policy or the zones name, `organizations` every organisation that its conditions name, `owners` the names and
    ids of repositories' owners that its conditions pin, `ids` the plain values of
    claims that name a tenant by an id, by key. `budget` is what the proof may cost.
    """

    zones: Zones
    now: datetime
    keys: frozenset[str]
    accounts: tuple[str, ...]
    budget: Budget
    organizations: frozenset[str] = frozenset()
    owners: tuple[tuple[str, str], ...] = ()
    ids: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(slots=True)
class RequestClass:
    """One class of requests.

    Attributes:
        kind: The word for it in a witness: ``any-account``, ``external-account``, ``own-account``, ``organization``,
            ``service``, ``oidc`` or ``saml``.
        label: The class in a few words, for people.
        caller: ``user``, ``role``, ``session``, ``service``, ``oidc`` or ``saml``.
        action: The STS action that such a caller assumes a role with.
        arn: The caller's ARN when the class is a single caller, a service's name, or a provider; else empty.
        account: The caller's account; empty for any that nobody names, and for services.
        name: The name of a role, a service or a provider.
        presence: Gives what a context key (lower case) can be.
        outside: What must hold for a request of the class to lie outside the zones; None when none does.
        surely: The same when a zone is read generously, for requests that must lie outside beyond doubt.
        given: What holds for every request of the class.
        declared: The account, issuer, service or provider is named in the zones.
    """

    kind: str
    label: str
    caller: str
    action: str
    presence: Callable[[str], Key]
    arn: str = ""
    account: str = ""
    name: str = ""
    outside: tuple[Clause, ...] | None = ()
    surely: tuple[Clause, ...] | None = None
    given: tuple[Literal, ...] = ()
    declared: bool = False
    foreign_org: bool = False
    keys: dict[str, Key] = field(default_factory=dict)

    def key(self, name: str) -> Key:
        """Give what a context key can be, looked up once."""
        found = self.keys.get(name)
        if found is None:
            found = self.keys[name] = self.presence(name)
        return found

    @property
    def is_identity(self) -> bool:
        """Tell whether the caller is an AWS identity, with policies of its own."""
        return self.caller in IDENTITIES


IDENTITIES: Final = frozenset({"user", "role", "session", "identity"})
"""Callers that are AWS identities; ``identity`` is a user or a role, where the policy cannot tell them apart."""
