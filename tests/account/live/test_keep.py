from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_stsguard.account.live.keep import Keep
from pytest_stsguard.errors import InputError

ACCOUNT = "111122223333"


def test_pages_are_given_back_with_the_token_of_the_next(tmp_path: Path) -> None:
    keep = Keep(tmp_path / "a" / "b", ACCOUNT)
    assert keep.state("roles") == ([], None, False)
    keep.add("roles", "one", "t1")
    keep.add("oidc", "all", None)
    again = Keep(tmp_path / "a" / "b", ACCOUNT)
    assert again.state("roles") == (["one"], "t1", False)
    assert again.state("oidc") == (["all"], None, True)
    again.add("roles", "two", "")
    assert Keep(tmp_path / "a" / "b", ACCOUNT).state("roles") == (["one", "two"], None, True)
    for path in (tmp_path / "a" / "b", *(tmp_path / "a" / "b").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_a_finished_run_begins_anew(tmp_path: Path) -> None:
    keep = Keep(tmp_path, ACCOUNT)
    keep.add("roles", "one", None)
    keep.finish()
    again = Keep(tmp_path, ACCOUNT)
    assert again.state("roles") == ([], None, False)
    assert list(tmp_path.glob("*.json")) == []
    again.drop("roles")


def test_a_step_whose_page_is_gone_begins_anew(tmp_path: Path) -> None:
    keep = Keep(tmp_path, ACCOUNT)
    keep.add("roles", "one", "t")
    keep.add("oidc", "one", None)
    (tmp_path / "roles-0000.json").unlink()
    again = Keep(tmp_path, ACCOUNT)
    assert again.state("roles") == ([], None, False)
    assert again.state("oidc")[2] is True


def test_the_pages_of_another_account_are_refused(tmp_path: Path) -> None:
    Keep(tmp_path, ACCOUNT).finish()
    with pytest.raises(InputError, match="keeps the account `111122223333`, and the credentials are of `444455556666`"):
        Keep(tmp_path, "444455556666")


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"account": "111122223333"}', "\x00",
                                  '{"account": "111122223333", "steps": {"x": {"pages": "y"}}}',
                                  '{"account": "111122223333", "steps": [], "complete": false}'])  # fmt: skip
def test_a_directory_that_cannot_be_used_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "progress.state").write_text(text)
    with pytest.raises(InputError, match="its progress cannot be read") as caught:
        Keep(tmp_path, ACCOUNT)
    assert "\n" not in str(caught.value)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(json.dumps({}))
    for path in (tmp_path / "x", tmp_path / "x" / "y", Path("a\0b")):
        with pytest.raises(InputError, match="cannot be used: "):
            Keep(path, ACCOUNT)
