"""A small real instance and a small real pod, and a plain HTTP client: nothing here is a mock."""

from __future__ import annotations

import http.client
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from pytest_stsguard.clock import SimulatedClock
from pytest_stsguard.cloud.metadata import (
    CREDENTIAL_LIFETIME,
    ContainerCredentials,
    CredentialRotation,
    InstanceCredentials,
    InstanceFacts,
    Interface,
    MetadataOptions,
    MetadataServer,
    ProfileFacts,
    RoleNotAssumableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROLE = "A4L-InstanceRole"
STARTED = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@dataclass
class Machine:
    """An EC2 instance as plain data, with credentials that it counts."""

    clock: SimulatedClock
    instance_id: str = "i-0a1b2c3d4e5f60718"
    metadata: MetadataOptions = field(default_factory=MetadataOptions)
    is_running: bool = True
    trusted: bool = True
    role: str | None = ROLE
    has_profile: bool = True
    public: bool = True
    extra: dict[str, object] = field(default_factory=dict)
    issued: list[InstanceCredentials] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rotation = CredentialRotation(self.clock, self.issue)
        self._numbers = itertools.count(1)

    def issue(self, delivery: str) -> InstanceCredentials:
        if not self.trusted:
            raise RoleNotAssumableError(f"the trust policy of `{self.role}` does not admit ec2.amazonaws.com")
        now = self.clock.now()
        number = next(self._numbers)
        major = delivery[0]
        credentials = InstanceCredentials(
            access_key_id=f"ASIA{major}{self.instance_id[-7:].upper()}{number:08d}",
            secret_access_key=f"secret/{self.instance_id}/{delivery}/{number}",
            token=f"token/{self.instance_id}/{delivery}/{number}==",
            last_updated=now,
            expiration=now + CREDENTIAL_LIFETIME,
        )
        self.issued.append(credentials)
        return credentials

    def stop_and_start(self) -> None:
        self.rotation.renew()

    def options(self) -> MetadataOptions:
        return self.metadata

    def running(self) -> bool:
        return self.is_running

    def facts(self) -> InstanceFacts:
        interface = Interface(
            mac="02:29:96:8f:6a:2d",
            interface_id="eni-0123456789abcdef0",
            vpc_id="vpc-0aa11bb22cc33dd44",
            subnet_id="subnet-0be9c7a1",
            private_ip="10.16.48.113",
            local_hostname="ip-10-16-48-113.ec2.internal",
            public_ip="54.221.7.9" if self.public else None,
            public_hostname="ec2-54-221-7-9.compute-1.amazonaws.com" if self.public else None,
            security_groups=(("sg-0a1", "web"), ("sg-0b2", "ssh")),
            subnet_cidr="10.16.48.0/20",
            vpc_cidr="10.16.0.0/16",
        )
        facts: dict[str, object] = {
            "instance_id": self.instance_id,
            "account_id": "111122223333",
            "region": "us-east-1",
            "availability_zone": "us-east-1a",
            "availability_zone_id": "use1-az6",
            "image_id": "ami-0a887e401f7654935",
            "instance_type": "t3.micro",
            "reservation_id": "r-046cb3eca3e201d2f",
            "pending_time": STARTED,
            "interfaces": (interface,),
        }
        return InstanceFacts(**{**facts, **self.extra})

    def profile(self) -> ProfileFacts | None:
        if not self.has_profile:
            return None
        arn = "arn:aws:iam::111122223333:instance-profile/A4L-InstanceProfile"
        return ProfileFacts(arn, "AIPA2S6TZNPQ67BDPYHXF", self.role, STARTED)

    def credentials(self, delivery: str) -> InstanceCredentials:
        return self.rotation.current(delivery)

    def identity_credentials(self) -> InstanceCredentials:
        return InstanceCredentials(
            "ASIAIDENTITY00000001", "identity-secret", "identity-token", STARTED, self.clock.now()
        )


@dataclass
class Pod:
    """A task or a pod with a role."""

    clock: SimulatedClock
    secret: str | None = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"
    trusted: bool = True

    def authorization(self) -> str | None:
        return self.secret

    def credentials(self) -> ContainerCredentials:
        if not self.trusted:
            raise RoleNotAssumableError("the trust policy of `app` does not admit pods.eks.amazonaws.com")
        now = self.clock.now()
        role = "arn:aws:iam::111122223333:role/app"
        return ContainerCredentials(
            "ASIAPOD0000000000001", "pod-secret", "pod-token", now, now + CREDENTIAL_LIFETIME, role
        )


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def call(url: str, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
    """Make one request on a connection of its own; a closed connection raises."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


@pytest.fixture(name="call")
def _call() -> Callable[..., Reply]:
    """Call any server: `call(url, path, method=..., headers=...)`."""
    return call


@pytest.fixture(scope="module")
def neighbours() -> Iterator[tuple[MetadataServer, MetadataServer]]:
    """Two instances side by side, each with data that names it."""
    clock = SimulatedClock()
    one, two = (Machine(clock, instance_id=f"i-{number}" * 8) for number in (1, 2))
    with MetadataServer(one, clock) as first, MetadataServer(two, clock) as second:
        yield first, second


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def machine(clock: SimulatedClock) -> Machine:
    return Machine(clock)


@pytest.fixture
def pod(clock: SimulatedClock) -> Pod:
    return Pod(clock)


@pytest.fixture
def server(machine: Machine, clock: SimulatedClock) -> Iterator[MetadataServer]:
    with MetadataServer(machine, clock) as server:
        yield server


@pytest.fixture
def fetch(server: MetadataServer) -> Callable[..., Reply]:
    """Call the server of the test: `fetch(path, method=..., headers=..., token=...)`."""

    def fetch(
        path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, token: str | None = None
    ) -> Reply:
        sent = {} if token is None else {"X-aws-ec2-metadata-token": token}
        return call(server.url, path, method=method, headers={**sent, **(headers or {})})

    return fetch


@pytest.fixture
def new_token(fetch: Callable[..., Reply]) -> Callable[..., str]:
    def new_token(ttl: int = 21600) -> str:
        reply = fetch("/latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": str(ttl)})
        assert reply.status == 200
        return reply.text

    return new_token
