"""Theft, revocation, proof: probes, verdicts, timeline."""

from __future__ import annotations

from pytest_stsguard.drill.drill import Drill, Step
from pytest_stsguard.drill.metadata import fetch_instance_credentials
from pytest_stsguard.drill.observation import Observation, observe
from pytest_stsguard.drill.probe import READ_ONLY, Probe
from pytest_stsguard.drill.verdict import check_allowed, check_denied

__all__ = [
    "READ_ONLY",
    "Drill",
    "Observation",
    "Probe",
    "Step",
    "check_allowed",
    "check_denied",
    "fetch_instance_credentials",
    "observe",
]
