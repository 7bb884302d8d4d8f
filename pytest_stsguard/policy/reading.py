"""From a JSON text or an object to statements: what AWS refuses is refused, and its place is said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pytest_stsguard.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["JsonObject", "Notes", "Number", "read_json", "short"]

SHOWN: Final = 60


class Number(str):
    """A JSON number, kept as it was written."""

    __slots__ = ()


class JsonObject(dict[str, Any]):
    """A JSON object that remembers which of its names came more than once."""

    repeated: tuple[str, ...] = ()


@dataclass(slots=True)
class Notes:
    """What is wrong with a document: raised at once when strict, kept when lenient."""

    lenient: bool
    problems: list[PolicyError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, error: PolicyError) -> None:
        """Raise the error, or note it when reading leniently."""
        if not self.lenient:
            raise error
        self.problems.append(error)

    def repeated(self, value: object, place: str) -> bool:
        """Refuse an object whose names repeat; True when it does and reading goes on."""
        names: tuple[str, ...] = getattr(value, "repeated", ())
        for name in names:
            self.refuse(PolicyError(f"duplicate key `{short(name)}`", location=f"{place}.{short(name)}".lstrip(".")))
        return bool(names)


def short(text: object) -> str:
    """Show the user's own words on one line, cut to a length that a message bears."""
    if not isinstance(text, str):
        return json_type(text)
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return shown.encode("unicode_escape").decode("ascii") if not shown.isprintable() else shown


def json_type(value: object) -> str:
    """Name a value's type in JSON's words, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float, Number)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an object" if isinstance(value, Mapping) else "a list"


def read_json(text: str) -> Any:
    """Read a JSON text strictly: no NaN, numbers as written, repeated names remembered.

    Raises:
        PolicyError: it is not JSON, or nested too deeply to be a policy.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise PolicyError("the document is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise PolicyError(
            f"the document is not JSON: {error.msg[:1].lower()}{error.msg[1:]}",
            location=f"line {error.lineno} column {error.colno}",
        ) from error


def _object(pairs: Sequence[tuple[str, Any]]) -> JsonObject:
    found = JsonObject(pairs)
    if len(found) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        found.repeated = tuple(name for name, count in counts.items() if count > 1)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise PolicyError(f"the document is not JSON: `{name}` is not a JSON value")
