"""Move the fragments of changelog.d/ into CHANGELOG.md as the section of a release."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

KINDS = ("added", "changed", "fixed", "removed", "security")
UNRELEASED = "## Unreleased\n"


def fragments(folder: Path) -> dict[str, list[tuple[Path, str]]]:
    """Read the fragments by kind; a file with another name than NAME.KIND.md is an error."""
    found: dict[str, list[tuple[Path, str]]] = {}
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        name, _, kind = path.stem.rpartition(".")
        text = path.read_text(encoding="utf-8").strip()
        if not name or kind not in KINDS or not text:
            sys.exit(f"{path}: expected NAME.KIND.md with a text, of the kind {', '.join(KINDS)}")
        found.setdefault(kind, []).append((path, text))
    return found


def section(version: str, day: str, entries: dict[str, str]) -> str:
    """Write the section of a version, the kinds in their order."""
    parts = [f"### {kind.capitalize()}\n{entries[kind]}" for kind in KINDS if entries.get(kind)]
    return f"## {version} - {day}\n\n" + "\n\n".join(parts) + "\n"


def listed(found: dict[str, list[tuple[Path, str]]]) -> dict[str, str]:
    """Give the fragments of each kind as a list."""
    return {kind: "\n".join("- " + text.replace("\n", "\n  ") for _, text in rows) for kind, rows in found.items()}


def unreleased(changes: str) -> tuple[str, dict[str, str], str]:
    """Take CHANGELOG.md apart: what is above, what stands under Unreleased by kind, and the releases before."""
    above, mark, below = changes.partition(UNRELEASED)
    if not mark:
        sys.exit(f"CHANGELOG.md has no `{UNRELEASED.strip()}`")
    body, rule, older = below.partition("\n## ")
    kinds = {part.partition("\n")[0].lower(): part.partition("\n")[2].strip() for part in body.split("### ")[1:]}
    return above, kinds, rule + older


def main() -> None:
    """Show the section, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    given = parser.parse_args()
    found = fragments(given.root / "changelog.d")
    changes = given.root / "CHANGELOG.md"
    above, entries, older = unreleased(changes.read_text(encoding="utf-8"))
    for kind, text in listed(found).items():
        entries[kind] = f"{entries[kind]}\n{text}" if entries.get(kind) else text
    release = section(given.version, f"{datetime.now(UTC):%Y-%m-%d}", entries)
    if not given.write:
        print(release, end="")
        return
    changes.write_text(f"{above}{UNRELEASED}\n{release}{older}", encoding="utf-8")
    for rows in found.values():
        for path, _ in rows:
            path.unlink()


if __name__ == "__main__":
    main()
