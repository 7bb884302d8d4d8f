"""Make docs/pictures again from run.json, in Chromium: light, dark, on a phone, and single sections.

Run: python tests/reporting/make_pictures.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from pytest_stsguard.reporting import read, render
from pytest_stsguard.reporting.pictures import containment_svg

HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / "docs" / "pictures"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
)
DARK = "--blink-settings=preferredColorScheme=0"
OPEN = r'(data-control="STSG-105".*?<li class="finding.*?<details)>'


def only(page: str, *names: str) -> str:
    """Show nothing but some sections; the page's script needs the others."""
    return re.sub(r'<section id="(\w+)"', lambda match: match[0] if match[1] in names else f"{match[0]} hidden", page)


def shoot(page: str, name: str, size: tuple[int, int], *flags: str) -> None:
    """Take a picture of a page's top; a frame makes it narrower than a window may be."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(page)
        frame = f'<body style="margin:0"><iframe src="page.html" style="border:0" width={size[0]} height={size[1]}>'
        (Path(folder) / "frame.html").write_text(f"<!doctype html>{frame}</iframe>")
        command = [shutil.which("chromium") or "chromium", *FLAGS, *flags, f"--user-data-dir={folder}/profile"]
        command += [
            f"--window-size={size[0]},{size[1]}",
            f"--screenshot={PICTURES / name}",
            f"file://{folder}/frame.html",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def main() -> None:
    """Take the pictures."""
    page = render(read(HERE / "run.json"), "html")
    shoot(page, "report-light.png", (1200, 1250))
    shoot(page, "report-dark.png", (1200, 1250), DARK)
    shoot(page, "report-phone.png", (390, 1250))
    opened = re.sub(OPEN, r"\1 open>", page, count=1, flags=re.DOTALL)
    others = re.sub(
        r'<article class="control [^>]*data-control="(?!STSG-105).*?</article>', "", opened, flags=re.DOTALL
    )
    shoot(only(others, "findings"), "finding.png", (1200, 1640))
    shoot(only(page, "drills"), "drill.png", (1200, 760))
    shoot(only(page, "matrix", "cleanup"), "matrix.png", (1200, 1690))
    shoot(only(page, "blast"), "blast.png", (1200, 800))
    (PICTURES / "matrix.svg").write_text(containment_svg())


if __name__ == "__main__":
    main()
