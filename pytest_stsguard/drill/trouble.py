"""An error as a line of a timeline: on one line, and without a whole access key id, which AWS's messages may hold."""

from __future__ import annotations

import re

from pytest_stsguard.cloud.credentials import masked

__all__ = ["told"]

_KEY = re.compile(r"\bA[A-Z]IA[A-Z0-9]{12,}\b")


def told(error: object) -> str:
    """Write an error, or a text."""
    return _KEY.sub(lambda found: masked(found[0]), " ".join(str(error).split()))
