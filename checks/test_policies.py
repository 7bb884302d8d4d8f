"""Policies: every document that is in force can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import documents, record

if TYPE_CHECKING:
    from pytest_stsguard.findings import Recorder
    from pytest_stsguard.reach import Survey


@pytest.mark.stsguard("STSG-112")
def test_every_policy_can_be_read(sts_survey: Survey, sts_findings: Recorder) -> None:
    for problem in sts_survey.account.problems:
        sts_findings.error(str(problem))
    record(sts_findings, documents.unreadable(sts_survey))
