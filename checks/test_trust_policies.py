"""Trust policies: who may assume a role, decided by proof, each finding with a witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.trust import Prover, Zones

if TYPE_CHECKING:
    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Configuration, Recorder


@pytest.mark.stsguard("STSG-101")
def test_no_role_admits_principals_of_any_account(
    sts_account: Account, sts_configuration: Configuration, sts_findings: Recorder
) -> None:
    prover = Prover(Zones.parse({"account": sts_account.id, **sts_configuration.zones}))
    for role in sts_account.roles:
        for witness in prover.prove(role.trust.policy).witnesses:
            if witness.kind == "any-account":
                sts_findings.add(
                    role.arn,
                    witness.summary,
                    evidence={"principal": witness.principal, "action": witness.action, "context": witness.context},
                    place=f"trust policy {witness.statement}",
                    location=role.trust.location,
                )
