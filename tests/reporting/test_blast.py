"""What a stolen session can become: read, drawn in layers, folded when there is much of it, told in every format."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_stsguard.account import load
from pytest_stsguard.cli.report import report
from pytest_stsguard.errors import InputError
from pytest_stsguard.findings import Finding, Severity
from pytest_stsguard.replay import Demonstration
from pytest_stsguard.reporting import Run, read, render, write
from pytest_stsguard.reporting.builder import blast_of
from pytest_stsguard.reporting.model import Blast, Edge, Node
from pytest_stsguard.reporting.radius import radii
from pytest_stsguard.reporting.reading import read_blast
from pytest_stsguard.reporting.views.blast import MOST_BOXES, graph, said, spots

if TYPE_CHECKING:
    from pytest_stsguard.reach.blast import Blast as ReachBlast
    from pytest_stsguard.reach.blast import Edge as ReachEdge

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
FINDINGS = [
    Finding(control, Severity.HIGH, f"arn:aws:iam::111122223333:role/{name}", "a stranger may assume it")
    for control, name in (
        ("STSG-105", "ci/github-deploy-shop"),
        ("STSG-107", "okta-admin"),
        ("STSG-101", "of-no-account"),
        ("STSG-301", "break-glass"),
    )
]
ROLES = {"d": "oa", "o": "mb", "b": "o", "m": "d", "a": "a"}


def wide(count: int, *, survivors: int = 0) -> Blast:
    nodes = [
        Node(id="start", kind="role"),
        *(Node(id=f"r{n}", kind="role", survives_revocation=n >= count - survivors) for n in range(count)),
    ]
    return Blast(
        start="start",
        nodes=tuple(nodes),
        edges=tuple(Edge(source="start", to=f"r{n}", kind="assume") for n in range(count)),
    )


def chain(count: int) -> Blast:
    nodes = tuple(Node(id=str(n), kind=f"kind {n}") for n in range(count))
    return Blast(
        start="0", nodes=nodes, edges=tuple(Edge(source=str(n), to=str(n + 1), kind="assume") for n in range(count - 1))
    )


def test_layers_go_from_the_theft_to_the_right(radius: Any) -> None:
    drawn = graph(radius(ROLES, survivors="obm", proven="m"))
    at = {box.name: box for box in drawn.boxes}
    assert at["d"].x < at["o"].x == at["a"].x < at["m"].x == at["b"].x
    assert {name: box.state for name, box in at.items()} == {
        "d": "start",
        "a": "ends",
        **dict.fromkeys("obm", "survives"),
    }
    assert at["a"].words == "role, ↻ itself"
    assert (drawn.nodes, drawn.survivors, len(drawn.wires)) == (5, 3, 6)
    assert [wire.title for wire in drawn.wires][:3] == [
        "d to o: assume",
        "d to a: assume",
        "o to m: assume, demonstrated",
    ]
    assert [wire.label for wire in drawn.wires if "demonstrated" in wire.title] == ["✓ assume"]
    for box in drawn.boxes:
        assert 0 <= box.x <= drawn.width - 190
        assert 0 <= box.y <= drawn.height - 38
    assert len({(box.x, box.y) for box in drawn.boxes}) == 5


def test_way_back_runs_below_every_box(radius: Any) -> None:
    drawn = graph(radius(ROLES))
    lowest = max(box.y + 38 for box in drawn.boxes)
    floors = [int(match[1]) for wire in drawn.wires if (match := re.search(r"V(\d+)H", wire.path))]
    assert len(floors) == 2
    assert all(lowest < floor < drawn.height for floor in floors)
    assert len(set(floors)) == 2


def test_sixty_nodes_are_drawn_and_more_are_folded() -> None:
    assert len(graph(wide(MOST_BOXES - 1)).boxes) == MOST_BOXES
    drawn = graph(wide(500, survivors=20))
    assert len(drawn.boxes) <= MOST_BOXES
    assert sum(box.state == "survives" for box in drawn.boxes) == 20
    (folded,) = (box for box in drawn.boxes if box.state == "more")
    assert folded.name == f"{500 - (len(drawn.boxes) - 2):,} more"
    assert (drawn.nodes, drawn.survivors) == (501, 20)
    columns = Counter(box.x for box in graph(wide(500)).boxes)
    assert max(columns.values()) == 17  # sixteen, and what shares a box
    hidden = graph(wide(500, survivors=100))
    (folded,) = (box for box in hidden.boxes if box.name.endswith(" more"))
    assert folded.words == f"role, {100 - sum(box.state == 'survives' for box in hidden.boxes)} survive"
    assert folded.state == "more survives"
    assert all(wire.state == "survives" for wire in hidden.wires)


@pytest.mark.parametrize("blast", [chain(5_000), wide(5_000)], ids=["deep", "wide"])
def test_drawing_stays_small_whatever_there_is(blast: Blast) -> None:
    drawn = graph(blast)
    assert len(drawn.boxes) <= MOST_BOXES
    assert drawn.width < 5_000
    assert drawn.height < 5_000
    assert len(drawn.steps) + drawn.left_out == len(blast.edges)
    shown = [spot for spot in spots(blast, most=MOST_BOXES) for _ in spot.ids]
    assert len(shown) == len(blast.nodes)


@given(
    st.integers(1, 130).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=3 * size),
            st.sets(st.integers(0, size - 1)),
            st.integers(1, 90),
        )
    )
)
@settings(max_examples=60)
def test_any_graph_is_drawn_whole_and_in_its_frame(case: tuple[int, list[tuple[int, int]], set[int], int]) -> None:
    size, steps, alive, kinds = case
    nodes = [Node(id=str(n), kind=f"kind {n % kinds}", survives_revocation=n in alive) for n in range(size)]
    edges = [Edge(source=str(one), to=str(other), kind="assume") for one, other in steps]
    blast = Blast(start="0", nodes=tuple(nodes), edges=tuple(edges))
    found, drawn = spots(blast, most=MOST_BOXES), graph(blast)
    assert sorted(name for spot in found for name in spot.ids) == sorted(node.id for node in nodes)
    assert len(drawn.boxes) == len(found) <= MOST_BOXES
    assert len({(box.x, box.y) for box in drawn.boxes}) == len(drawn.boxes)
    assert [box.state for box in drawn.boxes].count("start") == 1
    assert all(0 <= box.x <= drawn.width - 190 and 0 <= box.y <= drawn.height - 38 for box in drawn.boxes)
    for wire in drawn.wires:
        assert "-" not in wire.path
        assert 0 <= wire.y <= drawn.height


def test_account_is_named_by_its_id() -> None:
    assert Node(id="arn:aws:iam::111122223333:root", kind="account").name == "account 111122223333"
    assert Node(id="x", kind="role", arn="arn:aws:iam::111122223333:role/a/root").name == "a/root"
    assert Node(id="root", kind="user").name == "root"


def test_calls_are_written_as_they_are_made() -> None:
    call = {"service": "sts", "operation": "AssumeRole", "parameters": {"RoleArn": "arn:x", "DurationSeconds": 900}}
    assert said(call) == "sts.AssumeRole(RoleArn=arn:x, DurationSeconds=900)"
    assert said({"Sid": "A"}) == '{"Sid": "A"}'
    assert said(None) == ""


def test_every_format_tells_of_it(example: Run, radius: Any) -> None:
    run = msgspec.structs.replace(example, blast=(radius(ROLES, survivors="obm"),))
    page = render(run, "html")
    assert page.count('<svg class="blast fits"') == 1
    assert "3 of 4 survive" in page
    assert "policy Statement[0]" in page
    text = render(run, "markdown")
    assert "**Blast radius** of `d`: 4 more, of which 3 survive a revocation of it alone." in text
    assert 'n0 -->|"assume"| n1' in text
    assert "Revoke together: `arn:aws:iam::111122223333:role/o`" in text
    (told,) = json.loads(render(run, "json"))["blast"]
    assert told["edges"][0] == {
        "from": "d",
        "to": "o",
        "kind": "assume",
        "statement": "policy Statement[0]",
        "calls": [],
        "demonstrated": None,
        "reason": None,
    }


def test_names_are_no_syntax_of_mermaid(hostile: Run) -> None:
    (graph,) = re.findall(r"```mermaid\n(.*?)\n```", render(hostile, "markdown"), re.DOTALL)
    for line in graph.split("\n")[1:-2]:
        assert re.fullmatch(r'  n\d+\["[^"`<>|{}]*<br>[^"`<>|{}]*"\](:::\w+)?|  n\d+ -->\|"[^"`<>|{}]*"\| n\d+', line)


def test_command_shows_what_another_printed(example: Run, radius: Any, tmp_path: Path) -> None:
    blast = radius(ROLES, survivors="o")
    (tmp_path / "blast.json").write_text(json.dumps(msgspec.to_builtins(blast)))
    write(example, "json", tmp_path / "run.json")
    command = ["--from", f"{tmp_path}/run.json", "--blast", f"{tmp_path}/blast.json", "--format", "json"]
    shown = CliRunner().invoke(report, command, standalone_mode=False)
    (tmp_path / "again.json").write_bytes(shown.stdout_bytes)
    assert read(tmp_path / "again.json").blast == (*example.blast, blast)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"start": "nobody"}, "`nobody` is no node of the blast radius"),
        ({"edges": [{"from": "d", "to": "x\x1b", "kind": "k"}]}, r"`x\\x1b` is no node"),
        ({"nodes": 7}, "is no report: expected `array`"),
        ({"schema": 3}, "is no report of schema 1"),
    ],
)
def test_file_that_is_no_blast_radius_is_refused(changed: Any, said: str, radius: Any, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(msgspec.to_builtins(radius(ROLES)) | changed))
    with pytest.raises(InputError, match=said):
        read_blast(tmp_path / "b.json")


def test_secrets_of_calls_are_redacted_and_equal_steps_kept_once(radius: Any) -> None:
    data = msgspec.to_builtins(radius({"a": "b"}))
    data["edges"] = [{**data["edges"][0], "calls": [{"SecretAccessKey": "hidden"}]}] * 3
    blast = blast_of(data)
    assert len(blast.edges) == 1
    assert "hidden" not in repr(blast)


def test_report_shows_what_strangers_can_make_of_an_account() -> None:
    account = load(f"export:{ROOT}/examples/account.json")
    told = radii(FINDINGS, [account], now=AT)
    names = [one["start"].rpartition("/")[2] for one in told]
    assert names == ["okta-admin", "github-deploy-shop"]
    assert "anything in account 111122223333" in told[0]["unbounded"]
    assert len(told[1]["nodes"]) == 4
    muted = [replace(finding, muted="known") for finding in FINDINGS]
    assert radii(muted, [account], now=AT) == []


def test_steps_are_taken_where_somebody_takes_them() -> None:
    account = load(f"export:{ROOT}/examples/account.json")

    def walk(blast: ReachBlast) -> dict[ReachEdge, Demonstration]:
        first, *others = blast.edges
        return {first: Demonstration(done=True), others[0]: Demonstration(done=False, reason="no room")}

    (told, *_) = radii(FINDINGS, [account], now=AT, walk=walk)
    assert [(edge.get("demonstrated"), edge.get("reason")) for edge in told["edges"][:2]] == [
        (True, None),
        (False, "no room"),
    ]
    drawn = graph(blast_of(told))
    assert [text for *_, text in drawn.steps][:2] == ["demonstrated", "not demonstrated: no room"]


def test_replay_of_a_run_takes_the_steps(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.stsguard("STSG-107")
        def test_check(sts_account, sts_findings):
            sts_findings.add(sts_account.role("okta-admin").arn, "open")
    """)
    target = f"--stsguard-target=export:{ROOT}/examples/account.json"
    pytester.runpytest("-p", "no:cacheprovider", target, "--stsguard-replay", "--stsguard-report=json:r.json")
    (blast,) = read(pytester.path / "r.json").blast
    assert [edge.demonstrated for edge in blast.edges] == [True, True]
    assert blast.unbounded == "the thief can come to do anything in account 111122223333"
