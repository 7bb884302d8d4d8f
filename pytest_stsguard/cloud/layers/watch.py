"""What a call changes of all that authorization looks at, noted for `Propagation`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.request import unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.layers.organization import Organization
    from pytest_stsguard.cloud.layers.resource_policies import ResourcePolicies
    from pytest_stsguard.cloud.permissions import Permission
    from pytest_stsguard.cloud.request import Response
    from pytest_stsguard.cloud.state import State

__all__ = ["Watch"]

_READING = re.compile(r"(Get|List|Describe|Head|Simulate|Generate|Select|Query|Scan|BatchGet|Receive)")


class Watch:
    """Compares the account before and after each call that may change it; does nothing where changes are seen at once."""

    def __init__(self, state: State, organization: Organization, resource_policies: ResourcePolicies) -> None:
        self._state = state
        self._organization = organization
        self._resource_policies = resource_policies

    def attend(self, call: Call, account: str, needed: tuple[Permission, ...]) -> Callable[[Response], Response]:
        """Look at what is there before a call; what is given back notes what has changed after it."""
        propagation = self._state.propagation
        if propagation is None or _READING.match(call.operation):
            return unchanged
        before = self._facts(call, account, needed)

        def settle(response: Response) -> Response:
            propagation.note(before, self._facts(call, account, needed))
            return response

        return settle

    def _facts(self, call: Call, account: str, needed: tuple[Permission, ...]) -> dict[Hashable, Any]:
        if call.service == "iam":
            return self._state.principals(account)
        if call.service == "organizations":
            return self._organization.facts()
        return self._resource_policies.facts({permission.resource for permission in needed})
