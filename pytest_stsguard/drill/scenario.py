"""A scenario as data: theft, containment, probes, expectations, recovery and cleanup, read from TOML.

::

    title  = "The output of assume-role leaks"
    about  = "..."
    probes = ["s3.list_buckets"]     # default: a read-only set over three protocols
    denials = 3                      # so many in a row before a denial is believed
    within  = 60                     # seconds that each expectation is waited for; default: what the place needs
    consistency = 60                 # seconds within which the simulated cloud lets a change be seen; default: at once

    [[warm_up]]                      # then [[theft]], [[containment]], [[recovery]], [[cleanup]]
    act  = "role"
    name = "data"
"""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.drill.patience import IN_A_ROW
from pytest_stsguard.drill.probe import Probe
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PHASES", "PROBES", "STATES", "Act", "Scenario", "load_scenario", "shipped"]

PHASES = ("warm_up", "theft", "containment", "recovery", "cleanup")
"""The parts of a scenario, in order."""

STATES = dict(zip(PHASES, ("warmed up", "running", "contained", "recovered", "cleaned"), strict=True))
"""What a drill has reached after each part."""

PROBES = ("s3.list_buckets", "dynamodb.list_tables", "iam.list_account_aliases")
"""The probes of a scenario that names none: read-only, over the rest-xml, json and query protocols."""

_KEYS = {"title", "about", "probes", "denials", "within", "consistency", *PHASES}
_SUFFIX = ".toml"
_LONGEST = 3600
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

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, name: str) -> Scenario:
        """Check a scenario's data.

        Raises:
            ConfigurationError: an unknown key or act, a parameter that is missing or too many; with its place.
        """
        if unknown := sorted(set(data) - _KEYS):
            raise ConfigurationError(
                f"unknown key `{unknown[0]}`", location=name, hint=f"it takes: {', '.join(sorted(_KEYS))}"
            )
        denials = data.get("denials", IN_A_ROW)
        if not isinstance(denials, int) or isinstance(denials, bool) or not 1 <= denials <= 100:  # noqa: PLR2004 - sane
            raise ConfigurationError(f"`denials` is a number from 1 to 100, not `{denials}`", location=name)
        within, consistency = _seconds(data, "within", name), _seconds(data, "consistency", name)
        probes = _probes(data.get("probes", list(PROBES)), name)
        parts = {phase: _part(data.get(phase, []), f"{name}: {phase}") for phase in PHASES}
        if not parts["theft"]:
            raise ConfigurationError("nothing is stolen", location=name, hint="write a part [[theft]]")
        title, about = str(data.get("title", name)), str(data.get("about", ""))
        return cls(
            name, title, parts, about=about, probes=probes, denials=denials, within=within, consistency=consistency
        )


def load_scenario(name: str) -> Scenario:
    """Load a shipped scenario by its name, or the user's own from a TOML file.

    Raises:
        ConfigurationError: no such scenario, or a file that cannot be used.
    """
    if not name.endswith(_SUFFIX):
        if name not in shipped():
            raise ConfigurationError(
                f"there is no scenario `{name}`", hint=f"there are: {', '.join(shipped())}, or give a file NAME.toml"
            )
        text = resources.files(__package__).joinpath("scenarios", name + _SUFFIX).read_text(encoding="utf-8")
        return Scenario.parse(tomllib.loads(text), name=name)
    path = Path(name)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {(error.strerror or str(error)).lower()}", location=name) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"is no TOML: {' '.join(str(error).split())}", location=name) from None
    return Scenario.parse(data, name=path.name.removesuffix(_SUFFIX))


def shipped() -> tuple[str, ...]:
    """List the scenarios that come with the package, by name."""
    folder = resources.files(__package__).joinpath("scenarios")
    return tuple(sorted(one.name.removesuffix(_SUFFIX) for one in folder.iterdir() if one.name.endswith(_SUFFIX)))


def _seconds(data: Mapping[str, Any], key: str, name: str) -> float | None:
    value = data.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST:
        raise ConfigurationError(f"`{key}` is a number of seconds up to {_LONGEST}, not `{value}`", location=name)
    return float(value)


def _probes(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise ConfigurationError("`probes` is a list of calls", location=name, hint='as ["s3.list_buckets"]')
    for one in value:
        Probe.of(one)
    return tuple(value)


def _part(value: Any, place: str) -> tuple[Act, ...]:
    if not isinstance(value, list):
        raise ConfigurationError("is a list of tables", location=place, hint="write it as [[...]]")
    return tuple(_act(one, f"{place}[{index}]") for index, one in enumerate(value))


def _act(value: Any, place: str) -> Act:
    from pytest_stsguard.drill.acts import ACTS  # noqa: PLC0415 - acts need this module's values

    if not isinstance(value, dict) or not isinstance(value.get("act"), str):
        raise ConfigurationError("says no `act`", location=place, hint=f"one of: {', '.join(ACTS)}")
    parameters = {key: one for key, one in value.items() if key != "act"}
    found = ACTS.get(value["act"])
    if found is None:
        raise ConfigurationError(f"unknown act `{value['act']}`", location=place, hint=f"one of: {', '.join(ACTS)}")
    taken = {name: one for name, one in inspect.signature(found).parameters.items() if name != "stage"}
    open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
    if (unknown := sorted(set(parameters) - set(taken))) and not open_ended:
        raise ConfigurationError(f"act `{value['act']}` takes no `{unknown[0]}`", location=place)
    required = [name for name, one in taken.items() if one.default is one.empty and one.kind is one.KEYWORD_ONLY]
    if missing := [name for name in required if name not in parameters]:
        raise ConfigurationError(f"act `{value['act']}` needs `{missing[0]}`", location=place)
    return Act(value["act"], parameters, place)
