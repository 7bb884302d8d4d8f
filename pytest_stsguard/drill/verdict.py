"""Whether credentials are contained or alive, judged over several probes, in words that name what decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.credentials import masked
from pytest_stsguard.drill.listening import tell
from pytest_stsguard.drill.observation import Observation, Prober
from pytest_stsguard.drill.patience import IN_A_ROW, Patience
from pytest_stsguard.drill.probe import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import boto3

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["check_allowed", "check_denied"]


def check_denied(
    credentials: Credentials,
    *probes: str | Callable[[boto3.Session], Any],
    who: str = "session",
    within: float | None = None,
    in_a_row: int = IN_A_ROW,
) -> tuple[Observation, ...]:
    """Make every probe and require that each is denied, `in_a_row` times in a row and `within` so many seconds.

    Gives the last observation of each probe.

    Raises:
        AssertionError: a call was allowed, or was answered with something that is no authorization denial.
        ConfigurationError: no probe, no number of seconds, or no number of answers.
    """
    __tracebackhide__ = True
    patience, prober = Patience.of(credentials, within=within, in_a_row=in_a_row), Prober(credentials)
    deadline = patience.deadline()
    observations = tuple(patience.ask(prober, probe, "denied", deadline=deadline) for probe in probes or READ_ONLY)
    tell(credentials, observations)
    wrong = [seen for seen in observations if seen.outcome != "denied"]
    if wrong:
        raise AssertionError(_report(credentials, wrong, expected="denied", who=who, waited=patience.within))
    return observations


def check_allowed(
    credentials: Credentials,
    *probes: str | Callable[[boto3.Session], Any],
    who: str = "session",
    within: float | None = None,
    in_a_row: int = 1,
) -> tuple[Observation, ...]:
    """Make every probe and require that each is allowed, `in_a_row` times in a row and `within` so many seconds.

    With none given the shipped set is made, of which a role need not have every permission: then one call at least must be
    allowed and none denied explicitly. Gives the last observation of each probe.

    Raises:
        AssertionError: a call was denied, or was answered with something else than success.
        ConfigurationError: no probe, no number of seconds, or no number of answers.
    """
    __tracebackhide__ = True
    patience, prober = Patience.of(credentials, within=within, in_a_row=in_a_row), Prober(credentials)
    deadline = patience.deadline()
    if probes:
        observations = tuple(patience.ask(prober, probe, "allowed", deadline=deadline) for probe in probes)
        wrong = [seen for seen in observations if seen.outcome != "allowed"]
    else:
        observations, wrong = _shipped_set(prober, patience, deadline)
    tell(credentials, observations)
    if wrong:
        raise AssertionError(_report(credentials, wrong, expected="allowed", who=who, waited=patience.within))
    return observations


def _shipped_set(
    prober: Prober, patience: Patience, deadline: datetime
) -> tuple[tuple[Observation, ...], list[Observation]]:
    """Make the shipped set until it speaks for life, `in_a_row` times in a row; gives it with what speaks against."""
    row = 0
    while True:
        observations = tuple(prober.observe(probe) for probe in READ_ONLY)
        wrong = [seen for seen in observations if seen.outcome != "allowed"]
        if len(wrong) < len(observations):
            wrong = [seen for seen in wrong if seen.explicit or seen.outcome == "inconclusive"]
        row = 0 if wrong else row + 1
        lasting = any(seen.outcome == "inconclusive" and not seen.passing for seen in wrong)
        if row >= patience.in_a_row or lasting or (not row and patience.over(deadline)):
            return observations, wrong


def _report(credentials: Credentials, wrong: list[Observation], *, expected: str, who: str, waited: float) -> str:
    paragraphs = [_paragraph(credentials, seen, expected=expected, who=who) for seen in wrong]
    return "\n\n".join([*paragraphs, *([f"waited {waited:g} s for it"] if waited else [])])


def _paragraph(credentials: Credentials, seen: Observation, *, expected: str, who: str) -> str:
    lines = [
        f"{who}: expected {seen.probe} to be {expected}, but it was {seen.outcome}",
        f"  call:    {seen.probe}",
        f"  session: {_session(credentials)}",
    ]
    if seen.code:
        lines.append(f"  answer:  {seen.code}: {seen.message}")
    if seen.outcome == "inconclusive":
        lines.append("  note:    this is no authorization decision, so it proves neither containment nor life")
    if seen.why:
        first, *rest = seen.why.splitlines()
        lines.append(f"  why:     {first}")
        lines.extend(f"           {line}" for line in rest)
    return "\n".join(lines)


def _session(credentials: Credentials) -> str:
    text = f"{credentials.arn or 'unknown principal'}, key {masked(credentials.access_key_id)}"
    if credentials.issued_at is not None:
        text += f", issued {isoformat(credentials.issued_at)}"
    if credentials.expiration is not None:
        text += f", expires {isoformat(credentials.expiration)}"
    return text
