"""The organisation of moto's Organizations: its service and resource control policies, level by level, and its paths.

The home account of a cloud is the management account; the cloud's other accounts are members as soon as there is an
organisation. Everything is read at the moment of a call, so a policy that is attached counts for the next call.

See "Service control policies", "Resource control policies" and "SCP evaluation" in the AWS Organizations User Guide.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.layers.membership import Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Response
    from pytest_stsguard.cloud.state import State
    from pytest_stsguard.policy import Policy

__all__ = ["RCP", "SCP", "Organization", "Standing"]

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
_KINDS = {SCP: "scp", RCP: "rcp"}
_MODELS = "moto.organizations.models"

Level = tuple["Policy", ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's place in its organisation.

    `path` is the value of aws:PrincipalOrgPaths, ``o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/``; `nodes` are moto's objects
    from the root down to the account.
    """

    organization_id: str
    path: str
    is_management: bool
    nodes: tuple[Any, ...]

    def enabled(self, kind: str) -> bool:
        """Tell whether the root has this type of policy enabled; without it, attached policies do nothing."""
        return any(each["Type"] == kind for each in getattr(self.nodes[0], "policy_types", ()))


class Organization:
    """Read from moto when it is asked; without an organisation it costs one look-up of a module."""

    def __init__(self, backend: Backend, state: State) -> None:
        self._state = state
        self.membership = Membership(backend)

    def standing(self, account: str) -> Standing | None:
        """Give the place of an account; None for one that belongs to no organisation."""
        # Not there yet also while another thread is importing it: nothing can be in it then.
        backends = getattr(sys.modules.get(_MODELS), "organizations_backends", None)
        if backends is None or not account:
            return None
        master, partition = backends.master_accounts.get(account, (account, "aws"))
        # To ask moto's dictionaries for what they lack would make it.
        backend = dict.get(dict.get(backends, master) or {}, partition)
        if backend is None or backend.org is None:
            return None
        member = next((one for one in list(backend.accounts) if one.id == account), None)
        if member is None:
            return None
        nodes = _nodes(backend, member)
        path = "/".join((backend.org.id, *(node.id for node in nodes[:-1]))) + "/"
        return Standing(backend.org.id, path, backend.org.master_account_id == account, nodes)

    def scps(self, account: str) -> tuple[Level, ...]:
        """Give the service control policies that bear on an account's principals, root first; none on management's."""
        return self._levels(account, SCP)

    def rcps(self, account: str) -> tuple[Level, ...]:
        """Give the resource control policies that bear on an account's resources, root first; none on management's."""
        return self._levels(account, RCP)

    def _levels(self, account: str, kind: str) -> tuple[Level, ...]:
        levels = self._current(account, kind)
        propagation = self._state.propagation
        if propagation is not None:
            levels = propagation.seen((kind, account), levels)
        return levels

    def facts(self) -> dict[Hashable, Any]:
        """What binds every account of the cloud, as it truly is, by what `Propagation` knows it."""
        return {(kind, account): self._current(account, kind) for account in self._state.accounts() for kind in _KINDS}

    def _current(self, account: str, kind: str) -> tuple[Level, ...]:
        standing = self.standing(account)
        if standing is None or standing.is_management or not standing.enabled(kind):
            return ()
        return tuple(self._level(node, kind) for node in standing.nodes)

    def _level(self, node: Any, kind: str) -> Level:
        return tuple(
            self._state.parse(each.content, kind=_KINDS[kind], name=f"{each.name} of {node.id}")
            for each in list(node.attached_policies)
            if each.type == kind
        )

    def texts(self, account: str) -> list[list[str]]:
        """Give the service control policies that bear on an account's principals as they are written, root first."""
        standing = self.standing(account)
        if standing is None or standing.is_management or not standing.enabled(SCP):
            return []
        return [[each.content for each in node.attached_policies if each.type == SCP] for node in standing.nodes]

    def keys(self, caller: str, owner: str) -> Mapping[str, str | list[str]]:
        """Give the condition keys of the caller's and of the resource's organisation.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        if _MODELS not in sys.modules:
            return {}
        keys: dict[str, str | list[str]] = {}
        for account, name in ((caller, "Principal"), (owner, "Resource")):
            standing = self.standing(account)
            if standing is not None:
                keys[f"aws:{name}OrgID"] = standing.organization_id
                keys[f"aws:{name}OrgPaths"] = [standing.path]
        return keys

    def attend(self, call: Call, account: str) -> Callable[[Response], Response]:
        """Look at a call to Organizations before moto answers it; see `membership.Membership`."""
        return self.membership.attend(call, account)


def _nodes(backend: Any, member: Any) -> tuple[Any, ...]:
    """Give root, units and account, in this order."""
    nodes = [member]
    units = {unit.id: unit for unit in list(backend.ou)}
    above = units.get(member.parent_id)
    # A unit that was deleted over its accounts leaves them under the root.
    while above is not None and above not in nodes:
        nodes.append(above)
        above = units.get(above.parent_id)
    root = units.get(backend.org.root_id)
    if root is not None and root not in nodes:
        nodes.append(root)
    return tuple(reversed(nodes))
