"""A policy document, parsed once.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pytest_stsguard.errors import PolicyError
from pytest_stsguard.policy.elements import read_actions, read_conditions, read_principals, read_resources
from pytest_stsguard.policy.index import Index
from pytest_stsguard.policy.kinds import Kind, kind_named
from pytest_stsguard.policy.reading import Notes, Number, json_type, read_json, short
from pytest_stsguard.policy.rendering import render
from pytest_stsguard.policy.statement import Condition, Principal, Statement

__all__ = ["Condition", "Policy", "Principal", "Statement"]

VERSIONS: Final = ("2012-10-17", "2008-10-17")
EFFECTS: Final = ("Allow", "Deny")
ELEMENTS: Final = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
_PLAIN_SID: Final = re.compile(r"[0-9A-Za-z]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document as `authorize` takes it.

    Two policies are equal when they say the same: the free label `name`, notes and tables do not count.
    `problems` is what lenient reading could not read, each with its `location`; strict reading raises the first
    instead. `whole` is false when some of the document could not even be taken apart into statements.
    """

    kind: str
    version: str | None
    id: str | None
    statements: tuple[Statement, ...]
    name: str | None = field(default=None, compare=False)
    problems: tuple[PolicyError, ...] = field(default=(), compare=False)
    warnings: tuple[str, ...] = field(default=(), compare=False)
    whole: bool = True
    index: Index = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        index = Index(self.statements, self.version, whole=self.whole, for_callers=self.for_callers)
        object.__setattr__(self, "index", index)

    @property
    def for_callers(self) -> bool:
        """Tell whether the statements name the callers that they are for; resource control policies are for all."""
        return self.kind in {"resource", "trust"}

    @classmethod
    def parse(
        cls,
        document: Mapping[str, Any] | str,
        *,
        kind: str = "identity",
        lenient: bool = False,
        name: str | None = None,
    ) -> Policy:
        """Parse a document, given as an object or as JSON text.

        Args:
            document: The policy; in a text, a name that comes twice in an object is refused.
            kind: ``identity``, ``resource``, ``trust``, ``boundary``, ``session``, ``scp`` or ``rcp``.
            lenient: Keep what can be read and note the rest in `problems`, for audits: one bad policy must never hide
                an account. A trust policy may then hold NotPrincipal, as old ones do.
            name: A free label, such as the policy's ARN or name; explanations show it.

        Raises:
            PolicyError: AWS would refuse the document; `location` is the place, as ``Statement[1].Effect``.
            UnsupportedError: the document holds what is not known here.
            InputError: there is no such kind.
        """
        rules = kind_named(kind)
        notes = Notes(lenient)
        version, label, statements, whole = _read_document(document, rules, notes)
        policy = cls(
            kind=kind,
            version=version,
            id=label,
            statements=statements,
            name=name,
            problems=tuple(notes.problems),
            whole=whole,
            warnings=tuple(notes.warnings),
        )
        size = _size(document) if isinstance(document, str) else _size(json.dumps(policy.document()))
        if size > rules.size:
            warning = f"{size} characters without whitespace, more than the {rules.size} that AWS takes in this kind"
            object.__setattr__(policy, "warnings", (*policy.warnings, warning))
        return policy

    def document(self) -> dict[str, Any]:
        """Give the policy as a document that parses to an equal policy (a lenient one: as far as it was read)."""
        return render(self.version, self.id, self.statements)


def _size(text: str) -> int:
    return len("".join(text.split()))


def _read_document(
    document: object, rules: Kind, notes: Notes
) -> tuple[str | None, str | None, tuple[Statement, ...], bool]:
    nothing = (None, None, (), False)
    try:
        found = read_json(document) if isinstance(document, str) else document
    except PolicyError as error:
        notes.refuse(error)
        return nothing
    if not isinstance(found, Mapping):
        notes.refuse(PolicyError(f"a policy is an object, not {json_type(found)}"))
        return nothing
    whole = not notes.repeated(found, "")
    for element in found:
        if element not in {"Version", "Id", "Statement"}:
            notes.refuse(PolicyError(f"unknown element `{short(element)}`", location=short(element)))
    version = found.get("Version")
    if "Version" in found and version not in VERSIONS:
        notes.refuse(PolicyError(f"unknown version `{short(version)}`", location="Version", hint=f"`{VERSIONS[0]}`"))
        version, whole = None, False
    label = found.get("Id")
    if "Id" in found and (not isinstance(label, str) or isinstance(label, Number)):
        notes.refuse(PolicyError(f"expected a string, found {json_type(label)}", location="Id"))
        label = None
    statements = _read_statements(found, rules, notes)
    return version, label, statements or (), whole and statements is not None


def _read_statements(found: Mapping[str, Any], rules: Kind, notes: Notes) -> tuple[Statement, ...] | None:
    if "Statement" not in found:
        notes.refuse(PolicyError("the element `Statement` is missing", location="Statement"))
        return None
    value = found["Statement"]
    if isinstance(value, Mapping):
        return (_read_statement(value, 0, "Statement", rules, notes),)
    if not isinstance(value, (list, tuple)) or not value:
        problem = (
            "the list is empty" if isinstance(value, (list, tuple)) else f"expected a list, found {json_type(value)}"
        )
        notes.refuse(PolicyError(problem, location="Statement"))
        return None
    statements = tuple(
        _read_statement(item, index, f"Statement[{index}]", rules, notes) for index, item in enumerate(value)
    )
    seen: set[str] = set()
    for statement in statements:
        if statement.sid and statement.sid in seen:
            notes.refuse(PolicyError(f"duplicate Sid `{short(statement.sid)}`", location=f"{statement.place}.Sid"))
        seen.add(statement.sid or "")
    return statements


def _read_statement(value: object, index: int, place: str, rules: Kind, notes: Notes) -> Statement:
    if not isinstance(value, Mapping):
        notes.refuse(PolicyError(f"a statement is an object, not {json_type(value)}", location=place))
        return Statement(index, None, "", None, None, None, None, None, None, (), place, readable=False)
    before = len(notes.problems)
    notes.repeated(value, place)
    for element in value:
        if element not in ELEMENTS:
            notes.refuse(PolicyError(f"unknown element `{short(element)}`", location=f"{place}.{short(element)}"))
    effect = _read_effect(value, place, notes)
    _check_elements(value, place, rules, notes)
    actions, not_actions = (
        read_actions(value[name], f"{place}.{name}", notes, kind=rules) if name in value else None
        for name in ("Action", "NotAction")
    )
    resources, not_resources = (
        read_resources(value[name], f"{place}.{name}", notes, kind=rules) if name in value else None
        for name in ("Resource", "NotResource")
    )
    principals, not_principals = (
        read_principals(value[name], f"{place}.{name}", notes) if name in value else None
        for name in ("Principal", "NotPrincipal")
    )
    conditions = read_conditions(value["Condition"], f"{place}.Condition", notes) if "Condition" in value else ()
    if rules.name == "rcp":
        _check_rcp(value, place, notes)
    readable = len(notes.problems) == before
    sid = _read_sid(value, place, rules, notes)
    return Statement(
        index, sid, effect, actions, not_actions, resources, not_resources, principals, not_principals,
        conditions or (), place, readable,
    )  # fmt: skip


def _read_effect(value: Mapping[str, Any], place: str, notes: Notes) -> str:
    if "Effect" not in value:
        notes.refuse(PolicyError("the element `Effect` is missing", location=f"{place}.Effect"))
        return ""
    effect = value["Effect"]
    if effect in EFFECTS:
        return str(effect)
    hint = "`Allow` or `Deny`, in this case"
    notes.refuse(PolicyError(f"unknown effect `{short(effect)}`", location=f"{place}.Effect", hint=hint))
    return ""


def _check_elements(value: Mapping[str, Any], place: str, rules: Kind, notes: Notes) -> None:
    """Refuse elements that exclude each other, that the kind forbids, and that it needs."""
    for name in ("Action", "Resource", "Principal"):
        present = [element for element in (name, f"Not{name}") if element in value]
        where = f"{place}.{present[0] if present else name}"
        needed = {"Action": True, "Resource": rules.resource, "Principal": rules.principal}[name]
        if len(present) > 1:
            notes.refuse(PolicyError(f"both `{name}` and `Not{name}`", location=place))
        elif not present and needed:
            notes.refuse(PolicyError(f"the element `{name}` is missing", location=where))
        elif present and needed is False:
            notes.refuse(PolicyError(f"`{present[0]}` has no place in a policy of kind {rules.name}", location=where))
    if rules.name == "trust" and "NotPrincipal" in value and not notes.lenient:
        where = f"{place}.NotPrincipal"
        notes.refuse(PolicyError("a trust policy takes no `NotPrincipal`", location=where))


def _check_rcp(value: Mapping[str, Any], place: str, notes: Notes) -> None:
    """Hold a resource control policy to what Organizations takes: Deny, for every principal, by Action.

    The one Allow is AWS's own RCPFullAWSAccess.
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
    """
    for element in ("NotPrincipal", "NotAction"):
        if element in value:
            notes.refuse(PolicyError(f"a resource control policy takes no `{element}`", location=f"{place}.{element}"))
    if "Principal" in value and value["Principal"] not in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
        notes.refuse(PolicyError("a resource control policy is for principal `*`", location=f"{place}.Principal"))
    full_access = all(value.get(name) in ("*", ["*"]) for name in ("Action", "Resource")) and "Condition" not in value
    if value.get("Effect") == "Allow" and not full_access:
        notes.refuse(PolicyError("a resource control policy only denies", location=f"{place}.Effect"))


def _read_sid(value: Mapping[str, Any], place: str, rules: Kind, notes: Notes) -> str | None:
    """Read the Sid; a bad one takes nothing from what the statement means."""
    if "Sid" not in value:
        return None
    sid = value["Sid"]
    if not isinstance(sid, str) or isinstance(sid, Number):
        notes.refuse(PolicyError(f"expected a string, found {json_type(sid)}", location=f"{place}.Sid"))
        return None
    if rules.plain_sid and _PLAIN_SID.fullmatch(sid) is None:
        notes.refuse(PolicyError(f"a Sid holds letters and digits only: `{short(sid)}`", location=f"{place}.Sid"))
    return sid
