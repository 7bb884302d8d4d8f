"""Put `checks/` and `reports/` into the wheel as `pytest_stsguard/checks` and `pytest_stsguard/reports`."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface[Any]):
    """Force both folders into a real wheel; an editable install reads them from the checkout instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders when hatchling builds the wheel that is shipped (`version` is "standard")."""
        if version == "standard":
            build_data["force_include"] |= {
                "checks": "pytest_stsguard/checks",
                "reports": "pytest_stsguard/reports",
            }
