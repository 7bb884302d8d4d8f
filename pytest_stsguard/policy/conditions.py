"""A condition compiled into a question to a request: absence, several values, qualifiers and policy variables.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.policy.globs import tokenize
from pytest_stsguard.policy.operators import OPERATORS, Operator
from pytest_stsguard.policy.variables import (
    Part,
    has_variables,
    pattern_tokens,
    plain_text,
    read_template,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.policy.request import Request
    from pytest_stsguard.policy.statement import Condition

__all__ = ["compile_condition", "when_absent"]

ALL = "ForAllValues"
ANY = "ForAnyValue"


def compile_condition(condition: Condition, version: str | None) -> Callable[[Request], bool]:
    """Compile a condition of a policy of `version` into a question that a request answers."""
    if condition.name == "Null":
        return _null(condition)
    operator = OPERATORS[condition.name]
    if operator.variables and any(has_variables(value, version) for value in condition.values):
        return _with_variables(condition, operator)
    return _fixed(condition, operator.compile(_prepare(condition.values, operator)))


def when_absent(condition: Condition) -> bool:
    """Tell what a condition (but Null) gives for a key that the request lacks.

    ``...IfExists`` and ``ForAllValues`` hold, ``ForAnyValue`` does not, a plain operator holds when it is negated.
    """
    if condition.if_exists or condition.qualifier == ALL:
        return True
    return condition.qualifier is None and OPERATORS[condition.name].negated


def _prepare(values: tuple[str, ...], operator: Operator) -> list[object]:
    return [tokenize(value) if operator.wildcards else value for value in values]


def _null(condition: Condition) -> Callable[[Request], bool]:
    wanted = {value.lower() for value in condition.values}
    absent, present, key = "true" in wanted, "false" in wanted, condition.key.lower()
    return lambda request: absent if request.value(key) is None else present


def _fixed(condition: Condition, test: Callable[[str], bool]) -> Callable[[Request], bool]:
    """Ask for the key as the policy writes it first: requests mostly spell keys as policies do."""
    written, folded, absent = condition.key, condition.key.lower(), when_absent(condition)
    several = _several(condition.qualifier)
    empty_holds = condition.qualifier == ALL

    def holds(request: Request) -> bool:
        value = request.context.get(written)
        if value.__class__ is str:
            return test(value) or (empty_holds and not value)
        found = request.value(folded)
        if found is None:
            return absent
        if isinstance(found, str):
            return test(found) or (empty_holds and not found)
        return several(test, found)

    return holds


def _several(qualifier: str | None) -> Callable[[Callable[[str], bool], tuple[str, ...]], bool]:
    """Give the rule for a key with several values; without a qualifier they cannot be compared, so nothing holds [I]."""
    if qualifier == ALL:
        return lambda test, values: all(test(value) for value in values) or not any(values)
    if qualifier == ANY:
        return lambda test, values: any(test(value) for value in values)
    return lambda test, values: len(values) == 1 and test(values[0])


def _with_variables(condition: Condition, operator: Operator) -> Callable[[Request], bool]:
    """Compile the values anew for each request; one that stays unresolved matches nothing, so its negation holds."""
    templates = [read_template(value) for value in condition.values]
    join: Callable[[tuple[Part, ...]], object] = pattern_tokens if operator.wildcards else plain_text

    folded = condition.key.lower()

    def holds(request: Request) -> bool:
        value = request.value(folded)
        texts = (value,) if isinstance(value, str) else value or ()
        # Folding the case makes a text three times as long at most.
        longest = 3 * max(map(len, texts), default=0)
        resolved = (resolve(parts, request, longest=longest) for parts in templates)
        values = [join(parts) for parts in resolved if parts is not None]
        return _fixed(condition, operator.compile(values))(request)

    return holds
