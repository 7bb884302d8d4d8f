"""Theft, revocation, proof: probes, verdicts, timeline."""

from __future__ import annotations

from pytest_stsguard.drill.drill import Drill
from pytest_stsguard.drill.game import Result, play
from pytest_stsguard.drill.matrix import NOT_MEASURED, Cell, measure_matrix, reason_against
from pytest_stsguard.drill.metadata import fetch_instance_credentials
from pytest_stsguard.drill.metrics import Metrics
from pytest_stsguard.drill.observation import Observation, observe
from pytest_stsguard.drill.probe import READ_ONLY, WIDE, Probe
from pytest_stsguard.drill.scenario import Scenario
from pytest_stsguard.drill.script import load_scenario, parse_scenario, shipped
from pytest_stsguard.drill.step import Step
from pytest_stsguard.drill.verdict import check_allowed, check_denied

__all__ = [
    "NOT_MEASURED",
    "READ_ONLY",
    "WIDE",
    "Cell",
    "Drill",
    "Metrics",
    "Observation",
    "Probe",
    "Result",
    "Scenario",
    "Step",
    "check_allowed",
    "check_denied",
    "fetch_instance_credentials",
    "load_scenario",
    "measure_matrix",
    "observe",
    "parse_scenario",
    "play",
    "reason_against",
    "shipped",
]
