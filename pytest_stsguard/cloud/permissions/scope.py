"""One call in its surroundings: what the rules of all services read parameters and write ARNs with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.calls import Call

    from .permission import State

__all__ = ["Scope", "find"]

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def find(parameters: Mapping[str, Any], path: str) -> list[Any]:
    """Give every value at a dotted path, through lists: ``NetworkInterfaces.Groups``."""
    if "." not in path:
        value = parameters.get(path)
        return [] if value is None else value if isinstance(value, list) else [value]
    found: list[Any] = [parameters]
    for name in path.split("."):
        below: list[Any] = []
        for value in found:
            if isinstance(value, dict):
                below.extend([value[name]] if name in value else [])
        found = []
        for value in below:
            found.extend(value) if isinstance(value, list) else found.append(value)
    return found


@dataclass(frozen=True, slots=True)
class Scope:
    """A call with the account it is made in, the account's partition, the live cloud and the caller's user name."""

    call: Call
    account: str
    state: State
    partition: str = "aws"
    caller_name: str | None = None

    def texts(self, *paths: str) -> list[str]:
        """Give the values at `paths` as text, each once, in their order."""
        return list(dict.fromkeys(_text(value) for path in paths for value in find(self.call.parameters, path)))

    def text(self, *paths: str) -> str | None:
        """Give the first value at `paths`."""
        for path in paths:
            for value in find(self.call.parameters, path):
                return _text(value)
        return None

    def arn(self, template: str, identifier: str | None = None) -> str:
        """Fill an ARN template; without an identifier, the places of the resource's own names are ``*``.

        An identifier that is an ARN is the answer itself. With several names in the template the identifier fills the
        last and the others are ``*``.
        """
        if identifier is not None and identifier.startswith("arn:"):
            return identifier
        known = {"Partition": self.partition, "Region": self.call.region, "Account": self.account}
        last = max((match.start() for match in _VARIABLE.finditer(template)), default=-1)

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            if name in known:
                return known[name]
            return identifier if identifier is not None and match.start() == last else "*"

        return _VARIABLE.sub(fill, template)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
