"""Services that say for whom they act when they assume a role: those that a trust policy can hold to it.

The list is data, `deputies.toml` beside this module, with a page of AWS's documentation for each service. A service that is
not in it may send no source, and a condition on one would lock it out.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

__all__ = ["deputies", "sends_source", "unsettled"]

_FILE: Final = Path(__file__).with_suffix(".toml")
_NAME: Final = re.compile(r"(?P<name>[a-z0-9.-]+?)(\.[a-z]{2}(-[a-z]+)+-\d)?\.amazonaws\.com(\.cn)?", re.IGNORECASE)


@cache
def deputies() -> dict[str, str]:
    """Give the services that send a source, without their domain, each with the page that says so."""
    data = _data()
    found = {name: page for page, names in data["read"].items() for name in names}
    return {name: page for name, page in sorted(found.items()) if name not in data["never"]}


@cache
def unsettled() -> frozenset[str]:
    """Give the services of which it is said that they send a source, and no page was found that shows it."""
    return frozenset(_data()["unsettled"]) - deputies().keys()


def sends_source(service: str) -> bool | None:
    """Tell whether a service principal (``sns.amazonaws.com``, also with a region in it) is known to send a source.

    Returns:
        True, False, or None where that is not settled.
    """
    found = _NAME.fullmatch(service)
    name = found["name"].lower() if found is not None else ""
    return None if name in unsettled() else name in deputies()


@cache
def _data() -> dict[str, Any]:
    with _FILE.open("rb") as file:
        return tomllib.load(file)
