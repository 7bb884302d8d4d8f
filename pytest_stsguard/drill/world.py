"""The user's own account as the world of a drill: what an export, a template or a plan tells of it, in the simulated cloud."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_stsguard.account import load_all
from pytest_stsguard.cloud import DEFAULT_REGION, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.cloud.loading import Loaded

__all__ = ["load_target", "loaded_cloud", "region_of"]


def region_of(account: Account) -> str:
    """Give the region that most instances of an account are in: a simulated cloud runs them in one."""
    regions = [instance.region for instance in account.instances if instance.region]
    return max(dict.fromkeys(regions), key=regions.count, default=DEFAULT_REGION)


@contextmanager
def loaded_cloud(
    accounts: Sequence[Account], *, region: str | None = None, consistency: float | str | None = None
) -> Iterator[Cloud]:
    """Open a simulated cloud with accounts in it, the first as the home account; `Cloud.loaded` tells what is missing.

    Args:
        accounts: what to load.
        region: the home region; default: where most instances of the first account are.
        consistency: as for `Cloud`; default: changes are seen at once.

    Raises:
        StsGuardError: the cloud cannot be opened, or an account cannot be loaded.
    """
    home = accounts[0]
    cloud = Cloud(account=home.id, region=region or region_of(home), world="empty", consistency=consistency)
    with cloud:
        for account in accounts:
            cloud.load(account)
        yield cloud


def load_target(target: str, cloud: Cloud) -> tuple[Loaded, ...]:
    """Load what a target names (``export:FILE``, ``cfn:FILE``, ``tfplan:FILE``, ``aws[:PROFILE]``) into an open cloud.

    Raises:
        StsGuardError: the target cannot be read, or not loaded.
    """
    return tuple(cloud.load(account) for account in load_all(target, account=cloud.account))
