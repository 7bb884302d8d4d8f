"""A control: what is looked for, why it matters, and how to set it right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.findings.severity import Severity

__all__ = ["Control", "Remediation"]


@dataclass(frozen=True, slots=True)
class Remediation:
    """How to set a fault right; each field is text to copy: commands, a resource block, a template fragment."""

    text: str
    cli: str
    terraform: str
    cloudformation: str


@dataclass(frozen=True, slots=True)
class Control:
    """One rule.

    Attributes:
        id: ``STSG-101``; never renumbered.
        title: one line.
        risk: what an attacker gains, in a few sentences.
        references: addresses of AWS's own pages, or of the research behind the rule.
        compliance: framework name to requirement ids: ``{"NIST 800-53 r5": ("AC-3",)}``.
        needs: the parts of an account without which it cannot be evaluated, named as in the account's gaps.
    """

    id: str
    title: str
    severity: Severity
    risk: str
    remediation: Remediation
    references: tuple[str, ...] = ()
    compliance: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    needs: tuple[str, ...] = ()
