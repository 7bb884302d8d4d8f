"""The configuration: stsguard.toml, or the table ``[tool.stsguard]`` of pyproject.toml.

::

    fail_on  = "high"                 # lowest severity that fails a check
    baseline = "stsguard-baseline.json"

    [zones]                           # who may assume roles: read by the prover
    [[mute]]                          # see the module mute

    [severity]                        # of a control, where yours differs from the catalogue's
    STSG-303 = "medium"

    [sessions]                        # longest session that could exist: the cleanup rule
    role_hours = 12
    user_hours = 36

    [limits]
    unused_days      = 90             # STSG-303
    session_hours    = 4              # STSG-301
    shared_instances = 10             # STSG-402

    [live]
    accounts = ["111122223333"]       # the only accounts that a live drill may touch
    audit_role     = "stsguard-audit" # what is assumed in each account of an organisation, to read it
    audit_accounts = ["444455556666"] # of an organisation audit these alone; default: all
    skip_accounts  = ["777788889999"] # and never these
    regions        = ["eu-west-1"]    # where a live audit looks for instances; default: every enabled region
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from re import compile as regex
from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.findings.mute import Mute
from pytest_stsguard.findings.severity import Severity
from pytest_stsguard.findings.suggestion import show, suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Configuration", "Limits"]

FILE = "stsguard.toml"
PYPROJECT = "pyproject.toml"
_TABLE = "tool.stsguard"
_KEYS = ("fail_on", "baseline", "zones", "mute", "severity", "sessions", "limits", "live")
_LIVE = ("accounts", "audit_role", "audit_accounts", "skip_accounts", "regions")
_REGION = regex(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What some controls compare with: days without use, hours of a session, instances that share a role."""

    unused_days: int = 90
    session_hours: int = 4
    shared_instances: int = 10


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of a run; every field has a default.

    Attributes:
        path: the file they come from; None: no file, all defaults.
        zones: the table ``[zones]`` as it stands, for the prover to validate; empty: none.
        severity: control id to its severity here.
        baseline: the path as written, resolved against the file's folder.
        longest_role_session: what the cleanup rule adds to the cutoff of a role's revocation.
        longest_user_session: the same for a user.
        live_accounts: the allow-list of live drills.
        audit_role: the role that reads each account of an organisation; None: the default of the source.
        audit_accounts: the accounts of an organisation to audit; empty: all.
        skip_accounts: the accounts of an organisation not to audit.
        regions: where a live audit looks for instances; None: in every region that the account has enabled.
    """

    path: Path | None = None
    fail_on: Severity = Severity.HIGH
    baseline: Path | None = None
    zones: Mapping[str, Any] = field(default_factory=dict, hash=False)
    mutes: tuple[Mute, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict, hash=False)
    longest_role_session: timedelta = timedelta(hours=12)
    longest_user_session: timedelta = timedelta(hours=36)
    limits: Limits = field(default_factory=Limits)
    live_accounts: tuple[str, ...] = ()
    audit_role: str | None = None
    audit_accounts: tuple[str, ...] = ()
    skip_accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] | None = None

    @classmethod
    def load(cls, path: str | Path | None, rootdir: str | Path) -> Configuration:
        """Load a file, or what is found in the root directory.

        Args:
            path: the file given by the user: a TOML file of its own, or a pyproject.toml. None: look in `rootdir`.
            rootdir: where to look for stsguard.toml, then for pyproject.toml.

        Raises:
            ConfigurationError: a missing or unreadable file, an unknown key, a wrong value; with file and key.
        """
        if path is not None:
            file = Path(path)
            data = _read(file)
            return _Reader(file).read(data if file.name != PYPROJECT else _table(data, file) or {})
        own, shared = Path(rootdir) / FILE, Path(rootdir) / PYPROJECT
        if own.exists():
            return _Reader(own).read(_read(own))
        table = _table(_read(shared), shared) if shared.exists() else None
        return cls() if table is None else _Reader(shared).read(table)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, OSError):
            reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
        elif isinstance(error, UnicodeDecodeError):
            reason = "is no UTF-8 text"
        else:
            reason = f"is no TOML: {' '.join(str(error).split())}"
        raise ConfigurationError(reason[0].lower() + reason[1:], location=str(path)) from error


def _table(data: dict[str, Any], path: Path) -> dict[str, Any] | None:
    tool = data.get("tool")
    table = tool.get("stsguard") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"`{_TABLE}` is not a table", location=str(path))
    return table


class _Reader:
    """Checks the values of one file; each error names the file and the key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prefix = f"{_TABLE}." if path.name == PYPROJECT else ""

    def read(self, data: dict[str, Any]) -> Configuration:
        self._known(data, _KEYS, "")
        sessions = self._table(data, "sessions", ("role_hours", "user_hours"))
        limits = self._table(data, "limits", tuple(Limits.__slots__))
        live = self._table(data, "live", _LIVE)
        baseline = self._text(data, "baseline")
        hours = {key: self._number(sessions, "sessions", key) for key in sessions}
        return Configuration(
            path=self.path,
            fail_on=self._severity("fail_on", data.get("fail_on", Severity.HIGH)),
            baseline=None if baseline is None else self.path.parent / baseline,
            zones=self._table(data, "zones", None),
            mutes=self._mutes(data.get("mute", [])),
            severity={
                key.upper(): self._severity(f"severity.{key}", value)
                for key, value in self._table(data, "severity", None).items()
            },
            longest_role_session=timedelta(hours=hours.get("role_hours", 12)),
            longest_user_session=timedelta(hours=hours.get("user_hours", 36)),
            limits=Limits(**{key: self._number(limits, "limits", key) for key in limits}),
            live_accounts=self._accounts(live, "accounts"),
            audit_role=self._text(live, "audit_role", "live."),
            audit_accounts=self._accounts(live, "audit_accounts"),
            skip_accounts=self._accounts(live, "skip_accounts"),
            regions=self._regions(live),
        )

    def _fail(self, key: str, message: str, *, hint: str | None = None) -> ConfigurationError:
        return ConfigurationError(message, location=f"{self.path}: {self.prefix}{key}".removesuffix(": "), hint=hint)

    def _known(self, data: dict[str, Any], valid: tuple[str, ...], table: str) -> None:
        for key in data:
            if key not in valid:
                name = f"{self.prefix}{table}.{key}" if table else f"{self.prefix}{key}"
                raise ConfigurationError(
                    f"unknown key `{show(name)}`", location=str(self.path), hint=suggest(key, valid)
                )

    def _table(self, data: dict[str, Any], key: str, valid: tuple[str, ...] | None) -> dict[str, Any]:
        table = data.get(key, {})
        if not isinstance(table, dict):
            raise self._fail(key, "expected a table", hint=f"write it as [{self.prefix}{key}]")
        if valid is not None:
            self._known(table, valid, key)
        return table

    def _text(self, data: dict[str, Any], key: str, table: str = "") -> str | None:
        value = data.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self._fail(table + key, f"expected a text, got `{show(value)}`")
        return value

    def _number(self, data: dict[str, Any], table: str, key: str) -> int:
        value = data[key]
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 100_000:  # noqa: PLR2004 - dates end
            raise self._fail(f"{table}.{key}", f"expected a whole number from 1 to 100,000, got `{show(value)}`")
        return value

    def _severity(self, key: str, value: Any) -> Severity:
        try:
            return Severity.parse(value)
        except ConfigurationError as error:
            raise self._fail(key, error.message, hint=error.hint) from error

    def _mutes(self, value: Any) -> tuple[Mute, ...]:
        if not isinstance(value, list):
            raise self._fail("mute", "expected tables", hint=f"write each as [[{self.prefix}mute]]")
        return tuple(
            Mute.parse(entry, place=f"{self.path}: {self.prefix}mute[{index}]") for index, entry in enumerate(value)
        )

    def _regions(self, live: dict[str, Any]) -> tuple[str, ...] | None:
        value = live.get("regions")
        if value is None:
            return None
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(one, str) and _REGION.fullmatch(one) for one in value)
        ):
            raise self._fail("live.regions", f"expected names of regions as texts, got `{show(value)}`")
        return tuple(value)

    def _accounts(self, live: dict[str, Any], key: str) -> tuple[str, ...]:
        value = live.get(key, [])
        wrong = not isinstance(value, list) or [
            entry
            for entry in value
            if not (isinstance(entry, str) and len(entry) == _ACCOUNT_DIGITS and entry.isascii() and entry.isdigit())
        ]
        if wrong:
            raise self._fail(
                f"live.{key}", f"expected account ids of {_ACCOUNT_DIGITS} digits as texts, got `{show(value)}`"
            )
        return tuple(value)
