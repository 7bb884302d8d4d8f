"""What a policy denies to a session, by the moment the session was issued: the engine is asked, the text is not read.

For a policy, time falls into spans between the dates that it compares ``aws:TokenIssueTime`` with; within a span its
answers are the same, so that one question for each span, and one for each date itself, is enough.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from pytest_stsguard.errors import UnsupportedError
from pytest_stsguard.policy import Policy, Request, authorize
from pytest_stsguard.policy.values import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_stsguard.policy import Decision

__all__ = ["ISSUE_TIME", "Denials", "Escape", "Holder", "Span"]

ISSUE_TIME = "aws:tokenissuetime"
_ALLOW_ALL = Policy.parse(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, name="probe"
)
_HARMLESS = "sts:getcalleridentity"  # AWS answers it whatever is denied
_MOST_PROBES = 64
_MOST_DATES = 128
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class Escape(NamedTuple):
    """A call that a session could still make."""

    action: str
    resource: str


@dataclass(frozen=True)
class Holder:
    """Whose policy it is: the ARN of a role or user, and its unique id when it is known."""

    arn: str
    id: str | None = None

    @property
    def is_user(self) -> bool:
        """Whether it is a user, whose sessions come from GetSessionToken and GetFederationToken."""
        return ":user/" in self.arn

    @property
    def session(self) -> str:
        """The ARN that calls are made under."""
        if self.is_user or ":role/" not in self.arn:
            return self.arn
        _, partition, _, _, account, resource = self.arn.split(":", 5)
        return f"arn:{partition}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/probe-session"

    @cached_property
    def contexts(self) -> tuple[Mapping[str, str], ...]:
        """Two unlike sessions: a deny that revokes does not care where a call comes from, nor whether MFA was used."""
        own_id = self.id or ("AIDAPROBEPROBEPROBE00" if self.is_user else "AROAPROBEPROBEPROBE00")
        common = {
            "aws:PrincipalArn": self.arn,
            "aws:userid": own_id if self.is_user else f"{own_id}:probe-session",
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
            "aws:PrincipalIsAWSService": "false",
        }
        office = {"aws:SourceIp": "198.51.100.7", "aws:RequestedRegion": "us-east-1", "aws:UserAgent": "aws-cli/2"}
        elsewhere = {
            "aws:SourceIp": "203.0.113.201",
            "aws:RequestedRegion": "ap-southeast-4",
            "aws:UserAgent": "curl/8",
            "aws:MultiFactorAuthPresent": "true",
            "aws:MultiFactorAuthAge": "600",
        }
        return (common | office, common | elsewhere)


class Span(NamedTuple):
    """A stretch of issue times, or a single one (`start` is `end`); None where it has no end. `sample` lies in it."""

    start: datetime | None
    end: datetime | None
    sample: datetime


class Denials:
    """Asks what one policy denies to the sessions of its holder.

    Args:
        policy: an identity policy, read leniently.
        holder: whose it is.
        now: the moment of the calls (aware).
        marks: further context keys of the sessions in question, as a one-session deny names them.
    """

    def __init__(
        self, policy: Policy, holder: Holder, *, now: datetime, marks: Mapping[str, str] | None = None
    ) -> None:
        self.policy = policy
        self.holder = holder
        self.marks = dict(marks or {})
        self.now = now
        self._held: dict[int, bool] = {}

    def marked(self, marks: Mapping[str, str]) -> Denials:
        """Ask the same about sessions that carry further context keys."""
        return Denials(self.policy, self.holder, now=self.now, marks=marks)

    @cached_property
    def dates(self) -> tuple[datetime, ...]:
        """The dates that the policy compares issue times with, in order; the latest 128, more than a policy of IAM's size holds."""
        texts = (
            text
            for statement in self.policy.statements
            for condition in statement.conditions
            if condition.key.lower() == ISSUE_TIME and condition.name.startswith("Date")
            for text in condition.values
        )
        return tuple(sorted({date for text in texts if (date := moment(text)) is not None})[-_MOST_DATES:])

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """All of time, in order: before the first date, the date, between it and the next ..., after the last."""
        if not self.dates:
            return (Span(None, None, _FIRST),)
        first, last = self.dates[0], self.dates[-1]
        spans = [Span(None, first, _shift(first, timedelta(days=-1)))]
        for date, following in zip(self.dates, (*self.dates[1:], last), strict=True):
            spans.append(Span(date, date, date))
            if following > date:
                spans.append(Span(date, following, date + (following - date) / 2))
        return (*spans, Span(last, None, _shift(last, timedelta(days=1))))

    def holds(self, index: int) -> bool:
        """Whether everything is denied to the sessions of a span; asked once."""
        if index not in self._held:
            self._held[index] = self.denied(self.spans[index].sample)
        return self._held[index]

    @cached_property
    def last(self) -> int | None:
        """The index of the last span that is denied; None when none is."""
        return next((index for index in reversed(range(len(self.spans))) if self.holds(index)), None)

    def denied(self, issued: datetime | None) -> bool:
        """Whether everything is denied to a session of that issue time; None: to a long-term key, which has none."""
        return self.escape(issued) is None

    def escape(self, issued: datetime | None) -> Escape | None:
        """Find a call that is not denied."""
        for context in self.holder.contexts:
            for probe in self._probes:
                if not self._decides(probe, issued, context):
                    return probe
        return None

    @cached_property
    def partly(self) -> int | None:
        """The index of the last span after `last` whose sessions are denied what fresh ones are not; None when there is none."""
        if self.last is None:
            return None
        later = reversed(range(self.last + 1, len(self.spans) - 1))
        fresh = self._denied(self.spans[-1].sample)
        return next((index for index in later if self._denied(self.spans[index].sample) - fresh), None)

    def _denied(self, issued: datetime) -> frozenset[tuple[int, int]]:
        """Give the probes that are denied to a session, each by its number and that of its context."""
        return frozenset(
            (place, number)
            for place, context in enumerate(self.holder.contexts)
            for number, probe in enumerate(self._probes)
            if self._decides(probe, issued, context)
        )

    def touches(self, issued: datetime) -> bool:
        """Whether at least one of the probes is denied."""
        return any(self._decides(probe, issued, context) for context in self.holder.contexts for probe in self._probes)

    def deciding(self, issued: datetime) -> str:
        """Give the place of the first statement that denies; empty when none does."""
        decision = self._ask(self._probes[0], issued, self.holder.contexts[0])
        return next((seen.place for seen in decision.deciding), "") if decision and decision.explicit else ""

    @cached_property
    def _probes(self) -> Sequence[Escape]:
        account, partition = self.holder.arn.split(":")[4], self.holder.arn.split(":")[1]
        common = (
            Escape("s3:GetObject", f"arn:{partition}:s3:::stsguard-probe/key"),
            Escape("ec2:DescribeInstances", "*"),
            Escape("sts:AssumeRole", f"arn:{partition}:iam::{account}:role/stsguard-probe"),
            Escape("iam:CreateAccessKey", f"arn:{partition}:iam::{account}:user/stsguard-probe"),
            Escape("iam:DeleteRolePolicy", self.holder.arn),
            Escape("dynamodb:GetItem", f"arn:{partition}:dynamodb:us-east-1:{account}:table/stsguard-probe"),
            Escape("lambda:InvokeFunction", f"arn:{partition}:lambda:eu-west-1:{account}:function:stsguard-probe"),
            Escape("kms:Decrypt", f"arn:{partition}:kms:ap-south-1:{account}:key/stsguard-probe"),
            Escape("organizations:ListAccounts", "*"),
            Escape("stsguard-probe:Anything", "*"),
        )
        return tuple(islice(chain(common, self._exceptions()), _MOST_PROBES))

    def _exceptions(self) -> Iterator[Escape]:
        """What the policy's own NotAction and NotResource leave out, as calls."""
        for statement in self.policy.statements:
            for action in statement.not_actions or ():
                if action.lower() != _HARMLESS:
                    yield Escape(_fill(action) if ":" in action else "stsguard-probe:Anything", "*")
            for resource in statement.not_resources or ():
                yield Escape("stsguard-probe:Anything", _fill(resource))

    def _decides(self, probe: Escape, issued: datetime | None, context: Mapping[str, str]) -> bool:
        decision = self._ask(probe, issued, context)
        return decision is not None and decision.explicit

    def _ask(self, probe: Escape, issued: datetime | None, context: Mapping[str, str]) -> Decision | None:
        """Ask the engine; None when what could not be read might decide: then nothing is known to be denied."""
        keys = {**context, "aws:CurrentTime": _write(self.now), **self.marks}
        if issued is not None:
            keys["aws:TokenIssueTime"] = _write(issued)
        request = Request(probe.action, probe.resource, self.holder.session, keys)
        try:
            return authorize(request, identity=(_ALLOW_ALL, self.policy))
        except UnsupportedError:
            return None


def _fill(pattern: str) -> str:
    return pattern.replace("*", "Probe").replace("?", "x")


def _shift(date: datetime, by: timedelta) -> datetime:
    """Move a date, within the calendar."""
    try:
        return date + by
    except OverflowError:
        return _FIRST if by < timedelta() else _LAST


def _write(date: datetime) -> str:
    return date.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
