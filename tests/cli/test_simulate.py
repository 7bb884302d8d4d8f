"""``stsguard simulate`` reads lines, answers each, and never ends early."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from pytest_stsguard.cli import simulate as module
from pytest_stsguard.cli.simulate import simulate

if TYPE_CHECKING:
    from pathlib import Path

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
RECORD = {"id": "r", "PolicyInputList": [ALLOW], "ActionNames": ["s3:GetObject"]}
PROGRAM = [sys.executable, "-m", "pytest_stsguard", "simulate"]


def run(*lines: object, arguments: tuple[str, ...] = ()) -> Result:
    data = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    return CliRunner().invoke(simulate, arguments, input=data)


def answers(*lines: object) -> list[dict[str, Any]]:
    result = run(*lines)
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_line_for_each_line() -> None:
    first, second = answers(RECORD, {**RECORD, "id": "s", "ActionNames": ["ec2:RunInstances"]})
    assert (first["id"], first["EvaluationResults"][0]["EvalDecision"]) == ("r", "allowed")
    assert (second["id"], second["EvaluationResults"][0]["EvalDecision"]) == ("s", "implicitDeny")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(RECORD).encode())
    result = run(arguments=(str(path),))
    assert json.loads(result.stdout)["id"] == "r"


def test_a_missing_file_is_bad_usage(tmp_path: Path) -> None:
    assert run(arguments=(str(tmp_path / "none"),)).exit_code == 2
    assert run(arguments=(str(tmp_path),)).exit_code == 2


@pytest.mark.parametrize(
    "line",
    [
        b"{\n",
        b"\xff\xfe\n",
        b"[" * 200_000 + b"\n",
        b'{"a":' * 200_000 + b"\n",
        b'{"id": NaN}\n',
        b"[]\n",
        b"5\n",
        b'"text"\n',
        b"null\n",
        b"\x00\n",
        b'{"ActionNames": ["a:b"], "PolicyInputList": ["' + b"x" * 5_000_000 + b'"]}\n',
        b'{"ActionNames": ["a:b"], "CallerArn": "\\ud800"}\n',
        b'{"ActionNames": ["a:b"], "CallerArn": "a\\u0000b"}\n',
    ],
)
def test_a_hostile_line_is_answered_and_does_not_end_the_run(line: bytes) -> None:
    bad, good = answers(line, RECORD)
    assert bad["id"] == 1
    assert set(bad["Error"]) == {"Code", "Message"}
    assert len(bad["Error"]["Message"]) < 1000
    assert good["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_lone_surrogates_and_nulls_in_what_is_asked_are_only_text() -> None:
    (found,) = answers({**RECORD, "ActionNames": ["s3:\ud800\x00"], "ResourceArns": ["arn:aws:s3:::\ud800"]})
    assert found["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_ids() -> None:
    lines = [
        b'{"id": 7}\n',
        b'{"id": 1.50}\n',
        b'{"id": 1e999}\n',
        b'{"id": ' + b"9" * 6000 + b"}\n",
        b'{"id": null}\n',
        b"{}\n",
        b'{"id": true}\n',
    ]
    assert [answer["id"] for answer in answers(*lines)] == [7, 1.5, "1e999", "9" * 6000, None, 6, True]


def test_numbers_stay_as_they_were_written() -> None:
    line = json.dumps({**RECORD, "ContextEntries": [{"ContextKeyName": "a:n", "ContextKeyValues": ["5.0"]}]})
    condition = {"StringEquals": {"a:n": 0}}
    statement = {**ALLOW["Statement"][0], "Condition": condition}  # type: ignore[dict-item]
    record = json.loads(line) | {"PolicyInputList": [{"Statement": statement}]}
    (found,) = answers(json.dumps(record).replace('"a:n": 0', '"a:n": 5.0').encode() + b"\n")
    assert found["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_empty_lines_are_no_requests_but_count() -> None:
    (found,) = answers(b"\n  \n", b"{\n")
    assert found["id"] == 3


def test_a_line_too_long_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 200)
    exact = json.dumps({**RECORD, "note": ""}).encode()
    fits = json.dumps({**RECORD, "note": "x" * (199 - len(exact))}).encode() + b"\n"
    assert len(fits) == 200
    found = answers(fits, b"x" * 1000 + b"\n", fits, b"x" * 200 + b"\n", b"x" * 450)
    assert [answer["id"] for answer in found] == ["r", 2, "r", 4, 5]
    assert found[1]["Error"]["Message"] == "a line holds at most 200 bytes"


def test_each_answer_is_flushed_before_the_next_line_is_read() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for label in ("one", "two"):
            process.stdin.write(json.dumps({**RECORD, "id": label}).encode() + b"\n")
            assert json.loads(process.stdout.readline())["id"] == label
        process.stdin.close()
    assert process.returncode == 0


def test_a_closed_pipe_ends_it_quietly() -> None:
    with subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        line = json.dumps(RECORD).encode() + b"\n"
        process.stdin.write(line)
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(line)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
