"""Every document of an account that names principals, wherever moto keeps it, and the change of a principal in all of them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["named_principals", "rewrite"]


@dataclass(frozen=True, slots=True)
class _Text:
    """A document that is kept as text: an attribute of one of moto's objects, or an entry of one of its dictionaries."""

    owner: Any
    name: str

    def read(self) -> str:
        value = self.owner.get(self.name) if isinstance(self.owner, dict) else getattr(self.owner, self.name, None)
        return value.decode() if isinstance(value, bytes) else str(value or "")

    def write(self, text: str) -> None:
        if isinstance(self.owner, dict):
            self.owner[self.name] = text
        else:
            before = getattr(self.owner, self.name)
            setattr(self.owner, self.name, text.encode() if isinstance(before, bytes) else text)


def rewrite(account: str, mentions: Iterable[str], change: Callable[[str], str]) -> None:
    """Put each principal of an account's documents through `change`; documents with none of `mentions` are left alone."""
    wanted = tuple(mentions)
    for text in _texts(account):
        stored = text.read()
        if not any(each in stored for each in wanted):
            continue
        document = _parsed(stored)
        if document is not None and _change_all(document, change):
            text.write(json.dumps(document))
    for document in _live(account):
        _change_all(document, change)
    for key in _each("kms", account, lambda store: store.keys.values()):
        for grant in list(key.grants.values()):
            grant.grantee_principal = change(grant.grantee_principal)
            grant.retiring_principal = change(grant.retiring_principal)


def named_principals(text: str) -> list[str]:
    """Give the AWS principals that a document names."""
    document = _parsed(text)
    values: list[Any] = []
    for principals in _principals(document) if document else ():
        value = principals.get("AWS", [])
        values.extend(value if isinstance(value, list) else [value])
    return [value for value in values if isinstance(value, str)]


# What is kept as text, by moto's package: the objects, and the name of their attribute.
_ATTRIBUTES: Final[dict[str, tuple[Callable[[Any], Iterable[Any]], str]]] = {
    "iam": (lambda store: store.roles.values(), "assume_role_policy_document"),
    "s3": (lambda store: store.buckets.values(), "policy"),
    "kms": (lambda store: store.keys.values(), "policy"),
    "secretsmanager": (lambda store: dict.values(store.secrets), "policy"),
    "ecr": (lambda store: store.repositories.values(), "policy"),
    "dynamodb": (lambda store: store.resource_policies.values(), "policy_doc"),
    "logs": (lambda store: store.resource_policies.values(), "policy_document"),
    "efs": (lambda store: store.file_systems_by_id.values(), "file_system_policy"),
}
# What is kept as a document: changed in its place.
_DOCUMENTS: Final[dict[str, Callable[[Any], Iterable[Any]]]] = {
    "sqs": lambda store: [each._policy_json for each in store.queues.values()],  # noqa: SLF001 - moto has no other way
    "sns": lambda store: [each._policy_json for each in store.topics.values()],  # noqa: SLF001 - as above
    "awslambda": lambda store: [
        {"Statement": each.policy.statements}
        for group in store._lambdas._functions.values()  # noqa: SLF001 - what moto lists are copies
        for each in (group["latest"], *group["versions"])
        if each is not None
    ],
    "events": lambda store: [
        {"Statement": [{"Principal": one.principal} for one in bus._statements.values()]}  # noqa: SLF001 - as above
        for bus in store.event_buses.values()
    ],
}


def _texts(account: str) -> Iterator[_Text]:
    for service, (holders, name) in _ATTRIBUTES.items():
        for holder in _each(service, account, holders):
            yield _Text(holder, name)
    for store in _stores("kinesis", account):
        for arn in list(store.resource_policies):
            yield _Text(store.resource_policies, arn)


def _live(account: str) -> Iterator[dict[str, Any]]:
    for service, documents in _DOCUMENTS.items():
        yield from _each(service, account, documents)


def _each(service: str, account: str, holders: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    for store in _stores(service, account):
        yield from list(holders(store))


def _stores(service: str, account: str) -> list[Any]:
    """Give moto's backends of a service in all regions, of those that somebody has used."""
    package = f"moto.{service}.models"
    backends = getattr(sys.modules.get(package), _NAMES.get(service, f"{service}_backends"), None)
    return list((dict.get(backends, account) or {}).values()) if backends is not None else []


_NAMES: Final = {"awslambda": "lambda_backends"}


def _change_all(document: dict[str, Any], change: Callable[[str], str]) -> bool:
    """Put each AWS principal of a document through `change`, in its place; tells whether one has changed."""
    changed = False
    for principals in _principals(document):
        before = principals.get("AWS")
        if before is None:
            continue
        after = [change(value) for value in before] if isinstance(before, list) else change(before)
        changed |= after != before
        principals["AWS"] = after
    return changed


def _principals(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    statements = document.get("Statement")
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict):
            if str(statement.get("Principal")).startswith("arn:"):
                # Of Lambda's, moto leaves the ARN that AddPermission was given bare.
                statement["Principal"] = {"AWS": statement["Principal"]}
            for element in ("Principal", "NotPrincipal"):
                if isinstance(statement.get(element), dict):
                    yield statement[element]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
