"""How narrow a trust policy is: decides, and gives a witness. Needs `policy` only."""

from __future__ import annotations

from pytest_stsguard.trust.prover import Proof, Prover, prove
from pytest_stsguard.trust.witness import Witness
from pytest_stsguard.trust.zones import ExternalAccount, OidcZone, Zones

__all__ = ["ExternalAccount", "OidcZone", "Proof", "Prover", "Witness", "Zones", "prove"]
