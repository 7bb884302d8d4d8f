"""Which statements of a policy could apply to an action, found without looking at the others.

Statements are filed under the service prefixes that their actions name; those that name none (NotAction, `*`) are looked
at for every action. What an action finds is kept by action, so that a policy pays for its size once per action.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy.matching import Matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_stsguard.policy.request import Request
    from pytest_stsguard.policy.statement import Statement

__all__ = ["Index", "Plan"]

MOST_PLANS: Final = 4096
LONGEST_ACTION: Final = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy has to say on one action: a question for each Deny and each Allow, and what could not be read.

    A question is None where the statement applies to whatever the request holds. `doubtful`: something that could not
    be read may speak of this action. `direct`: all of it can be asked without looking at who calls.
    """

    denies: tuple[Callable[[Request], bool] | None, ...]
    allows: tuple[Callable[[Request], bool] | None, ...]
    matchers: tuple[Matcher, ...]
    unreadable: tuple[Matcher, ...]
    doubtful: bool
    direct: bool


class Index:
    """The statements of one policy by action; made when the first request asks.

    `whole`: the document was read whole. `for_callers`: its statements name the callers that they are for.
    `plans` holds what was made, by the action as requests write it.
    """

    def __init__(
        self, statements: Sequence[Statement], version: str | None, *, whole: bool = True, for_callers: bool = False
    ) -> None:
        self._statements = statements
        self._version = version
        self._whole = whole
        self._for_callers = for_callers
        self.plans: dict[str, Plan] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave compiled questions behind: they do not travel to another process, and are made anew there."""
        kept = ("_statements", "_version", "_whole", "_for_callers")
        return {name: self.__dict__[name] for name in kept} | {"plans": {}}

    def plan(self, action: str) -> Plan:
        """Give the plan for an action, written in any case."""
        return self.plans.get(action) or self.make(action)

    @cached_property
    def matchers(self) -> tuple[Matcher, ...]:
        """The statements, ready to be held against requests, in the order of the document."""
        return tuple(Matcher(statement, self._version) for statement in self._statements)

    @cached_property
    def _files(self) -> dict[str | None, list[Matcher]]:
        files: dict[str | None, list[Matcher]] = {}
        for matcher in self.matchers:
            for service in matcher.services:
                files.setdefault(service, []).append(matcher)
        return files

    def make(self, action: str) -> Plan:
        """Make the plan for an action, and keep it while there is room."""
        folded = action.lower()
        candidates = [*self._files.get(folded.partition(":")[0], ()), *self._files.get(None, ())]
        found = tuple(
            sorted(
                (matcher for matcher in candidates if matcher.names_action(folded)),
                key=lambda matcher: matcher.statement.index,
            )
        )
        readable = [matcher for matcher in found if matcher.statement.readable]
        unreadable = tuple(matcher for matcher in found if not matcher.statement.readable)
        doubtful = bool(unreadable) or not self._whole
        plan = Plan(
            denies=tuple(matcher.question for matcher in readable if matcher.statement.effect == "Deny"),
            allows=tuple(matcher.question for matcher in readable if matcher.statement.effect == "Allow"),
            matchers=tuple(readable),
            unreadable=unreadable,
            doubtful=doubtful,
            direct=not doubtful and not self._for_callers,
        )
        if len(self.plans) < MOST_PLANS and len(action) <= LONGEST_ACTION:
            self.plans[action] = plan
        return plan
