"""The IAM resources of a Terraform plan: roles, users, groups, policies and who has them, profiles, providers.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role
"""

from __future__ import annotations

import json
from re import ASCII
from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.blueprint import DEFAULT_SESSION, Holder, check_name
from pytest_stsguard.account.document import Document
from pytest_stsguard.account.plan.document import planned_document
from pytest_stsguard.account.principal import AttachedPolicy
from pytest_stsguard.account.resource import InstanceProfile
from pytest_stsguard.account.unknown import marker
from pytest_stsguard.errors import InputError
from pytest_stsguard.policy.reading import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account.blueprint import Blueprint
    from pytest_stsguard.account.plan.resource import Planned, Resources

__all__ = ["PlanEntities"]

_NOUNS: Final = {"aws_iam_role": "role", "aws_iam_user": "user", "aws_iam_group": "group"}
_TYPES: Final = {noun: kind for kind, noun in _NOUNS.items()}
_INLINE: Final = {f"aws_iam_{noun}_policy": noun for noun in _NOUNS.values()}
_ATTACHMENTS: Final = {f"aws_iam_{noun}_policy_attachment": ((noun, noun),) for noun in _NOUNS.values()} | {
    "aws_iam_policy_attachment": (("roles", "role"), ("users", "user"), ("groups", "group"))
}
_MEMBERSHIPS: Final = {
    "aws_iam_user_group_membership": ("user", "groups"),
    "aws_iam_group_membership": ("users", "group"),
}
_NOT_IN_NAMES = regex(r"[^\w+=,.@-]+", ASCII)
_IAM_ARN = regex(r"arn:aws[a-z-]*:iam::\d{12}:[!-~]+")
_MOST: Final = 120


class PlanEntities:
    """Puts the IAM resources of a plan into a blueprint."""

    def __init__(self, blueprint: Blueprint, resources: Resources) -> None:
        self.blueprint = blueprint
        self.resources = resources
        self._policies: dict[str, str] = {}

    def add_all(self) -> None:
        """Add who there is, then what they have."""
        for planned in self.resources.of_type("aws_iam_policy"):
            self._add_policy(planned)
        self._add_known_policies()
        for planned in self.resources.of_type(*_NOUNS):
            self._add_holder(planned)
        for planned in self.resources.of_type(*_INLINE):
            noun = _INLINE[planned.type]
            for holder in self._targets(planned, noun, noun):
                label = planned.text("name") or short(planned.address)
                holder.inline.append(planned_document(self.resources, planned, "policy", name=label, kind="identity"))
        for planned in self.resources.of_type(*_ATTACHMENTS):
            for attribute, noun in _ATTACHMENTS[planned.type]:
                for holder in self._targets(planned, attribute, noun):
                    holder.attached += [_attached(arn) for arn in self._arns(planned, "policy_arn")]
        for planned in self.resources.of_type(*_MEMBERSHIPS):
            users, groups = _MEMBERSHIPS[planned.type]
            names = [group.name for group in self._targets(planned, groups, "group")]
            for user in self._targets(planned, users, "user"):
                user.groups += names
        self._add_profiles()
        self._add_providers()

    def _add_policy(self, planned: Planned) -> None:
        name, path = _name(planned), planned.text("path") or "/"
        check_name(name, "policy", planned.location, path=path)
        document = planned_document(self.resources, planned, "policy", name=name, kind="identity")
        self._policies[planned.address] = self.blueprint.add_policy(
            name, document, planned.location, path=path, arn=_arn(planned)
        )

    def _add_known_policies(self) -> None:
        """Add the managed policies that data sources read: the plan holds their text."""
        for planned in self.resources.all.values():
            arn = planned.text("arn")
            if planned.block.startswith("data.aws_iam_policy.") and arn and planned.text("policy"):
                document = planned_document(self.resources, planned, "policy", name=arn, kind="identity")
                self._policies[planned.address] = self.blueprint.add_policy(
                    arn.rpartition("/")[2], document, planned.location, arn=arn
                )

    def _add_holder(self, planned: Planned) -> None:
        noun = _NOUNS[planned.type]
        name, path = _name(planned), planned.text("path") or "/"
        check_name(name, noun, planned.location, path=path)
        holder = Holder(noun, planned.address, name, planned.location, path=path, arn=_arn(planned))
        holder.boundary = next(iter(self._arns(planned, "permissions_boundary")), None)
        tags = planned.values.get("tags_all", planned.values.get("tags"))
        holder.tags = (
            {key: value for key, value in tags.items() if isinstance(value, str)} if isinstance(tags, dict) else {}
        )
        if noun == "role":
            holder.trust = planned_document(
                self.resources, planned, "assume_role_policy", name="trust policy", kind="trust"
            )
            masked = isinstance(planned.unknown, dict) and bool(planned.unknown.get("tags_all"))
            holder.tags_known = not masked and planned.unknown is not True
            holder.max_session_duration = self._duration(planned)
            holder.inline += self._inline(planned)
            holder.attached += [_attached(arn) for arn in self._arns(planned, "managed_policy_arns")]
        self.blueprint.add_holder(holder)

    def _inline(self, planned: Planned) -> Iterator[Document]:
        """Read the blocks ``inline_policy`` of a role."""
        blocks, masks = planned.values.get("inline_policy"), None
        if isinstance(planned.unknown, dict):
            masks = planned.unknown.get("inline_policy")
        if planned.waits("inline_policy") and not isinstance(blocks, list):
            unknown = marker(planned.name_of("inline_policy"))
            label = f"{planned.address}: inline_policy"
            yield Document(label, "identity", json.dumps(unknown), location=planned.location)
            return
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            mask = masks[index] if isinstance(masks, list) and index < len(masks) else masks
            waits = mask is True or (isinstance(mask, dict) and mask.get("policy") is True)
            policy = block.get("policy") if isinstance(block, dict) else None
            if not waits and not policy:
                continue
            name = (block.get("name") if isinstance(block, dict) else None) or f"inline_policy[{index}]"
            raw: Any = marker(planned.name_of("inline_policy")) if waits else policy
            place = planned.location.child("values", "inline_policy", index, "policy")
            yield Document(f"{planned.address}: {name}", "identity", json.dumps(raw), location=place)

    def _duration(self, planned: Planned) -> int | None:
        value = planned.values.get("max_session_duration")
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not planned.waits("max_session_duration"):
            return DEFAULT_SESSION
        reason = planned.name_of("max_session_duration")
        self.blueprint.gaps["MaxSessionDuration"] = f"that of `{short(planned.address)}` is not known: {reason}"
        return None

    def _arns(self, planned: Planned, attribute: str) -> list[str]:
        """List the ARNs of managed policies: known, of policies that are made here, or named as unknown."""
        value = planned.values.get(attribute)
        found = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]
        if planned.waits(attribute):
            made = self.resources.referred_all(planned, planned.expressions.get(attribute), "aws_iam_policy")
            found += [self._policies[one.address] for one in made if one.address in self._policies] or [
                f"unknown value: {planned.name_of(attribute)}"
            ]
        return found

    def _targets(self, planned: Planned, attribute: str, noun: str) -> Iterator[Holder]:
        """Go through the holders that a value names; whoever is not made here is a problem."""
        what = f"`{short(planned.address)}`"
        value = planned.values.get(attribute)
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name:
                holder = self.blueprint.named(noun, name)
                if holder is None:
                    self.blueprint.outside(what, noun, name, planned.location)
                else:
                    yield holder
        if planned.waits(attribute):
            made = self.resources.referred_all(planned, planned.expressions.get(attribute), _TYPES[noun])
            if not made or (len(made) > 1 and not attribute.endswith("s")):
                message = f"{what} is for a {noun} that is not known: {planned.name_of(attribute)}"
                self.blueprint.problems.append(InputError(message, location=str(planned.location)))
                return
            yield from (self.blueprint.holders[noun, one.address] for one in made)

    def _add_profiles(self) -> None:
        for planned in self.resources.of_type("aws_iam_instance_profile"):
            name, path = _name(planned), planned.text("path") or "/"
            check_name(name, "instance profile", planned.location, path=path)
            roles = tuple(role.name for role in self._targets(planned, "role", "role"))
            arn = _arn(planned) or self.blueprint.arn("instance-profile", name, path)
            self.blueprint.profiles.append(InstanceProfile(name, arn, path, "", roles, location=planned.location))

    def _add_providers(self) -> None:
        for planned in self.resources.of_type("aws_iam_openid_connect_provider"):
            url = (planned.text("url") or planned.name_of("url")).removeprefix("https://")
            listed = planned.values.get("client_id_list")
            audiences = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
            self.blueprint.add_provider("oidc", url, planned.location, audiences=audiences)
        for planned in self.resources.of_type("aws_iam_saml_provider"):
            self.blueprint.add_provider("saml", _name(planned), planned.location)


def _name(planned: Planned) -> str:
    """Give a resource's name, or what stands in for one that is not known yet: its address, made fit for an ARN."""
    return planned.text("name") or _NOT_IN_NAMES.sub(".", planned.address).strip(".")[:_MOST]


def _arn(planned: Planned) -> str:
    """Give the ARN of a resource that is there already; empty before it is made."""
    arn = planned.text("arn") or ""
    return arn if _IAM_ARN.fullmatch(arn) else ""


def _attached(arn: str) -> AttachedPolicy:
    return AttachedPolicy(arn.rpartition("/")[2], arn)
