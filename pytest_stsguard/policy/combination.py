"""What the layers say together: the pure rule by which AWS combines them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from pytest_stsguard.policy.principals import Grant, Kind

if TYPE_CHECKING:
    from pytest_stsguard.policy.case import Case

__all__ = ["Layer", "Ruling", "Said", "Verdict", "combine"]


class Verdict(IntEnum):
    """What one layer says."""

    SILENT = 0
    ALLOW = 1
    DENY = 2


class Layer(StrEnum):
    """A layer by the name that AWS's error messages give it, in the order in which AWS looks at them."""

    RCP = "resource control policy"
    SCP = "service control policy"
    RESOURCE = "resource-based policy"
    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"


class Said(NamedTuple):
    """What each layer said; None for a layer that does not bear on the caller. `grant` is what the resource allows."""

    rcps: tuple[Verdict, ...] | None
    scps: tuple[Verdict, ...] | None
    resource: Verdict | None
    grant: Grant
    identity: Verdict | None
    boundary: Verdict | None
    session: Verdict | None


class Ruling(NamedTuple):
    """AWS's word for the outcome, and for a denial the layer that decided it."""

    outcome: str
    layer: Layer | None


ALLOWED: Final = Ruling("allowed", None)


def combine(case: Case, said: Said) -> Ruling:
    """Combine what the layers said: any explicit deny wins, no organisation level may be silent, then the grants."""
    for layer, verdicts in _by_layer(said):
        if Verdict.DENY in verdicts:
            return Ruling("explicitDeny", layer)
    if said.scps is not None and Verdict.SILENT in said.scps:
        return Ruling("implicitDeny", Layer.SCP)
    missing = missing_grant(case, said)
    return ALLOWED if missing is None else Ruling("implicitDeny", missing)


def _by_layer(said: Said) -> tuple[tuple[Layer, tuple[Verdict | None, ...]], ...]:
    return (
        (Layer.RCP, said.rcps or ()),
        (Layer.SCP, said.scps or ()),
        (Layer.RESOURCE, (said.resource,)),
        (Layer.IDENTITY, (said.identity,)),
        (Layer.BOUNDARY, (said.boundary,)),
        (Layer.SESSION, (said.session,)),
    )


def missing_grant(case: Case, said: Said) -> Layer | None:
    """Give the layer for want of whose Allow nothing grants the request; None when it is granted."""
    if not case.caller.owns_policies:
        return Layer.RESOURCE if said.grant is Grant.NONE else None
    limit = missing_limit(case, said)
    identity = missing_identity(case, said) or limit
    if case.crosses_accounts:
        return identity or (Layer.RESOURCE if said.grant is Grant.NONE else None)
    if said.grant is Grant.DIRECT:
        return None
    if said.grant is Grant.ROLE:
        return limit
    if said.grant is Grant.NONE and case.needs_grant:
        return Layer.RESOURCE
    return identity


def missing_identity(case: Case, said: Said) -> Layer | None:
    """Give the layer for want of which the caller's own policies do not allow; the root user needs none."""
    if said.identity is not Verdict.ALLOW and case.caller.kind is not Kind.ROOT:
        return Layer.IDENTITY
    return Layer.SESSION if case.federated_without_policy else None


def missing_limit(case: Case, said: Said) -> Layer | None:
    """Give the limit, boundary or session policy, that is there and does not allow."""
    if case.bounded and said.boundary is not Verdict.ALLOW:
        return Layer.BOUNDARY
    if case.session is not None and said.session is not Verdict.ALLOW:
        return Layer.SESSION
    return None
