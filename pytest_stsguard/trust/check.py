"""A condition prepared for the proof: what it says of a concrete value, and which texts it admits.

Concrete values are put to the very tests that the policy engine compiles, so that a proof and a replay cannot differ
on what an operator means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy import Condition
from pytest_stsguard.policy.arns import ARN_PARTS
from pytest_stsguard.policy.conditions import when_absent
from pytest_stsguard.policy.globs import MANY, ONE, match_tokens, tokenize
from pytest_stsguard.policy.operators import OPERATORS
from pytest_stsguard.policy.variables import LANGUAGE, Literal, Variable, pattern_tokens, plain_text, read_template
from pytest_stsguard.trust.chars import ANY, NOT_COLON, Chars, Slot, Slots, literal, many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_stsguard.policy.globs import Token
    from pytest_stsguard.policy.variables import Part

__all__ = ["ALL_OF", "ANY_OF", "NO_ARN", "Check", "FoldedCheck", "asks", "check_of"]

ALL_OF: Final = "ForAllValues"
ANY_OF: Final = "ForAnyValue"

FAMILIES: Final = {"Numeric": "number", "Date": "moment", "Bool": "flag", "Binary": "binary", "Ip": "address"}

NO_ARN: Final[tuple[Slots, ...]] = tuple(
    (*many(NOT_COLON), *((*literal(":"), *many(NOT_COLON)) * colons)) for colons in range(ARN_PARTS - 1)
)
"""Every text that is no ARN: fewer than five colons. ArnLike and ArnNotLike are both false for it."""

KELVIN: Final = "\u212a"
"""The one letter beyond ASCII whose lower case is an ASCII letter: ``k``."""


class Check:
    """One condition of a statement, or of a zone.

    `key` is in lower case. `family` is ``text``, ``arn``, ``number``, ``moment``, ``flag``, ``binary``, ``address``
    or ``null``. `variables` names the context keys that its values depend on; such a check must be `resolved` first.
    `unclear` says why AWS does not tell what the condition means for a key that is present, None when it does.
    """

    __slots__ = (
        "_patterns",
        "_resolved",
        "_slots",
        "absent",
        "condition",
        "family",
        "holds",
        "key",
        "negated",
        "qualifier",
        "templates",
        "unclear",
        "variables",
    )

    def __init__(
        self,
        condition: Condition,
        templates: Sequence[tuple[Part, ...]] | None = None,
    ) -> None:
        name = condition.name
        self.condition = condition
        self.key = condition.key.lower()
        self.qualifier = condition.qualifier
        self.family = _family(name)
        self.templates = templates
        self.variables = tuple(
            sorted({part.folded for parts in templates or () for part in parts if isinstance(part, Variable)})
        )
        self.unclear: str | None = None
        self._slots: tuple[Slots, ...] | None = None
        self._patterns: list[tuple[Token, ...]] | None = None
        self._resolved: dict[tuple[str | None, ...], Check] = {}
        if self.family == "null":
            wanted = {value.lower() for value in condition.values}
            self.negated = False
            present = "false" in wanted
            self.absent: bool | None = "true" in wanted
            self.holds: Callable[[str], bool] = lambda _: present
            return
        operator = OPERATORS[name]
        self.negated = operator.negated
        self.absent = when_absent(condition)
        if condition.qualifier == ANY_OF and condition.if_exists:
            self.absent = None
        if not self.variables:
            self._compile()

    def _compile(self) -> None:
        """Make the test of a concrete value; values with escapes are templates without variables."""
        operator, values = OPERATORS[self.condition.name], self.condition.values
        prepared: list[object]
        if self.templates is None:
            prepared = [tokenize(value) if operator.wildcards else value for value in values]
        else:
            prepared = [
                tuple(pattern_tokens(parts)) if operator.wildcards else plain_text(parts) for parts in self.templates
            ]
        self.holds = operator.compile(prepared)
        if operator.wildcards:
            self._patterns = prepared  # type: ignore[assignment]  # tokens, as the operator takes wildcards
        elif self.family in {"text", "flag"}:
            texts = map(str, prepared)
            self._patterns = [(text,) for text in texts if self.family == "text" or text.lower() in {"true", "false"}]
        if self.family == "arn":
            self.unclear = self._short_arn()
        elif "IgnoreCase" in self.condition.name and not all(value.isascii() for value in map(str, prepared)):
            self.unclear = (
                "case is ignored in letters beyond ASCII (spell the letters out, or use an operator that tells case)"
            )

    def _short_arn(self) -> str | None:
        for tokens in self._patterns or ():
            if sum(token.count(":") for token in tokens if isinstance(token, str)) < ARN_PARTS - 1:
                written = "".join(token if isinstance(token, str) else token.value for token in tokens)
                return f"the ARN pattern `{written[:80]}` has fewer than six parts (write all six, `*` for those left open)"
        return None

    @property
    def weight(self) -> int:
        """The size of the values, in characters: what it costs to work with them."""
        return sum(map(len, self.condition.values)) + len(self.condition.values)

    @property
    def patterns(self) -> list[tuple[Token, ...]]:
        """The values of a text or ARN operator as the engine's pattern tokens."""
        return self._patterns or []

    @property
    def folds(self) -> bool:
        """Whether the case of letters does not matter."""
        return "IgnoreCase" in self.condition.name or self.family == "flag"

    @property
    def slots(self) -> tuple[Slots, ...]:
        """The texts that match one of the values, whatever the operator's sign."""
        if self._slots is None:
            make = _arn_slots if self.family == "arn" else _slots
            self._slots = tuple(make(tokens, fold=self.folds) for tokens in self.patterns)
        return self._slots

    @property
    def texts(self) -> list[str] | None:
        """The values when each matches one text only, else None."""
        if self.family != "text" or self.folds:
            return None
        if any(token.__class__ is not str for tokens in self.patterns for token in tokens):
            return None
        return ["".join(map(str, tokens)) for tokens in self.patterns]

    def resolved(self, values: Sequence[str | None]) -> Check:
        """Put values in place of `variables`, in their order; None is a key that the request lacks.

        A value that keeps a variable without a value and without a default matches nothing: it is left out.
        """
        asked = tuple(values)
        found = self._resolved.get(asked)
        if found is None:
            table = dict(zip(self.variables, asked, strict=True))
            kept = [_fill(parts, table) for parts in self.templates or ()]
            found = Check(self.condition, [parts for parts in kept if parts is not None])
            self._resolved[asked] = found
        return found

    def turned(self, value: str) -> Check | None:
        """Ask of a variable what is asked of the key, whose value is known; None where that cannot be said.

        A text equals a variable when the variable equals the text; wildcards that come in through it are literal.
        """
        if self.family != "text" or self.qualifier is not None or len(self.templates or ()) != 1:
            return None
        (parts,) = self.templates or ((),)
        if len(parts) != 1 or not isinstance(parts[0], Variable) or parts[0].default is not None:
            return None
        return asks(self.condition.name.replace("Like", "Equals"), parts[0].key, (value,))


class FoldedCheck(Check):
    """A zone's glob held against a text without regard to case."""

    __slots__ = ()

    def _compile(self) -> None:
        self._patterns = [tokenize(value) for value in self.condition.values]
        tests = [match_tokens(tokenize(value.lower())) for value in self.condition.values]
        self.holds = lambda text: any(test(text.lower()) for test in tests)

    @property
    def folds(self) -> bool:
        """Whether the case of letters does not matter: never, here."""
        return True


def asks(operator: str, key: str, values: Iterable[str], *, qualifier: str | None = None) -> Check:
    """Make a check of a zone's own."""
    return Check(Condition(operator, operator, qualifier, if_exists=False, key=key, values=tuple(values)))


def check_of(condition: Condition, version: str | None) -> Check:
    """Prepare a condition of a policy of `version`: variables count in string and ARN operators of 2012-10-17 only."""
    operator = OPERATORS.get(condition.name)
    counts = version == LANGUAGE and operator is not None and operator.variables
    if counts and any("${" in value for value in condition.values):
        return Check(condition, [read_template(value) for value in condition.values])
    return Check(condition)


def _family(name: str) -> str:
    if name == "Null":
        return "null"
    if name.startswith("String"):
        return "text"
    if name.startswith("Arn"):
        return "arn"
    return next((family for prefix, family in FAMILIES.items() if prefix in name), "text")


def _fill(parts: tuple[Part, ...], table: dict[str, str | None]) -> tuple[Part, ...] | None:
    """Put values in place of the variables of one template; None when one has neither a value nor a default."""
    filled: list[Part] = []
    for part in parts:
        if not isinstance(part, Variable):
            filled.append(part)
            continue
        value = table[part.folded]
        if value is None:
            value = part.default
        if value is None:
            return None
        filled.append(Literal(value))
    return tuple(filled)


def _slots(tokens: Sequence[Token], *, fold: bool) -> Slots:
    slots: list[Slot] = []
    for token in tokens:
        if token is MANY:
            slots.extend(many(ANY))
        elif token is ONE:
            slots.append(Slot(ANY))
        else:
            slots.extend(_folded(str(token)) if fold else literal(str(token)))
    return tuple(slots)


def _folded(text: str) -> Slots:
    """Describe an ASCII text in every case."""
    kelvin = {"k": KELVIN, "K": KELVIN}
    return tuple(Slot(Chars(frozenset({one, one.lower(), one.upper(), kelvin.get(one, one)}))) for one in text)


def _arn_slots(tokens: Sequence[Token], *, fold: bool) -> Slots:
    """Describe an ARN pattern: in all but the last part a wildcard stays within the part."""
    slots: list[Slot] = []
    part = 0
    for slot in _slots(tokens, fold=fold):
        if part < ARN_PARTS - 1 and slot.chars == ANY:
            slots.append(Slot(NOT_COLON, slot.many))
            continue
        slots.append(slot)
        part += slot.chars.members == frozenset(":") and not slot.chars.negated
    return tuple(slots)
