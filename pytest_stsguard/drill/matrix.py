"""The containment matrix: every method against every kind of session, measured by doing it in the simulated cloud."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pytest_stsguard.drill.ground import Simulated
from pytest_stsguard.drill.observation import Prober
from pytest_stsguard.drill.sources import SOURCES
from pytest_stsguard.errors import CloudError, DrillError
from pytest_stsguard.revocation import METHODS, revoke

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_stsguard.cloud import Cloud, Credentials
    from pytest_stsguard.drill.sources import Source

__all__ = ["NOT_MEASURED", "Cell", "measure_matrix"]

NOT_MEASURED: dict[str, str] = {}
"""Methods that cannot be measured, with the reason."""

_MEMBER = "999900001111"
_PROBES = ("s3.list_buckets", "dynamodb.list_tables")
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
            source_type: Any = SOURCES[session]
            if _applies(method, session, source_type):
                number = list(METHODS).index(method)
                source = source_type(place, f"matrix-{session.replace(' ', '-')}-{number}")
                yield _measure(place, method, session, source, above=ground)


def _member(home: Simulated) -> Simulated:
    """Give a member account: a service control policy does not reach the management account, which the home account is."""
    member = Simulated(home.cloud, home.cloud.administrator(_MEMBER), account=_MEMBER)
    member.provider = home.provider  # an issuer has one at a time
    organizations = home.client("organizations")
    with suppress(organizations.exceptions.AlreadyInOrganizationException):
        organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    with suppress(organizations.exceptions.PolicyTypeAlreadyEnabledException):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    return member


def _applies(method: str, session: str, source: type[Source]) -> bool:
    if (METHODS[method].target == "user") != source.user:
        return False
    if method in _ON_INSTANCES:
        return session == "instance"
    if method == "scp":
        return source.anywhere
    return source.marked or method not in _MARKS


def _measure(ground: Simulated, method: str, session: str, source: Source, *, above: Simulated) -> Cell:
    taken = source.take("stolen")
    stolen, live = Prober(taken), Prober(source.take("live"))
    for name, prober in (("stolen", stolen), ("live", live)):
        if _outcome(prober) != "allowed":
            raise DrillError(f"the {name} session of kind `{session}` is not allowed to begin with")
    revocation = revoke(
        ground.client("iam"),
        source.target,
        method=method,
        clock=ground.clock,
        clients=lambda service: (above if service == "organizations" else ground).client(service),
        **_scope(method, source, taken),
    )
    seen = _outcome(stolen), _outcome(live), _fresh(source)
    undone = "irreversible"
    if METHODS[method].reversible:
        revocation.remove()
        undone = _outcome(stolen)
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
    keys = getattr(source, "keys", {})
    return {"key_id": keys["stolen"].access_key_id} if method == "deactivate-key" else {}


def _fresh(source: Source) -> str:
    try:
        return _outcome(Prober(source.take("fresh")))
    except (ClientError, CloudError, DrillError):
        return "refused"


def _outcome(prober: Prober) -> str:
    """All probes must agree; a mixture is said as it is."""
    seen = [prober.observe(probe) for probe in _PROBES]
    texts = [
        "unknown key" if one.code in _UNKNOWN else one.code or one.outcome
        for one in seen
        if one.outcome == "inconclusive"
    ]
    texts += [one.outcome for one in seen if one.outcome != "inconclusive"]
    return "/".join(dict.fromkeys(texts))
