"""Trust policies: who may assume a role, decided by one proof a role, each finding with a witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.reach import entrance, federation, people, record, trustees
from pytest_stsguard.reach.admission import ASSUME

if TYPE_CHECKING:
    from pytest_stsguard.findings import Recorder
    from pytest_stsguard.reach import Survey


def prove(survey: Survey, findings: Recorder) -> None:
    """Prove every role, and say so when the prover broke."""
    for role in survey.proofs.roles:
        survey.proofs.of(role)
    for arn, reason in survey.proofs.faults.items():
        findings.error(f"{arn}: {reason}")


@pytest.mark.stsguard("STSG-101")
def test_no_role_admits_principals_of_any_account(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.any_account(sts_survey.proofs))


@pytest.mark.stsguard("STSG-102")
def test_no_account_organisation_or_issuer_outside_the_zones_is_admitted(
    sts_survey: Survey, sts_findings: Recorder
) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.outside_zones(sts_survey.proofs))


@pytest.mark.stsguard("STSG-103")
def test_outside_accounts_need_an_external_id_that_they_cannot_choose(
    sts_survey: Survey, sts_findings: Recorder
) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.chosen_external_id(sts_survey.proofs))


@pytest.mark.stsguard("STSG-104")
def test_services_act_for_declared_sources_only(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    for reason in entrance.unsettled_deputies(sts_survey.proofs):
        sts_findings.not_evaluated(reason)
    record(sts_findings, entrance.confused_deputies(sts_survey.proofs))


@pytest.mark.stsguard("STSG-105")
def test_oidc_subjects_are_pinned(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.wide_claims(sts_survey.proofs, audience=False))
    record(sts_findings, federation.open_subjects(sts_survey.proofs))


@pytest.mark.stsguard("STSG-106")
def test_oidc_audiences_are_pinned(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.wide_claims(sts_survey.proofs, audience=True))
    record(sts_findings, federation.open_audiences(sts_survey.proofs))


@pytest.mark.stsguard("STSG-107")
def test_saml_audiences_are_pinned_and_providers_declared(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, federation.open_assertions(sts_survey.proofs))


@pytest.mark.stsguard("STSG-108")
def test_no_trust_policy_uses_not_principal(sts_survey: Survey, sts_findings: Recorder) -> None:
    record(sts_findings, trustees.excluded(sts_survey.proofs))


@pytest.mark.stsguard("STSG-109")
def test_no_trust_policy_names_a_principal_that_is_gone(sts_survey: Survey, sts_findings: Recorder) -> None:
    record(sts_findings, trustees.gone(sts_survey.proofs))


@pytest.mark.stsguard("STSG-110")
def test_no_account_is_trusted_as_a_whole(sts_survey: Survey, sts_findings: Recorder) -> None:
    record(sts_findings, trustees.whole_accounts(sts_survey.proofs))


@pytest.mark.stsguard("STSG-111")
def test_every_trust_policy_can_be_decided(sts_survey: Survey, sts_findings: Recorder) -> None:
    prove(sts_survey, sts_findings)
    record(sts_findings, entrance.undecided(sts_survey.proofs))


@pytest.mark.stsguard("STSG-113")
def test_roles_that_people_assume_ask_for_mfa(sts_survey: Survey, sts_findings: Recorder) -> None:
    permissions = sts_survey.permissions
    for reason in [*permissions.missing(permissions.users), *permissions.unknown(permissions.users, [ASSUME])]:
        sts_findings.not_evaluated(reason)
    record(sts_findings, people.without_mfa(permissions))
