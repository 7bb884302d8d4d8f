"""What a caller of AssumeRole chooses itself: the session's name, an external id, a source identity, session tags.

A condition on one of them holds nobody off who may send what it asks for, so what policies ask for is what is sent. An
external id is no secret: whoever may view the role sees it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.policy.variables import Variable, read_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_stsguard.policy import Condition, Policy, Statement

__all__ = ["Chosen", "choices", "expand"]

MOST_CHOICES: Final = 16
LONGEST: Final = 2048
"""Characters of a value that is looked at: no parameter of AssumeRole takes as many."""

_NAME: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_KEYS: Final = {
    "sts:rolesessionname": ("RoleSessionName", _NAME),
    "sts:sourceidentity": ("SourceIdentity", _NAME),
    "sts:externalid": ("ExternalId", _EXTERNAL),
}
_TAG: Final = "aws:requesttag/"
_EQUAL: Final = frozenset({"StringEquals", "StringLike", "StringEqualsIgnoreCase"})
_UNEQUAL: Final = frozenset({"StringNotEquals", "StringNotLike", "StringNotEqualsIgnoreCase"})
_ANYTHING: Final = "stsguard"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Parameters of AssumeRole, by the names of the API; `tags` are session tags."""

    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def context(self) -> dict[str, Any]:
        """The context that a request with these parameters carries."""
        found: dict[str, Any] = {f"sts:{name}": value for name, value in self.parameters.items()}
        found |= {f"aws:RequestTag/{name}": value for name, value in self.tags.items()}
        return found | ({"aws:TagKeys": list(self.tags)} if self.tags else {})

    @property
    def also(self) -> tuple[str, ...]:
        """What has to be allowed beside sts:AssumeRole."""
        return (
            *(("sts:SetSourceIdentity",) if "SourceIdentity" in self.parameters else ()),
            *(("sts:TagSession",) if self.tags else ()),
        )

    def call(self, role_arn: str, session_name: str) -> dict[str, Any]:
        """Give the parameters of the call."""
        tags = {"Tags": [{"Key": name, "Value": value} for name, value in self.tags.items()]} if self.tags else {}
        return {"RoleArn": role_arn, "RoleSessionName": session_name, **self.parameters, **tags}


NOTHING: Final = Chosen({}, {})


def choices(policies: Sequence[Policy], action: str, known: Mapping[str, str]) -> Iterator[Chosen]:
    """Go through what a caller may send, nothing at all first, then what the statements about an action ask for.

    Args:
        policies: those that bear on the call.
        action: the action that is asked about.
        known: the context of the caller, which fills policy variables in.
    """
    yield NOTHING
    statements = [matcher.statement for policy in policies for matcher in policy.index.plan(action).matchers]
    wanted = {id(one): found for one in statements if one.conditions and (found := _wanted(one, known)) is not None}
    if not wanted:
        return
    denied = [wanted[id(one)] for one in statements if one.effect == "Deny" and id(one) in wanted]
    allowed = [wanted[id(one)] for one in statements if one.effect == "Allow" and id(one) in wanted]
    for found in islice((NOTHING, *allowed), MOST_CHOICES):
        merged = found
        for one in denied:
            merged = Chosen({**one.parameters, **merged.parameters}, {**one.tags, **merged.tags})
        if merged is not NOTHING:
            yield merged


def _wanted(statement: Statement, known: Mapping[str, str]) -> Chosen | None:
    """Give what a request has to send so that an Allow applies, or that a Deny does not; None: nothing in particular."""
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    for condition in statement.conditions:
        key = condition.key.lower()
        if key not in _KEYS and not key.startswith(_TAG):
            continue
        value = _value(condition, denies=statement.effect == "Deny", known=known)
        if value is None:
            continue
        if key.startswith(_TAG):
            tags[condition.key[len(_TAG) :]] = value
        elif _KEYS[key][1].fullmatch(value):
            parameters[_KEYS[key][0]] = value
    return Chosen(parameters, tags) if parameters or tags else None


def _value(condition: Condition, *, denies: bool, known: Mapping[str, str]) -> str | None:
    """Give a value that satisfies a condition of an Allow, or that fails one of a Deny."""
    if condition.name == "Null":
        present = condition.values == ("true",) if denies else condition.values == ("false",)
        return _ANYTHING if present else None
    if condition.name not in (_UNEQUAL if denies else _EQUAL):
        return None
    for written in condition.values:
        if len(written) > LONGEST:
            continue
        value = expand(written, known)
        if value is not None and condition.name.endswith("Like"):
            value = value.replace("*", _ANYTHING).replace("?", "x")
        if value is not None:
            return value
    return None


def expand(text: str, known: Mapping[str, str]) -> str | None:
    """Fill policy variables in with what is known of a caller; None where one of them is not."""
    if "${" not in text:
        return text
    folded = {name.lower(): value for name, value in known.items()}
    parts = []
    for part in read_template(text):
        if isinstance(part, Variable):
            value = folded.get(part.folded, part.default)
            if value is None:
                return None
            parts.append(value)
        else:
            parts.append(part if isinstance(part, str) else part.text)
    return "".join(parts)
