"""Make run.json again: the example account's findings, one muted, two known, and the drills of the game day.

Run: python tests/reporting/make_run.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
AT = "2026-11-20T12:00:00Z"
SETTINGS = """
[[mute]]
control = "STSG-303"
resource = "arn:aws:iam::*:role/break-glass"
owner = "cloud-team@example.com"
reason = "a role for emergencies is meant to lie unused"
"""


def pytest(*arguments: str) -> None:
    """Run pytest in the checkout; failing checks are what a report is about."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise SystemExit(done.returncode)


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stsguard.toml").write_text(SETTINGS)
        audit = ("checks", "--stsguard-target=export:examples/account.json", f"--stsguard-at={AT}")
        pytest(*audit, f"--stsguard-write-baseline={folder}/all.json")
        known = json.loads((folder / "all.json").read_text())
        known["findings"] = [entry for entry in known["findings"] if entry["control"] == "STSG-204"]
        known["findings"].append({"fingerprint": "0" * 32})
        (folder / "known.json").write_text(json.dumps(known))
        settings = (f"--stsguard-config={folder}/stsguard.toml", f"--stsguard-baseline={folder}/known.json")
        pytest(*audit, *settings, "--stsguard-replay", f"--stsguard-report=json:{folder}/run.json")
        pytest("tests/reporting/game_day.py", f"--stsguard-report=json:{folder}/drills.json")
        run = json.loads((folder / "run.json").read_text())
        drilled = json.loads((folder / "drills.json").read_text())
        run |= {name: drilled[name] for name in ("drills", "containment")}
        run["options"] = {}  # which name this folder
    (Path(__file__).parent / "run.json").write_text(json.dumps(run, indent=2) + "\n")


if __name__ == "__main__":
    main()
