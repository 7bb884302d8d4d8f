"""The deciding statement: the policy that a finding is about, indented, and the lines of it that decide."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pytest_stsguard.reporting.model import Location, Policy
from pytest_stsguard.reporting.text import redact_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.account import Account, Document, Group, Role, User
    from pytest_stsguard.findings import Finding

__all__ = ["Excerpts"]

_STATEMENT = re.compile(r"Statement(?:\[(\d+)\])?")
_LARGEST = 20_480
"""Characters of a document that a report shows; the largest that AWS accepts are about half of it."""


class Excerpts:
    """Finds the documents that findings speak of; equal documents are kept once."""

    def __init__(self, account: Account | None, *, note: str = "") -> None:
        self._note = f", {note}" if note else ""
        self.policies: list[Policy] = []
        self._known: dict[Policy, int] = {}
        self._documents: dict[str, dict[str, Document]] = {}
        for arn, document in account.documents() if account else ():
            self._documents.setdefault(arn, {}).setdefault(document.name, document)
        self._managed = dict(_attached(account)) if account else {}

    def find(self, finding: Finding) -> tuple[int | None, tuple[int, int] | None, Location | None]:
        """Give the index of the finding's policy, its deciding lines, and the place of the statement in the input."""
        place = Location(*finding.location) if finding.location else None
        name, document = self._document(finding)
        if document is None or not isinstance(document.value, dict):
            return None, None, place
        match = _STATEMENT.search(finding.place.removeprefix(name))
        number = int(match[1] or 0) if match else None
        lines, marked = _written(redact_all(document.value), number)
        text = "\n".join(lines)
        if len(text) > _LARGEST:
            return None, None, place
        policy = Policy(f"{document.name}{self._note}", text)
        index = self._known.setdefault(policy, len(self.policies))
        if index == len(self.policies):
            self.policies.append(policy)
        return index, marked, _statement_place(document, number) or place

    def _document(self, finding: Finding) -> tuple[str, Document | None]:
        """Find the document by the name that the place begins with; a plan's documents bear their address before it."""
        own = self._documents.get(finding.resource, {}) | self._managed.get(finding.resource, {})
        named = {short: document for name, document in own.items() for short in (_short(name), name)}
        names = [name for name in named if finding.place == name or finding.place.startswith(f"{name} ")]
        if names:
            return max(names, key=len), named[max(names, key=len)]
        return "", named.get("trust policy") if finding.place.startswith("Statement") else None


def _short(name: str) -> str:
    return name.rpartition(": ")[2]


def _attached(account: Account) -> Mapping[str, dict[str, Document]]:
    """Map a holder to the managed policies in force for it, by name."""
    found: dict[str, dict[str, Document]] = {}
    holders: tuple[Role | User | Group, ...] = (*account.roles, *account.users, *account.groups)
    for holder in holders:
        if holder.attached:
            found[holder.arn] = {
                policy.document.name: policy.document
                for attached in holder.attached
                if (policy := account.policy(attached.arn)) is not None and policy.document is not None
            }
    return found


def _statement_place(document: Document, number: int | None) -> Location | None:
    place = document.location
    if place is None:
        return None
    if number is not None:
        alone = not isinstance(document.value.get("Statement"), list)
        place = place.child("Statement") if alone else place.child("Statement", number)
    return Location(place.file, place.line) if place.file is not None and place.line is not None else None


def _written(document: dict[str, Any], number: int | None) -> tuple[list[str], tuple[int, int] | None]:
    """Indent a document, and tell where its statement `number` stands: first and last line, from 1."""
    lines, marked = ["{"], None
    for name, value in document.items():
        opening = f"  {json.dumps(name, ensure_ascii=False)}: "
        several = name == "Statement" and isinstance(value, list) and value
        if several:
            lines.append(f"{opening}[")
            for index, statement in enumerate(value):
                start = len(lines) + 1
                lines += _block(statement, "    ")
                marked = (start, len(lines)) if index == number else marked
                lines[-1] += "," if index < len(value) - 1 else ""
            lines.append("  ]")
        else:
            start = len(lines) + 1
            block = _block(value, "  ")
            lines += [opening + block[0].lstrip(), *block[1:]]
            marked = (start, len(lines)) if name == "Statement" and number == 0 else marked
        lines[-1] += ","
    lines[-1] = lines[-1].removesuffix(",")
    return [*lines, "}"], marked


def _block(value: Any, indent: str) -> list[str]:
    return [indent + line for line in json.dumps(value, indent=2, ensure_ascii=False).split("\n")]
