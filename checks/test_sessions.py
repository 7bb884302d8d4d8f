"""Sessions: how long they live, whether they can be renewed past a revocation, who would miss the role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import exposure, record, renewal
from pytest_stsguard.reach.admission import ASSUME
from pytest_stsguard.reach.assume import MOST_QUESTIONS

if TYPE_CHECKING:
    from pytest_stsguard.findings import Configuration, Recorder
    from pytest_stsguard.reach import Survey


@pytest.mark.stsguard("STSG-301")
def test_sessions_are_as_short_as_their_exposure_asks(
    sts_survey: Survey, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    record(sts_findings, exposure.long_sessions(sts_survey.proofs, hours=sts_configuration.limits.session_hours))


@pytest.mark.stsguard("STSG-302")
def test_no_roles_can_assume_each_other_in_a_cycle(sts_survey: Survey, sts_findings: Recorder) -> None:
    permissions, graph = sts_survey.permissions, sts_survey.graph
    for reason in [
        *permissions.missing(permissions.roles),
        *permissions.unknown(permissions.roles, [ASSUME]),
    ]:
        sts_findings.not_evaluated(reason)
    if not graph.complete:
        sts_findings.error(f"more than {MOST_QUESTIONS} pairs of roles would have to be asked about one by one")
    record(sts_findings, renewal.renewals(graph, permissions.wanted))


@pytest.mark.stsguard("STSG-303")
def test_no_role_that_can_be_assumed_is_unused(
    sts_survey: Survey, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    record(sts_findings, exposure.unused_roles(sts_survey.proofs, days=sts_configuration.limits.unused_days))
