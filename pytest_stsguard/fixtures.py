"""The fixtures. Each imports what it needs when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.errors import ConfigurationError, StsGuardError
from pytest_stsguard.run import RECORDER, RUN, TIMELINE, as_usage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from pytest_stsguard.account import Account
    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.cloud.providers import OidcProvider, SamlProvider
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.drill.access import Access
    from pytest_stsguard.findings import Configuration, Recorder
    from pytest_stsguard.reach import Survey
    from pytest_stsguard.revocation import Revocation
    from pytest_stsguard.run import Run

__all__ = [
    "imds_credentials",
    "sts_account",
    "sts_assume_role",
    "sts_cloud",
    "sts_configuration",
    "sts_drill",
    "sts_findings",
    "sts_now",
    "sts_oidc_provider",
    "sts_revoke",
    "sts_saml_provider",
    "sts_survey",
]

_ACCESS: pytest.StashKey[Access] = pytest.StashKey()
_CLOUDY = frozenset({"sts_cloud", "sts_drill"})
_CLOUD_SETTINGS = frozenset({"account", "consistency", "parameters", "region", "world"})


@pytest.fixture
def sts_cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """Give a fresh, enforcing simulated AWS, by default with the demo world in it.

    The marker ``stsguard_cloud(account=..., region=..., world=..., consistency=...)`` sets it up: world is ``"demo"``,
    ``"empty"``, the file of a template (with its ``parameters``) or of a saved state, an account such as
    ``"export:FILE"``, or ``"target"`` for the account that ``--stsguard-target`` names; with a consistency, in seconds,
    changes are seen as late as on AWS.
    """
    marker = request.node.get_closest_marker("stsguard_cloud")
    settings = dict(marker.kwargs) if marker else {}
    if unknown := sorted(settings.keys() - _CLOUD_SETTINGS) or (list(marker.args) if marker else []):
        raise ConfigurationError(
            f"the marker stsguard_cloud takes no `{unknown[0]}`", hint=f"it takes: {', '.join(sorted(_CLOUD_SETTINGS))}"
        )
    from pytest_stsguard.drill.listening import Lines, listening

    lines = request.node.stash.setdefault(TIMELINE, [])
    with _opened(request.config.stash[RUN], settings) as cloud, listening(Lines(lines)):
        yield cloud


def _opened(run: Run, settings: dict[str, Any]) -> AbstractContextManager[Cloud]:
    """Open the cloud that a marker asks for: a world of its own, or one with an account in it."""
    from pytest_stsguard.cloud import Cloud

    world = str(settings.get("world", "demo"))
    if world == "target" and run.is_demo:
        settings["world"] = world = "demo"
    if world != "target" and ":" not in world:
        return Cloud(**settings)
    from pytest_stsguard.account import load_all
    from pytest_stsguard.drill.world import loaded_cloud

    del settings["world"]
    if "account" in settings and world == "target":
        raise ConfigurationError("the target tells which account it is", hint="leave `account` out of stsguard_cloud")
    named = settings.pop("account", None)
    return loaded_cloud(run.accounts if world == "target" else load_all(world, account=named), **settings)


@pytest.fixture
def sts_drill(request: pytest.FixtureRequest) -> Iterator[Drill]:
    """Give a drill in the simulated cloud: steal, revoke, probe, recover, clean up; its timeline goes with the report.

    What the test asserts beside it, by ``assert_denied`` and its like, stands on the timeline as well. With
    ``--stsguard-live-drill`` it plays scenarios on the account that ``--stsguard-target`` names.
    """
    from pytest_stsguard.drill import Drill
    from pytest_stsguard.drill.listening import listening

    run = request.config.stash[RUN]
    drill = _live_drill(request, run) if run.option("live_drill") else Drill(request.getfixturevalue("sts_cloud"))
    request.node.stash[TIMELINE] = drill.lines
    with listening(drill.hear):
        yield drill


def _live_drill(request: pytest.FixtureRequest, run: Run) -> Drill:
    from pytest_stsguard.drill.live_drill import LiveDrill, open_account

    try:
        access = request.config.stash.get(_ACCESS, None)
        if access is None:
            access = open_account(run.target.partition(":")[2] or None, run.configuration.live_accounts)
            request.config.stash[_ACCESS] = access
        return LiveDrill(access, request.config.rootpath, roles=run.role_globs)
    except StsGuardError as error:
        raise as_usage_error(error) from None


@pytest.fixture
def sts_assume_role(sts_drill: Drill) -> Callable[..., Credentials]:
    """Give ``(role, *, session_name=..., by=None, **params) -> Credentials``.

    `role` is a name or an ARN, `by` the credentials that assume it (the administrator's by default), `params` those of
    AssumeRole.
    """
    return sts_drill.assume


@pytest.fixture
def imds_credentials(sts_drill: Drill) -> Callable[[str], Credentials]:
    """Give ``(instance) -> Credentials``, fetched over HTTP with IMDSv2 as a thief would; an instance id or Name tag."""
    return sts_drill.steal


@pytest.fixture
def sts_oidc_provider(sts_cloud: Cloud) -> Callable[..., OidcProvider]:
    """Give ``(shape="plain", *, register=True, **options) -> OidcProvider``: an identity provider on loopback.

    The shapes are ``"plain"``, ``"github"``, ``"gitlab"`` and ``"eks"``; ``provider.token(**claims)`` is what
    AssumeRoleWithWebIdentity takes.
    """
    return sts_cloud.oidc_provider


@pytest.fixture
def sts_saml_provider(sts_cloud: Cloud) -> Callable[..., SamlProvider]:
    """Give ``(*, name="stsguard", register=True) -> SamlProvider``, which needs the extra `saml`.

    ``provider.response(role)`` is what AssumeRoleWithSAML takes.
    """
    return sts_cloud.saml_provider


@pytest.fixture
def sts_revoke(sts_drill: Drill) -> Callable[..., Revocation]:
    """Give ``(role, *, method="older-sessions", **scope) -> Revocation``.

    It returns when a session made from then on is later than the cutoff.
    """
    return sts_drill.revoke


@pytest.fixture
def sts_member(request: pytest.FixtureRequest) -> str | None:
    """Give the id of the account of an organisation that the test is for, where ``--stsguard-target`` is ``org``.

    A test that looks at the account runs once for each; other targets are one account, and this is None.
    """
    return getattr(request, "param", None)


@pytest.fixture
def sts_account(request: pytest.FixtureRequest, sts_member: str | None) -> Account:
    """Give the account that ``--stsguard-target`` names, as data; of the demo, the simulated cloud of this test."""
    try:
        return request.config.stash[RUN].narrowed(_account(request, sts_member))
    except StsGuardError as error:
        raise as_usage_error(error) from error


@pytest.fixture
def sts_survey(request: pytest.FixtureRequest, sts_member: str | None, sts_now: datetime) -> Survey:
    """Give what is asked of the account: the proofs of its roles, its permissions, who can assume whom; each made once."""
    try:
        return request.config.stash[RUN].survey(_account(request, sts_member), now=sts_now)
    except StsGuardError as error:
        raise as_usage_error(error) from error


@pytest.fixture
def sts_now(request: pytest.FixtureRequest) -> datetime:
    """Give the moment to audit as of: of ``--stsguard-at``, else now; of the demo, the time of its simulated clock."""
    run = request.config.stash[RUN]
    if run.is_demo and not run.option("at") and _has_own_cloud(request):
        cloud: Cloud = request.getfixturevalue("sts_cloud")
        return cloud.clock.now()
    return run.at


def _account(request: pytest.FixtureRequest, member: str | None) -> Account:
    """Give the whole account; a test with a cloud of its own sees that one, the others share the demo as it opens."""
    run = request.config.stash[RUN]
    if member is not None:
        return run.member(member)
    if not run.is_demo:
        return run.account
    if not _has_own_cloud(request):
        return run.demo_account
    from pytest_stsguard.account import from_session

    cloud: Cloud = request.getfixturevalue("sts_cloud")
    return from_session(cloud.admin.session(), source=run.target)


def _has_own_cloud(request: pytest.FixtureRequest) -> bool:
    return not _CLOUDY.isdisjoint(request.fixturenames) or request.node.get_closest_marker("stsguard_cloud") is not None


@pytest.fixture
def sts_configuration(request: pytest.FixtureRequest) -> Configuration:
    """Give the configuration of the run: stsguard.toml, the table of pyproject.toml, or the defaults."""
    return request.config.stash[RUN].configuration


@pytest.fixture
def sts_findings(request: pytest.FixtureRequest) -> Recorder:
    """Give the recorder: ``.add(resource, message, *, evidence=...)``.

    The test fails when what it recorded is not muted and reaches ``--stsguard-fail-on``.
    """
    from pytest_stsguard.findings import Recorder

    marker = request.node.get_closest_marker("stsguard")
    if marker is None or not marker.args:
        raise ConfigurationError(
            f"`{request.node.name}` records findings for no control", hint='mark it: @pytest.mark.stsguard("STSG-101")'
        )
    control = str(marker.args[0])
    run = request.config.stash[RUN]
    severity = run.severity_of(control, marker.kwargs.get("severity"))
    # Asked of the parameters: a check that looks at no account runs once, and has none.
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    recorder = Recorder(control, severity=severity, account=parameters.get("sts_member", ""))
    request.node.stash[RECORDER] = recorder
    return recorder
