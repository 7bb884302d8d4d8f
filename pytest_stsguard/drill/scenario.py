"""A scenario as data: theft, containment, probes, expectations, recovery and cleanup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.drill.patience import IN_A_ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PHASES", "PROBES", "STATES", "Act", "Scenario"]

PHASES = ("warm_up", "theft", "containment", "recovery", "cleanup")
"""The parts of a scenario, in order."""

STATES = dict(zip(PHASES, ("warmed up", "running", "contained", "recovered", "cleaned"), strict=True))
"""What a drill has reached after each part."""

PROBES = ("s3.list_buckets", "dynamodb.list_tables", "iam.list_account_aliases")
"""The probes of a scenario that names none: read-only, over the rest-xml, json and query protocols."""

_SIMULATED_ONLY = {"instance", "container", "ci", "console", "restart"}


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a part: what is done, with which parameters, and where the file says so."""

    verb: str
    parameters: Mapping[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A drill as data; `parts` maps each of `PHASES` to its acts."""

    name: str
    title: str
    parts: Mapping[str, tuple[Act, ...]]
    about: str = ""
    probes: tuple[str, ...] = PROBES
    denials: int = IN_A_ROW
    within: float | None = None
    consistency: float | None = None

    @property
    def acts(self) -> tuple[Act, ...]:
        """Every act, in order."""
        return tuple(act for phase in PHASES for act in self.parts[phase])

    @property
    def simulated_only(self) -> tuple[str, ...]:
        """The acts and settings for which it needs the simulated cloud; empty: it can be played on an account."""
        acts = tuple(dict.fromkeys(act.verb for act in self.acts if act.verb in _SIMULATED_ONLY))
        return acts if self.consistency is None else ("consistency", *acts)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that it makes, by name, in order: those that others can stand in for."""
        return tuple(str(act.parameters["name"]) for act in self.acts if act.verb == "role")
