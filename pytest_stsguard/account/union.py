"""Several accounts as one, for what looks at all of them at once: a report, an index over ARNs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_stsguard.account.model import Account

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["together"]


def together(accounts: Sequence[Account], *, source: str = "") -> Account:
    """Put the accounts of an organisation together; ARNs tell them apart, names do not.

    The id is the management account's where that is known, else the first account's. Problems and gaps are those of each.

    Args:
        accounts: at least one.
        source: what they are called together.
    """
    first = accounts[0]
    organization = next((one.organization for one in accounts if one.organization is not None), None)
    return Account(
        id=(organization.management_account if organization else None) or first.id,
        partition=first.partition,
        roles=tuple(chain.from_iterable(one.roles for one in accounts)),
        users=tuple(chain.from_iterable(one.users for one in accounts)),
        groups=tuple(chain.from_iterable(one.groups for one in accounts)),
        policies=tuple(chain.from_iterable(one.policies for one in accounts)),
        instance_profiles=tuple(chain.from_iterable(one.instance_profiles for one in accounts)),
        instances=tuple(chain.from_iterable(one.instances for one in accounts)),
        identity_providers=tuple(chain.from_iterable(one.identity_providers for one in accounts)),
        organization=organization,
        problems=tuple(chain.from_iterable(one.problems for one in accounts)),
        gaps={f"{name} of {one.id}": reason for one in accounts for name, reason in one.gaps.items()},
        source=source,
    )
