"""One statement, compiled: does it name this action, this resource, this caller, and do its conditions hold."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.policy.conditions import compile_condition
from pytest_stsguard.policy.globs import glob, match_tokens
from pytest_stsguard.policy.principals import Grant, grant_of, spares
from pytest_stsguard.policy.variables import has_variables, pattern_tokens, plain_text, read_template, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_stsguard.policy.principals import Caller
    from pytest_stsguard.policy.request import Request
    from pytest_stsguard.policy.statement import Condition, Principal, Statement

__all__ = ["Matcher"]


class Matcher:
    """A statement of a policy of a version, its parts compiled when they are first needed."""

    def __init__(self, statement: Statement, version: str | None) -> None:
        self.statement = statement
        self.version = version

    @property
    def services(self) -> frozenset[str | None]:
        """The service prefixes that the statement's actions name; None alone where they name any."""
        actions = self.statement.actions
        prefixes = frozenset(action.partition(":")[0].lower() for action in actions) if actions else frozenset("*")
        return frozenset((None,)) if "*" in prefixes else prefixes

    @cached_property
    def names_action(self) -> Callable[[str], bool]:
        """Test an action in lower case; where the element is unreadable, any action may be meant."""
        statement = self.statement
        if statement.actions is not None:
            return _any_glob([action.lower() for action in statement.actions])
        if statement.not_actions is not None:
            named = _any_glob([action.lower() for action in statement.not_actions])
            return lambda action: not named(action)
        return lambda _: True

    @cached_property
    def names_resource(self) -> Callable[[Request], bool] | None:
        """Ask whether the statement speaks of the request's resource; None where it speaks of every one."""
        statement = self.statement
        if statement.resources is not None:
            return None if "*" in statement.resources else _resources(statement.resources, self.version)
        if statement.not_resources is not None:
            named = _resources(statement.not_resources, self.version)
            return lambda request: not named(request)
        return None

    @cached_property
    def conditions(self) -> tuple[tuple[Condition, Callable[[Request], bool]], ...]:
        """The conditions with their questions, in the order of the document."""
        return tuple((condition, compile_condition(condition, self.version)) for condition in self.statement.conditions)

    @cached_property
    def question(self) -> Callable[[Request], bool] | None:
        """Ask whether resource and conditions are met, the action and the caller aside; None where they always are."""
        questions = [ask for _, ask in self.conditions]
        if self.names_resource is not None:
            questions.insert(0, self.names_resource)
        if not questions:
            return None
        if len(questions) == 1:
            return questions[0]
        if len(questions) == 2:  # noqa: PLR2004 - a pair is the commonest, and spares the loop
            first, second = questions
            return lambda request: first(request) and second(request)

        def ask_all(request: Request) -> bool:
            for ask in questions:  # noqa: SIM110 - a generator would cost more than the questions
                if not ask(request):
                    return False
            return True

        return ask_all

    def grant(self, request: Request, caller: Caller, *, bounded: bool) -> Grant:
        """Tell how strongly the statement names the caller; a Deny applies to whom it names at all.

        Args:
            request: Gives aws:PrincipalArn and aws:userid where it carries them.
            caller: Who calls.
            bounded: The caller has a permissions boundary, so no NotPrincipal spares it from a Deny.
        """
        statement = self.statement
        role_arn, user_id = request.given("aws:principalarn"), request.given("aws:userid")
        if statement.principals is not None:
            return max(grant_of(principal, caller, role_arn, user_id) for principal in statement.principals)
        if statement.not_principals is None:
            return Grant.DIRECT
        if statement.effect == "Deny":
            spared = not bounded and spares(statement.not_principals, caller, role_arn, user_id)
            return Grant.NONE if spared else Grant.DIRECT
        named = any(_names(principal, request, caller) for principal in statement.not_principals)
        return Grant.NONE if named else Grant.DIRECT


def _names(principal: Principal, request: Request, caller: Caller) -> bool:
    found = grant_of(principal, caller, request.given("aws:principalarn"), request.given("aws:userid"))
    return found is not Grant.NONE


def _any_glob(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Test a text against patterns: the ones without wildcards at once, the others in turn."""
    exact = frozenset(pattern for pattern in patterns if "*" not in pattern and "?" not in pattern)
    tests = tuple(glob(pattern) for pattern in patterns if pattern not in exact)
    if not tests:
        return exact.__contains__
    if not exact and len(tests) == 1:
        return tests[0]

    def test(text: str) -> bool:
        if text in exact:
            return True
        for one in tests:  # noqa: SIM110 - a generator would cost more than the tests
            if one(text):
                return True
        return False

    return test


def _resources(patterns: Sequence[str], version: str | None) -> Callable[[Request], bool]:
    """Ask whether any pattern matches the request's resource; variables count in the last part of an ARN only."""
    templates: list[str] = []
    fixed: list[str] = []
    for pattern in patterns:
        (templates if has_variables(_tail(pattern), version) else fixed).append(pattern)
    asks = [_template(pattern) for pattern in templates]
    if not asks:
        test = _any_glob(fixed)
        return lambda request: test(request.resource)
    if fixed:
        test = _any_glob(fixed)
        asks.insert(0, lambda request: test(request.resource))
    if len(asks) == 1:
        return asks[0]
    return lambda request: any(ask(request) for ask in asks)


def _tail(pattern: str) -> str:
    return pattern.split(":", ARN_PARTS - 1)[-1] if pattern.count(":") >= ARN_PARTS - 1 else ""


def _template(pattern: str) -> Callable[[Request], bool]:
    """Ask whether a pattern with variables matches; one that stays unresolved matches nothing.

    A pattern whose one wildcard is a star at its end, as in `home/${aws:username}/*`, is a matter of how texts start.
    """
    tail = _tail(pattern)
    head = pattern[: len(pattern) - len(tail)]
    parts = (head, *read_template(tail))
    written = "".join(part for part in parts if isinstance(part, str))
    if "?" not in written and written.find("*") == len(written) - 1 and isinstance(parts[-1], str):
        start = (*parts[:-1], parts[-1][:-1])

        def ask_start(request: Request) -> bool:
            resolved = resolve(start, request, longest=len(request.resource))
            return resolved is not None and request.resource.startswith(plain_text(resolved))

        return ask_start

    def ask(request: Request) -> bool:
        resolved = resolve(parts, request, longest=len(request.resource))
        return resolved is not None and match_tokens(pattern_tokens(resolved))(request.resource)

    return ask
