"""From an account as data to the simulated cloud, written into moto's models: the documents stay as the source has them.

The gate is not asked: an account holds what IAM took at another time, and what one rule of today would refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_stsguard.cloud.loading.entity import Entities
from pytest_stsguard.cloud.loading.loaded import Loaded
from pytest_stsguard.cloud.loading.machine import load_instances, load_profiles
from pytest_stsguard.cloud.loading.policy import Policies
from pytest_stsguard.cloud.loading.provider import load_providers
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.loading.blueprint import Blueprint

__all__ = ["load"]

_ASSUMED = {"MaxSessionDuration": "sessions last 3600 seconds at most here"}


def load(blueprint: Blueprint, backend: Backend) -> Loaded:
    """Put an account into the cloud behind `backend`, beside what is there; nothing that is there is replaced.

    ARNs, paths, unique ids, dates, tags, boundaries and every version of a policy stay what they are.

    Raises:
        ConfigurationError: the account is of a partition that is not simulated.
    """
    if blueprint.partition != "aws":
        raise ConfigurationError(
            f"account `{blueprint.id}` is of the partition `{blueprint.partition}`", hint="only `aws` is simulated"
        )
    loaded = Loaded(blueprint.id)
    for name, reason in blueprint.gaps.items():
        assumed = f"{reason}: {_ASSUMED[name]}" if name in _ASSUMED else reason
        loaded.note(name, assumed, whole=name not in _ASSUMED)
    policies = Policies(backend, loaded)
    policies.load(blueprint.policies)
    entities = Entities(backend, policies, loaded)
    for group in blueprint.groups:
        entities.add_group(group)
    for user in blueprint.users:
        entities.add_user(user)
    for role in blueprint.roles:
        entities.add_role(role)
    load_profiles(blueprint.instance_profiles, backend, loaded)
    load_instances(blueprint.instances, backend, loaded)
    load_providers(blueprint.identity_providers, backend, loaded)
    return loaded
