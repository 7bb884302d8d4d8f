"""The security token service: our own, on the cloud's ledger; moto's is not consulted."""

from __future__ import annotations

from pytest_stsguard.cloud.sts.devices import totp
from pytest_stsguard.cloud.sts.service import Context, TokenService

__all__ = ["Context", "TokenService", "totp"]
