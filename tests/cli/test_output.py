"""What the commands print with: progress where somebody watches, and bad usage in the same words everywhere."""

from __future__ import annotations

import io
import os
import pty
import select
import sys

import click
import pytest

from pytest_stsguard.cli import cli, main
from pytest_stsguard.cli.output import coloured, emit_data, printable, progress

COMMANDS = sorted(cli.list_commands(click.Context(cli)))


def test_progress_is_shown_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, os.fdopen(ours, "rb", buffering=0) as watched:
        monkeypatch.setattr(sys, "stderr", terminal)
        with progress("reading the account"):
            sys.stdout.write("data")
        terminal.flush()
        shown = b""
        # A terminal hands over what there is; what comes later takes another read.
        while b"reading the account" not in shown and select.select([watched], [], [], 10)[0]:
            shown += watched.read(65_536)
        assert b"reading the account" in shown


def test_progress_is_silent_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("reading the account"):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_option_is_bad_usage(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["stsguard", command, "--no-such-option"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert "--no-such-option" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, False),
    ],
)
def test_colours_follow_the_environment(
    variables: dict[str, str], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert coloured() is expected


def test_a_line_each_or_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    emit_data([{"a": 1}, {"b": 2}], "ndjson")
    emit_data({"c": 3}, "ndjson")
    emit_data([], "ndjson")
    emit_data({"d": 4}, "ndjson", lines=[{"e": 5}])
    assert capsys.readouterr().out == '{"a": 1}\n{"b": 2}\n{"c": 3}\n{"e": 5}\n'
    emit_data([], "json")
    assert capsys.readouterr().out == "[]\n"


def test_what_a_terminal_would_act_upon_is_written_out() -> None:
    assert printable("a\x1b[31mb\nc\u202e") == "a\\x1b[31mb\nc\\u202e"
    assert printable("##vso[task.complete]") == "#\\u0023vso[task.complete]"
    assert printable("::error::x") == ":\\u003aerror::x"
