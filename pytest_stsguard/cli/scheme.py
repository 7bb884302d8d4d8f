"""What a file is by what it holds: a template, a plan, an export, or something else."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pytest_stsguard.errors import StsGuardError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["scheme_of"]

_MARKS: Final = (("planned_values", "tfplan"), ("RoleDetailList", "export"), ("Resources", "cfn"))
_YAML_TEMPLATE: Final = re.compile(r"""^["']?Resources["']?[ \t]*:""", re.MULTILINE)
_OF_AWS: Final = re.compile(r"AWS::[A-Za-z0-9]+::[A-Za-z0-9]+")


def scheme_of(path: Path) -> str | None:
    """Tell what a file is: ``cfn``, ``tfplan``, ``export``; None when it is none of them, or cannot be read.

    A Kubernetes manifest, a compose file and the like must pass a hook that sees every changed YAML file.
    """
    from pytest_stsguard.account.text import read_text

    try:
        text = read_text(path)
    except StsGuardError:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return "cfn" if _YAML_TEMPLATE.search(text) and _OF_AWS.search(text) else None
    known = [scheme for mark, scheme in _MARKS if isinstance(data, dict) and mark in data]
    return known[0] if known and (known[0] != "cfn" or _OF_AWS.search(text)) else None
