"""Playing a scenario: part after part, each step timed and told, everything put back at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.drill.acts import ACTS
from pytest_stsguard.drill.ground import Simulated
from pytest_stsguard.drill.metrics import Metrics, measure
from pytest_stsguard.drill.scenario import PHASES, STATES, Scenario
from pytest_stsguard.drill.script import load_scenario
from pytest_stsguard.drill.stage import Stage
from pytest_stsguard.drill.step import Step
from pytest_stsguard.drill.trouble import told
from pytest_stsguard.errors import ConfigurationError, DrillError, StsGuardError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_stsguard.cloud import Credentials
    from pytest_stsguard.drill.ground import Ground
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
    where: Cloud | Ground,
    *,
    runner: Credentials | None = None,
    given: Mapping[str, str] | None = None,
    doubts: Sequence[str] = (),
    listener: Callable[[Step], None] | None = None,
) -> Result:
    """Play a scenario.

    Args:
        scenario: one, or the name of a shipped one, or a TOML file.
        where: a simulated cloud, with the demo world for scenarios that steal from its instances; or another ground.
        runner: in a simulated cloud, whose credentials set the stage, contain and clean up; default: the administrator's.
        given: roles that exist, by the name of the role of the scenario that each stands for; nothing of them is deleted.
        doubts: in what the place differs from the real one; they come first on the timeline.
        listener: is told each step as it happens.

    Raises:
        ConfigurationError: the scenario cannot be used, or not there.
    """
    chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
    ground: Ground = Simulated(where, runner) if isinstance(where, Cloud) else where
    _check_ground(chosen, ground, given or {})
    timeline: list[Step] = []

    def note(action: str, detail: str) -> None:
        timeline.append(Step(ground.clock.now(), action, detail))
        if listener is not None:
            listener(timeline[-1])

    ground.hear(note)
    stage = Stage(ground, chosen, note=note, given=given)
    state = ""
    for doubt in doubts:
        note("doubt", doubt)
    kept = _delay(ground, chosen.consistency)
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
        stage.fail(told(error))
    finally:
        _restore(stage)
        _delay(ground, kept)
    metrics = measure(stage.sightings, stage.moments, region=ground.region)
    return Result(chosen, state, tuple(stage.failures), tuple(timeline), metrics)


def _delay(ground: Ground, consistency: Any) -> Any:
    """Let the simulated cloud see changes late when a scenario asks for it; gives how late they were seen before."""
    if consistency is None or not isinstance(ground, Simulated):
        return None
    kept = ground.cloud.consistency or 0
    ground.cloud.consistency = consistency
    return kept


def _check_ground(scenario: Scenario, ground: Ground, given: Mapping[str, str]) -> None:
    if scenario.simulated_only and not isinstance(ground, Simulated):
        raise ConfigurationError(
            f"`{scenario.name}` can be played in the simulated cloud only: it has `{scenario.simulated_only[0]}` in it",
            hint="play it with --target demo",
        )
    if unknown := sorted(set(given) - set(scenario.roles)):
        raise ConfigurationError(f"`{scenario.name}` makes no role `{unknown[0]}` that another could stand in for")


def _carry_out(stage: Stage, act: Act) -> None:
    try:
        stage.ground.before(act.place)
        ACTS[act.verb](stage, **act.parameters)
    except ConfigurationError as error:
        raise ConfigurationError(error.message, location=act.place, hint=error.hint) from error
    except DrillError as error:
        raise DrillError(error.message, location=act.place, hint=error.hint) from error
    except (StsGuardError, ClientError, BotoCoreError) as error:
        raise DrillError(f"`{act.verb}` failed: {told(error)}", location=act.place) from error
    except TypeError as error:
        raise ConfigurationError(f"`{act.verb}` has a parameter of the wrong kind", location=act.place) from error


def _restore(stage: Stage) -> None:
    """Put back what is in force and delete what was made; what cannot be is a failure, and stops no other."""
    stage.ground.restoring()
    for left in range(len(stage.revocations), 0, -1):
        stage.kept |= not _try(stage, stage.put_back_last, "what was revoked could not be put back")
        del stage.revocations[left - 1 :]
    for name in list(stage.arns):
        _try(stage, partial(stage.strike, name), f"`{name}` could not be deleted")
    if not stage.arns and not stage.kept:
        _try(stage, stage.ground.restored, "the drill's own boundary could not be deleted")


def _try(stage: Stage, step: Callable[[], None], what: str) -> bool:
    """Try it, and where changes are seen late, try it again; whether it was done."""
    patience = stage.patience()
    deadline = patience.deadline()
    while True:
        try:
            step()
        except (StsGuardError, ClientError, BotoCoreError) as error:
            if not patience.over(deadline):
                continue
            stage.fail(f"{what}: {told(error)}")
            return False
        return True


def _check_theft(stage: Stage) -> None:
    """A theft of what nothing is allowed to would prove nothing."""
    for held in stage.sessions.values():
        if held.side == "thief" and not held.proven and held.phase == "theft" and held.credentials.session_token:
            raise DrillError(
                f"nothing is allowed to the stolen session `{held.name}`: denying it would prove nothing",
                hint=f"probe with what the role may do; probed were: {', '.join(stage.scenario.probes)}",
            )
