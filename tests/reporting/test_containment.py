"""The containment matrix as a picture: every measured cell in it, coloured by what it means for the one whom it hits."""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from pytest_stsguard.reporting import Run, render
from pytest_stsguard.reporting.builder import containment_of
from pytest_stsguard.reporting.model import Answers, Containment
from pytest_stsguard.reporting.pictures import containment_svg
from pytest_stsguard.reporting.views.containment import table
from pytest_stsguard.revocation.matrix import matrix

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "matrix.svg"
SVG = "{http://www.w3.org/2000/svg}"


def test_every_cell_is_drawn_once_and_at_its_place() -> None:
    known, drawn = matrix(), table(containment_of())
    assert len(drawn.cells) == len(known.cells) == len(known.kinds) * len(known.methods)
    assert len({(cell.x, cell.y) for cell in drawn.cells}) == len(drawn.cells)
    empty = {cell.title for cell in drawn.cells if not cell.squares}
    assert len(empty) == sum(cell is None for cell in known.cells.values()) > 0
    assert all("has no meaning" in title for title in empty)
    for cell in drawn.cells:
        assert all(cell.x <= square.x < drawn.width - 22 for square in cell.squares)
        assert cell.y < drawn.height - 22


def test_colours_tell_what_an_outcome_means() -> None:
    found = Containment(
        outcomes={"allowed": "", "denied": "", "dead": ""},
        subjects={"stolen": "", "other": "", "key": ""},
        sessions={"s": ""},
        methods={"m": "", "n": ""},
        cells=(
            Answers("m", "s", {"stolen": "denied", "other": "denied", "key": "dead"}, "a note"),
            Answers("n", "s", {"stolen": "allowed", "other": "allowed", "key": "allowed"}),
        ),
    )
    first, second = table(found).cells
    assert [(square.worth, square.letter) for square in first.squares] == [("good", "D"), ("harm", "D"), ("harm", "†")]
    assert [(square.worth, square.letter) for square in second.squares] == [("bad", "A"), ("good", "A"), ("good", "A")]
    assert first.title == "m on s: stolen denied, other denied, key dead (a note)"


def test_picture_of_the_documentation_is_that_of_the_matrix() -> None:
    if os.environ.get("STSGUARD_SNAPSHOTS") == "write":
        PICTURE.write_text(containment_svg())
    assert PICTURE.read_text() == containment_svg(), "STSGUARD_SNAPSHOTS=write makes it anew"
    drawn = ET.parse(PICTURE).getroot()
    squares = sum(len(cell.outcomes) for cell in matrix().cells.values() if cell)
    assert len(drawn.findall(f"./{SVG}g/{SVG}rect")) == squares


def test_report_of_drills_shows_it_and_that_of_an_audit_does_not(example: Run) -> None:
    assert 'class="grid-picture"' in render(example, "html")
    assert "**Containment:** does it stop a stolen session?" in render(example, "markdown")
    audit = msgspec.structs.replace(example, drills=(), containment=None)
    assert 'class="grid-picture"' not in render(audit, "html")
    assert "**Containment:**" not in render(audit, "markdown")
