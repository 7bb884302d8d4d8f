"""Reading a CloudFormation template, JSON or YAML, into nodes.

YAML is taken in as events and not as objects, so that aliases are never copied, nesting is bounded, and every value keeps
its line. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

from re import compile as regex
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.account.location import JsonText, Location
from pytest_stsguard.account.stack.depth import DEEP, too_deep
from pytest_stsguard.account.stack.node import Node
from pytest_stsguard.errors import InputError, PolicyError
from pytest_stsguard.policy.reading import JsonObject, read_json, short

if TYPE_CHECKING:
    from pytest_stsguard.account.location import Path

__all__ = ["LIMIT", "read_template"]

LIMIT: Final = 1024 * 1024
"""The most bytes of a template: what CloudFormation takes from S3."""

_PLACE = regex(r"line (\d+) column (\d+)")
_SURROGATE = regex("[\ud800-\udfff]")


def read_template(text: str, file: str) -> Node:
    """Read a template.

    Raises:
        InputError: neither JSON nor YAML, a name twice in one object, too deep, or no object; with file and line.
    """
    if text.lstrip().startswith("{") and (node := _read_json(text, file)) is not None:
        template = node
    else:
        from pytest_stsguard.account.stack.yaml_text import read_yaml  # noqa: PLC0415 - PyYAML, only when a YAML file is read

        template = read_yaml(text, file)
    if not isinstance(template.value, dict):
        raise InputError("a template is an object", location=str(template.location))
    return template


def _read_json(text: str, file: str) -> Node | None:
    """Read JSON; None for a text that is none but may be YAML, which also starts with a brace in its flow style."""
    try:
        data = read_json(text)
    except PolicyError as error:
        place = _PLACE.match(error.location or "")
        if place is None:
            raise InputError(error.message.replace("the document is ", ""), location=file) from error
        if '"Resources"' not in text and '"AWSTemplateFormatVersion"' not in text:
            return None
        message = error.message.replace("the document is not", "not")
        raise InputError(message, location=f"{file}:{place[1]}:{place[2]}") from error
    source = JsonText(file, text)
    return _node(data, (), source)


def _node(data: Any, path: Path, source: JsonText) -> Node:
    location = Location(source.file, path, text=source)
    if len(path) > DEEP:
        raise too_deep(location)
    if isinstance(data, JsonObject):
        if data.repeated:
            raise InputError(f"`{short(data.repeated[0])}` comes twice in one object", location=str(location))
        members = {name: _node(value, (*path, name), source) for name, value in data.items()}
        return Node(members, location)
    if isinstance(data, list):
        return Node([_node(value, (*path, index), source) for index, value in enumerate(data)], location)
    if isinstance(data, str):
        if _SURROGATE.search(data):
            raise InputError("a text holds half a surrogate pair", location=str(location))
        data = str(data)
    return Node(data, location)
