"""Roles, users and groups on their way into the cloud, with their own unique ids: trust is by id, names are used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import new_unique_id
from pytest_stsguard.cloud.loading.policy import MISSING, plain_time

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.loading.blueprint import Group, Holder, Role, User
    from pytest_stsguard.cloud.loading.loaded import Loaded
    from pytest_stsguard.cloud.loading.policy import Policies

__all__ = ["Entities"]

_THERE = "a {noun} of that name is there already"
_DEFAULT_SESSION = "3600"


class Entities:
    """The identities of one account.

    Args:
        backend: moto's state.
        policies: the managed policies, which are there already.
        loaded: where it is noted what was put in.
    """

    def __init__(self, backend: Backend, policies: Policies, loaded: Loaded) -> None:
        self._policies = policies
        self._loaded = loaded
        self._region = backend.region
        self._iam = backend.service("iam", account=loaded.account)
        self._roles = {role.name for role in list(self._iam.roles.values())}
        holders = (*self._iam.roles.values(), *self._iam.users.values(), *self._iam.groups.values())
        self._ids = {holder.id for holder in holders}

    def add_group(self, group: Group) -> None:
        """Add a group; its members come with the users."""
        from moto.iam.models import Group as Made  # noqa: PLC0415 - moto is imported when a cloud opens

        if self._refused("group", group, there=group.name in self._iam.groups):
            return
        made = Made(self._loaded.account, self._region, group.name, group.path)
        self._fill(made, group, "AGPA")
        self._iam.groups[group.name] = made

    def add_user(self, user: User) -> None:
        """Add a user, without credentials: no source holds them."""
        from moto.iam.models import User as Made  # noqa: PLC0415 - as above

        if self._refused("user", user, there=user.name in self._iam.users):
            return
        made = Made(self._loaded.account, self._region, user.name, user.path)
        self._fill(made, user, "AIDA")
        made.permissions_boundary_arn = self._boundary(user.arn, user.boundary)
        self._iam.tagger.tag_resource(made.arn, _tags(user.tags))
        self._iam.users[user.name] = made
        for name in user.groups:
            if name in self._iam.groups:
                self._iam.groups[name].users.append(made)
            else:
                self._loaded.note(user.arn, f"its group `{name}` is not in the source", whole=False)

    def add_role(self, role: Role) -> None:
        """Add a role; AWS's own service-linked roles are left to AWS."""
        from moto.iam.models import Role as Made  # noqa: PLC0415 - as above

        if role.service_linked:
            self._loaded.note(
                role.arn, "it is linked to a service: AWS owns it, and nobody else can assume or change it"
            )
            return
        if role.trust.text == MISSING:
            self._loaded.note(role.arn, "the source does not hold its trust policy")
            return
        if self._refused("role", role, there=role.name in self._roles):
            return
        seconds = role.max_session_duration
        made = Made(
            account_id=self._loaded.account,
            partition="aws",
            role_id="",
            name=role.name,
            assume_role_policy_document=role.trust.text,
            path=role.path,
            permissions_boundary=self._boundary(role.arn, role.boundary),
            description="",
            tags=_tags(role.tags),
            max_session_duration=_DEFAULT_SESSION if seconds is None else str(seconds),
        )
        made.last_used, made.last_used_region = plain_time(role.last_used), role.last_used_region
        self._fill(made, role, "AROA")
        self._policies.doubt(role.arn, role.trust)
        self._iam.roles[made.id] = made
        self._roles.add(role.name)

    def _fill(self, made: Any, source: Holder, prefix: str) -> None:
        """Give one of moto's holders what all of them have."""
        made.id = self._id(source, prefix)
        made.create_date = plain_time(source.created) or made.create_date
        self._policies.put_inline(source.arn, source.inline, made)
        self._policies.attach(source.arn, source.attached, made)
        self._loaded.arns.append(source.arn)

    def _id(self, source: Holder, prefix: str) -> str:
        found = source.id
        if not found or found in self._ids:
            if found:
                self._loaded.note(source.arn, f"its unique id `{found}` is another's: it has a new one", whole=False)
            found = new_unique_id(prefix)
        self._ids.add(found)
        return found

    def _refused(self, noun: str, source: Holder, *, there: bool) -> bool:
        """Note why something cannot be added."""
        if there:
            self._loaded.note(source.arn, _THERE.format(noun=noun))
        elif source.arn != f"arn:aws:iam::{self._loaded.account}:{noun}{source.path}{source.name}":
            self._loaded.note(source.arn, "its ARN does not go with its account, path and name")
        else:
            return False
        return True

    def _boundary(self, arn: str, boundary: str | None) -> str | None:
        """Give a boundary as it is; one that is missing allows nothing, which must not go without saying."""
        if boundary and self._policies.find(boundary) is None:
            reason = f"its boundary `{boundary}` is not in the source: here it allows nothing"
            self._loaded.note(arn, reason, whole=False)
        return boundary


def _tags(tags: Any) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
