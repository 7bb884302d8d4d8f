"""A policy document as a source holds it: parsed when it is asked for, and never hiding its neighbours when it is broken."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from re import compile as regex
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pytest_stsguard.account.unknown import MARK, name_unknowns
from pytest_stsguard.errors import PolicyError
from pytest_stsguard.policy import Policy

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Location

__all__ = ["Document"]

_STATEMENT = regex(r"Statement(?:\[(?P<index>\d+)\])?(?![^.\[])")


@dataclass(frozen=True)  # no slots: cached_property keeps what it computed in the instance
class Document:
    """A policy document and where it stands.

    Attributes:
        name: the inline policy's name, the managed policy's ARN, or ``trust policy``; of a Terraform plan with the
            resource's address before it.
        kind: ``trust``, ``identity`` or ``boundary``.
        raw: the JSON value as the source writes it: an object, or a string that holds one, URL-encoded or not.
        location: the place in the input; None when the document was made by hand.
        fault: why the source itself could not give the document, or None.

    A value that a template or plan leaves to the deployment is a problem that names it (``unknown value: ...``), and
    its statement is unreadable: see `pytest_stsguard.account.unknown`.
    """

    name: str
    kind: str
    raw: str
    location: Location | None = field(default=None, compare=False, repr=False)
    fault: str | None = None

    @cached_property
    def text(self) -> str:
        """The document's own JSON text, decoded from the string that the raw API gives."""
        raw = self.raw.strip()
        if not raw.startswith('"'):
            return raw
        try:
            inner = str(json.loads(raw, strict=False)).strip()
        except ValueError:
            return raw
        return inner if inner.startswith("{") else unquote(inner).strip()

    @cached_property
    def value(self) -> Any:
        """The document as plain data; None when it is no JSON."""
        try:
            return json.loads(self.text, strict=False)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def policy(self) -> Policy:
        """The document parsed leniently: what can be read of it; `problems` says what could not."""
        policy = Policy.parse(self.text, kind=self.kind, lenient=True, name=self.name)
        if MARK in self.text:
            policy = replace(policy, problems=name_unknowns(self.value, policy.problems))
        fault = self.fault or ("the policy document is missing" if self.text == "null" else None)
        if fault is None:
            return policy
        return replace(policy, problems=(PolicyError(fault), *policy.problems), whole=False)

    @property
    def problems(self) -> tuple[PolicyError, ...]:
        """What could not be read, each with its place in the document; empty when all of it could."""
        return self.policy.problems

    def locate(self, place: str) -> Location | None:
        """Give the location of a statement, or of the document where it holds none of that place.

        Args:
            place: as the policy engine writes it: ``Statement[1]``, ``Statement[1].Principal.AWS``.
        """
        match = _STATEMENT.match(place)
        if match is None or self.location is None:
            return self.location
        index = match["index"]
        return self.location.child("Statement") if index is None else self.location.child("Statement", int(index))
