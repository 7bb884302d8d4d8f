"""``stsguard audit --replay``: findings that were carried out say so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from pytest_stsguard.cli.audit import audit

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-11-20T12:00:00Z"


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> list[dict[str, Any]]:
    report = tmp_path_factory.mktemp("replay") / "report.json"
    arguments = [f"export:{checkout / 'examples' / 'account.json'}", "--replay", "--at", AT, "--output", "json"]
    result = CliRunner().invoke(audit, [*arguments, "--report", f"json:{report}"], standalone_mode=False)
    assert result.return_value == 1, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    written = json.loads(report.read_text())["findings"]
    shown = {one["fingerprint"]: one["evidence"].get("demonstrated") for one in written}
    assert shown == {one["fingerprint"]: one["evidence"].get("demonstrated") for one in found}
    return found


def test_open_roles_of_the_example_are_demonstrated(findings: list[dict[str, Any]]) -> None:
    by_role = {
        one["resource"].rpartition("/")[2]: one["evidence"] for one in findings if "demonstrated" in one["evidence"]
    }
    for name in ("public-demo", "team-reader", "vendor-billing", "trail-to-logs", "github-test", "okta-admin"):
        assert by_role[name]["demonstrated"] is True
        assert "GetCallerIdentity answered" in by_role[name]["calls"][-1]
    assert by_role["shop-guests"]["demonstrated"] is True
    assert "stands in" in by_role["cart-pod"]["demonstration"]


def test_only_findings_with_a_witness_are_marked(findings: list[dict[str, Any]]) -> None:
    for one in findings:
        assert ("demonstrated" in one["evidence"]) is ("action" in one["evidence"])


def test_a_run_without_replay_marks_nothing(checkout: Path) -> None:
    target = f"export:{checkout / 'examples' / 'account.json'}"
    arguments = [target, "--role", "public-demo", "--at", AT, "--output", "json"]
    result = CliRunner().invoke(audit, arguments, standalone_mode=False)
    assert json.loads(result.stdout)["findings"]
    assert "demonstrated" not in result.stdout


def test_the_table_says_what_was_demonstrated(checkout: Path) -> None:
    target = f"export:{checkout / 'examples' / 'account.json'}"
    arguments = [target, "--role", "public-demo", "--at", AT, "--replay"]
    result = CliRunner().invoke(audit, arguments, standalone_mode=False)
    assert "STSG-101  arn:aws:iam::111122223333:role/public-demo  (demonstrated)" in result.stdout
