"""Whether credentials are contained or alive, judged over several probes, in words that name what decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.credentials import masked
from pytest_stsguard.drill.observation import Observation, observe
from pytest_stsguard.drill.probe import READ_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["check_allowed", "check_denied"]


def check_denied(
    credentials: Credentials, *probes: str | Callable[[boto3.Session], Any], who: str = "session"
) -> tuple[Observation, ...]:
    """Make every probe and require that each is denied.

    Raises:
        AssertionError: a call was allowed, or was answered with something that is no authorization denial.
    """
    __tracebackhide__ = True
    observations = tuple(observe(credentials, probe) for probe in probes or READ_ONLY)
    wrong = [seen for seen in observations if seen.outcome != "denied"]
    if wrong:
        raise AssertionError(_report(credentials, wrong, expected="denied", who=who))
    return observations


def check_allowed(
    credentials: Credentials, *probes: str | Callable[[boto3.Session], Any], who: str = "session"
) -> tuple[Observation, ...]:
    """Make every probe and require that each is allowed.

    With none given the shipped set is made, of which a role need not have every permission: then one call at least must be
    allowed and none denied explicitly.

    Raises:
        AssertionError: a call was denied, or was answered with something else than success.
    """
    __tracebackhide__ = True
    observations = tuple(observe(credentials, probe) for probe in probes or READ_ONLY)
    wrong = [seen for seen in observations if seen.outcome != "allowed"]
    if not probes and len(wrong) < len(observations):
        wrong = [seen for seen in wrong if seen.explicit or seen.outcome == "inconclusive"]
    if wrong:
        raise AssertionError(_report(credentials, wrong, expected="allowed", who=who))
    return observations


def _report(credentials: Credentials, wrong: list[Observation], *, expected: str, who: str) -> str:
    return "\n\n".join(_paragraph(credentials, seen, expected=expected, who=who) for seen in wrong)


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
