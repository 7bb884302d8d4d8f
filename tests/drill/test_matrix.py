"""The containment matrix, measured: what each method does to the stolen, the live and the fresh session, and undone."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pytest_stsguard.drill import NOT_MEASURED, measure_matrix, reason_against
from pytest_stsguard.drill.sources import SOURCES
from pytest_stsguard.revocation import METHODS

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_stsguard.cloud import Cloud

MARKED = ("assumed role", "chained role", "web identity", "saml", "console")
ROLES = (*MARKED, "container", "instance")
ABOVE = (*MARKED, "container", "session token", "access key", "root task")
A, D, R, IRREVERSIBLE = "allowed", "denied", "refused", "irreversible"

# method -> sessions -> stolen, another live one, a fresh one, the stolen one after the method was taken back
EXPECTED = {
    ("older-sessions", ROLES): (D, D, A, A),
    ("one-session", ROLES): (D, A, A, A),
    ("source-identity", MARKED): (D, A, A, A),
    ("principal-tag", MARKED): (D, A, A, A),
    ("user-sessions", ("session token", "federation token")): (D, D, A, A),
    ("user-sessions", ("access key",)): (A, A, A, A),
    ("deny-all", ROLES): (D, D, D, A),
    ("boundary", ROLES): (D, D, D, A),
    ("deactivate-key", ("session token", "federation token")): (A, A, R, A),
    ("deactivate-key", ("access key",)): ("unknown key", A, A, A),
    ("scp", ABOVE): (D, D, D, A),
    ("scp", ("federation token",)): (A, A, R, A),
    ("trust-edit", ROLES): (A, A, R, A),
    ("remove-permissions", ROLES): (D, D, D, A),
    ("replace-profile", ("instance",)): (A, A, R, A),
    ("restart-instance", ("instance",)): (A, A, A, IRREVERSIBLE),
    ("delete-role", ROLES): (D, D, R, IRREVERSIBLE),
}


def test_matrix_is_that_of_aws(sts_cloud: Cloud) -> None:
    measured = {
        (cell.method, cell.session): (cell.stolen, cell.live, cell.fresh, cell.undone)
        for cell in measure_matrix(sts_cloud)
    }
    assert measured == {
        (method, session): outcomes for (method, sessions), outcomes in EXPECTED.items() for session in sessions
    }


def test_every_method_is_measured_or_said_not_to_be() -> None:
    assert {method for method, _ in EXPECTED} | set(NOT_MEASURED) == set(METHODS)
    assert {session for _, sessions in EXPECTED for session in sessions} == set(SOURCES)


def test_every_other_cell_is_impossible_for_a_reason() -> None:
    measured = {(method, session) for method, sessions in EXPECTED for session in sessions}
    for method, session in product(METHODS, SOURCES):
        assert bool(reason_against(method, session)) == ((method, session) not in measured), (method, session)


def test_documentation_shows_what_is_measured(checkout: Path) -> None:
    text = (checkout / "docs" / "revocation.md").read_text().partition("<!-- the measured matrix -->")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n\n")[1].splitlines()[2:]]
    assert {(row[0], tuple(row[1].split(", "))): tuple(row[2:]) for row in rows} == EXPECTED
    text = (checkout / "docs" / "revocation.md").read_text().partition("<!-- the cells that cannot be -->")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n\n")[1].splitlines()[2:]]
    told = {
        (method, session): row[2] for row in rows for method in row[0].split(", ") for session in row[1].split(", ")
    }
    assert told == {pair: why for pair in product(METHODS, SOURCES) if (why := reason_against(*pair))}
