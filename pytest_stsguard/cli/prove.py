"""``stsguard prove``: is a trust policy narrow, and if not, who else can use the role."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from pytest_stsguard.cli.conventions import command, config_file, epilog, exit_zero, output_form

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.policy import Policy
    from pytest_stsguard.trust import Proof, Prover, Zones

__all__ = ["prove"]

NARROW: Final = 0
NOT_NARROW: Final = 1
HEADLINES: Final = {
    "narrow": ("narrow: no request from outside the zones is allowed", "bold green"),
    "too_broad": ("too broad: somebody outside the zones can assume the role", "bold red"),
    "undecided": (
        "undecided, which is no pass: each reason says why, and what to do",
        "bold yellow",
    ),
}
DEAD: Final = "dead: nothing inside the zones can use it either"
NOBODY: Final = "000000000000"
MOST_ZONES: Final = 64
"""How many tables of zones `--jsonl` keeps proofs for."""

_WRONG_SHAPE: Final = re.compile(r"duplicate key |\b(found|not|no) (an? )?(null|boolean|number|string|object|list)\b")
"""What the policy parser says of a document that is no policy at all, as against one that IAM would refuse."""


@command(
    short_help="Decide whether a trust policy lets outsiders in.",
    epilog=epilog(
        "stsguard prove trust.json --output json", "Exit code: 0 narrow, 1 too broad or undecided, 2 bad input."
    ),
)
@click.argument("file", type=click.Path(allow_dash=True), default="-")
@config_file
@output_form("table", "json", "ndjson")
@click.option("--jsonl", is_flag=True, help='Read lines {"id", "trust_policy", "zones"}, write a JSON line each.')
@exit_zero
def prove(file: str, config: str | None, output: str, *, jsonl: bool) -> int:
    """Decide whether the trust policy in FILE (or standard input) allows a request from outside the zones.

    The zones are those of stsguard.toml.
    """
    from pytest_stsguard.errors import InputError
    from pytest_stsguard.findings.configuration import Configuration

    zones = dict(Configuration.load(config, Path.cwd()).zones)
    try:
        with click.open_file(file, "rb") as stream:
            return _prove_lines(stream, zones) if jsonl else _prove_file(stream, zones, output)
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", location=file) from error


def _prove_file(stream: IO[bytes], table: dict[str, Any], output: str) -> int:
    from pytest_stsguard.errors import InputError
    from pytest_stsguard.policy import Policy
    from pytest_stsguard.trust import Zones
    from pytest_stsguard.trust import prove as decide

    try:
        text = stream.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the document is not UTF-8", location=stream.name) from None
    policy = Policy.parse(text, kind="trust", lenient=True, name=stream.name)
    for problem in policy.problems:
        if not policy.whole or _WRONG_SHAPE.search(problem.message):
            where = f"{stream.name}: {problem.location}" if problem.location else stream.name
            raise InputError(problem.message, location=where, hint=problem.hint or _hint(text))
    proof = decide(policy, Zones.parse(table) if table else _no_zones(policy))
    if output == "table":
        _print_table(proof)
    else:
        click.echo(json.dumps(_record(proof), indent=2 if output == "json" else None))
    return NARROW if proof.verdict == "narrow" else NOT_NARROW


def _hint(text: str) -> str | None:
    """Tell what a text is that is no policy but something around one."""
    if text.lstrip()[:3].upper() == "%7B":
        return "the text is URL-encoded: decode it first"
    if '"AssumeRolePolicyDocument"' in text:
        return "a trust policy is a role's `AssumeRolePolicyDocument`: give that alone"
    return None


def _no_zones(policy: Policy) -> Zones:
    """Give the zones of somebody who has declared none: a provider's account is the role's, no other is known."""
    from pytest_stsguard.errors import ConfigurationError
    from pytest_stsguard.policy.arns import account_of
    from pytest_stsguard.trust import Zones

    accounts = {
        account
        for statement in policy.statements
        for principal in statement.principals or ()
        if principal.type == "Federated" and (account := account_of(principal.value))
    }
    if len(accounts) > 1:
        raise ConfigurationError(
            "the role's own account is not known", location="zones.account", hint="give it in stsguard.toml"
        )
    click.echo("stsguard: no zones are configured: every account and provider counts as undeclared", err=True)
    return Zones(account=next(iter(accounts), NOBODY), own_account=False)


def _prove_lines(stream: IO[bytes], table: dict[str, Any]) -> int:
    from pytest_stsguard.cli.output import emit
    from pytest_stsguard.cli.streams import unread

    worst = NARROW
    provers: dict[str, Prover] = {}
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        answer = _answer(number, line, table, provers)
        if answer["verdict"] != "narrow":
            worst = NOT_NARROW
        emit(json.dumps(answer))
        if unread():
            break
    return worst


def _answer(number: int, line: bytes, table: dict[str, Any], provers: dict[str, Prover]) -> dict[str, Any]:
    """Answer one line; what cannot be used is undecided, with the reason, under the line's number when it has no id."""
    from pytest_stsguard.errors import InputError
    from pytest_stsguard.policy.reading import read_json

    label: object = number
    try:
        record = read_json(line.decode("utf-8-sig"))
        if not isinstance(record, dict):
            raise InputError("a line is an object with `id`, `trust_policy` and `zones`")  # noqa: TRY301 - one way out
        label = _plain(record.get("id", number))
        for key in record:
            if key not in {"id", "trust_policy", "zones"}:
                raise InputError(f"unknown key `{key[:80]}`")  # noqa: TRY301 - one way out
        policy = record.get("trust_policy")
        if not isinstance(policy, (dict, str)):
            raise InputError("`trust_policy` is an object or a JSON string")  # noqa: TRY301 - one way out
        proof = _prover(record.get("zones", table), provers).prove(policy)
    except UnicodeDecodeError:
        return {"id": label, "verdict": "undecided", "witnesses": [], "reasons": ["the line is not UTF-8"]}
    except InputError as error:
        return {"id": label, "verdict": "undecided", "witnesses": [], "reasons": [str(error)]}
    return {"id": label, **_record(proof)}


def _plain(label: object) -> object:
    """Give an id as it came: the reader keeps numbers as text."""
    from pytest_stsguard.policy.reading import Number

    if not isinstance(label, Number):
        return label
    try:
        return json.loads(label)
    except ValueError:
        return str(label)


def _prover(table: Any, provers: dict[str, Prover]) -> Prover:
    """Give the prover of these zones, so that equal policies of equal zones are proved once."""
    from pytest_stsguard.trust import Prover, Zones

    known = json.dumps(table, sort_keys=True)
    found = provers.get(known)
    if found is None:
        if len(provers) >= MOST_ZONES:
            provers.clear()
        found = provers[known] = Prover(Zones.parse(table))
    return found


def _record(proof: Proof) -> dict[str, Any]:
    return {
        "verdict": proof.verdict,
        "witnesses": [
            {
                "summary": witness.summary,
                "principal": witness.principal,
                "action": witness.action,
                "context": witness.context,
            }
            for witness in proof.witnesses
        ],
        "reasons": [*proof.reasons, *([DEAD] if proof.dead else [])],
    }


def _rows(proof: Proof) -> Iterator[tuple[str, str]]:
    for witness in proof.witnesses:
        yield f"{witness.kind} {witness.statement}", witness.summary
    for reason in proof.reasons:
        yield "reason", reason
    if proof.dead:
        yield "note", DEAD
    for closed in proof.closed:
        yield "closed", closed


def _print_table(proof: Proof) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    headline, style = HEADLINES[proof.verdict]
    console.print(Text(headline, style=style), soft_wrap=True)
    table = Table(box=SIMPLE, show_header=False)
    for left, right in _rows(proof):
        shown = right if right.isprintable() else right.encode("unicode_escape").decode("ascii")
        table.add_row(Text(left), Text(shown, overflow="fold"))
    if table.row_count:
        console.print(table)
