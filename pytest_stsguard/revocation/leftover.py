"""The cleanup rule: which policies are what is left of a revocation, and whether they may go.

A revocation is known by what it does, not by its name: it denies everything to a session that was issued before some
moment, the cutoff, and not to one issued later. Removing it gives the old sessions back, so it is safe only when none of
them can still be alive: at the cutoff plus the longest session that could exist.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.revocation.denial import Denials, Holder
from pytest_stsguard.revocation.intent import NEVER, faults, latest_date, marks_of, mentions, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_stsguard.policy import Policy

__all__ = ["LONGEST_SESSION", "Leftover", "State", "assess"]

LONGEST_SESSION = {"role": timedelta(hours=12), "user": timedelta(hours=36)}
"""The longest session that could exist: of a role (its maximum may have been lowered since), and of a user."""

AHEAD = timedelta(minutes=5)
"""A cutoff this far ahead of now is still that of a revocation just made: the console writes about 30 seconds."""

_MOST_STATEMENTS = 250  # IAM's largest policies, of 10,240 characters, hold fewer
_MOST_SINGLE = 16  # of one-session denies the latest decide when a policy may go


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
    return named(policy) or any(mentions(statement) for statement in policy.statements)


@dataclass(frozen=True)
class _Assessment:
    """The questions put to one policy."""

    policy: Policy
    holder: Holder
    now: datetime
    longest: timedelta
    ahead: timedelta

    def assess(self) -> Leftover | None:
        if len(self.policy.statements) > _MOST_STATEMENTS:
            why = f"holds {len(self.policy.statements)} statements, more than a policy of IAM's size: it was not looked into"
            return self._leftover(State.INEFFECTIVE, why)
        everyone = Denials(self.policy, self.holder, now=self.now)
        asked = [
            (denials, session)
            for denials, session in ((everyone, None), *self._single(everyone))
            if denials.last is not None
        ]
        if not asked:
            return self._leftover(State.INEFFECTIVE, self._fault(everyone))
        judged = [leftover for pair in asked if (leftover := self._judge(*pair)) is not None]
        if not judged:
            return None
        latest = max(judged, key=lambda one: one.safe_date or NEVER)
        worst = next((one for one in judged if one.state is State.OVERREACHING), latest)
        return replace(worst, cutoff=latest.cutoff, safe_date=latest.safe_date)

    def _judge(self, denials: Denials, session: str | None) -> Leftover | None:
        """Judge a policy that denies everything to the sessions of some issue times."""
        spans, last = denials.spans, denials.last
        assert last is not None  # noqa: S101 - asked before
        if last == len(spans) - 1:
            return self._judge_fresh(denials, session)
        cutoff = spans[last].end
        assert cutoff is not None  # noqa: S101 - only the last span has no end
        place = denials.deciding(_minus(cutoff, timedelta(microseconds=1))) or denials.deciding(cutoff)
        alive = _minus(cutoff, self.longest)
        for index in reversed(range(last)):
            end = spans[index].end
            if end is None or end <= alive:
                break
            if not denials.holds(index):
                why = f"spares sessions issued before {_show(end)} that could be alive at the cutoff"
                return self._leftover(State.INEFFECTIVE, why, place=place, cutoff=cutoff, session=session)
        if denials.partly is not None:
            end = spans[denials.partly].end or cutoff
            escape = denials.escape(spans[denials.partly].sample)
            if escape is not None and self.now < _plus(end, self.longest):
                left = f"`{escape.action}` on `{escape.resource}`"
                why = f"leaves {left} to sessions issued from {_show(cutoff)} to {_show(end)}"
                return self._leftover(State.INEFFECTIVE, why, place=place, cutoff=end, session=session)
            cutoff = end  # of a part, and no session that it stops can be alive either
        state, why = self._state(denials, cutoff)
        return self._leftover(state, why, place=place, cutoff=cutoff, session=session)

    def _judge_fresh(self, denials: Denials, session: str | None) -> Leftover | None:
        """Judge a policy that denies everything to sessions made from now on."""
        spared = next((index for index in reversed(range(len(denials.spans))) if not denials.holds(index)), None)
        if spared is not None:
            why = f"denies sessions issued after {_show(denials.spans[spared].end)} and spares older ones"
            return self._leftover(State.INEFFECTIVE, why, session=session)
        if not named(self.policy) and not denials.dates:
            return None  # it denies everything to everybody: no leftover of a revocation by time
        return self._leftover(State.OVERREACHING, "denies every session, fresh ones as well", session=session)

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
        relevant = [s.place for s in self.policy.statements if mentions(s)]
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
        found: dict[str, tuple[datetime, dict[str, str]]] = {}
        for statement in self.policy.statements:
            marks = marks_of(statement) if statement.effect == "Deny" and mentions(statement) else {}
            if marks:
                name = ", ".join(f"{key}={value}" for key, value in marks.items())
                latest = max((latest_date(statement), found[name][0] if name in found else NEVER))
                found[name] = (latest, marks)
        last = sorted(found, key=lambda name: found[name][0], reverse=True)[:_MOST_SINGLE]
        for name in last:
            yield everyone.marked(found[name][1]), name

    def _fault(self, denials: Denials) -> str:
        """Say why a policy that was meant to revoke does not."""
        if self.policy.problems:
            return f"cannot be read in full: {self.policy.problems[0]}"
        statements = [statement for statement in self.policy.statements if mentions(statement)]
        if not statements:
            return self._fault_of_key()
        before = _minus(denials.dates[0], timedelta(seconds=1)) if denials.dates else self.now
        if any(s.effect == "Deny" for s in statements) and denials.touches(before):
            escape = denials.escape(before)
            return f"leaves `{escape.action}` on `{escape.resource}` to the sessions" if escape else "denies too little"
        return next(faults(statements))

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


def _plus(date: datetime, span: timedelta) -> datetime:
    try:
        return date + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _minus(date: datetime, span: timedelta) -> datetime:
    try:
        return date - span
    except OverflowError:
        return NEVER


def _show(date: datetime | None) -> str:
    return "ever" if date is None else isoformat(date)
