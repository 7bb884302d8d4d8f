"""Containment: no session of a role can undo what is done to contain it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import containment, record

if TYPE_CHECKING:
    from pytest_stsguard.findings import Recorder
    from pytest_stsguard.reach import Survey


@pytest.mark.stsguard("STSG-205")
def test_no_session_can_remove_its_own_containment(sts_survey: Survey, sts_findings: Recorder) -> None:
    permissions = sts_survey.permissions
    for reason in [
        *permissions.missing(permissions.roles),
        *permissions.unknown(permissions.roles, containment.UNDOING),
    ]:
        sts_findings.not_evaluated(reason)
    record(sts_findings, containment.own_undoing(permissions))
