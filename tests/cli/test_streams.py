"""What a command prints to may be gone, full or closed: the exit code stays true, and there is no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STSGUARD = Path(sys.executable).with_name("stsguard")
TOO_BROAD = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}'
)
COMMANDS = [(("--help",), 0), (("controls",), 0), (("report", "--schema"), 0), (("prove", "--output", "json"), 1)]
"""Printed by click, by this package as text and as bytes, and with an exit code of its own; with the code of each."""
IDS = [arguments[0] for arguments, _ in COMMANDS]

commands = pytest.mark.parametrize(("arguments", "code"), COMMANDS, ids=IDS)


def run(arguments: tuple[str, ...], *, stdout: int, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(STSGUARD), *arguments], input=TOO_BROAD, stdout=stdout, stderr=stderr, text=True, check=False, timeout=60
    )


@commands
def test_reader_that_has_seen_enough_is_no_error(arguments: tuple[str, ...], code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(arguments, stdout=writer)
    finally:
        os.close(writer)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr


@commands
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_full_disk_is_one_line(
    arguments: tuple[str, ...], code: int, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("w") as full:
        done = run(arguments, stdout=full.fileno())
    assert (done.returncode, code < 2) == (2, True)
    assert done.stderr.splitlines()[-1] == "stsguard: standard output: cannot be written: no space left on device"
    assert "Traceback" not in done.stderr


@commands
def test_closed_stream_is_nowhere(arguments: tuple[str, ...], code: int) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" >&-', "bash", str(STSGUARD), *arguments],
        input=TOO_BROAD, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("simulate",), ("prove", "--jsonl")], ids=["simulate", "prove"])
def test_endless_input_ends_with_its_reader(arguments: tuple[str, ...]) -> None:
    line = json.dumps({"id": 1, "trust_policy": TOO_BROAD, "zones": {"account": "111122223333"}})
    script = f"yes '{line}' | \"$@\" | head -n 1"
    command = ["timeout", "60", "bash", "-c", script, "bash", str(STSGUARD), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["id"] == 1
    assert "Traceback" not in done.stderr


def test_messages_that_nobody_reads_do_not_change_the_code() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run(("audit", "export:absent.json"), stdout=subprocess.DEVNULL, stderr=writer)
    finally:
        os.close(writer)
    assert done.returncode == 2


def test_audit_runs_with_every_stream_closed(checkout: Path, tmp_path: Path) -> None:
    report = tmp_path / "run.json"
    target = f"cfn:{checkout / 'examples' / 'stack.yaml'}"
    command = ["bash", "-c", '"$@" <&- >&- 2>&-', "bash", str(STSGUARD), "audit", target, "--report", f"json:{report}"]
    assert subprocess.run(command, check=False, timeout=60).returncode == 1
    assert "STSG-101" in report.read_text()


def test_text_that_the_encoding_lacks_is_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)
    missing = tmp_path / "größe.json"
    done = run(("audit", f"export:{missing}"), stdout=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize("entry", ["main", "templates"])
def test_interrupt_while_the_command_is_loaded(entry: str) -> None:
    script = f"""
import sys
class Interrupted:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
from pytest_stsguard.__main__ import {entry}
{entry}()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")


def test_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_stsguard", "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("stsguard, version ")
