"""Findings sent to Security Hub, as moto plays it."""

from __future__ import annotations

from typing import Any

import boto3
import msgspec
import pytest
from click.testing import CliRunner
from moto import mock_aws

from pytest_stsguard.cli.report import report
from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, InputError
from pytest_stsguard.reporting import Run, write
from pytest_stsguard.reporting.delivery import send_asff


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return "eu-west-1"


def test_findings_arrive_in_batches(example: Run, region: str) -> None:
    several = tuple(
        msgspec.structs.replace(one, fingerprint=f"{number:032x}") for number, one in enumerate(example.findings * 5)
    )
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(params["Findings"]))

    with mock_aws():
        session = boto3.Session()
        session.events.register("provide-client-params.securityhub.BatchImportFindings", note)
        done = send_asff(msgspec.structs.replace(example, findings=several), session)
        kept: list[Any] = []
        for page in session.client("securityhub").get_paginator("get_findings").paginate():
            kept += page["Findings"]
    assert done.refused == ()
    assert done.sent == len(kept) == len(several) > 200
    assert sizes == [100, 100, len(several) - 200]
    assert {finding["ProductArn"].split(":")[3] for finding in kept} == {region}


@pytest.mark.usefixtures("region")
def test_command_sends(example: Run, tmp_path: Any) -> None:
    write(example, "json", tmp_path / "run.json")
    with mock_aws():
        done = CliRunner().invoke(report, ["--from", f"{tmp_path}/run.json", "--send-asff"], standalone_mode=False)
    assert done.return_value == 0
    assert done.stderr == f"Security Hub took {len(example.findings)} findings\n"
    assert done.stdout == ""


def test_without_a_region_nothing_is_sent(example: Run) -> None:
    with pytest.raises(ConfigurationError, match="no region"):
        send_asff(example, boto3.Session())


@pytest.mark.usefixtures("region")
def test_security_hub_out_of_reach_is_an_error_of_its_own(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AwsUnavailableError, match="took 0 findings, then: Could not connect") as caught:
        send_asff(example, boto3.Session())
    assert caught.value.exit_code == 3


def test_wrong_use_is_refused(tmp_path: Any, example: Run) -> None:
    write(example, "json", tmp_path / "run.json")
    runner = CliRunner()
    wrong = runner.invoke(report, ["--from", f"{tmp_path}/run.json"])
    assert (wrong.exit_code, "give --format, --send-asff, or both" in wrong.stderr) == (2, True)
    wrong = runner.invoke(report, ["--format", "csv"])
    assert (wrong.exit_code, "give --from FILE, or --schema" in wrong.stderr) == (2, True)
    wrong = runner.invoke(report, ["--from", f"{tmp_path}/run.json", "--send-asff", "-o", "x"])
    assert (wrong.exit_code, "--output needs --format" in wrong.stderr) == (2, True)
    command = ["--from", f"{tmp_path}/run.json", "--send-asff", "--profile", "nobody"]
    assert "no AWS profile `nobody`" in str(runner.invoke(report, command).exception)
    assert isinstance(runner.invoke(report, ["--from", "no-such", "--format", "csv"]).exception, InputError)
