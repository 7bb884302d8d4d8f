"""Carrying out in the simulated cloud what an audit only proves: real calls, by those who should not be able to make them."""

from __future__ import annotations

from pytest_stsguard.replay.demonstration import Demonstration
from pytest_stsguard.replay.findings import demonstrate
from pytest_stsguard.replay.stage import Stage
from pytest_stsguard.replay.trust import act_out

__all__ = ["Demonstration", "Stage", "act_out", "demonstrate"]
