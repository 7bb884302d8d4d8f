from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest

from pytest_stsguard.cloud.sts import limits
from pytest_stsguard.cloud.sts.reference import PARTS, generated, main
from pytest_stsguard.cloud.sts.refusals import REFUSALS
from pytest_stsguard.revocation.matrix import matrix

PAGE = Path(__file__).parents[3] / "docs" / "sessions.md"


def test_the_page_says_what_the_tables_say() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert generated(text) == text, "write it anew: python -m pytest_stsguard.cloud.sts.reference docs/sessions.md"
    assert generated(text, {"matrix": matrix().markdown}) == text
    for name in (*PARTS, "matrix"):
        assert f"<!-- generated: {name} -->" in text


def test_the_command_writes_the_page_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- generated: sessions -->\nold\n<!-- end -->\nafter\n")
    main([str(page)])
    text = page.read_text()
    assert "old" not in text
    assert "| AssumeRole | 900 / 3600 / 43200" in text
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")


@pytest.mark.parametrize("name", limits.TEXTS)
def test_lengths_are_those_of_the_published_model(name: str) -> None:
    model = botocore.session.get_session().get_service_model("sts")
    shapes = [model.operation_model(one).input_shape for one in model.operation_names]
    found = [shape.members[name].metadata for shape in shapes if shape is not None and name in shape.members]
    if not found:
        pytest.skip(f"this botocore does not know {name}")
    for metadata in found:
        assert metadata.get("min", 0) == limits.TEXTS[name].shortest
        assert metadata.get("max", limits.TEXTS[name].longest) == limits.TEXTS[name].longest


def test_durations_are_those_of_the_published_model() -> None:
    model = botocore.session.get_session().get_service_model("sts")
    for limit in limits.SESSIONS:
        for operation in limit.operations:
            if operation in model.operation_names:
                metadata = model.operation_model(operation).input_shape.members["DurationSeconds"].metadata
                assert (metadata["min"], metadata["max"]) == (limit.seconds.least, limit.seconds.most)


def test_errors_are_those_of_the_published_model() -> None:
    model = botocore.session.get_session().get_service_model("sts")
    known = {
        shape.metadata["error"]["code"]: shape.metadata["error"]["httpStatusCode"]
        for operation in model.operation_names
        for shape in model.operation_model(operation).error_shapes
    }
    generic = {"AccessDenied", "ValidationError", "InvalidParameterValue", "InvalidAuthenticationCode"}
    for refusal in REFUSALS.values():
        assert refusal.code in generic or known[refusal.code] == refusal.status
