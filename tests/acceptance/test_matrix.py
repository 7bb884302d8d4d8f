"""Revocation holds for every kind of session: each cell of the matrix, observed through real boto3 calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.metadata import RoleNotAssumableError
from pytest_stsguard.drill.metadata import fetch_instance_credentials
from pytest_stsguard.errors import StsGuardError
from pytest_stsguard.revocation import revoke
from pytest_stsguard.revocation.document import older_sessions_document
from pytest_stsguard.revocation.matrix import matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud import Credentials
    from pytest_stsguard.cloud.containers import Container
    from pytest_stsguard.cloud.providers import OidcProvider, SamlProvider

MATRIX = matrix()
ANY = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": ANY})
SESSION_ACTIONS = ["sts:TagSession", "sts:SetSourceIdentity"]


class World:
    """One cloud for the whole matrix, with a provider of each kind; every cell has a role and a user of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.iam = cloud.client("iam")
        self.oidc: OidcProvider = cloud.oidc_provider()
        self.saml: SamlProvider = cloud.saml_provider()
        self.ec2 = cloud.client("ec2")
        self.sts = cloud.client("sts")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Cloud(world="empty") as cloud:
        yield World(cloud)


class Kind:
    """A way into a role: by a user's AssumeRole, unless a subclass says otherwise."""

    action = "sts:AssumeRole"
    revoked = "role"

    def __init__(self, world: World, name: str) -> None:
        self.world, self.cloud, self.name = world, world.cloud, name
        self.iam = world.iam
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=EVERYTHING)
        self.key = self.cloud.user_credentials(name)
        self.role = name
        self.prepare()

    def prepare(self) -> None:
        self.make_role(self.role, self.trusted())

    def trusted(self) -> dict[str, str]:
        return {"AWS": f"arn:aws:iam::{self.cloud.account}:user/{self.name}"}

    def make_role(self, name: str, principal: dict[str, str]) -> str:
        document = self.trust(principal)
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
        return arn

    def trust(self, principal: dict[str, str]) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": [self.action, *SESSION_ACTIONS]}
        return json.dumps({"Version": "2012-10-17", "Statement": statement})

    def session(self, label: str) -> Credentials:
        return self.assume(self.role, self.key, label)

    def fresh(self) -> Credentials:
        return self.session("fresh")

    def assume(self, role: str, by: Credentials, label: str) -> Credentials:
        sts = client_of(by, "sts")
        answer = sts.assume_role(RoleArn=self.cloud.role_arn(role), RoleSessionName=label, SourceIdentity=label)
        return self.cloud.credentials_of(answer["Credentials"])

    # The methods, on the role or the user.

    @property
    def principal(self) -> str:
        return self.role if self.revoked == "role" else self.name

    def put(self, document: dict[str, Any]) -> None:
        put = self.iam.put_role_policy if self.revoked == "role" else self.iam.put_user_policy
        named = {"RoleName": self.role} if self.revoked == "role" else {"UserName": self.name}
        put(**named, PolicyName="AWSRevokeOlderSessions", PolicyDocument=json.dumps(document))

    def deny_one(self, key: str, value: str) -> None:
        document = older_sessions_document(self.cloud.clock.now())
        document["Statement"][0]["Condition"]["StringEquals"] = {key: value}
        self.put(document)
        self.cloud.clock.advance(2)

    def older_sessions(self, _: Credentials) -> None:
        if self.revoked == "role":
            revoke(self.iam, self.role, clock=self.cloud.clock)
        else:
            self.put(older_sessions_document(self.cloud.clock.now()))
            self.cloud.clock.advance(2)

    def session_name(self, stolen: Credentials) -> None:
        self.deny_one("aws:userid", client_of(stolen, "sts").get_caller_identity()["UserId"])

    def source_identity(self, _: Credentials) -> None:
        self.deny_one("aws:SourceIdentity", "stolen")

    def key_deactivated(self, _: Credentials) -> None:
        self.iam.update_access_key(UserName=self.name, AccessKeyId=self.key.access_key_id, Status="Inactive")

    def trust_edited(self, _: Credentials) -> None:
        document = self.trust({"Service": "lambda.amazonaws.com"})
        self.iam.update_assume_role_policy(RoleName=self.role, PolicyDocument=document)

    def permissions_removed(self, _: Credentials) -> None:
        if self.revoked == "role":
            self.iam.delete_role_policy(RoleName=self.role, PolicyName="all")
        else:
            self.iam.delete_user_policy(UserName=self.name, PolicyName="all")

    def principal_deleted(self, stolen: Credentials) -> None:
        self.permissions_removed(stolen)
        if self.revoked == "role":
            self.iam.delete_role(RoleName=self.role)
        else:
            self.iam.delete_access_key(UserName=self.name, AccessKeyId=self.key.access_key_id)
            self.iam.delete_user(UserName=self.name)


class Chained(Kind):
    """Revoked at the role that was assumed last."""

    def prepare(self) -> None:
        self.source = f"{self.name}-source"
        source = self.make_role(self.source, super().trusted())
        self.make_role(self.role, {"AWS": source})

    def session(self, label: str) -> Credentials:
        return self.assume(self.role, self.assume(self.source, self.key, label), label)


class ChainedAtSource(Kind):
    """Revoked at the role from which it was assumed."""

    def prepare(self) -> None:
        self.target = f"{self.name}-target"
        self.make_role(self.target, {"AWS": self.make_role(self.role, super().trusted())})

    def session(self, label: str) -> Credentials:
        source = self.assume(self.role, self.key, label)
        return self.assume(self.target, source, label)

    def session_name(self, _: Credentials) -> None:
        role_id = self.iam.get_role(RoleName=self.role)["Role"]["RoleId"]
        self.deny_one("aws:userid", f"{role_id}:stolen")


class WebIdentity(Kind):
    action = "sts:AssumeRoleWithWebIdentity"

    def trusted(self) -> dict[str, str]:
        return {"Federated": self.world.oidc.arn}

    def session(self, label: str) -> Credentials:
        token = self.world.oidc.token(**{"https://aws.amazon.com/source_identity": label})
        answer = self.world.sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{self.cloud.account}:role/{self.role}", RoleSessionName=label, WebIdentityToken=token
        )
        return self.cloud.credentials_of(answer["Credentials"])


class Saml(Kind):
    action = "sts:AssumeRoleWithSAML"

    def trusted(self) -> dict[str, str]:
        return {"Federated": self.world.saml.arn}

    def session(self, label: str) -> Credentials:
        role = f"arn:aws:iam::{self.cloud.account}:role/{self.role}"
        response = self.world.saml.response(role, session_name=label, source_identity=label)
        answer = self.world.sts.assume_role_with_saml(
            RoleArn=role, PrincipalArn=self.world.saml.arn, SAMLAssertion=response
        )
        return self.cloud.credentials_of(answer["Credentials"])


class FederationToken(Kind):
    revoked = "user"

    def prepare(self) -> None:
        """There is no role."""

    def session(self, label: str) -> Credentials:
        answer = client_of(self.key, "sts").get_federation_token(Name=label, Policy=EVERYTHING)
        return self.cloud.credentials_of(answer["Credentials"])


class SessionToken(FederationToken):
    def session(self, _: str) -> Credentials:
        return self.cloud.credentials_of(client_of(self.key, "sts").get_session_token()["Credentials"])


class Instance(Kind):
    def prepare(self) -> None:
        super().prepare()
        self.iam.create_instance_profile(InstanceProfileName=self.role)
        self.iam.add_role_to_instance_profile(InstanceProfileName=self.role, RoleName=self.role)
        self.ec2 = self.world.ec2
        self.instances: dict[str, str] = {}

    def trusted(self) -> dict[str, str]:
        return {"Service": "ec2.amazonaws.com"}

    def session(self, label: str) -> Credentials:
        answer = self.ec2.run_instances(
            ImageId="ami-0c02fb55956c7d316",
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.micro",
            IamInstanceProfile={"Name": self.role},
            SecurityGroups=["default"],
        )
        self.instances[label] = answer["Instances"][0]["InstanceId"]
        return self.fetch(self.instances[label])

    def fresh(self) -> Credentials:
        """The stolen session's own instance, stopped and started."""
        instance = self.instances["stolen"]
        self.ec2.stop_instances(InstanceIds=[instance])
        self.ec2.start_instances(InstanceIds=[instance])
        return self.fetch(instance)

    def fetch(self, instance: str) -> Credentials:
        return self.cloud.credentials_of(fetch_instance_credentials(self.cloud.instance(instance).metadata_url))

    def principal_deleted(self, stolen: Credentials) -> None:
        self.iam.remove_role_from_instance_profile(InstanceProfileName=self.role, RoleName=self.role)
        super().principal_deleted(stolen)


class Containers(Kind):
    def trusted(self) -> dict[str, str]:
        return {"Service": "ecs-tasks.amazonaws.com"}

    def session(self, label: str) -> Credentials:
        container = self.cloud.container(self.role)
        if label == "stolen":
            self.container: Container = container
        return self.fetch(container)

    def fresh(self) -> Credentials:
        self.container.restart()
        return self.fetch(self.container)

    def fetch(self, container: Container) -> Credentials:
        found = container.credentials()
        return self.cloud.credentials_of(
            {"AccessKeyId": found.access_key_id, "SecretAccessKey": found.secret_access_key, "Token": found.token}
        )


class Console(Kind):
    def session(self, label: str) -> Credentials:
        return self.cloud.sign_in(super().session(label))


KINDS: dict[str, Callable[[World, str], Kind]] = {
    "assumed-role": Kind,
    "chained": Chained,
    "chained-at-source": ChainedAtSource,
    "saml": Saml,
    "web-identity": WebIdentity,
    "federation-token": FederationToken,
    "session-token": SessionToken,
    "instance": Instance,
    "container": Containers,
    "console": Console,
}


CLIENTS: dict[tuple[str, str], Any] = {}


def client_of(credentials: Credentials, service: str) -> Any:
    """Make each client once: that takes longer than what it is made for."""
    key = (credentials.access_key_id, service)
    if key not in CLIENTS:
        CLIENTS[key] = credentials.session().client(service)
    return CLIENTS[key]


def observed(credentials: Credentials) -> str:
    try:
        client_of(credentials, "s3").list_buckets()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return {"AccessDenied": "denied", "InvalidAccessKeyId": "dead"}.get(code, code)
    return "allowed"


def after(kind: Kind) -> str:
    """What becomes of a session that is made after the revocation."""
    try:
        fresh = kind.fresh()
    except (ClientError, StsGuardError, RoleNotAssumableError):
        return "refused"
    return observed(fresh)


CELLS = [(kind, method) for (kind, method), cell in MATRIX.cells.items() if cell is not None]


@pytest.mark.parametrize(("name", "method"), CELLS)
def test_each_cell(world: World, name: str, method: str) -> None:
    cell = MATRIX.cells[name, method]
    assert cell is not None
    kind = KINDS[name](world, f"{name}-{method}")
    stolen, other = kind.session("stolen"), kind.session("other")
    assert [observed(one) for one in (stolen, other, kind.key)] == ["allowed"] * 3, "all of them work beforehand"

    getattr(kind, method.replace("-", "_"))(stolen)
    found = {
        "stolen": observed(stolen),
        "other": observed(other),
        "fresh": after(kind),
        "long-term": observed(kind.key),
    }
    assert found == cell.outcomes, f"{MATRIX.kinds[name]}; {MATRIX.methods[method]}: {cell.note}"


@pytest.mark.parametrize("name", ["assumed-role", "federation-token", "console"])
def test_the_identity_of_a_revoked_session_is_still_told(world: World, name: str) -> None:
    kind = KINDS[name](world, f"{name}-told")
    stolen = kind.session("stolen")
    kind.older_sessions(stolen)
    assert observed(stolen) == "denied"
    assert client_of(stolen, "sts").get_caller_identity()["Arn"] == stolen.arn


def test_the_matrix_is_whole() -> None:
    assert list(MATRIX.kinds) == list(KINDS)
    assert set(MATRIX.cells) == {(kind, method) for kind in MATRIX.kinds for method in MATRIX.methods}
    for cell in MATRIX.cells.values():
        if cell is not None:
            assert list(cell.outcomes) == list(MATRIX.subjects)
            assert set(cell.outcomes.values()) <= set(MATRIX.outcomes)


def test_a_presigned_url_dies_with_its_session(world: World) -> None:
    import urllib.error
    import urllib.request

    kind = Kind(world, "presigned")
    server = world.cloud.serve()
    stolen = kind.session("stolen")
    s3 = stolen.session().client("s3", endpoint_url=server.url)
    world.cloud.client("s3").create_bucket(Bucket="presigned-bucket")
    world.cloud.client("s3").put_object(Bucket="presigned-bucket", Key="k", Body=b"secret")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned-bucket", "Key": "k"}, ExpiresIn=3600)

    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"secret"
    kind.older_sessions(stolen)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)
    assert caught.value.code == 403
    assert b"<Code>AccessDenied</Code>" in caught.value.read()
    caught.value.close()


def test_a_revoked_session_can_still_be_told_by_the_trail(world: World) -> None:
    kind = Kind(world, "told")
    stolen = kind.session("stolen")
    kind.older_sessions(stolen)
    assert observed(stolen) == "denied"
    record = world.cloud.trail.records()[-1]
    assert record["errorCode"] == "AccessDenied"
    assert record["userIdentity"]["sessionContext"]["attributes"]["creationDate"] == isoformat(
        stolen.issued_at or world.cloud.clock.now()
    )
