"""WHAT EACH SERVICE ADDS TO THE REFERENCE: tables by theme, of the services that need no rules of their own."""

from __future__ import annotations

from pytest_stsguard.cloud.permissions.table import Service

from . import compute, developer, further, management, messaging, security, storage

__all__ = ["table"]

_NONE = Service()


def table(service: str) -> Service:
    """Give the table of a service by its name in boto3; an empty one for a service that needs none."""
    themes = (
        compute.TABLES,
        developer.TABLES,
        further.TABLES,
        management.TABLES,
        messaging.TABLES,
        security.TABLES,
        storage.TABLES,
    )
    return next((theme[service] for theme in themes if service in theme), _NONE)
