"""What a policy document says, element by element, as values."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Condition", "Principal", "Statement"]


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a Principal or NotPrincipal element.

    `type` is ``AWS``, ``Service``, ``Federated`` or ``CanonicalUser``, or ``*`` for the bare star; `value` is as written.
    """

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of one operator of a Condition element.

    `operator` is as written, `name` its base (``StringEquals``), `qualifier` ``ForAllValues``, ``ForAnyValue`` or None.
    `values` are text: JSON's ``true`` and ``5`` stand here as ``"true"`` and ``"5"``.
    """

    operator: str
    name: str
    qualifier: str | None
    if_exists: bool
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy; an element that is absent is None.

    `place` is where it stands in the document: ``Statement[3]``, or ``Statement`` where the document holds one object.
    A statement that lenient reading could not read whole is not `readable`: it must never be applied, nor be left out
    where it could have applied.
    """

    index: int
    sid: str | None
    effect: str
    actions: tuple[str, ...] | None
    not_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    not_resources: tuple[str, ...] | None
    principals: tuple[Principal, ...] | None
    not_principals: tuple[Principal, ...] | None
    conditions: tuple[Condition, ...]
    place: str
    readable: bool = True
