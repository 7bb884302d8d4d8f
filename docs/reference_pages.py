"""The pages of the reference that are made from the code: fixtures, options, commands, markers, hooks, errors."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import click

from pytest_stsguard import errors, hooks, plugin
from pytest_stsguard.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PAGES", "write"]


class _Options:
    """Takes the options and ini keys that the plugin adds, as pytest's own parser would."""

    def __init__(self) -> None:
        self.options: list[tuple[str, dict[str, Any]]] = []
        self.keys: list[tuple[str, str]] = []

    def getgroup(self, *_: object, **__: object) -> _Options:
        return self

    def addoption(self, name: str, **details: Any) -> None:
        self.options.append((name, details))

    def addini(self, name: str, text: str, **_: object) -> None:
        self.keys.append((name, text))


def fixtures() -> Iterator[str]:
    """Tell each fixture: its docstring, and what it gives."""
    yield "# Fixtures\n"
    for name in sorted(plugin.__all__):
        definition = getattr(plugin, name)
        function = getattr(definition, "_fixture_function", None) or inspect.unwrap(definition)
        gives = str(inspect.signature(function).return_annotation).replace("Iterator[", "").removesuffix("]")
        yield f"## {name}\n"
        yield f"Gives `{gives}`.\n"
        yield _text(function) + "\n"


def options() -> Iterator[str]:
    """Tell each option of pytest, its ini key and the markers."""
    taken = _Options()
    plugin.pytest_addoption(taken)  # type: ignore[arg-type] # it calls these three methods alone
    yield "# Options, ini keys and markers\n"
    yield "| option | meaning |\n|---|---|"
    for name, details in taken.options:
        metavar = f" {details['metavar']}" if details.get("metavar") else ""
        yield f"| `{name}{metavar}` | {_cell(details.get('help', ''))} |"
    yield "\n## Ini keys\n\nIn the configuration of pytest; an option of the command line wins.\n\n| key | meaning |\n|---|---|"
    for name, text in taken.keys:
        yield f"| `{name}` | {_cell(text)} |"
    yield "\n## Markers\n\n| marker | meaning |\n|---|---|"
    for line in plugin._MARKERS:  # noqa: SLF001 - the one place where the markers are told
        name, _, text = line.partition(": ")
        yield f"| `{name}` | {_cell(text)} |"
    yield "\n## Hooks\n\nFor a project's own conftest.py or plugin.\n"
    for name in sorted(hooks.__all__):
        yield f"### {name}\n\n{_text(getattr(hooks, name))}\n"


def commands() -> Iterator[str]:
    """Give the help of each command, as it is printed."""
    yield "# Commands\n"
    yield "Exit codes: 0 clean, 1 findings or a failed drill, 2 bad usage or bad input, 3 AWS out of reach or access"
    yield "denied there, 130 interrupted. Data goes to standard output, messages to standard error.\n"
    root = click.Context(cli, info_name="stsguard", terminal_width=100, max_content_width=100)
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        if command is not None:
            context = click.Context(command, parent=root, info_name=name, terminal_width=100, max_content_width=100)
            yield f"## stsguard {name}\n\n```text\n{command.get_help(context)}\n```\n"


def error_tree() -> Iterator[str]:
    """Tell each error: when it is raised, its code and the exit code of the command line."""
    yield "# Errors\n"
    drawing = (errors.__doc__ or "").partition("::")[2].partition("A message is")[0]
    yield f"```text\n{inspect.cleandoc(drawing)}\n```\n"
    yield "A message is one line with the user's own words in backticks; it begins with the place and ends with what to do.\n"
    yield "| error | code | exit code | when |\n|---|---|---|---|"
    for name in errors.__all__:
        kind = getattr(errors, name)
        yield f"| `{name}` | `{kind.code}` | {kind.exit_code} | {_cell(_text(kind).splitlines()[0])} |"


PAGES = {"fixtures.md": fixtures, "options.md": options, "commands.md": commands, "errors.md": error_tree}


def write(folder: Path) -> None:
    """Write every page into a folder; what is unchanged is left alone, so that a build stays incremental."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        text = "\n".join(page()) + "\n"
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def _text(thing: Any) -> str:
    """Give a docstring with reStructuredText's double backticks as Markdown's single ones, sections as they stand."""
    return inspect.cleandoc(thing.__doc__ or "").replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
