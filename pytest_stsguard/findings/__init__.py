"""Findings, severities and the catalogue of controls."""

from pytest_stsguard.findings.baseline import Baseline
from pytest_stsguard.findings.catalogue import control, controls
from pytest_stsguard.findings.configuration import Configuration, Limits
from pytest_stsguard.findings.control import Control, Remediation
from pytest_stsguard.findings.finding import Finding, fingerprint
from pytest_stsguard.findings.mute import Mute
from pytest_stsguard.findings.reasons import Reasons
from pytest_stsguard.findings.recorder import Recorder
from pytest_stsguard.findings.report import Report
from pytest_stsguard.findings.severity import Severity
from pytest_stsguard.findings.suggestion import suggest
from pytest_stsguard.findings.triage import Triage

__all__ = [
    "Baseline",
    "Configuration",
    "Control",
    "Finding",
    "Limits",
    "Mute",
    "Reasons",
    "Recorder",
    "Remediation",
    "Report",
    "Severity",
    "Triage",
    "control",
    "controls",
    "fingerprint",
    "suggest",
]
