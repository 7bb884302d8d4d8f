"""Whether a denial can be the containment's doing: AWS names the layer of policies that denied, and each method has its own.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_stsguard.drill.observation import Observation

__all__ = ["foreign"]

_IDENTITY = "identity-based policy"
_LAYERS = {"boundary": "permissions boundary", "scp": "service control policy"}
_NO_DENIAL = {"deactivate-key", "trust-edit", "replace-profile", "restart-instance"}
_NO_GRANT = {"remove-permissions", "delete-role"}
# Nothing that a scenario does beside its revocations writes these.
_ELSEWHERE = {"service control policy", "resource control policy", "VPC endpoint policy", "session policy"}


def foreign(seen: Observation, methods: Sequence[str]) -> str:
    """Say what denied when it cannot be one of the methods that are in force; empty when it can be, or is not told.

    Args:
        seen: a denial.
        methods: of `METHODS`, those that are in force; none: the scenario has contained by calls of its own.
    """
    if not seen.layer:
        return ""
    if not methods:
        own = seen.layer not in _ELSEWHERE
    elif seen.explicit:
        own = seen.layer in {_LAYERS.get(one, _IDENTITY) for one in methods if one not in _NO_DENIAL | _NO_GRANT}
    else:
        own = not _NO_GRANT.isdisjoint(methods)
    if own:
        return ""
    return f"by {'a' if seen.explicit else 'no grant of a'}{'n' if seen.layer[0] in 'aeiou' else ''} {seen.layer}"
