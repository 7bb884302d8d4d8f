"""The layers looked at in full: every statement that matched, every one that nearly did, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pytest_stsguard.policy.combination import Layer, Said, Verdict
from pytest_stsguard.policy.principals import Grant
from pytest_stsguard.policy.reasons import why_not

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.policy.case import Case
    from pytest_stsguard.policy.document import Policy
    from pytest_stsguard.policy.matching import Matcher

__all__ = ["Inspected", "Near", "Seen", "inspect", "said_by"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A statement in its layer; `policy` is the policy's name, or its place among the arguments."""

    layer: Layer
    policy: str
    index: int
    place: str
    sid: str | None
    effect: str
    grant: Grant


class Near(NamedTuple):
    """A statement that speaks of the action but did not match, and the first reason why."""

    statement: Seen
    reason: str


class Inspected(NamedTuple):
    """One layer, or one level of an organisation layer, that bears on the caller.

    `unread` is what could not be read and may bear on the request: statements, or whole documents by an empty place.
    """

    layer: Layer
    level: int | None
    matched: tuple[Seen, ...]
    near: tuple[Near, ...]
    unread: tuple[Seen, ...]

    @property
    def verdict(self) -> Verdict:
        """What the layer says, as far as it could be read; resource control policies always allow what they do not deny."""
        effects = {seen.effect for seen in self.matched}
        if "Deny" in effects:
            return Verdict.DENY
        return Verdict.ALLOW if "Allow" in effects or self.layer is Layer.RCP else Verdict.SILENT


def inspect(case: Case) -> tuple[Inspected, ...]:
    """Look at every layer that bears on the caller, in the order in which AWS does."""
    return tuple(
        _inspect_layer(
            case, layer, level, [(label or f"{argument}[{n}]", policy) for n, (label, policy) in enumerate(policies)]
        )
        for layer, level, argument, policies in _layers(case)
    )


def _layers(case: Case) -> Iterator[tuple[Layer, int | None, str, list[tuple[str | None, Policy]]]]:
    def named(policies: Sequence[Policy]) -> list[tuple[str | None, Policy]]:
        return [(policy.name, policy) for policy in policies]

    if case.controlled_by_rcps:
        for level, policies in enumerate(case.rcps):
            yield Layer.RCP, level, f"rcps[{level}]", named(policies)
    if case.controlled_by_scps:
        for level, policies in enumerate(case.scps):
            yield Layer.SCP, level, f"scps[{level}]", named(policies)
    if case.guard is not None:
        yield Layer.RESOURCE, None, "resource", [(case.guard.name or "resource", case.guard)]
    if case.caller.owns_policies:
        yield Layer.IDENTITY, None, "identity", named(case.identity)
        if case.bounded:
            yield Layer.BOUNDARY, None, "boundary", named(case.boundary)
        if case.session is not None:
            yield Layer.SESSION, None, "session", named(case.session)


def _inspect_layer(case: Case, layer: Layer, level: int | None, policies: list[tuple[str, Policy]]) -> Inspected:
    matched: list[Seen] = []
    near: list[Near] = []
    unread: list[Seen] = []
    for label, policy in policies:
        plan = policy.index.plan(case.request.action)
        if not policy.whole:
            unread.append(Seen(layer, label, 0, "", None, "", Grant.NONE))
        unread += [_seen(layer, label, one, Grant.NONE) for one in plan.unreadable if _may_speak(one, case, layer)]
        for matcher in plan.matchers:
            grant, reason = why_not(matcher, case, names_principals=layer is Layer.RESOURCE)
            seen = _seen(layer, label, matcher, grant)
            if reason is None:
                matched.append(seen)
            else:
                near.append(Near(seen, reason))
    return Inspected(layer, level, tuple(matched), tuple(near), tuple(unread))


def _seen(layer: Layer, label: str, matcher: Matcher, grant: Grant) -> Seen:
    statement = matcher.statement
    return Seen(layer, label, statement.index, statement.place, statement.sid, statement.effect, grant)


def _may_speak(matcher: Matcher, case: Case, layer: Layer) -> bool:
    """Tell whether an unreadable statement may speak of the request's caller and resource."""
    if layer is Layer.RESOURCE and matcher.grant(case.request, case.caller, bounded=case.bounded) is Grant.NONE:
        return False
    return matcher.names_resource is None or matcher.names_resource(case.request)


def said_by(case: Case, inspected: Sequence[Inspected]) -> Said:
    """Sum up what inspected layers said."""
    verdicts: dict[Layer, list[Verdict]] = {layer: [] for layer in Layer}
    grant = Grant.NONE
    for one in inspected:
        verdicts[one.layer].append(one.verdict)
        if one.layer is Layer.RESOURCE and one.verdict is Verdict.ALLOW:
            grant = max(seen.grant for seen in one.matched)

    def single(layer: Layer) -> Verdict | None:
        return verdicts[layer][0] if verdicts[layer] else None

    return Said(
        rcps=tuple(verdicts[Layer.RCP]) if case.controlled_by_rcps else None,
        scps=tuple(verdicts[Layer.SCP]) if case.controlled_by_scps else None,
        resource=single(Layer.RESOURCE),
        grant=grant,
        identity=single(Layer.IDENTITY),
        boundary=single(Layer.BOUNDARY),
        session=single(Layer.SESSION),
    )
