"""The IAM resources of a template: roles, users, groups, policies and who has them, instance profiles, providers.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.blueprint import DEFAULT_SESSION, Holder, check_name
from pytest_stsguard.account.document import Document
from pytest_stsguard.account.principal import AttachedPolicy
from pytest_stsguard.account.resource import InstanceProfile
from pytest_stsguard.account.stack.node import ABSENT, Node, Unknown
from pytest_stsguard.account.stack.references import KINDS
from pytest_stsguard.account.unknown import marker
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.blueprint import Blueprint
    from pytest_stsguard.account.stack.resource import Resource
    from pytest_stsguard.account.standins import Standins

__all__ = ["ENTITIES", "StackEntities"]

_NOUNS: Final = {"AWS::IAM::Role": "role", "AWS::IAM::User": "user", "AWS::IAM::Group": "group"}
_ATTACHED: Final = {
    "AWS::IAM::Policy": {"Roles": "role", "Users": "user", "Groups": "group"},
    "AWS::IAM::ManagedPolicy": {"Roles": "role", "Users": "user", "Groups": "group"},
    "AWS::IAM::RolePolicy": {"RoleName": "role"},
    "AWS::IAM::UserPolicy": {"UserName": "user"},
    "AWS::IAM::GroupPolicy": {"GroupName": "group"},
}
_PROVIDERS: Final = {"AWS::IAM::OIDCProvider": "oidc", "AWS::IAM::SAMLProvider": "saml"}
_PROFILE: Final = "AWS::IAM::InstanceProfile"
_MEMBERSHIP: Final = "AWS::IAM::UserToGroupAddition"
ENTITIES: Final = frozenset({*_NOUNS, *_ATTACHED, *_PROVIDERS, _PROFILE, _MEMBERSHIP})
"""The types that are read here."""


class StackEntities:
    """Puts the IAM resources of a template into a blueprint: first who there is, then what they have."""

    def __init__(self, blueprint: Blueprint, standins: Standins) -> None:
        self.blueprint = blueprint
        self.standins = standins
        self._later: list[Resource] = []
        self._managed: dict[str, str] = {}
        self._written: list[tuple[Holder, Resource]] = []

    def collect(self, resource: Resource) -> None:
        """Take in a resource."""
        if resource.type in _NOUNS:
            self._add_holder(resource)
        elif resource.type in _PROVIDERS:
            self._add_provider(resource)
        else:
            self._later.append(resource)
            if resource.type == "AWS::IAM::ManagedPolicy":
                self._managed[resource.logical_id] = self._add_managed(resource)

    def attach(self) -> None:
        """Give policies, groups and profiles to the holders, when all of them are known."""
        for holder, resource in self._written:
            self._complete(holder, resource)
        for resource in self._later:
            if resource.type in _ATTACHED:
                self._attach(resource)
            elif resource.type == _PROFILE:
                self._add_profile(resource)
            else:
                self._add_members(resource)

    def _add_holder(self, resource: Resource) -> None:
        noun = _NOUNS[resource.type]
        name, path = self._name(resource), self._path(resource)
        check_name(name, noun, resource.location, path=path)
        holder = Holder(noun, resource.logical_id, name, resource.location, path=path)
        if noun == "role":
            trust = resource.get("AssumeRolePolicyDocument")
            if trust is not None:
                holder.trust = _document("trust policy", "trust", trust)
            holder.max_session_duration = self._duration(resource)
            holder.tags_known = False  # those of the stack come on top
        holder.boundary = _text_or_unknown(resource.get("PermissionsBoundary"))
        holder.tags = _tags(resource.get("Tags"))
        self.blueprint.add_holder(holder)
        self._written.append((holder, resource))

    def _complete(self, holder: Holder, resource: Resource) -> None:
        """Add inline policies, managed ones, and a user's groups."""
        policies = resource.get("Policies")
        if policies is not None:
            holder.inline += _inline(policies)
        boundary = _reference(resource.written.get("PermissionsBoundary"))
        holder.boundary = self._managed.get(boundary, holder.boundary)
        for written, arn in _pairs(resource, "ManagedPolicyArns"):
            found = self._managed.get(_reference(written)) or _text_or_unknown(arn)
            if found is not None:
                holder.attached.append(AttachedPolicy(found.rpartition("/")[2], found))
        for written, name in _pairs(resource, "Groups"):
            group = self._target("group", written, name, "the membership")
            if group is not None:
                holder.groups.append(group.name)

    def _add_managed(self, resource: Resource) -> str:
        name, path = self._name(resource), self._path(resource)
        check_name(name, "policy", resource.location, path=path)
        node = resource.get("PolicyDocument") or Node(None, resource.location)
        document = _document(self.blueprint.arn("policy", name, path), "identity", node, doubt=resource.doubt)
        return self.blueprint.add_policy(name, document, resource.location, path=path)

    def _attach(self, resource: Resource) -> None:
        """Attach a policy to whom it names."""
        managed = self._managed.get(resource.logical_id)
        for key, noun in _ATTACHED[resource.type].items():
            for written, name in _pairs(resource, key):
                holder = self._target(noun, written, name, f"the policy `{short(resource.logical_id)}`")
                if holder is None:
                    continue
                if managed is not None:
                    holder.attached.append(AttachedPolicy(managed.rpartition("/")[2], managed))
                else:
                    label = resource.get("PolicyName")
                    called = label.text if label is not None else None
                    node = resource.get("PolicyDocument") or Node(None, resource.location)
                    holder.inline.append(
                        _document(called or resource.logical_id, "identity", node, doubt=resource.doubt)
                    )

    def _add_profile(self, resource: Resource) -> None:
        name, path = self._name(resource), self._path(resource)
        check_name(name, "instance profile", resource.location, path=path)
        roles = [
            role.name
            for written, item in _pairs(resource, "Roles")
            if (role := self._target("role", written, item, f"the profile `{short(resource.logical_id)}`"))
        ]
        arn = self.blueprint.arn("instance-profile", name, path)
        self.blueprint.profiles.append(InstanceProfile(name, arn, path, "", tuple(roles), location=resource.location))

    def _add_members(self, resource: Resource) -> None:
        what = f"the membership `{short(resource.logical_id)}`"
        groups = [self._target("group", written, name, what) for written, name in _pairs(resource, "GroupName")]
        users = [self._target("user", written, name, what) for written, name in _pairs(resource, "Users")]
        for user in users:
            for group in groups:
                if user is not None and group is not None:
                    user.groups.append(group.name)

    def _add_provider(self, resource: Resource) -> None:
        kind = _PROVIDERS[resource.type]
        name = self._name(resource).removeprefix("https://")
        audiences = resource.get("ClientIdList")
        known = tuple(item.text for item in (audiences.items if audiences is not None else ()) if item.text is not None)
        self.blueprint.add_provider(kind, name, resource.location, audiences=known)

    def _target(self, noun: str, written: Node, resolved: Node, what: str) -> Holder | None:
        """Find the holder that a value names, by reference or by name."""
        found = self.blueprint.holders.get((noun, _reference(written)))
        if found is not None or resolved.value is ABSENT:
            return found
        if isinstance(resolved.value, Unknown):
            message = f"{what} is for a {noun} that is not known: {resolved.value.name}"
            self.blueprint.problems.append(InputError(message, location=str(written.location)))
            return None
        if resolved.text is None:
            raise InputError(f"expected the name of a {noun}", location=str(written.location))
        found = self.blueprint.named(noun, resolved.text)
        if found is None:
            self.blueprint.outside(what, noun, resolved.text, written.location)
        return found

    def _name(self, resource: Resource) -> str:
        """Give the name of a resource, or what stands in for it when AWS makes it or a parameter holds it."""
        node = resource.get(KINDS[resource.type].name)
        return self.standins.generated(resource.logical_id) if node is None or node.text is None else node.text

    def _path(self, resource: Resource) -> str:
        node = resource.get("Path")
        return "/" if node is None or node.text is None else node.text

    def _duration(self, resource: Resource) -> int | None:
        node = resource.get("MaxSessionDuration")
        if node is None:
            return DEFAULT_SESSION
        if node.text is not None and node.text.isascii() and node.text.isdecimal():
            return int(node.text[:9])
        reason = node.value.name if isinstance(node.value, Unknown) else "it is no number"
        self.blueprint.gaps["MaxSessionDuration"] = f"that of `{short(resource.logical_id)}` is not known: {reason}"
        return None


def _document(name: str, kind: str, node: Node, *, doubt: str | None = None) -> Document:
    """Make a document; one that may not be made at all keeps what it allows, and what it denies is unknown."""
    plain = node.plain() if node.value is not ABSENT else None
    if doubt is not None and isinstance(plain, dict) and "Statement" in plain:
        statements = plain["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        plain["Statement"] = [
            statement
            if isinstance(statement, dict) and statement.get("Effect") == "Allow"
            else marker(f"whether this is denied: {doubt}")
            for statement in listed
        ]
    return Document(name, kind, json.dumps(plain), location=node.located())


def _inline(policies: Node) -> Iterator[Document]:
    """Read the property ``Policies``; a policy that may or may not be there is one that cannot be read."""
    for index, item in enumerate(policies.items):
        label = item.get("PolicyName")
        name = label.text if label is not None and label.text is not None else f"Policies[{index}]"
        body = item if isinstance(item.value, Unknown) else item.get("PolicyDocument")
        yield _document(name, "identity", body or Node(None, item.location))


def _pairs(resource: Resource, name: str) -> Iterator[tuple[Node, Node]]:
    """Go through a list property: each member as it is written and as it is resolved."""
    written, resolved = resource.written.get(name), resource.get(name)
    if written is None or resolved is None:
        return
    own = {id(item.location): item for item in written.items}
    for item in resolved.items:
        yield own.get(id(item.location), item), item


def _reference(node: Node | None) -> str:
    """Give the logical id in a ``Ref``; empty when it is none."""
    inner = node.get("Ref") if node is not None else None
    return inner.text or "" if inner is not None else ""


def _text_or_unknown(node: Node | None) -> str | None:
    """Give a text; what is unknown is named, so that it is found missing by that name."""
    if node is None or node.value is ABSENT:
        return None
    if isinstance(node.value, Unknown):
        return f"unknown value: {node.value.name}"
    if node.text is None:
        raise InputError("expected a text", location=str(node.location))
    return node.text


def _tags(node: Node | None) -> dict[str, str]:
    found: dict[str, Any] = {}
    for item in node.items if node is not None else ():
        key, value = item.get("Key"), item.get("Value")
        if key is not None and value is not None and key.text is not None and value.text is not None:
            found[key.text] = value.text
    return found
