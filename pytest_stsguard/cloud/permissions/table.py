"""What a service without rules of its own adds to the reference, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .permission import Context, Permission
    from .reference import Action, Use
    from .scope import Scope

__all__ = ["INSTEAD", "LOOKED_UP", "NEW", "SKIP", "Service"]

NEW = "+"
LOOKED_UP = "?"
SKIP = "-"
INSTEAD = "="


@dataclass(frozen=True, slots=True)
class Service:
    """One service's exceptions; all of it is optional, since most operations are actions of their own name.

    Names and resources:
        prefix: IAM's, where it is neither the signing name nor boto3's name.
        actions: an operation's actions by other names, several with blanks between; one with a colon is another service's.
        variables: which parameters (dotted paths, blanks between) fill a variable of any ARN.
        paths: which parameters name a resource of a type; `operations` says the same for one operation. ``+`` is a
            resource that the operation creates, ``?`` one that AWS looks up, ``=text`` what stands for a parameter that
            is left out, and ``-`` alone says that the type plays no part.
        refused: operations that are refused by name, with the reason.
        anywhere: operations that are checked on ``*``.
        typed: whether a listing that names nothing is checked on all resources of its one type, and not on ``*``, though
            the reference calls the type optional.
        templates: ARNs in the place of the reference's; a ``*`` in them is what AWS gives, such as a random id.
        values: what an ARN has for a parameter's value.
        existing: types whose ARN the live state is asked for, since no parameter tells it.
        arn: writes an ARN from a type and a parameter where that takes more than putting it in (None: as usual).

    Condition keys:
        keys: keys that are a parameter's value; `context` gives those that take more.

    Further permissions:
        passes: the service that is passed the roles in parameters of a name; ``""`` for a parameter that passes none.
        principal: the one that gets the roles of all other parameters, ``PREFIX.amazonaws.com`` unless told.
        profiles: parameters that hold an instance profile, whose role goes to EC2.
        role_names: parameters that may hold a role's name for its ARN.
        besides: gives checks on what the service uses on the caller's behalf, knowing the operation's own.
        tagging: the action that tags given at creation need besides.
        created: by operation the type that the tags are for, where it is none that the operation's own action names.
    """

    prefix: str = ""
    actions: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    anywhere: frozenset[str] = frozenset()
    typed: bool = False
    templates: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    existing: frozenset[str] = frozenset()
    arn: Callable[[Scope, Use, str], str | None] | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    context: Callable[[Scope, Action, str], Context] | None = None
    passes: Mapping[str, str] = field(default_factory=dict)
    principal: str = ""
    profiles: frozenset[str] = frozenset()
    role_names: frozenset[str] = frozenset()
    besides: Callable[[Scope, list[Permission]], list[Permission]] | None = None
    tagging: str = ""
    created: Mapping[str, str] = field(default_factory=dict)
