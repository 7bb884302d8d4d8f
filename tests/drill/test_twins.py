"""The negative twin of every shipped scenario: the containment is left out, done wrong or undone, and the drill says so."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill import parse_scenario, play, shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Cloud


def data_of(name: str) -> dict[str, Any]:
    text = resources.files("pytest_stsguard.drill").joinpath("scenarios", f"{name}.toml").read_text()
    return tomllib.loads(text)


def revocation(data: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = [act for act in data["containment"] if act["act"] == "revoke"][number]
    return found


def without(number: int) -> Callable[[dict[str, Any]], None]:
    """The containment is left out, or a part of it."""

    def spoil(data: dict[str, Any]) -> None:
        left_out = revocation(data, number)
        data["containment"] = [act for act in data["containment"] if act is not left_out]

    return spoil


def otherwise(number: int, **changes: str) -> Callable[[dict[str, Any]], None]:
    """It is done wrong: to somebody else, or in a way that ends nothing."""

    def spoil(data: dict[str, Any]) -> None:
        act = revocation(data, number)
        act.pop("session_name", None)
        act.update(changes)

    return spoil


def undone(phase: str) -> Callable[[dict[str, Any]], None]:
    """It is taken back before the next part."""
    return lambda data: data[phase].insert(0, {"act": "take-back"})


STILL = "s3.list_buckets to `{}` was allowed, and denied was expected"
# What is done wrong, and what the drill says of it.
TWINS = [
    ("assumed-role", without(0), STILL.format("stolen")),
    ("assumed-role", undone("recovery"), STILL.format("stolen")),
    ("assumed-role", otherwise(0, method="trust-edit"), STILL.format("stolen")),
    (
        "assumed-role",
        otherwise(0, method="deny-all"),
        "s3.list_buckets to `fresh` was denied, and allowed was expected",
    ),
    ("instance-credentials", otherwise(0, target="A4L-DataRole"), STILL.format("stolen")),
    ("instance-credentials", undone("recovery"), STILL.format("stolen")),
    ("container-credentials", without(0), STILL.format("stolen")),
    ("console-session", without(0), STILL.format("console")),
    ("one-session", otherwise(0, session_name="worker"), STILL.format("stolen")),
    ("one-session", otherwise(0, method="older-sessions"), "to `worker` was denied, and allowed was expected"),
    ("chained-role", without(1), STILL.format("chained")),
    ("chained-role", without(0), "stolen assuming drill-second was allowed, and denied was expected"),
    ("role-juggling", without(2), STILL.format("right")),
    ("role-juggling", without(1), STILL.format("left-again")),
    ("thief-assumes-again", without(1), "leaked-key assuming drill-data was allowed, and denied was expected"),
    ("thief-assumes-again", without(2), STILL.format("stolen-again")),
    ("thief-removes-deny", without(1), "iam.delete_role_policy by stolen-later was allowed, and denied was expected"),
    ("deleted-key", without(0), STILL.format("federated")),
    ("early-removal", without(1), STILL.format("stolen")),
    (
        "early-removal",
        lambda data: data["containment"].remove({"act": "take-back"}),
        "`stolen` was denied, and allowed",
    ),
    ("late-revocation", without(0), STILL.format("stolen")),
    ("wrong-ways", without(3), STILL.format("stolen")),
    ("ci-credentials", otherwise(0, method="trust-edit"), STILL.format("stolen")),
]


@pytest.fixture(scope="module")
def shared_cloud() -> Iterator[Cloud]:
    """Give one cloud to plays that each put back what they did."""
    from pytest_stsguard.cloud import Cloud

    with Cloud() as cloud:
        yield cloud


def test_every_scenario_has_a_negative_twin() -> None:
    assert {name for name, _, _ in TWINS} == set(shipped())


@pytest.mark.parametrize(("name", "spoil", "words"), TWINS)
def test_negative_twin_fails_and_says_why(
    shared_cloud: Cloud, name: str, spoil: Callable[[dict[str, Any]], None], words: str
) -> None:
    data = data_of(name) | {"probes": ["s3.list_buckets"], "denials": 1}
    spoil(data)
    result = play(parse_scenario(data, name=name), shared_cloud)
    assert not result.passed
    assert words in " ".join(result.failures)


def test_thief_that_nobody_stops_is_never_revoked(shared_cloud: Cloud) -> None:
    data = data_of("assumed-role")
    without(0)(data)
    result = play(parse_scenario(data, name="none"), shared_cloud)
    assert result.metrics.time_to_revoke is None
