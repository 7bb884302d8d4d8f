"""Sending findings to AWS Security Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError
from pytest_stsguard.reporting.formats.as_asff import render

if TYPE_CHECKING:
    import boto3

    from pytest_stsguard.reporting.model import Run

__all__ = ["Delivery", "send_asff"]

_BATCH: Final = 100
"""The most findings of one call: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many findings Security Hub took, and what it said of those that it refused."""

    sent: int
    refused: tuple[str, ...]


def send_asff(run: Run, session: boto3.Session) -> Delivery:
    """Import the findings of a run into the Security Hub of the session's region.

    Raises:
        ConfigurationError: the session has no region.
        AwsUnavailableError: Security Hub is out of reach, not enabled there, or refuses the credentials.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only who sends pays for it

    region = session.region_name
    if not region:
        raise ConfigurationError("no region to send the findings to", hint="set AWS_REGION, or the profile's region")
    findings = [_at_home(finding, region) for finding in json.loads(render(run))]
    client = cast("Any", session).client("securityhub")
    sent, refused = 0, list[str]()
    for start in range(0, len(findings), _BATCH):
        try:
            answer = client.batch_import_findings(Findings=findings[start : start + _BATCH])
        except (BotoCoreError, ClientError) as error:
            reason = " ".join(str(error).split())
            raise AwsUnavailableError(f"Security Hub in `{region}` took {sent} findings, then: {reason}") from error
        sent += int(answer["SuccessCount"])
        refused += [f"{entry['Id']}: {entry['ErrorMessage']}" for entry in answer.get("FailedFindings", ())]
    return Delivery(sent, tuple(refused))


def _at_home(finding: dict[str, Any], region: str) -> dict[str, Any]:
    """Name the product of the region that the finding is sent to, as Security Hub asks."""
    parts = finding["ProductArn"].split(":")
    parts[3] = region
    return {**finding, "ProductArn": ":".join(parts)}
