"""The trail as log files, in the folders and under the names that CloudTrail gives them.

See "CloudTrail log file examples" and "Finding your CloudTrail log files" in the AWS CloudTrail User Guide.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["write_files"]

_MINUTES = 5


def write_files(records: Iterable[dict[str, Any]], folder: str | Path, *, compress: bool) -> list[Path]:
    """Write records below `folder`; one file for an account, a region and five minutes.

    Raises:
        InputError: `folder` cannot be written.
    """
    groups: defaultdict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        time = datetime.fromisoformat(record["eventTime"])
        begun = time.replace(minute=time.minute - time.minute % _MINUTES, second=0, microsecond=0)
        account, region = record["recipientAccountId"], record["awsRegion"]
        groups[account, region, f"{begun:%Y/%m/%d %Y%m%dT%H%MZ}"].append(record)
    written = []
    try:
        for (account, region, moment), held in groups.items():
            day, _, minute = moment.partition(" ")
            path = Path(folder, "AWSLogs", account, "CloudTrail", region, day)
            path.mkdir(parents=True, exist_ok=True)
            path /= f"{account}_CloudTrail_{region}_{minute}_{_unique(held)}.json{'.gz' if compress else ''}"
            text = json.dumps({"Records": held}).encode()
            path.write_bytes(gzip.compress(text, mtime=0) if compress else text)
            written.append(path)
    except OSError as error:
        raise InputError(f"the trail cannot be written to `{folder}`: {error.strerror}") from error
    return written


def _unique(records: list[dict[str, Any]]) -> str:
    """Make the sixteen characters that keep two files of one moment apart: the same records give the same."""
    told = "".join(record["eventID"] for record in records)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
