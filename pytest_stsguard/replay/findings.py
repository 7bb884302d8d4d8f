"""The findings of an audit, each witness of which is carried out, and marked with what came of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_stsguard.replay.demonstration import Demonstration
from pytest_stsguard.replay.stage import Stage
from pytest_stsguard.replay.trust import act_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.findings import Finding

__all__ = ["demonstrate"]

_WITNESS = frozenset({"principal", "action", "context"})


def demonstrate(findings: Iterable[Finding], accounts: Sequence[Account]) -> tuple[Finding, ...]:
    """Carry out the witness of each finding that has one, in a cloud with its account in it.

    The evidence of such a finding gets ``demonstrated`` (true or false), ``calls`` (what was called) and, where it was not
    carried out or something had to be assumed, ``demonstration`` (the reason). The others are given as they are.

    Args:
        findings: of any controls.
        accounts: those that the findings are about.

    Raises:
        StsGuardError: the simulated cloud cannot be opened.
    """
    found = list(findings)
    known = {account.id: account for account in accounts}
    by_account: dict[str, list[int]] = defaultdict(list)
    for index, finding in enumerate(found):
        new = "demonstrated" not in finding.evidence
        if new and finding.evidence.keys() >= _WITNESS and ":role/" in finding.resource:
            by_account[finding.resource.split(":")[4]].append(index)
    for account, indices in by_account.items():
        if account not in known:
            continue
        if known[account].partition != "aws":
            reason = f"the simulated cloud does not know the partition `{known[account].partition}`"
            for index in indices:
                found[index] = _marked(found[index], Demonstration(done=False, reason=reason))
            continue
        with Stage(known[account]) as stage:
            for index in indices:
                found[index] = _marked(found[index], _act(stage, found[index]))
    return tuple(found)


def _act(stage: Stage, finding: Finding) -> Demonstration:
    witness: Any = finding.evidence
    return act_out(
        stage,
        finding.resource,
        principal=witness["principal"],
        action=witness["action"],
        context=witness["context"],
    )


def _marked(finding: Finding, shown: Demonstration) -> Finding:
    return replace(finding, evidence={**finding.evidence, **shown.as_evidence()})
