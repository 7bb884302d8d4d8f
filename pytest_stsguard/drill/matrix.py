"""The containment matrix: every method against every kind of session, measured by doing it in the simulated cloud."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.drill.ground import Simulated
from pytest_stsguard.drill.observation import Prober
from pytest_stsguard.drill.sources import SOURCES, SamlRole
from pytest_stsguard.errors import CloudError, DrillError
from pytest_stsguard.revocation import METHODS, revoke

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill.sources import Source

__all__ = ["NOT_MEASURED", "Cell", "measure_matrix", "reason_against"]

NOT_MEASURED: dict[str, str] = {}
"""Methods that cannot be measured, with the reason."""

_MEMBER = "999900001111"
_ON_INSTANCES = {"replace-profile", "restart-instance"}
_UNKNOWN = {"InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"}
_MARKS = {"source-identity": "source_identity", "principal-tag": "tag"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One method against one kind of session.

    Each outcome is ``"allowed"``, ``"denied"``, ``"unknown key"`` or the code of another error that is no authorization
    decision, or ``"refused"`` for a session that cannot be had any more.

    Attributes:
        stolen: the session in question, after the method.
        live: another live session of the same role or user.
        fresh: a session made after the method.
        undone: the stolen session after the method was taken back; ``"irreversible"`` where it cannot be.
    """

    method: str
    session: str
    stolen: str
    live: str
    fresh: str
    undone: str

    def as_json(self) -> dict[str, str]:
        """Write it as plain data."""
        return asdict(self)


def measure_matrix(
    cloud: Cloud, *, methods: Sequence[str] = tuple(METHODS), sessions: Sequence[str] = tuple(SOURCES)
) -> Iterator[Cell]:
    """Carry out every method against every kind of session that it can be applied to, in one simulated cloud."""
    measured = [name for name in methods if name not in NOT_MEASURED]
    ground = Simulated(cloud)
    # What cannot be undone comes last: the demo has one instance role.
    for method in sorted(measured, key=lambda name: name == "delete-role"):
        place = _member(ground) if method == "scp" else ground
        for session in sessions:
            source_type = SOURCES[session]
            if not reason_against(method, session):
                number = list(METHODS).index(method)
                source = source_type(place, f"matrix-{session.replace(' ', '-')}-{number}")
                yield _measure(place, method, session, source, above=ground)


def _member(home: Simulated) -> Simulated:
    """Give a member account: a service control policy does not reach the management account, which the home account is."""
    member = Simulated(home.cloud, home.cloud.administrator(_MEMBER), account=_MEMBER)
    member.provider = home.provider  # an issuer has one at a time
    if find_spec(SamlRole.needs):
        member.saml = home.saml
    organizations = home.client("organizations")
    with suppress(organizations.exceptions.AlreadyInOrganizationException):
        organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    with suppress(organizations.exceptions.PolicyTypeAlreadyEnabledException):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    return member


def reason_against(method: str, session: str) -> str:
    """Say why a method cannot be measured against a kind of session; empty when it can."""
    source = SOURCES[session]
    if source.needs and find_spec(source.needs) is None:
        return "its provider needs the extra `saml`"
    if method == "scp":
        return "" if source.anywhere else "the simulated cloud runs instances in the management account alone"
    if source.holder == "root":
        return "nothing can be attached to a root user: only a service control policy reaches it"
    if METHODS[method].target != source.holder:
        return f"the sessions are a {source.holder}'s, and it works on a {METHODS[method].target}"
    if method in _ON_INSTANCES and session != "instance":
        return "there is no instance"
    return "" if source.marked or method not in _MARKS else "the sessions bear neither a source identity nor tags"


def _measure(ground: Simulated, method: str, session: str, source: Source, *, above: Simulated) -> Cell:
    taken = source.take("stolen")
    stolen, live = Prober(taken), Prober(source.take("live"))
    for name, prober, probes in (("stolen", stolen, source.probes), ("live", live, source.probes[:1])):
        if _outcome(prober, probes) != "allowed":
            raise DrillError(f"the {name} session of kind `{session}` is not allowed to begin with")
    revocation = revoke(
        ground.client("iam"),
        source.target,
        method=method,
        clock=ground.clock,
        clients=lambda service: (above if service == "organizations" else ground).client(service),
        **_scope(method, source, taken),
    )
    # A session that others are compared with is asked by one protocol: making its clients costs most of a cell.
    seen = _outcome(stolen, source.probes), _outcome(live, source.probes[:1]), _fresh(source)
    undone = "irreversible"
    if METHODS[method].reversible:
        revocation.remove()
        undone = _outcome(stolen, source.probes)
        if session == "instance":
            source.take("fresh")  # the next method robs it again
    return Cell(method, session, *seen, undone)


def _scope(method: str, source: Source, stolen: Credentials) -> dict[str, Any]:
    if method == "one-session":
        return {"session_name": str(stolen.arn).rpartition("/")[2]}
    if method == "source-identity":
        return {"source_identity": "stolen"}
    if method == "principal-tag":
        return {"tag_key": "who", "tag_value": "stolen"}
    if method in _ON_INSTANCES:
        return {"instance": str(getattr(source, "robbed", ""))}
    if method == "scp":
        return {"kind": source.holder}
    keys = getattr(source, "keys", {})
    return {"key_id": keys["stolen"].access_key_id} if method == "deactivate-key" else {}


def _fresh(source: Source) -> str:
    try:
        return _outcome(Prober(source.take("fresh")), source.probes[:1])
    except (ClientError, CloudError, DrillError):
        return "refused"


def _outcome(prober: Prober, probes: Sequence[str]) -> str:
    """All probes must agree; a mixture is said as it is."""
    seen = [prober.observe(probe) for probe in probes]
    texts = [
        "unknown key" if one.code in _UNKNOWN else one.code or one.outcome
        for one in seen
        if one.outcome == "inconclusive"
    ]
    texts += [one.outcome for one in seen if one.outcome != "inconclusive"]
    return "/".join(dict.fromkeys(texts))
