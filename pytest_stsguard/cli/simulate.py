"""``stsguard simulate``: one JSON line in, one JSON line out."""

from __future__ import annotations

import json
import math
import sys
from typing import IO, TYPE_CHECKING, Any, Final

import click

from pytest_stsguard.cli.conventions import command, epilog

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["simulate"]

LONGEST_LINE: Final = 16 * 2**20
"""Bytes; a longer line is answered with an error, without being kept in memory."""


@command(
    short_help="Decide requests by their policies, a JSON line each.",
    epilog=epilog("stsguard simulate requests.jsonl", "Exit code: 0, also where a line cannot be used; 2 bad usage."),
)
@click.argument("file", type=click.File("rb"), default="-")
def simulate(file: IO[bytes]) -> None:
    """Decide requests by their policies: a JSON line in FILE (or standard input) each, a JSON line out each.

    A line has the shape of IAM's SimulateCustomPolicy request, with session, service and resource control policies.
    A line that cannot be used is answered with an "Error"; without an "id" in it, its number in the input is the id.
    """
    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.cli.streams import unread

    for number, line in _lines(file):
        emit(json.dumps(_answer(number, line)))
        if unread():
            break


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Give the lines that hold something, with their numbers from 1; None for one that is too long."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if line.endswith(b"\n") or len(line) < LONGEST_LINE:
            if line.strip():
                yield number, line
            continue
        while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield number, None


def _answer(number: int, line: bytes | None) -> dict[str, Any]:
    from pytest_stsguard.errors import InputError
    from pytest_stsguard.policy.reading import read_json
    from pytest_stsguard.policy.simulation import error_record, simulate_record

    if line is None:
        return error_record(number, InputError(f"a line holds at most {LONGEST_LINE} bytes"))
    try:
        record = read_json(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return error_record(number, InputError("the line is not UTF-8"))
    except InputError as error:
        return error_record(number, InputError(error.message, location=error.location))
    answer = simulate_record(record)
    given = isinstance(record, dict) and "id" in record
    return {**answer, "id": _plain(answer["id"]) if given else number}


def _plain(label: object) -> object:
    """Give an id as it came: numbers are read as text, so that policies keep them as written."""
    from pytest_stsguard.policy.reading import Number

    if not isinstance(label, Number):
        return label
    value = float(label)
    return json.loads(label) if math.isfinite(value) and len(label) < sys.get_int_max_str_digits() else str(label)
