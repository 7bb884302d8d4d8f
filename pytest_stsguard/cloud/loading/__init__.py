"""Putting an account, given as data, into the simulated cloud: what was put in, and what could not be."""

from __future__ import annotations

from pytest_stsguard.cloud.loading.blueprint import Blueprint
from pytest_stsguard.cloud.loading.loaded import LeftOut, Loaded
from pytest_stsguard.cloud.loading.loader import load

__all__ = ["Blueprint", "LeftOut", "Loaded", "load"]
