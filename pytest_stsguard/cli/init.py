"""``stsguard init``: the first files of somebody new, written from what an account holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard.cli.conventions import aws_settings, command, epilog
from pytest_stsguard.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.account import Account

__all__ = ["init"]


@command(
    short_help="Write stsguard.toml, first checks and a CI workflow.",
    epilog=epilog(
        "stsguard init export:account.json --ci github",
        "TARGET is as for stsguard audit; default: none, and stsguard.toml is a form to fill in.",
        "Exit code: 0 written, or kept since it was there; 2 bad usage or input; 3 AWS out of reach or access denied there.",
    ),
)
@click.argument("target", default="")
@click.option("--directory", metavar="PATH", default=".", show_default=True, help="Where to write.")
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "none"]),
    default="github",
    show_default=True,
    help="Whose workflow to write.",
)
@click.option("--force", is_flag=True, help="Write over what is there.")
@aws_settings
def init(target: str, **options: Any) -> int:
    """Write stsguard.toml, a first module of checks and a CI workflow.

    What an account's trust policies let in from outside stands in stsguard.toml commented out: each entry is to be
    confirmed by somebody who knows.
    """
    from pytest_stsguard.cli.output import printable, progress

    with progress(f"reading {target}"):
        account = _read(target) if target else None
    folder = Path(options["directory"])
    for name, text in _files(target or "demo", account, options["ci"]):
        path = folder / name
        if path.exists() and not options["force"]:
            click.echo(f"kept     {printable(str(path))}  (it was there; --force writes over it)")
        else:
            _write(path, text)
            click.echo(f"written  {printable(str(path))}")
    click.echo(f"next: read stsguard.toml, then  stsguard audit {target or 'TARGET'}", err=True)
    return 0


def _files(target: str, account: Account | None, ci: str) -> Iterator[tuple[str, str]]:
    from pytest_stsguard.cli.encounter import encounters_of
    from pytest_stsguard.cli.starter import CHECKS, configuration, workflow

    yield "stsguard.toml", configuration(account, encounters_of(account) if account else None)
    yield "test_stsguard.py", CHECKS
    if ci != "none":
        yield workflow(ci, target, account)


def _read(target: str) -> Account:
    """Read the account of a target; of an organisation the one whose credentials these are, its management account."""
    from pytest_stsguard.account import from_session, load

    if target == "demo":
        from pytest_stsguard.cloud import Cloud

        with Cloud() as cloud:
            return from_session(cloud.admin.session(), source="demo")
    scheme, colon, profile = target.partition(":")
    return load(f"aws{colon}{profile}" if scheme == "org" else target)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"cannot be written: {reason}", location=str(path)) from error
