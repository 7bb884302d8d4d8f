"""Which operation of a REST service a method, a path, a query string and headers name.

The URI templates are those of the service's model. Among the operations of one path the literal parts of the query
(``?policy``, ``?list-type=2``) decide, then the members that an operation requires there or in a header
(``partNumber`` and ``uploadId``, ``x-amz-copy-source``). What decides must be spent: a request for which a deciding
name is left over is refused, since two readers of it could take it for two operations.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from .call import UnparsableRequestError
from .catalogue import model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from botocore.model import OperationModel

__all__ = ["Route", "Template", "routes"]

_LABEL = re.compile(r"\{([^}]+?)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of a template: what it must find in the query and the headers, and what it may find there."""

    operation: str
    labels: tuple[str, ...]
    literals: tuple[tuple[str, str], ...]
    required: frozenset[str]
    required_headers: frozenset[str]
    known: frozenset[str]
    known_headers: frozenset[str]
    deprecated: bool

    def fits(self, query: Mapping[str, list[str]]) -> bool:
        """Tell whether the literal parts of the query are there; one without a value may have any."""
        return all(name in query and value in ("", *query[name]) for name, value in self.literals)

    def satisfied(self, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> bool:
        """Tell whether every required member of the query and the headers is there."""
        return self.required <= query.keys() and self.required_headers <= headers.keys()


@dataclass(frozen=True, slots=True)
class Template:
    """One path with the operations that share it under one method."""

    pattern: re.Pattern[str]
    routes: tuple[Route, ...]
    deciding: frozenset[str]
    deciding_headers: frozenset[str]

    def choose(self, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> Route | None:
        """Give the operation that the query and the headers select; None when none of this path is meant."""
        fitting = [route for route in self.routes if route.fits(query)]
        if not fitting:
            return None
        most = max(len(route.literals) for route in fitting)
        fitting = [route for route in fitting if len(route.literals) == most]
        satisfied = [route for route in fitting if route.satisfied(query, headers)]
        if not satisfied:
            self._refuse(fitting[0], query, headers)
        chosen = max(
            satisfied, key=lambda route: (len(route.required) + len(route.required_headers), not route.deprecated)
        )
        left = ((self.deciding & query.keys()) - chosen.known) | (
            (self.deciding_headers & headers.keys()) - chosen.known_headers
        )
        if left:
            raise UnparsableRequestError(f"`{min(left)}` does not belong to `{chosen.operation}`")
        return chosen

    @staticmethod
    def _refuse(route: Route, query: Mapping[str, list[str]], headers: Mapping[str, str]) -> None:
        missing = min((route.required - query.keys()) | (route.required_headers - headers.keys()))
        raise UnparsableRequestError(f"`{route.operation}` needs `{missing}`")


@cache
def routes(service: str) -> Mapping[str, tuple[Template, ...]]:
    """Give the templates of `service` by method, the most specific first."""
    groups: defaultdict[tuple[str, str], list[tuple[str, Route]]] = defaultdict(list)
    loaded = model(service)
    for name in loaded.operation_names:
        operation = loaded.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        groups[operation.http.get("method", "POST"), _LABEL.sub(r"{\2}", path.rstrip("/"))].append(
            (path.rstrip("/"), _route(operation, path, query))
        )
    found: defaultdict[str, list[tuple[str, Template]]] = defaultdict(list)
    for (method, shape), group in groups.items():
        found[method].append((shape, _template(group[0][0], [route for _, route in group])))
    return {method: tuple(each for _, each in sorted(group, key=_specificity)) for method, group in found.items()}


def _specificity(entry: tuple[str, Template]) -> tuple[tuple[int, int], ...]:
    """Sort literal segments before labels, labels before greedy ones, part by part; longer paths first."""
    segments = entry[0].split("/")[1:]
    ranks = [(2 if "{+}" in each else 1 if "{" in each else 0, -len(each)) for each in segments]
    return (*ranks, (3, 0))


def _template(path: str, group: Iterable[Route]) -> Template:
    place = 0
    pattern = ""
    for label in _LABEL.finditer(path):
        pattern += re.escape(path[place : label.start()]) + ("(.+)" if label[2] else "([^/]+)")
        place = label.end()
    rest = re.escape(path[place:])
    # A greedy label at the end owns a trailing slash; elsewhere it means nothing.
    pattern += rest if path.endswith("+}") else f"{rest}/?"
    ordered = tuple(sorted(group, key=lambda route: (route.deprecated, route.operation)))
    return Template(
        re.compile(pattern, re.DOTALL),
        ordered,
        frozenset(name for route in ordered for name in (*route.required, *(name for name, _ in route.literals))),
        frozenset(name for route in ordered for name in route.required_headers),
    )


def _route(operation: OperationModel, path: str, query: str) -> Route:
    literals = tuple(parse_qsl(query, keep_blank_values=True))
    members = operation.input_shape.members if operation.input_shape else {}
    needed = operation.input_shape.required_members if operation.input_shape else []
    wire: dict[str, dict[str, str]] = {"querystring": {}, "header": {}}
    for name, member in members.items():
        location = member.serialization.get("location")
        if location in wire and member.type_name != "map":
            text = member.serialization.get("name", name)
            wire[location][name] = text.lower() if location == "header" else text
    return Route(
        operation=operation.name,
        labels=tuple(label for label, _ in _LABEL.findall(path)),
        literals=literals,
        required=frozenset(text for name, text in wire["querystring"].items() if name in needed),
        required_headers=frozenset(text for name, text in wire["header"].items() if name in needed),
        known=frozenset((*wire["querystring"].values(), *(name for name, _ in literals))),
        known_headers=frozenset(wire["header"].values()),
        deprecated=operation.deprecated,
    )
