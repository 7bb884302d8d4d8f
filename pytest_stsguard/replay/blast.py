"""A blast radius, walked for real: the calls of each step, made with the credentials that the steps before it brought."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from pytest_stsguard.cloud.stolen import stolen_session
from pytest_stsguard.drill.metadata import fetch_instance_credentials
from pytest_stsguard.errors import StsGuardError
from pytest_stsguard.replay.demonstration import Demonstration
from pytest_stsguard.replay.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_stsguard.account import Account
    from pytest_stsguard.cloud import Credentials
    from pytest_stsguard.reach.blast import Blast, Call, Edge

__all__ = ["walk", "walk_among"]

_FIRST: Final = ("assume-role", "federation-token", "pass-role to ec2")
"""Steps that change nothing of the account: the ones to be taken before any other."""

_LAST: Final = ("undo-containment",)
_REVOKE: Final = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],'
    '"Condition":{"DateLessThan":{"aws:TokenIssueTime":"%s"}}}]}'
)


def walk(stage: Stage, blast: Blast, *, session: Sequence[str] | None = None) -> dict[Edge, Demonstration]:
    """Take the steps of a blast radius in the cloud, as far as it can act them out.

    Steps that change nothing come first, then those that change identities, then those that give the thief everything;
    in the end the start is revoked, and what undoes that is tried.

    Args:
        stage: the cloud with the accounts in it.
        blast: what `reach.blast.blast_radius` found in the same accounts.
        session: the session policies of the stolen session, as they were given there.
    """
    return _Walker(stage, blast, session).walk()


def walk_among(
    accounts: Iterable[Account], blast: Blast, *, session: Sequence[str] | None = None
) -> dict[Edge, Demonstration]:
    """Take the steps of a blast radius in a cloud that is opened for it, the account of the stolen role as its home."""
    home = blast.start.split(":")[4]
    with Stage(*sorted(accounts, key=lambda account: account.id != home)) as stage:
        return walk(stage, blast, session=session)


class _Walker:
    def __init__(self, stage: Stage, blast: Blast, session: Sequence[str] | None) -> None:
        self._stage = stage
        self._session = session
        self._start = blast.nodes[0].arn
        self._blast = blast
        self._held: dict[str, Credentials] = {}
        self._shown: dict[Edge, Demonstration] = {}
        self._kinds = {node.id: node.kind for node in blast.nodes}

    def walk(self) -> dict[Edge, Demonstration]:
        missing = self._stage.missing(self._start)
        if missing is not None:
            reason = f"the start is not in the simulated cloud: {missing}"
            return dict.fromkeys(self._blast.edges, Demonstration(done=False, reason=reason))
        self._held[self._blast.start] = (
            stolen_session(self._stage.cloud, self._start, session_policies=self._session)
            if ":role/" in self._start
            else self._stage.key_of(self._start)
        )
        for pure in (True, False):
            self._spread(pure=pure)
        self._take(edge for edge in self._blast.edges if self._kinds[edge.to] == "account")
        self._contain()
        for edge in self._blast.edges:
            self._shown.setdefault(
                edge, Demonstration(done=False, reason="no step before it was carried out, so nobody could take it")
            )
        return self._shown

    def _spread(self, *, pure: bool) -> None:
        """Take steps until no new identity comes of them."""
        before = -1
        while before < len(self._shown):
            before = len(self._shown)
            self._take(
                edge
                for edge in self._blast.edges
                if edge.kind not in _LAST and self._kinds[edge.to] != "account" and (edge.kind in _FIRST or not pure)
            )

    def _contain(self) -> None:
        """Revoke the start as a defender does, then try what undoes it; the thief's session must not be able to."""
        start, last = self._start, [edge for edge in self._blast.edges if edge.kind in _LAST]
        if not last:
            return
        name = start.rpartition("/")[2]
        iam, clock = self._stage.iam(start.split(":")[4]), self._stage.cloud.clock
        for edge in last:
            clock.advance(2)
            cutoff = clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
            iam.put_role_policy(RoleName=name, PolicyName="AWSRevokeOlderSessions", PolicyDocument=_REVOKE % cutoff)
            self._take([edge])

    def _take(self, edges: Iterable[Edge]) -> None:
        for edge in edges:
            credentials = self._held.get(edge.source)
            if credentials is None or edge in self._shown:
                continue
            self._shown[edge] = self._step(edge, credentials)

    def _step(self, edge: Edge, credentials: Credentials) -> Demonstration:
        if edge.kind.startswith("pass-role") and edge.kind not in _FIRST:
            return Demonstration(done=False, reason="what the service then runs with the role is not simulated")
        if edge.kind == "assume-role-elsewhere":
            return Demonstration(done=False, reason="the account of that role is not in the source")
        if edge.kind.endswith("login-profile"):
            return Demonstration(done=False, reason="signing in with a password is not simulated")
        made: list[str] = []
        self._make_room(edge)
        try:
            for call in edge.calls:
                answer = _made(credentials, call)
                made.append(f"{call.service}:{call.operation} by {credentials.arn or edge.source}")
                self._keep(edge, call, answer)
        except (ClientError, BotoCoreError, StsGuardError) as error:
            return Demonstration(done=False, calls=tuple(made), reason=_told(error))
        finally:
            self._restore(edge)
        return Demonstration(done=True, calls=tuple(made))

    def _make_room(self, edge: Edge) -> None:
        """Take away what an earlier step made under the name of this one, and keys that there is no room for."""
        iam = self._stage.iam(edge.source.split(":")[4])
        gone = iam.exceptions.NoSuchEntityException
        for call in edge.calls:
            who = {"UserName": call.parameters.get("UserName", "")}
            with suppress(gone):
                if call.operation == "CreateUser":
                    self._strike(iam, who)
                elif call.operation == "CreateAccessKey":
                    for key in iam.list_access_keys(**who)["AccessKeyMetadata"][1:]:
                        iam.delete_access_key(**who, AccessKeyId=key["AccessKeyId"])

    def _strike(self, iam: Any, who: Mapping[str, str]) -> None:
        for key in iam.list_access_keys(**who)["AccessKeyMetadata"]:
            iam.delete_access_key(**who, AccessKeyId=key["AccessKeyId"])
        for name in iam.list_user_policies(**who)["PolicyNames"]:
            iam.delete_user_policy(**who, PolicyName=name)
        iam.delete_user(**who)

    def _restore(self, edge: Edge) -> None:
        """Put a trust policy back: other steps rely on it."""
        for call in edge.calls:
            if call.operation == "UpdateAssumeRolePolicy":
                account = self._stage.accounts[edge.source.split(":")[4]]
                role = account.role(call.parameters["RoleName"])
                if role is not None:
                    iam = self._stage.iam(account.id)
                    iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=role.trust.text)

    def _keep(self, edge: Edge, call: Call, answer: Mapping[str, Any]) -> None:
        """Keep what a call brought: credentials of what the step leads to."""
        cloud = self._stage.cloud
        if call.service == "sts":
            self._held.setdefault(edge.to, cloud.credentials_of(answer["Credentials"]))
        elif call.operation == "CreateAccessKey":
            if edge.kind != "create-access-key":
                self._held.pop(edge.to, None)  # the user of an earlier step is struck
            self._held.setdefault(edge.to, self._stage.bound(answer["AccessKey"]))
        elif call.operation == "RunInstances":
            instance = cloud.instance(answer["Instances"][0]["InstanceId"])
            found = fetch_instance_credentials(instance.metadata_url)
            self._held.setdefault(edge.to, cloud.credentials_of(found))


def _made(credentials: Credentials, call: Call) -> Mapping[str, Any]:
    session: Any = credentials.session()
    client = session.client(call.service)
    answer: Mapping[str, Any] = getattr(client, xform_name(call.operation))(**call.parameters)
    return answer


def _told(error: Exception) -> str:
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        return f"the simulated cloud refuses it: {found.get('Code', '')}: {found.get('Message', '')}"
    return f"the call cannot be made: {' '.join(str(error).split())}"
