from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings import Configuration, Limits, Severity

if TYPE_CHECKING:
    from pathlib import Path

FULL = """
fail_on = "medium"
baseline = "known.json"

[zones]
account = "111122223333"
[zones.trust]
own_account = true

[[mute]]
control = "STSG-103"
resource = "*"
owner = "me"
reason = "known"
expiry = 2027-03-31

[severity]
stsg-303 = "high"

[sessions]
role_hours = 6
user_hours = 24

[limits]
unused_days = 30

[live]
accounts = ["111122223333"]
"""


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / "stsguard.toml").write_text(FULL)
    configuration = Configuration.load(None, tmp_path)
    assert configuration.path == tmp_path / "stsguard.toml"
    assert configuration.fail_on is Severity.MEDIUM
    assert configuration.baseline == tmp_path / "known.json"
    assert configuration.zones == {"account": "111122223333", "trust": {"own_account": True}}
    assert configuration.mutes[0].expiry == date(2027, 3, 31)
    assert configuration.severity == {"STSG-303": Severity.HIGH}
    assert configuration.longest_role_session == timedelta(hours=6)
    assert configuration.longest_user_session == timedelta(hours=24)
    assert configuration.limits == Limits(unused_days=30)
    assert configuration.live_accounts == ("111122223333",)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    configuration = Configuration.load(None, tmp_path)
    assert configuration == Configuration()
    assert configuration.fail_on is Severity.HIGH
    assert configuration.longest_role_session == timedelta(hours=12)
    assert configuration.longest_user_session == timedelta(hours=36)


def test_pyproject_holds_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\nx = 1\n[tool.stsguard]\nfail_on = "low"\n')
    assert Configuration.load(None, tmp_path).fail_on is Severity.LOW
    assert Configuration.load(tmp_path / "pyproject.toml", tmp_path / "elsewhere").fail_on is Severity.LOW
    (tmp_path / "stsguard.toml").write_text('fail_on = "critical"\n')
    assert Configuration.load(None, tmp_path).fail_on is Severity.CRITICAL


def test_a_pyproject_without_the_table_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("tool = 3\n")
    assert Configuration.load(None, tmp_path) == Configuration()
    assert Configuration.load(tmp_path / "pyproject.toml", tmp_path).fail_on is Severity.HIGH


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fail_onn = 1", r"stsguard.toml: unknown key `fail_onn` \(did you mean `fail_on`\?\)"),
        ("[limits]\nunused = 3", r"stsguard.toml: unknown key `limits.unused` \(did you mean `unused_days`\?\)"),
        (
            "[live]\nqqq = 3",
            r"unknown key `live.qqq` \(valid: accounts, audit_role, audit_accounts, skip_accounts, regions\)",
        ),
        ("[live]\nregions = []", "live.regions: expected names of regions as texts"),
        ('[live]\nregions = ["europe"]', "live.regions: expected names of regions as texts, got"),
        ("[live]\naudit_role = 3", "stsguard.toml: live.audit_role: expected a text, got `3`"),
        ("[live]\naudit_accounts = [3]", "live.audit_accounts: expected account ids of 12 digits as texts"),
        ('[live]\nskip_accounts = "x"', "live.skip_accounts: expected account ids"),
        ('fail_on = "urgent"', "stsguard.toml: fail_on: unknown severity `urgent`"),
        ('fail_on = "a\\nb"', r"unknown severity `a\\nb`"),
        (f'fail_on = "{"x" * 500}"', r"unknown severity `x{80}\.\.\.`"),
        ('"a\\nb" = 1', r"unknown key `a\\nb`"),
        ('[severity]\nSTSG-101 = "x"', "stsguard.toml: severity.STSG-101: unknown severity `x`"),
        ("zones = 3", r"stsguard.toml: zones: expected a table \(write it as \[zones\]\)"),
        ("mute = 3", r"stsguard.toml: mute: expected tables \(write each as \[\[mute\]\]\)"),
        ('mute = ["x"]', r"stsguard.toml: mute\[0\]: expected a table"),
        ("baseline = 3", "stsguard.toml: baseline: expected a text, got `3`"),
        ('baseline = ""', "stsguard.toml: baseline: expected a text, got ``"),
        ("[sessions]\nrole_hours = 0", "stsguard.toml: sessions.role_hours: expected a whole number"),
        ("[sessions]\nrole_hours = true", "expected a whole number"),
        ("[sessions]\nrole_hours = 100001", "expected a whole number"),
        ("[limits]\nunused_days = 1.5", "expected a whole number from 1 to 100,000, got `1.5`"),
        ("[live]\naccounts = [111122223333]", "live.accounts: expected account ids of 12 digits as texts"),
        ('[live]\naccounts = "111122223333"', "expected account ids"),
        ('[live]\naccounts = ["11112222333"]', "expected account ids"),
        ("[zones", "stsguard.toml: is no TOML: "),
        ("x = 1\nx = 2", "stsguard.toml: is no TOML: "),
    ],
)
def test_a_wrong_setting_is_refused_by_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "stsguard.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        Configuration.load(None, tmp_path)
    assert "\n" not in str(caught.value)


def test_keys_of_pyproject_are_named_with_their_table(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.stsguard]\nfial_on = 1\n")
    with pytest.raises(ConfigurationError, match=r"pyproject.toml: unknown key `tool.stsguard.fial_on`"):
        Configuration.load(None, tmp_path)
    path.write_text("[tool]\nstsguard = 3\n")
    with pytest.raises(ConfigurationError, match=r"`tool\.stsguard` is not a table"):
        Configuration.load(None, tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"x\.toml: is no (TOML|UTF-8 text)"):
        Configuration.load(path, tmp_path)


def test_what_an_editor_on_windows_saves_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stsguard.toml"
    path.write_bytes(b'\xef\xbb\xbffail_on = "low"\r\n[limits]\r\nunused_days = 7\r\n')
    found = Configuration.load(None, tmp_path)
    assert (str(found.fail_on), found.limits.unused_days) == ("low", 7)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: no such file or directory"):
        Configuration.load(tmp_path / "none.toml", tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be read: is a directory"):
        Configuration.load(tmp_path, tmp_path)
