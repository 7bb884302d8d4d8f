"""The cleanup rule: which policies are what is left of a revocation, and whether they may go.

A revocation is known by what it does, not by its name: it denies everything to a session that was issued before some
moment, the cutoff, and not to one issued later. Removing it gives the old sessions back, so it is safe only when none of
them can still be alive: at the cutoff plus the longest session that could exist.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from re import IGNORECASE
from re import compile as regex
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.revocation.denial import ISSUE_TIME, Denials, Holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_stsguard.policy import Condition, Policy, Statement

__all__ = ["LONGEST_SESSION", "Leftover", "State", "assess"]

LONGEST_SESSION = {"role": timedelta(hours=12), "user": timedelta(hours=36)}
"""The longest session that could exist: of a role (its maximum may have been lowered since), and of a user."""

AHEAD = timedelta(minutes=5)
"""A cutoff this far ahead of now is still that of a revocation just made: the console writes about 30 seconds."""

_NAME = regex(r"revoke.{0,20}session", IGNORECASE)
_ALIKE = 0.8
_SESSION_KEYS = ("aws:userid", "aws:sourceidentity", "aws:federatedprovider", "ec2:sourceinstancearn")
_TAG = "aws:principaltag/"
_POSITIVE = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike")


class State(StrEnum):
    """What a leftover is, and so what may be done with it."""

    ACTIVE = "active"
    REMOVABLE = "removable"
    FUTURE = "future"
    INEFFECTIVE = "ineffective"
    OVERREACHING = "overreaching"


@dataclass(frozen=True, slots=True)
class Leftover:
    """One policy that revokes sessions, or was meant to.

    Attributes:
        policy_name: the policy's name or ARN.
        place: the statement that decides, as ``Statement[0]``; empty when none does.
        cutoff: sessions issued before it are denied; None when the policy has no such moment.
        safe_date: from when the policy may be removed; None without a cutoff.
        why: one line for people.
        session: the one session that it is about, as ``aws:userid=AROA...:name``; None: every session.
        others: the places of statements that do something else, which removing the policy would undo as well.
    """

    policy_name: str
    place: str
    state: State
    why: str
    cutoff: datetime | None = None
    safe_date: datetime | None = None
    session: str | None = None
    others: tuple[str, ...] = ()


def assess(
    policies: Iterable[Policy],
    *,
    now: datetime,
    principal_arn: str,
    longest_session: timedelta | None = None,
    principal_id: str | None = None,
    ahead: timedelta = AHEAD,
) -> tuple[Leftover, ...]:
    """Find the leftover revocations among the identity policies of a role or user, in their order.

    Args:
        policies: read leniently, each with its name.
        now: the moment that states are meant at (aware).
        principal_arn: whose policies they are.
        longest_session: how long a session could live; default 12 hours for a role, 36 for a user.
        principal_id: the unique id (``AROA...``), so that denies on ``aws:userid`` are understood.
        ahead: from how far ahead of now a cutoff counts as future.
    """
    holder = Holder(principal_arn, principal_id)
    longest = longest_session or LONGEST_SESSION["user" if holder.is_user else "role"]
    found = (_Assessment(policy, holder, now, longest, ahead).assess() for policy in policies if _concerned(policy))
    return tuple(leftover for leftover in found if leftover is not None)


def _concerned(policy: Policy) -> bool:
    """Whether a policy speaks of issue times, or its name says that it revokes: the others cannot, and need no asking."""
    return _named(policy) or any(_mentions(statement) for statement in policy.statements)


def _named(policy: Policy) -> bool:
    return bool(_NAME.search((policy.name or "").rpartition("/")[2]))


def _mentions(statement: Statement) -> bool:
    return any(_issue_time_like(condition) for condition in statement.conditions)


def _issue_time_like(condition: Condition) -> bool:
    return condition.name != "Null" and _alike(condition.key)


@lru_cache(maxsize=1024)
def _alike(key: str) -> bool:
    """Whether a key is, or was meant to be, that of the issue time."""
    folded = key.lower()[:128]
    return "tokenissue" in folded or SequenceMatcher(None, folded, ISSUE_TIME).ratio() >= _ALIKE


@dataclass(frozen=True)
class _Assessment:
    """The questions put to one policy."""

    policy: Policy
    holder: Holder
    now: datetime
    longest: timedelta
    ahead: timedelta

    def assess(self) -> Leftover | None:
        everyone = Denials(self.policy, self.holder, now=self.now)
        asked = [
            (denials, session)
            for denials, session in ((everyone, None), *self._single(everyone))
            if any(span.denied for span in denials.spans)
        ]
        if not asked:
            return self._leftover(State.INEFFECTIVE, self._fault(everyone))
        judged = [leftover for pair in asked if (leftover := self._judge(*pair)) is not None]
        if not judged:
            return None
        latest = max(judged, key=lambda one: one.safe_date or datetime.min.replace(tzinfo=UTC))
        worst = next((one for one in judged if one.state is State.OVERREACHING), latest)
        return replace(worst, cutoff=latest.cutoff, safe_date=latest.safe_date)

    def _judge(self, denials: Denials, session: str | None) -> Leftover | None:
        """Judge a policy that denies everything to the sessions of some issue times."""
        spans = denials.spans
        if all(span.denied for span in spans):
            if not _named(self.policy) and not denials.dates:
                return None  # it denies everything to everybody: no leftover of a revocation by time
            return self._leftover(State.OVERREACHING, "denies every session, fresh ones as well", session=session)
        if spans[-1].denied:
            date = next(span.start for span in reversed(spans) if not span.denied) or spans[0].end
            why = f"denies sessions issued after {_show(date)} and spares the older ones"
            return self._leftover(State.INEFFECTIVE, why, session=session)
        last = max(index for index, span in enumerate(spans) if span.denied)
        cutoff = spans[last].end
        assert cutoff is not None  # noqa: S101 - only the last span has no end, and it is not denied
        place = denials.deciding(cutoff - timedelta(microseconds=1)) or denials.deciding(cutoff)
        spared = [
            span for span in spans[:last] if not span.denied and span.end and span.end > _minus(cutoff, self.longest)
        ]
        if spared:
            why = f"spares sessions issued before {_show(spared[-1].end)} that could be alive at the cutoff"
            return self._leftover(State.INEFFECTIVE, why, place=place, cutoff=cutoff, session=session)
        state, why = self._state(denials, cutoff)
        return self._leftover(state, why, place=place, cutoff=cutoff, session=session)

    def _state(self, denials: Denials, cutoff: datetime) -> tuple[State, str]:
        safe = _plus(cutoff, self.longest)
        if denials.denied(None):
            return State.OVERREACHING, "denies long-term keys as well, which carry no issue time"
        if cutoff > self.now + self.ahead:
            return State.FUTURE, f"denies fresh sessions until {_show(cutoff)}"
        if self.now < safe:
            return State.ACTIVE, f"a session that it stops could live until {_show(safe)}"
        return State.REMOVABLE, f"no session that it stops can be alive since {_show(safe)}"

    def _leftover(
        self,
        state: State,
        why: str,
        *,
        place: str = "",
        cutoff: datetime | None = None,
        session: str | None = None,
    ) -> Leftover:
        relevant = [s.place for s in self.policy.statements if _mentions(s)]
        others = tuple(s.place for s in self.policy.statements if s.place not in relevant and s.place != place)
        if others and cutoff is not None:
            why += f"; {', '.join(others)} {'says' if len(others) == 1 else 'say'} something else"
        return Leftover(
            policy_name=self.policy.name or "",
            place=place or next(iter(relevant), ""),
            state=state,
            why=why if session is None else f"{why}; one session alone: {session}",
            cutoff=cutoff,
            safe_date=None if cutoff is None else _plus(cutoff, self.longest),
            session=session,
            others=others,
        )

    def _single(self, everyone: Denials) -> Iterator[tuple[Denials, str]]:
        """Go through the single sessions that statements are about: by id, source identity or tag."""
        for statement in self.policy.statements:
            if statement.effect == "Deny" and _mentions(statement):
                marks = _marks(statement)
                if marks:
                    yield everyone.marked(marks), ", ".join(f"{key}={value}" for key, value in marks.items())

    def _fault(self, denials: Denials) -> str:
        """Say why a policy that was meant to revoke does not."""
        if self.policy.problems:
            return f"cannot be read in full: {self.policy.problems[0]}"
        statements = [statement for statement in self.policy.statements if _mentions(statement)]
        if not statements:
            return self._fault_of_key()
        before = _minus(denials.dates[0], timedelta(seconds=1)) if denials.dates else self.now
        if any(s.effect == "Deny" for s in statements) and denials.touches(before):
            escape = denials.escape(before)
            return f"leaves `{escape.action}` on `{escape.resource}` to the sessions" if escape else "denies too little"
        return next(_faults(statements))

    def _fault_of_key(self) -> str:
        for statement in self.policy.statements:
            for condition in statement.conditions:
                if condition.name.startswith("Date"):
                    told = (
                        " is the time of the call, not of the session's issue:"
                        if "currenttime" in condition.key.lower()
                        else ":"
                    )
                    return f"`{condition.key}`{told} the key is `aws:TokenIssueTime`"
        return "no statement asks for `aws:TokenIssueTime`"


def _faults(statements: list[Statement]) -> Iterator[str]:
    for statement in statements:
        if statement.effect != "Deny":
            yield f"{statement.place} allows: only a Deny revokes"
        for condition in statement.conditions:
            if _issue_time_like(condition) and condition.key.lower() != ISSUE_TIME:
                yield f"`{condition.key}` is no key that AWS sends: the key is `aws:TokenIssueTime`"
            elif _issue_time_like(condition) and not condition.name.startswith("Date"):
                yield f"`{condition.operator}` compares no dates"
        others = [c.key for c in statement.conditions if not _issue_time_like(c)]
        if others:
            yield f"depends on `{others[0]}`, so that most sessions escape"
    yield "no session is denied for its issue time"


def _marks(statement: Statement) -> dict[str, str]:
    """Give the context that a statement's conditions single a session out by; empty when they do not."""
    marks: dict[str, str] = {}
    for condition in statement.conditions:
        key = condition.key.lower()
        single = key in _SESSION_KEYS or key.startswith(_TAG)
        if single and condition.name in _POSITIVE and condition.values:
            marks[condition.key] = condition.values[0].replace("*", "probe").replace("?", "x")
    return marks


def _plus(date: datetime, span: timedelta) -> datetime:
    try:
        return date + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _minus(date: datetime, span: timedelta) -> datetime:
    try:
        return date - span
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _show(date: datetime | None) -> str:
    return "ever" if date is None else isoformat(date)
