"""The commands of docs/audit.md run as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
COMMANDS = re.findall(r"^\$ (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(checkout: Path, command: str) -> None:
    program, *arguments = shlex.split(command)
    call = [str(Path(sys.executable).with_name(program)), *arguments]
    if program == "pytest":
        call += ["-p", "no:cacheprovider"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=checkout, timeout=120)
    assert done.returncode == (0 if "demo" in arguments else 1)
    assert "STSG-101" in done.stdout or "demo" in arguments
