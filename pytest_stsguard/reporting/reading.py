"""Reading what was written as JSON: a run, or what a stolen session can become."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from pytest_stsguard.errors import InputError
from pytest_stsguard.findings.suggestion import show
from pytest_stsguard.reporting.builder import blast_of, completed, counted, fails
from pytest_stsguard.reporting.model import SCHEMA, Blast, Run, Summary
from pytest_stsguard.reporting.text import visible

__all__ = ["check_counts", "read", "read_blast"]

_RUN: Final = "make one with --stsguard-report json:PATH"
_BLAST: Final = "make one with stsguard blast ROLE --output json"


def read(path: str | Path) -> Run:
    """Read a run from a JSON report, or from what ``stsguard audit --output json`` printed.

    Raises:
        InputError: missing, unreadable, not JSON, another version, or another shape.
    """
    run = _read(path, Run, _RUN)
    for moment in (run.at, *(step.at for drill in run.drills for step in drill.steps)):
        if not _is_moment(moment):
            raise InputError(f"`{show(moment)}` is no moment", location=str(path), hint="as 2026-11-20T12:00:00Z")
    for index, finding in enumerate(run.findings):
        if finding.policy is not None and not 0 <= finding.policy < len(run.policies):
            raise InputError("points at no policy of the report", location=f"{path}: findings[{index}].policy")
    for blast in run.blast:
        _check(blast, path)
    # A fix is made of the finding anew: what the file says need not fit.
    findings = tuple(msgspec.structs.replace(finding, fix=None) if finding.fix else finding for finding in run.findings)
    return completed(msgspec.structs.replace(run, findings=findings))


def check_counts(run: Run, path: str | Path) -> None:
    """See that the counts and the verdict of a report are those of its findings.

    Raises:
        InputError: they are not, so that somebody has changed the one and not the other.
    """
    told, held = _flat(run.summary), _flat(counted(run))
    for name in {**held, **told}:
        if told.get(name, 0) != held.get(name, 0):
            raise InputError(
                f"says {told.get(name, 0)}, but the report holds {held.get(name, 0)}: it was changed after it was written",
                location=f"{path}: summary.{visible(name, 100)}",
            )
    if run.verdict == "pass" and fails(run):
        raise InputError(
            "says `pass`, but what the report holds fails: it was changed after it was written",
            location=f"{path}: verdict",
        )


def read_blast(path: str | Path) -> Blast:
    """Read what ``stsguard blast --output json`` printed.

    Raises:
        InputError: missing, unreadable, not JSON, another version, or another shape.
    """
    blast = _read(path, Blast, _BLAST)
    _check(blast, path)
    return blast_of(msgspec.to_builtins(blast))


def _read(path: str | Path, kind: Any, hint: str) -> Any:
    try:
        data = json.loads(_bytes(path), parse_constant=_no_number)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"the report cannot be read: {reason}", location=str(path)) from error
    except json.JSONDecodeError as error:  # of a report that was not written to its end, this is where it ends
        reason = error.msg[:1].lower() + error.msg[1:].removesuffix(" starting at")
        raise InputError(
            f"the report is not JSON: {reason}", location=f"{path}:{error.lineno}:{error.colno}", hint=hint
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError("the report is not JSON", location=str(path), hint=hint) from error
    version = data.get("schema") if isinstance(data, dict) else None
    if version != SCHEMA or isinstance(version, bool):
        raise InputError(f"is no report of schema {SCHEMA}", location=str(path), hint=hint)
    try:
        return msgspec.convert(data, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:  # the latter: half a surrogate for a word of a list
        reason = visible(str(error), 400)
        raise InputError(f"is no report: {reason[:1].lower()}{reason[1:]}", location=str(path), hint=hint) from error


def _bytes(path: str | Path) -> bytes:
    """Read a file, or standard input where `-` is named."""
    return sys.stdin.buffer.read() if str(path) == "-" else Path(path).read_bytes()


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _flat(summary: Summary) -> dict[str, int]:
    """Give every count of a summary by the path to it."""
    flat: dict[str, int] = {}
    for name, value in msgspec.structs.asdict(summary).items():
        flat |= {f"{name}.{key}": count for key, count in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _check(blast: Blast, path: str | Path) -> None:
    known = {node.id for node in blast.nodes}
    for end in (blast.start, *(end for edge in blast.edges for end in (edge.source, edge.to))):
        if end not in known:
            raise InputError(f"`{show(end)}` is no node of the blast radius", location=str(path), hint=_BLAST)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
