"""examples/account.json audited without a configuration: every control, every resource, nothing more and nothing less."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.cli.checks import run_checks

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_stsguard.findings import Report

AT = "2026-11-20T12:00:00Z"
TRUTH = {
    "STSG-101": {"exports", "public-demo", "shared-auditor", "team-reader"},
    "STSG-102": {
        "cart-pod", "github-deploy-cart", "github-deploy-shop", "github-docs", "github-lint", "github-release",
        "github-test", "migration-2019", "org-reader", "shop-guests", "vendor-billing", "vendor-monitoring",
    },
    "STSG-103": {"migration-2019", "vendor-billing"},
    "STSG-104": {"backup-runner", "trail-to-logs"},
    "STSG-105": {"github-docs", "github-release", "github-test"},
    "STSG-106": {"github-lint", "shop-guests"},
    "STSG-107": {"okta-admin", "okta-readonly"},
    "STSG-108": {"exports"},
    "STSG-109": {"support-desk"},
    "STSG-110": {"migration-2019", "operator"},
    "STSG-113": {"operator", "support-desk"},
    "STSG-201": {"batch-worker", "legacy-importer", "web-tier"},
    "STSG-202": {"contractor", "report-builder"},
    "STSG-203": {"cache-warmer", "search-indexer", "thumbnailer"},
    "STSG-204": {"ledger-sync", "mail-relay"},
    "STSG-205": {"break-glass", "okta-admin"},
    "STSG-302": {"blue-operator", "green-operator", "self-renewing", "exports", "public-demo"},
    "STSG-303": {"backup-runner", "break-glass", "migration-2019", "team-reader"},
    "STSG-304": {"pipeline"},
    "STSG-305": {"jane.doe", "upload-portal"},
}  # fmt: skip
ZONES = """
[zones]
account = "111122223333"
org_id = "o-a1b2c3d4e5"
[zones.trust]
organization = true
accounts = [{id = "444455556666", external_id = ["7b1f0c52-9a54-4d0e-8d5b-2f6f6f1f7c11"]}]
saml = ["Okta"]
github = [{owner = "acme", owner_id = "8675309"}]
eks = [{issuer = "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF", service_accounts = ["shop/*"]}]
"""


def audit(checkout: Path, **options: str) -> Report:
    asked = {"target": f"export:{checkout / 'examples' / 'account.json'}", "at": AT} | options
    return run_checks([*asked.items()]).report


def by_control(report: Report) -> dict[str, set[str]]:
    found = defaultdict(set)
    for finding in report.findings:
        found[finding.control].add(finding.resource.rpartition("/")[2])
    return dict(found)


@pytest.fixture(scope="module")
def report(checkout: Path) -> Report:
    return audit(checkout)


def test_the_example_has_the_faults_that_were_made_into_it_and_no_others(report: Report) -> None:
    assert by_control(report) == TRUTH


def test_what_an_export_cannot_tell_is_not_evaluated_and_never_passed(report: Report) -> None:
    assert set(report.not_evaluated) == {"STSG-301", "STSG-401", "STSG-402"}
    assert report.errors == {}


def test_the_declared_are_no_findings_and_the_rest_still_are(checkout: Path, tmp_path: Path) -> None:
    config = tmp_path / "stsguard.toml"
    config.write_text(ZONES)
    found = by_control(audit(checkout, config=str(config)))
    assert found["STSG-101"] == TRUTH["STSG-101"]
    assert found["STSG-102"] == {"migration-2019", "shop-guests"}
    assert found["STSG-103"] == {"migration-2019", "vendor-billing"}
    assert found["STSG-105"] == {"github-docs", "github-release", "github-test"}
    assert found["STSG-106"] == {"github-lint", "shop-guests"}
    assert found["STSG-107"] == {"okta-readonly"}


def test_every_finding_has_what_a_person_and_a_machine_need(report: Report) -> None:
    findings = report.as_json()["findings"]
    assert len({entry["fingerprint"] for entry in findings}) == len(findings)
    for entry in findings:
        assert entry["resource"].startswith("arn:aws:")
        assert entry["place"]
        assert entry["location"]["line"] > 0
        assert "\n" not in entry["message"]
    assert json.loads(json.dumps(findings)) == findings


def test_role_globs_narrow_the_roles_and_not_the_ways_between_them(checkout: Path) -> None:
    target = f"export:{checkout / 'examples' / 'account.json'}"
    options = [("target", target), ("at", AT), ("role", "blue-*"), ("role", "github-test")]
    found = by_control(run_checks(options).report)
    assert found["STSG-302"] == {"blue-operator"}
    assert found["STSG-105"] == {"github-test"}
    assert "STSG-101" not in found


def test_processes_change_nothing_but_the_time(checkout: Path, report: Report) -> None:
    assert audit(checkout, jobs="2").as_json() == report.as_json()


def test_template_is_audited_and_what_it_does_not_tell_is_undecided(checkout: Path) -> None:
    found = by_control(run_checks([("target", f"cfn:{checkout / 'examples' / 'stack.yaml'}"), ("at", AT)]).report)
    assert found["STSG-101"] == {"shop-production-debug"}
    assert found["STSG-105"] == {"shop-production-deploy"}
    assert found["STSG-111"] == {"STACK-MonitoringRole-STANDIN"}
    assert "STSG-112" not in found


def test_plan_is_audited_and_what_is_known_after_apply_is_undecided(checkout: Path) -> None:
    report = run_checks([("target", f"tfplan:{checkout / 'examples' / 'plan.json'}"), ("at", AT)]).report
    found = by_control(report)
    assert found["STSG-101"] == {"shop-worker-orders"}
    assert found["STSG-103"] == {"vendor-monitoring"}
    assert found["STSG-111"] == {"shop-pipeline"}
    assert "STSG-112" not in found
    assert "ReadOnlyAccess" in report.not_evaluated["STSG-304"]
