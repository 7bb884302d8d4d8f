"""Where the containment matrix takes its sessions from: each kind hands out as many sessions of one role or user as asked."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.containers import Container
from pytest_stsguard.cloud.credentials import Credentials
from pytest_stsguard.drill.metadata import fetch_credentials, fetch_instance_credentials
from pytest_stsguard.drill.stage import PATH, document

if TYPE_CHECKING:
    from pytest_stsguard.drill.ground import Simulated

__all__ = ["SOURCES", "Source"]

_READ = {"Effect": "Allow", "Action": ["s3:ListAllMyBuckets", "dynamodb:ListTables"], "Resource": "*"}
_STS = {"Effect": "Allow", "Action": ["sts:*"], "Resource": "*"}
_TRUSTED = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


class Source(ABC):
    """Sessions of `target`; `take` gives one more, under a name.

    Attributes:
        holder: what the target is: ``"role"``, ``"user"`` or ``"root"``.
        marked: whether its sessions can bear a source identity and tags.
        anywhere: whether it can be had in every account of the cloud, not in the home account alone.
        probes: the calls that tell what its sessions may do.
        needs: a module that it needs and an extra brings; empty: none.
    """

    holder = "role"
    marked = False
    anywhere = True
    probes: tuple[str, ...] = ("s3.list_buckets", "dynamodb.list_tables")
    needs = ""

    def __init__(self, ground: Simulated, target: str) -> None:
        self.ground = ground
        self.cloud = ground.cloud
        self.target = target

    @abstractmethod
    def take(self, name: str) -> Credentials:
        """Hand out a session under `name`."""

    def _role(self, name: str, principal: dict[str, Any], action: Any = "sts:AssumeRole", **more: Any) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
        iam = self.ground.client("iam")
        arn = str(
            iam.create_role(RoleName=name, Path=PATH, AssumeRolePolicyDocument=document([statement]))["Role"]["Arn"]
        )
        iam.put_role_policy(RoleName=name, PolicyName="Access", PolicyDocument=document([_READ, _STS]))
        return arn


class AssumedRole(Source):
    """A role that the administrator assumes, with a source identity and a tag."""

    marked = True

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        self._arn = self._role(target, {"AWS": ground.account}, _TRUSTED)

    def take(self, name: str) -> Credentials:
        """Assume the role."""
        return self._assume(self.ground.client("sts"), self._arn, name, SourceIdentity=name)

    def _assume(self, sts: Any, arn: str, name: str, **more: Any) -> Credentials:
        tags = [{"Key": "who", "Value": name}]
        return self.cloud.credentials_of(
            sts.assume_role(RoleArn=arn, RoleSessionName=name, Tags=tags, **more)["Credentials"]
        )


class ChainedRole(AssumedRole):
    """A role that a session of another role assumes."""

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        self._hop = self._role(f"{target}-hop", {"AWS": ground.account}, _TRUSTED)

    def take(self, name: str) -> Credentials:
        """Assume the first role, and with its session the second."""
        first = self._assume(self.ground.client("sts"), self._hop, name, SourceIdentity=name)
        return self._assume(self.ground.client("sts", first), self._arn, name)


class InstanceRole(Source):
    """The demo's instance role: A is robbed, B works on, A is restarted."""

    anywhere = False

    def __init__(self, ground: Simulated, _: str) -> None:
        super().__init__(ground, "A4L-InstanceRole")
        self.robbed = ground.cloud.instance("A").instance_id

    def take(self, name: str) -> Credentials:
        """Fetch the credentials over HTTP, for a fresh session after a restart."""
        if name == "fresh":
            ec2 = self.ground.client("ec2")
            ec2.stop_instances(InstanceIds=[self.robbed])
            ec2.start_instances(InstanceIds=[self.robbed])
        instance = self.cloud.instance("B" if name == "live" else "A")
        return self.cloud.credentials_of(fetch_instance_credentials(instance.metadata_url))


class TaskRole(Source):
    """An ECS task's role, a new task for each session."""

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        self._role(target, {"Service": "ecs-tasks.amazonaws.com"})

    def take(self, name: str) -> Credentials:  # noqa: ARG002 - tasks name their sessions themselves
        """Run a task and fetch what its SDK would."""
        task = Container(self.cloud.tokens, self.target, account=self.ground.account, region=self.cloud.region)
        try:
            endpoint = task.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
            token = task.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            return self.cloud.credentials_of(fetch_credentials(endpoint, token))
        finally:
            task.close()


class WebIdentity(Source):
    """A role that CI jobs assume with a token of their identity provider, which names a source identity and a tag."""

    marked = True

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        self._provider = ground.provider
        arn = f"arn:aws:iam::{ground.account}:oidc-provider/token.actions.githubusercontent.com"
        known = ground.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        if not any(one["Arn"] == arn for one in known):
            self._provider.register(ground.client("iam"))
        condition = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}
        action = ["sts:AssumeRoleWithWebIdentity", *_TRUSTED[1:]]
        self._arn = self._role(target, {"Federated": arn}, action, Condition=condition)

    def take(self, name: str) -> Credentials:
        """Exchange a token."""
        claims: dict[str, Any] = {
            "https://aws.amazon.com/source_identity": name,
            "https://aws.amazon.com/tags": {"principal_tags": {"who": [name]}},
        }
        answer = self.ground.client("sts").assume_role_with_web_identity(
            RoleArn=self._arn, RoleSessionName=name, WebIdentityToken=self._provider.token(**claims)
        )
        return self.cloud.credentials_of(answer["Credentials"])


class SamlRole(Source):
    """A role that people assume with a response of their identity provider, which names a source identity and a tag."""

    marked = True
    needs = "signxml"

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        self._provider = ground.saml
        self._trusted = f"arn:aws:iam::{ground.account}:saml-provider/{self._provider.name}"
        known = ground.client("iam").list_saml_providers()["SAMLProviderList"]
        if not any(one["Arn"] == self._trusted for one in known):
            self._provider.register(ground.client("iam"))
        condition = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
        action = ["sts:AssumeRoleWithSAML", *_TRUSTED[1:]]
        self._arn = self._role(target, {"Federated": self._trusted}, action, Condition=condition)

    def take(self, name: str) -> Credentials:
        """Exchange a response."""
        response = self._provider.response(
            self._arn, provider=self._trusted, session_name=name, source_identity=name, tags={"who": name}
        )
        answer = self.ground.client("sts").assume_role_with_saml(
            RoleArn=self._arn, PrincipalArn=self._trusted, SAMLAssertion=response
        )
        return self.cloud.credentials_of(answer["Credentials"])


class Console(AssumedRole):
    """The console's pages, after a sign-in with a session of a role."""

    def take(self, name: str) -> Credentials:
        """Assume the role and sign in."""
        return self.cloud.sign_in(super().take(name))


class RootTask(Source):
    """A privileged task in a member account, by AssumeRoot from the management account."""

    holder = "root"
    probes = ("iam.get_account_summary",)

    def __init__(self, ground: Simulated, _: str) -> None:
        super().__init__(ground, "root")

    def take(self, name: str) -> Credentials:  # noqa: ARG002 - sessions of the root user bear no name
        """Take a session for an audit."""
        task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
        sts = self.cloud.client("sts")
        answer = sts.assume_root(TargetPrincipal=self.ground.account, TaskPolicyArn=task, DurationSeconds=900)
        return self.cloud.credentials_of(answer["Credentials"])


class UserKey(Source):
    """A user's access keys."""

    holder = "user"

    def __init__(self, ground: Simulated, target: str) -> None:
        super().__init__(ground, target)
        iam = ground.client("iam")
        iam.create_user(UserName=target, Path=PATH)
        iam.put_user_policy(UserName=target, PolicyName="Access", PolicyDocument=document([_READ, _STS]))
        self.keys: dict[str, Credentials] = {}

    def take(self, name: str) -> Credentials:
        """Give a key; a user has two at most, so that a fresh one is that of the workload."""
        if name == "fresh":
            return self.keys["live"]
        self.keys[name] = self._key()
        return self.keys[name]

    def _key(self) -> Credentials:
        key = self.ground.client("iam").create_access_key(UserName=self.target)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=self.cloud)


class SessionToken(UserKey):
    """What GetSessionToken gives for one of the user's keys."""

    def take(self, name: str) -> Credentials:
        """Ask with a key: the thief's for the thief."""
        if not self.keys:
            for one in ("stolen", "live"):
                self.keys[one] = self._key()
        return self._ask(self.ground.client("sts", self.keys["live" if name == "live" else "stolen"]))

    def _ask(self, sts: Any) -> Credentials:
        return self.cloud.credentials_of(sts.get_session_token()["Credentials"])


class FederationToken(SessionToken):
    """What GetFederationToken gives."""

    def _ask(self, sts: Any) -> Credentials:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [_READ]})
        return self.cloud.credentials_of(sts.get_federation_token(Name="guest", Policy=policy)["Credentials"])


SOURCES: dict[str, type[Source]] = {
    "assumed role": AssumedRole,
    "chained role": ChainedRole,
    "web identity": WebIdentity,
    "saml": SamlRole,
    "console": Console,
    "container": TaskRole,
    "instance": InstanceRole,
    "session token": SessionToken,
    "federation token": FederationToken,
    "access key": UserKey,
    "root task": RootTask,
}
"""Every kind of session by its name."""
