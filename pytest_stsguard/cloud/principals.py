"""Principals of stored policies are kept by unique id: who is deleted and made again is someone else.

moto keeps the text of a document. So an ARN in it stands for the principal that bears it now, for as long as that one
lives: when a user or a role is deleted, its ARN gives way to its unique id in every stored trust and resource policy, which is also what GetRole shows on AWS. A principal that does not exist is refused when the policy is stored.

See "AWS JSON policy elements: Principal" and "IAM identifiers" in the IAM User Guide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.documents import document_of
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.ledger import new_unique_id
from pytest_stsguard.cloud.request import Response, unchanged
from pytest_stsguard.cloud.stored import named_principals, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.state import State

__all__ = ["Principals"]

_REFUSALS = {
    "ecr": "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'",
    "iam": 'Invalid principal in policy: "AWS":"{arn}"',
    "kms": "Policy contains a statement with one or more invalid principals.",
    "secretsmanager": "This resource policy contains an unsupported principal.",
    "sns": "Invalid parameter: Policy Error: PrincipalNotFound",
    "sqs": "Invalid value for the parameter Policy.",
}
_ENTITY = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):(user|role)/(?:.*/)?([^/]+)")
_SESSION = re.compile(r"arn:aws[\w-]*:sts::(\d{12}):assumed-role/([^/]+)/[^/]+")
_LEAVING = {"DeleteUser": ("user", "UserName"), "DeleteRole": ("role", "RoleName"), "UpdateUser": ("user", "UserName")}

# What moto gives ids of its own: the parameter that names it, how its ids begin on AWS, and where moto keeps it.
_MADE = {
    "CreateInstanceProfile": ("InstanceProfileName", "AIPA", "instance_profiles"),
    "CreateUser": ("UserName", "AIDA", "users"),
}


@dataclass(frozen=True, slots=True)
class _Entity:
    kind: str
    account: str
    name: str
    arn: str
    unique_id: str


class Principals:
    """Keeps unique ids true, before and after each call of IAM."""

    def __init__(self, backend: Backend, state: State) -> None:
        self._backend = backend
        self._state = state

    def adopt(self, account: str) -> None:
        """Give what came to an account by another way than the gate ids as IAM gives them."""
        iam = self._backend.service("iam", account=account)
        for prefix, entities in (("AIDA", iam.users), ("AIPA", iam.instance_profiles)):
            for entity in list(entities.values()):
                if not entity.id.startswith(prefix):
                    entity.id = new_unique_id(prefix)

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Look at a call before it is carried out; what is given back looks at its answer."""
        stored = document_of(call)
        if stored is not None and stored.kind in {"resource", "trust"}:
            self._check(stored.text, stored.code, _REFUSALS.get(call.service, "Invalid principal in policy"))
        if call.service != "iam":
            return unchanged
        if call.operation in _MADE:
            parameter, prefix, shelf = _MADE[call.operation]
            name = str(call.parameters.get(parameter, ""))
            return lambda response: self._christen(response, account, name, prefix=prefix, shelf=shelf)
        if call.operation not in _LEAVING:
            return unchanged
        kind, parameter = _LEAVING[call.operation]
        entity = self._entity(kind, account, str(call.parameters.get(parameter, "")))
        if entity is None:
            return unchanged
        return lambda response: self._settle(response, entity)

    def _check(self, text: str, code: str, told: str) -> None:
        """Refuse a document that names a user or a role which does not exist, in an account that is simulated."""
        accounts = self._state.accounts()
        for value in named_principals(text):
            match = _ENTITY.fullmatch(value)
            if match is None or match.group(1) not in accounts:
                continue
            entity = self._entity(match.group(2), match.group(1), match.group(3))
            if entity is None or entity.arn != value:
                raise Fault(None, told.replace("{arn}", value), code=code)

    def _christen(self, response: Response, account: str, name: str, *, prefix: str, shelf: str) -> Response:
        entity = getattr(self._backend.service("iam", account=account), shelf).get(name)
        if response.status >= 300 or entity is None or entity.id.startswith(prefix):  # noqa: PLR2004 - success is 2xx
            return response
        old, entity.id = entity.id, new_unique_id(prefix)
        return Response(response.status, response.headers, response.body.replace(old.encode(), entity.id.encode()))

    def _settle(self, response: Response, entity: _Entity) -> Response:
        """After a deletion, or a change of name or path: write what the stored documents now mean."""
        if response.status >= 300:  # noqa: PLR2004 - as above
            return response
        found = self._by_id(entity)
        if entity.kind == "user" and found is not None:
            self._keep_keys(entity, found.rpartition("/")[2])
        mentions = (entity.arn, f":assumed-role/{entity.name}/")
        for account in self._state.accounts():
            rewrite(account, mentions, lambda value: _renamed(value, entity, found))
        return response

    def _keep_keys(self, entity: _Entity, name: str) -> None:
        """Let the access keys of a user follow it to its new name: moto leaves them with the old one, where they are nobody's."""
        for key in list(self._backend.service("iam", account=entity.account).access_keys.values()):
            if key.user_name == entity.name:
                key.user_name = name

    def _by_id(self, entity: _Entity) -> str | None:
        """Give the ARN that the entity bears now; None when it is gone."""
        iam = self._backend.service("iam", account=entity.account)
        alive = list((iam.users if entity.kind == "user" else iam.roles).values())
        return next((str(one.arn) for one in alive if one.id == entity.unique_id), None)

    def _entity(self, kind: str, account: str, name: str) -> _Entity | None:
        found = self._state.entity(account, kind, name)
        return None if found is None else _Entity(kind, account, name, found.arn, found.id)


def _renamed(value: Any, entity: _Entity, arn: str | None) -> Any:
    if value == entity.arn:
        return arn or entity.unique_id
    match = _SESSION.fullmatch(value) if isinstance(value, str) and entity.kind == "role" and arn is None else None
    if match and match.groups() == (entity.account, entity.name):
        return f"{entity.unique_id}:{value.rpartition('/')[2]}"
    return value
