"""Which operations moto implements, by service: read from the source of its handlers, without importing one of them.

moto calls the method of a service's response class that is named like the operation, in one of three spellings. The names
stand in the source; importing all of moto takes seconds and needs every extra of it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from botocore import xform_name

from pytest_stsguard.cloud.calls.catalogue import catalogue, model

__all__ = ["implemented", "services"]

_METHOD = re.compile(r"^    def (\w+)\(", re.MULTILINE)
_SERVICE = re.compile(r"\bservice_name=\"([^\"]+)\"")
# moto's folders whose handlers do not say the service's name as boto3 has it.
_NAMES = {"awslambda": "lambda", "emrserverless": "emr-serverless"}


@cache
def _handlers() -> dict[str, frozenset[str]]:
    """Give the method names of every service's handlers."""
    found: dict[str, frozenset[str]] = {}
    spec = find_spec("moto")
    places = spec.submodule_search_locations if spec else None
    for folder in sorted(path.parent for place in places or () for path in Path(place).glob("*/urls.py")):
        text = "\n".join(path.read_text(encoding="utf-8") for path in _sources(folder))
        names = (name for name in _SERVICE.findall(text) if name in catalogue().by_name)
        service = _NAMES.get(folder.name) or next(names, None)
        if service is not None:
            found[service] = found.get(service, frozenset()).union(_METHOD.findall(text))
    return found


def _sources(folder: Path) -> list[Path]:
    single = folder / "responses.py"
    return [single] if single.is_file() else sorted((folder / "responses").rglob("*.py"))


def services() -> tuple[str, ...]:
    """Give the services that moto has handlers of, by their names in boto3."""
    return tuple(sorted(service for service in _handlers() if implemented(service)))


@cache
def implemented(service: str) -> tuple[str, ...]:
    """Give the operations of a service that moto implements, in the order of the service's model."""
    names = _handlers().get(service, frozenset())
    return tuple(name for name in model(service).operation_names if _spellings(name) & names)


def _spellings(operation: str) -> set[str]:
    return {_underscored(operation), xform_name(operation), operation.lower()}


def _underscored(operation: str) -> str:
    """Write an operation's name as moto does: ``ListACLs`` is ``list_ac_ls``."""
    text = ""
    for place, letter in enumerate(operation):
        before = operation[place - 1 : place].isupper() if place else True
        after = operation[place + 1 : place + 2].isupper() if place + 1 < len(operation) else True
        if place and letter.isupper() and (not before or not after):
            text += "_"
        text += letter.lower()
    return text
