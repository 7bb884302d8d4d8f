"""What a stolen session can become, and who can come by one: asked of an account's proofs and policies."""

from __future__ import annotations

from pytest_stsguard.reach.fault import Fault, record
from pytest_stsguard.reach.proofs import Proofs, zones_of
from pytest_stsguard.reach.survey import Survey

__all__ = ["Fault", "Proofs", "Survey", "record", "zones_of"]
