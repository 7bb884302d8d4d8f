"""`stsguard drill`: a timeline and figures, data on stdout, exit codes by contract."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_stsguard.drill import shipped

STSGUARD = str(Path(sys.executable).with_name("stsguard"))


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STSGUARD, "drill", *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def test_scenario_is_told_from_theft_to_cleanup() -> None:
    done = run("one-session")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0] == "One session is ended, the others work on"
    assert [line.split()[1] for line in lines if line[:2] == "20"].count("state") == 5
    for word in ("exposure", "time to revoke", "first denied call", "collateral", "cleanup due"):
        assert any(line.startswith(word) for line in lines)
    assert "one-session: passed" in lines


def test_failed_drill_exits_with_1(tmp_path: Path) -> None:
    text = """
probes = ["s3.list_buckets"]
[[warm_up]]
act = "role"
name = "mine"
[[theft]]
act = "assume"
role = "mine"
session = "stolen"
[[containment]]
act = "expect"
session = "stolen"
outcome = "denied"
"""
    (tmp_path / "mine.toml").write_text(text)
    done = run("mine.toml", "--output", "json", cwd=tmp_path)
    assert done.returncode == 1
    (result,) = json.loads(done.stdout)
    assert (result["scenario"], result["passed"], result["schema"]) == ("mine", False, 1)
    assert result["failures"] == ["s3.list_buckets to `stolen` was allowed, and denied was expected"]


def test_scenarios_are_listed_and_the_matrix_printed() -> None:
    assert [line.split()[0] for line in run("--list").stdout.splitlines()] == list(shipped())
    lines = run("--matrix", "--method", "user-sessions").stdout.splitlines()
    assert lines[0].split("  ")[0] == "method"
    assert any(
        line.split() == ["user-sessions", "session", "token", *["denied"] * 2, *["allowed"] * 2] for line in lines
    )
    assert (
        "user-sessions: not against root task: nothing can be attached to a root user: only a service control policy "
        "reaches it" in lines
    )


def test_scenario_is_played_on_a_role_of_an_export(checkout: Path) -> None:
    target = ("--target", f"export:{checkout / 'examples' / 'account.json'}", "--role", "app-server")
    probe = ("--probe", "s3.list_objects_v2 Bucket=acme-config")
    done = run("early-removal", *target, *probe, "--output", "json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["passed"]
    assert result["metrics"]["first_denied"].keys() == {"s3 us-east-1"}
    told = [one["detail"] for one in result["timeline"]]
    assert "role app-server in the place of drill-data" in told
    assert "not loaded as it is: instances" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "what to play is not said"),
        (("nothing",), "no scenario `nothing`"),
        (("--matrix", "--method", "hope"), "unknown revocation method"),
        (("assumed-role", "--target", "moon:x"), "`moon:x`"),
        (("assumed-role", "--role", "a", "--role", "b"), "has 1 roles to stand in for"),
        (("assumed-role", "--probe", "fly"), "`fly` is no probe"),
        (("--rollback",), "nothing of `demo` can be changed"),
        (("assumed-role", "--live-drill"), "nothing of `demo` can be changed"),
    ],
)
def test_bad_usage_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
