"""The script of a scenario, as TOML: read, checked to the last parameter, made a `Scenario`.

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
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.drill.acts import ACTS
from pytest_stsguard.drill.patience import IN_A_ROW
from pytest_stsguard.drill.probe import Probe
from pytest_stsguard.drill.scenario import PHASES, PROBES, Act, Scenario
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["load_scenario", "parse_scenario", "shipped"]

_KEYS = {"title", "about", "probes", "denials", "within", "consistency", *PHASES}
_SUFFIX = ".toml"
_LONGEST = 3600


def parse_scenario(data: Mapping[str, Any], *, name: str) -> Scenario:
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
    return Scenario(
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
        return parse_scenario(tomllib.loads(text), name=name)
    path = Path(name)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {(error.strerror or str(error)).lower()}", location=name) from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"is no TOML: {' '.join(str(error).split())}", location=name) from None
    return parse_scenario(data, name=path.name.removesuffix(_SUFFIX))


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
