"""Playing a scenario: part after part, each step timed and told, everything put back at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.clock import isoformat
from pytest_stsguard.drill.acts import ACTS
from pytest_stsguard.drill.drill import Step
from pytest_stsguard.drill.metrics import Metrics, measure
from pytest_stsguard.drill.scenario import PHASES, STATES, Scenario, load_scenario
from pytest_stsguard.drill.stage import Stage
from pytest_stsguard.errors import ConfigurationError, DrillError, StsGuardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill.scenario import Act

__all__ = ["Result", "play"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a drill.

    Attributes:
        state: the last state that was reached, of `STATES`; empty when not even the first.
        failures: expectations that were not met, or the error that ended the drill; empty: it passed.
        timeline: every step, oldest first.
    """

    scenario: Scenario
    state: str
    failures: tuple[str, ...]
    timeline: tuple[Step, ...]
    metrics: Metrics

    @property
    def passed(self) -> bool:
        """Whether it came to its end and every expectation was met."""
        return not self.failures and self.state == STATES[PHASES[-1]]

    def as_json(self) -> dict[str, Any]:
        """Write it as plain data; it holds no secret."""
        return {
            "schema": 1,
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "passed": self.passed,
            "state": self.state,
            "failures": list(self.failures),
            "metrics": self.metrics.as_json(),
            "timeline": [
                {"at": isoformat(one.at, milliseconds=True), "action": one.action, "detail": one.detail}
                for one in self.timeline
            ],
        }


def play(
    scenario: Scenario | str,
    cloud: Cloud,
    *,
    runner: Credentials | None = None,
    listener: Callable[[Step], None] | None = None,
) -> Result:
    """Play a scenario in a simulated cloud.

    Args:
        scenario: one, or the name of a shipped one, or a TOML file.
        cloud: where; with the demo world for scenarios that steal from its instances.
        runner: whose credentials set the stage, contain and clean up; default: the administrator's.
        listener: is told each step as it happens.

    Raises:
        ConfigurationError: the scenario cannot be used.
    """
    chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
    timeline: list[Step] = []

    def note(action: str, detail: str) -> None:
        timeline.append(Step(cloud.clock.now(), action, detail))
        if listener is not None:
            listener(timeline[-1])

    stage = Stage(cloud, chosen, runner=runner or cloud.admin, note=note)
    state = ""
    try:
        for phase in PHASES:
            stage.phase = phase
            for act in chosen.parts[phase]:
                _carry_out(stage, act)
            if phase == "theft":
                _check_theft(stage)
            state = STATES[phase]
            note("state", state)
    except DrillError as error:
        stage.fail(str(error))
    finally:
        _restore(stage)
    metrics = measure(stage.sightings, stage.moments, region=cloud.region)
    return Result(chosen, state, tuple(stage.failures), tuple(timeline), metrics)


def _carry_out(stage: Stage, act: Act) -> None:
    try:
        ACTS[act.verb](stage, **act.parameters)
    except ConfigurationError as error:
        raise ConfigurationError(error.message, location=act.place, hint=error.hint) from error
    except DrillError as error:
        raise DrillError(error.message, location=act.place, hint=error.hint) from error
    except (StsGuardError, ClientError, BotoCoreError) as error:
        raise DrillError(f"`{act.verb}` failed: {' '.join(str(error).split())}", location=act.place) from error
    except TypeError as error:
        raise ConfigurationError(f"`{act.verb}` has a parameter of the wrong kind", location=act.place) from error


def _restore(stage: Stage) -> None:
    """Put back what is in force and delete what was made; what cannot be is a failure, and stops no other."""
    while stage.revocations:
        _try(stage, stage.put_back, "what was revoked could not be put back")
    for name in list(stage.arns):
        _try(stage, partial(stage.strike, name), f"`{name}` could not be deleted")


def _try(stage: Stage, step: Callable[[], None], what: str) -> None:
    try:
        step()
    except (StsGuardError, ClientError, BotoCoreError) as error:
        stage.fail(f"{what}: {' '.join(str(error).split())}")


def _check_theft(stage: Stage) -> None:
    """A theft of what nothing is allowed to would prove nothing."""
    for held in stage.sessions.values():
        if held.side == "thief" and not held.proven and held.phase == "theft" and held.credentials.session_token:
            raise DrillError(f"nothing is allowed to the stolen session `{held.name}`: denying it would prove nothing")
