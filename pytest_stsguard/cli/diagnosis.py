"""What ``stsguard doctor`` looks at, one small examination each: the installation, the configuration, the way to AWS."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, distribution, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.errors import AwsUnavailableError, ConfigurationError, StsGuardError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

__all__ = ["Diagnosis", "diagnose"]

PACKAGE: Final = "pytest-stsguard"
OLDEST: Final = (3, 11)
MOST_SKEW: Final = 300
"""Seconds that a clock may be off; AWS refuses signatures from 15 minutes on.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

_PLUGINS: Final = {"pytest-html": "a page of pytest's own outcomes", "pytest-xdist": "checks in several processes"}
_EXTRAS: Final = {"saml": "SAML sign-in in the simulated cloud"}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at; `state` is ``ok``, ``optional`` (it can be done without), ``missing`` or ``wrong``."""

    name: str
    state: str
    text: str
    advice: str = ""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"name": self.name, "state": self.state, "text": self.text, "advice": self.advice or None}


def diagnose(config: str | None, profile: str | None) -> Iterator[Diagnosis]:
    """Look at everything, the installation first.

    Args:
        config: the configuration file that was given, else the one of this folder counts.
        profile: the AWS profile that was given, else the environment counts.
    """
    yield _python()
    yield from _requirements()
    yield _plugin()
    yield _shipped()
    yield _configuration(config)
    yield from _aws(profile)


def _python() -> Diagnosis:
    shown = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST:
        return Diagnosis("python", "wrong", shown, "install Python 3.11 or newer", 1)
    return Diagnosis("python", "ok", shown)


def _requirements() -> Iterator[Diagnosis]:
    """Compare what the package asks for with what is installed; extras are optional."""
    try:
        from packaging.requirements import Requirement

        wanted = [Requirement(text) for text in distribution(PACKAGE).requires or ()]
    except ModuleNotFoundError as error:  # packaging, which comes with pytest; or this package was never installed
        name = error.name or PACKAGE
        yield Diagnosis(name, "missing", "not installed", f"python -m pip install {name}", 1)
        return
    for one in wanted:
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield _requirement(one)
    for extra, use in _EXTRAS.items():
        for one in wanted:
            if (
                one.marker is not None
                and not one.marker.evaluate({"extra": ""})
                and one.marker.evaluate({"extra": extra})
            ):
                yield _optional(one.name, use, f"python -m pip install '{PACKAGE}[{extra}]'")
    for name, use in _PLUGINS.items():
        if name not in {one.name for one in wanted if one.marker is None}:
            yield _optional(name, use, f"python -m pip install {name}")


def _requirement(one: Requirement) -> Diagnosis:
    advice = f"python -m pip install '{one.name}{one.specifier}'"
    try:
        found = version(one.name)
    except PackageNotFoundError:
        return Diagnosis(one.name, "missing", f"needed: {one.specifier}", advice, 1)
    if not one.specifier.contains(found, prereleases=True):
        return Diagnosis(one.name, "wrong", f"{found}, needed: {one.specifier}", advice, 1)
    return Diagnosis(one.name, "ok", found)


def _optional(name: str, use: str, advice: str) -> Diagnosis:
    try:
        return Diagnosis(name, "ok", version(name))
    except PackageNotFoundError:
        return Diagnosis(name, "optional", f"not installed; it is for {use}", advice)


def _plugin() -> Diagnosis:
    found = [one for one in entry_points(group="pytest11") if one.name == "stsguard"]
    if not found:
        return Diagnosis("pytest plugin", "missing", "not registered", f"python -m pip install {PACKAGE}", 1)
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        text = "PYTEST_DISABLE_PLUGIN_AUTOLOAD is set: pytest takes no plugin that is not named"
        return Diagnosis("pytest plugin", "optional", text, f"pytest -p {found[0].value}; stsguard needs nothing")
    return Diagnosis("pytest plugin", "ok", found[0].value)


def _shipped() -> Diagnosis:
    checks, reports = find_spec("pytest_stsguard.checks"), find_spec("pytest_stsguard.reports")
    if checks is None or reports is None:
        return Diagnosis(
            "checks", "missing", "not in the package", f"python -m pip install --force-reinstall {PACKAGE}", 1
        )
    count = len(list(Path(str(next(iter(checks.submodule_search_locations or [""])))).glob("test_*.py")))
    return Diagnosis("checks", "ok", f"{count} modules")


def _configuration(path: str | None) -> Diagnosis:
    from pytest_stsguard.findings import Configuration
    from pytest_stsguard.trust import Zones

    try:
        found = Configuration.load(path, Path.cwd())
        if found.zones:
            Zones.parse({"account": "000000000000", **found.zones})
    except ConfigurationError as error:
        return Diagnosis("configuration", "wrong", str(error), "mend it, or write one: stsguard init", error.exit_code)
    if found.path is None:
        return Diagnosis("configuration", "optional", "none: the defaults count", "stsguard init writes one")
    if "account" not in found.zones:
        advice = "give zones.account, so that templates and plans know their account"
        return Diagnosis("configuration", "optional", f"{found.path}: no account is named in [zones]", advice)
    return Diagnosis("configuration", "ok", str(found.path))


def _aws(profile: str | None) -> Iterator[Diagnosis]:
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound
    except ModuleNotFoundError as error:
        yield Diagnosis("AWS", "missing", f"cannot be asked without {error.name}", "python -m pip install boto3", 1)
        return
    from pytest_stsguard.cli.connection import reason_of

    try:
        session = boto3.Session(profile_name=profile)
        held = session.get_credentials()
    except ProfileNotFound:
        yield Diagnosis("AWS", "wrong", f"profile `{profile}` does not exist", "aws configure list-profiles", 2)
        return
    except BotoCoreError as error:
        yield Diagnosis("AWS", "wrong", reason_of(error), "see ~/.aws/config", AwsUnavailableError.exit_code)
        return
    if held is None:
        text = "no credentials: the targets aws and org, revoke and cleanup cannot be used; all else can"
        yield Diagnosis("AWS", "optional", text, "aws configure sso, or --profile NAME")
        return
    try:
        answer = _ask(session)
    except (BotoCoreError, ClientError, StsGuardError) as error:
        advice = "are the credentials expired, and is this clock right?"
        yield Diagnosis("AWS", "wrong", reason_of(error), advice, AwsUnavailableError.exit_code)
        return
    yield Diagnosis("AWS", "ok", f"{answer['Arn']} in account {answer['Account']}, by {held.method}")
    yield _clock(answer["ResponseMetadata"]["HTTPHeaders"].get("date"))


def _ask(session: Any) -> dict[str, Any]:
    from botocore.config import Config

    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    client = session.client("sts", region_name=session.region_name or "us-east-1", config=config)
    answer: dict[str, Any] = client.get_caller_identity()
    return answer


def _clock(date: str | None) -> Diagnosis:
    """Compare this machine's clock with the one that answered: cutoffs of a revocation are moments."""
    from pytest_stsguard.clock import Clock

    if date is None:
        return Diagnosis("clock", "optional", "AWS's answer carried no date")
    skew = (Clock().now() - parsedate_to_datetime(date)).total_seconds()
    if abs(skew) > MOST_SKEW:
        text = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} AWS's"
        return Diagnosis("clock", "wrong", text, "set it by NTP: revocation cutoffs and signatures depend on it", 1)
    return Diagnosis("clock", "ok", f"within {MOST_SKEW} seconds of AWS's")
