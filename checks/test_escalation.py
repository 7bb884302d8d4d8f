"""Escalation: what a stolen session or key can become."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import escalation, people, record
from pytest_stsguard.reach.assume import MOST_QUESTIONS

if TYPE_CHECKING:
    from pytest_stsguard.findings import Recorder
    from pytest_stsguard.reach import Survey


@pytest.mark.stsguard("STSG-304")
def test_no_role_can_gain_more_than_it_has(sts_survey: Survey, sts_findings: Recorder) -> None:
    permissions, graph = sts_survey.permissions, sts_survey.graph
    for reason in [
        *permissions.missing(permissions.roles),
        *permissions.unknown(permissions.roles, escalation.ASKED),
    ]:
        sts_findings.not_evaluated(reason)
    if not graph.complete:
        sts_findings.error(f"more than {MOST_QUESTIONS} pairs of roles would have to be asked about one by one")
    record(sts_findings, escalation.escalations(permissions, graph))


@pytest.mark.stsguard("STSG-305")
def test_no_user_can_make_federation_tokens_that_outlive_its_key(sts_survey: Survey, sts_findings: Recorder) -> None:
    permissions = sts_survey.permissions
    for reason in [
        *permissions.missing(permissions.users),
        *permissions.unknown(permissions.users, [people.FEDERATE]),
    ]:
        sts_findings.not_evaluated(reason)
    record(sts_findings, people.federation_survivors(permissions))
