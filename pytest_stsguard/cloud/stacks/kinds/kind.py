"""What CloudFormation's handler of a resource type does: which calls make, change and delete a resource of it.

A step is one call, in a line: ``iam:PutRolePolicy RoleName=@ PolicyName=.PolicyName PolicyDocument=.PolicyDocument`` is boto3's
service and the operation, then the parameters, each with where its value comes from:

=================  =====================================================================================
``Path``           the property of the parameter's name, without case; nothing when the template has none
``A=B.C``          the property at a path; a list in it is gone through, a number takes one of a list
``A=@``            the physical id, what ``Ref`` gives
``A=@name``        the name that the template gives, or else the one that is generated
``A=%B``           what ``Fn::GetAtt`` gives for ``B``
``A=.`` ``A=.B``   the item that the step is made for, a member of it
``A='text'``       the text itself
``A=way(B)``       what one of `ways.WAYS` makes of a property, an item or a text
``A.B=``           a member of a member
``A[]=``           a list of one
=================  =====================================================================================

The steps are those that the types' schemas name under ``handlers``, as far as the template has the properties that they
are for: https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Kind", "Part", "Sweep"]


@dataclass(frozen=True, slots=True)
class Part:
    """A property that has calls of its own: `put` for each of its items, `take` for each that goes.

    Items are told apart by `key`, a member of theirs. `whole`: the property is one item, though it may be a list. `bound`
    items must go before the resource can. `also` are properties by whose change every item is put again.
    """

    property: str
    put: str
    take: str = ""
    key: str = ""
    whole: bool = False
    bound: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is looked for before the resource can go: each at `path` of what `listing` answers, but those with `spared`."""

    listing: str
    path: str
    spared: str
    take: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource type.

    Attributes:
        name: the property that names the resource; without one its physical id is the service's, or generated.
        create: the step that makes it; none where the parts are all there is.
        ref: its physical id: a path into what `create` answers, ``@name``, or ``=text`` with ``{name}``.
        attributes: by the names of ``Fn::GetAtt`` the same.
        read: steps by which the handler looks whether it is there.
        parts: properties with calls of their own, in the order of creation.
        changes: by property the step that changes it in place, and the one for when it goes.
        tags: the steps that tag and untag; the latter's item is the list of keys.
        fixed: properties whose change makes another resource.
        settled: properties that count at creation, and whose change is not simulated.
        before: steps that go before its deletion.
        delete: the step that deletes it.
        sweeps: what goes before it.
        passive: properties that only steer CloudFormation or the calls above.
        longest: of a generated name.
        lower: whether a generated name is in lower case.
        tagged: whether its physical id can bear EC2's tags, which CloudFormation gives it.
    """

    name: str = ""
    create: str = ""
    ref: str = "@name"
    attributes: Mapping[str, str] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    changes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tags: tuple[str, str] | None = None
    fixed: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()
    before: tuple[str, ...] = ()
    delete: str = ""
    sweeps: tuple[Sweep, ...] = ()
    passive: frozenset[str] = frozenset()
    longest: int = 128
    lower: bool = False
    tagged: bool = False

    @property
    def known(self) -> frozenset[str]:
        """All properties that it knows what to do with."""
        parts = {each.property for each in self.parts} | {name for each in self.parts for name in each.also}
        own = {*self.changes, *self.fixed, *self.settled, *self.passive, *parts}
        return frozenset({*own, *([self.name] if self.name else ()), *(["Tags"] if self.tags is not None else ())})
