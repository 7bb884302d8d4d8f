"""A simulated AWS that enforces: gate, STS, IMDS, trail. Needs `policy`.

The names below are loaded when they are first used, so that an inner room (`calls`, `metadata` ...) can be used alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_stsguard.cloud.cloud import DEFAULT_ACCOUNT, DEFAULT_REGION, Cloud
    from pytest_stsguard.cloud.cloudtrail import Event
    from pytest_stsguard.cloud.credentials import Credentials
    from pytest_stsguard.cloud.instances import Instance
    from pytest_stsguard.cloud.server import Server
    from pytest_stsguard.cloud.trail import Trail
    from pytest_stsguard.cloud.world import DEMO

__all__ = ["DEFAULT_ACCOUNT", "DEFAULT_REGION", "DEMO", "Cloud", "Credentials", "Event", "Instance", "Server", "Trail"]

_HOMES = {
    "DEFAULT_ACCOUNT": "cloud",
    "DEFAULT_REGION": "cloud",
    "DEMO": "world",
    "Cloud": "cloud",
    "Credentials": "credentials",
    "Event": "cloudtrail",
    "Instance": "instances",
    "Server": "server",
    "Trail": "trail",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
