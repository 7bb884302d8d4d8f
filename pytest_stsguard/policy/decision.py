"""What `authorize` answers: the outcome at once, and on request who decided it and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError, UnsupportedError
from pytest_stsguard.policy.case import Case
from pytest_stsguard.policy.combination import Layer, Ruling, combine, missing_identity, missing_limit
from pytest_stsguard.policy.explanation import explain, tell
from pytest_stsguard.policy.inspection import Inspected, Seen, inspect, said_by
from pytest_stsguard.policy.principals import Grant

if TYPE_CHECKING:
    from pytest_stsguard.policy.case import Arguments

__all__ = ["Decision"]


class Decision:
    """The answer to one request.

    `outcome` is AWS's own word: ``allowed``, ``explicitDeny`` or ``implicitDeny``. All the rest is worked out when it is
    asked for, so that a decision costs no more than its outcome.
    """

    __slots__ = ("_arguments", "_inspected", "outcome")

    def __init__(self, outcome: str, arguments: Arguments) -> None:
        self.outcome = outcome
        self._arguments = arguments
        self._inspected: tuple[Inspected, ...] | None = None

    def __repr__(self) -> str:
        return f"<Decision {self.outcome}: {self._case.request.action} on {self._case.request.resource}>"

    def __str__(self) -> str:
        return self.text()

    @property
    def _case(self) -> Case:
        return Case(*self._arguments)

    @property
    def allowed(self) -> bool:
        """Tell whether the request may go ahead."""
        return self.outcome == "allowed"

    @property
    def explicit(self) -> bool:
        """Tell whether a statement denied the request."""
        return self.outcome == "explicitDeny"

    @property
    def layer(self) -> str | None:
        """The layer that decided a denial, in AWS's words (``identity-based policy``); None when allowed."""
        layer = self._ruling().layer
        return None if layer is None else layer.value

    @property
    def deciding(self) -> tuple[Seen, ...]:
        """The statements that decided: the denying ones, or all that together allow; none for an implicit denial.

        Each has `policy`, `place`, `sid`, `layer`, `effect`.
        """
        if self._case.uncontrolled or self.outcome == "implicitDeny":
            return ()
        inspected = self._inspect()
        if self.explicit:
            return tuple(seen for one in inspected for seen in one.matched if seen.effect == "Deny")
        carrying = self._carrying()
        return tuple(seen for one in inspected if one.layer in carrying for seen in one.matched)

    def reason(self) -> str:
        """Give the tail of AWS's error message, ``with an explicit deny in an identity-based policy``; empty if allowed."""
        layer = self.layer
        if layer is None:
            return ""
        if self.explicit:
            return f"with an explicit deny in {'an' if layer[0] in 'aeiou' else 'a'} {layer}"
        return f"because no {layer} allows the {self._case.request.action} action"

    def explain(self) -> dict[str, Any]:
        """Give the deciding statements, layer by layer, as plain data.

        ``{"outcome", "reason", "layers": [{"layer", "level", "verdict", "decided", "matched", "unread", "near"}]}``
        where the last four are lists of statements: those that decided, those that matched without deciding, those that
        could not be read, and those that speak of the action but did not match,
        with a statement as ``{"policy", "place", "sid", "effect", "grant"}``, and ``"why_not"`` where it nearly matched.
        `grant` says how a resource's policy names the caller: ``direct``, ``role``, ``account`` or ``none``.
        """
        return explain(self.outcome, self.reason(), self.deciding, self._inspect())

    def text(self) -> str:
        """Explain the decision to a person."""
        return tell(self._case, self.outcome, self.reason(), self.explain())

    def verdicts(self) -> tuple[tuple[Layer, str], ...]:
        """Give what each layer that bears on the caller said, a pair for each level: ``allow``, ``deny`` or ``silent``."""
        return tuple((one.layer, one.verdict.name.lower()) for one in self._inspect())

    def _inspect(self) -> tuple[Inspected, ...]:
        if self._inspected is None:
            self._inspected = inspect(self._case)
        return self._inspected

    def _ruling(self) -> Ruling:
        if self._case.uncontrolled:
            return Ruling("allowed", None)
        return combine(self._case, said_by(self._case, self._inspect()))

    def _carrying(self) -> frozenset[Layer]:
        """Name the layers whose Allow statements carry a request that is allowed."""
        case, said = self._case, said_by(self._case, self._inspect())
        limits = missing_limit(case, said) is None
        layers = {Layer.RCP, Layer.SCP}
        if said.grant is not Grant.NONE:
            layers.add(Layer.RESOURCE)
        if limits and missing_identity(case, said) is None:
            layers.add(Layer.IDENTITY)
        if limits:
            layers |= {Layer.BOUNDARY, Layer.SESSION}
        return frozenset(layers)


def decide_with_care(arguments: Arguments) -> Decision:
    """Decide where a statement that could not be read may bear on the request.

    It is left aside only when the outcome is the same whatever it says.

    Raises:
        InputError: a policy was given for a layer that its kind does not fit.
        UnsupportedError: it could change the outcome; `location` is its place.
    """
    case = Case(*arguments)
    _check_kinds(case)
    inspected = inspect(case)
    outcome = combine(case, said_by(case, inspected)).outcome
    for one in inspected:
        for seen in one.unread:
            harmless = outcome == "explicitDeny" or (outcome == "allowed" and seen.effect == "Allow")
            if not harmless:
                place = f"{seen.policy}: {seen.place}" if seen.place else seen.policy
                raise UnsupportedError(f"what could not be read may decide `{case.request.action}`", location=place)
    return Decision(outcome, arguments)


def _check_kinds(case: Case) -> None:
    """Refuse a policy with principals where nobody asks for them, and one without as the resource's."""
    levels = [policy for level in (*case.scps, *case.rcps) for policy in level]
    for policy in (*case.identity, *case.boundary, *(case.session or ()), *levels):
        if policy.for_callers:
            raise InputError(f"a policy of kind {policy.kind} belongs to a resource", location=policy.name)
    if case.resource is not None and not case.resource.for_callers:
        raise InputError(f"a policy of kind {case.resource.kind} belongs to no resource", location=case.resource.name)
