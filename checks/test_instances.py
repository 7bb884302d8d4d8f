"""Instances: how they hand credentials out, and to how many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import exposure, record

if TYPE_CHECKING:
    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Configuration, Recorder


@pytest.mark.stsguard("STSG-401")
def test_metadata_services_ask_for_a_token_and_answer_the_instance_alone(
    sts_account: Account, sts_findings: Recorder
) -> None:
    silent = exposure.without_options(sts_account)
    if silent:
        sts_findings.not_evaluated(f"metadata options: the source does not tell those of {silent} instances")
    record(sts_findings, exposure.old_metadata(sts_account))


@pytest.mark.stsguard("STSG-402")
def test_no_instance_role_is_shared_too_widely(
    sts_account: Account, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    most = sts_configuration.limits.shared_instances
    record(sts_findings, exposure.shared_roles(sts_account, sts_account.roles, most=most))
