"""The EC2 instances of the simulated account, each with its own metadata service."""

from __future__ import annotations

import base64
import binascii
import threading
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from pytest_stsguard.cloud.inprocess import calling_from
from pytest_stsguard.cloud.ledger import Issuer, Session
from pytest_stsguard.cloud.metadata import (
    CREDENTIAL_LIFETIME,
    LATEST_MOMENT,
    CredentialRotation,
    InstanceCredentials,
    InstanceFacts,
    Interface,
    MetadataOptions,
    MetadataServer,
    ProfileFacts,
    RoleNotAssumableError,
    SessionTokens,
)
from pytest_stsguard.cloud.profiles import CHANGING, Association, ProfileView
from pytest_stsguard.errors import CloudError
from pytest_stsguard.policy import Request as Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.authorization import Authorizer
    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.ledger import Ledger
    from pytest_stsguard.cloud.state import Role, State

__all__ = ["Fleet", "Instance"]

_RENEWING = frozenset({"StopInstances", "StartInstances"})


class Instance:
    """One instance as its metadata service sees it; everything is read live from moto's EC2."""

    def __init__(self, fleet: Fleet, instance_id: str, region: str) -> None:
        self.instance_id = instance_id
        self.region = region
        self._fleet = fleet
        self._rotation = CredentialRotation(fleet.clock, self._issue, replace_before=fleet.replace_before)
        self._identity = CredentialRotation(fleet.clock, self._issue_identity, replace_before=fleet.replace_before)
        self.view = ProfileView(fleet.clock, self._live_association)
        self._role_id: str | None = None
        self._servers: dict[int, MetadataServer] = {}
        self._tokens = SessionTokens(fleet.clock)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The value of the instance's Name tag, empty without one."""
        return str(self._tags().get("Name", ""))

    @property
    def metadata_url(self) -> str:
        """Where the metadata service listens: what AWS_EC2_METADATA_SERVICE_ENDPOINT takes."""
        return self.serve_metadata().url

    def serve_metadata(self, *, host: str = "127.0.0.1", port: int = 0, hops: int = 1) -> MetadataServer:
        """Start the metadata service for callers so many network hops away, or give the one that runs.

        A container behind a bridge is two hops away; session tokens of one are good at the other.
        """
        with self._lock:
            if hops not in self._servers:
                self._servers[hops] = MetadataServer(
                    self, self._fleet.clock, host=host, port=port, hops=hops, tokens=self._tokens
                )
            return self._servers[hops]

    def close(self) -> None:
        """Stop the metadata service."""
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def renew(self) -> None:
        """Drop the credentials that the instance holds, and see its profile anew, as a stop and a start do."""
        self.view.refresh()
        self._rotation.renew()

    @contextmanager
    def calling(self, *, endpoint: str | None = None) -> Iterator[None]:
        """Let the calls of this thread come from this instance, as its workload's do.

        Without an `endpoint` they come over the internet, from the instance's public address. Through a VPC endpoint, by
        its id, they carry aws:SourceVpc, aws:SourceVpce and aws:VpcSourceIp instead of aws:SourceIp. Only clients of this
        process can; over HTTP a call comes from where its bytes come from.
        """
        primary = self.facts().primary
        network = {}
        if endpoint is not None:
            network = {
                "aws:SourceVpc": primary.vpc_id,
                "aws:SourceVpce": endpoint,
                "aws:VpcSourceIp": primary.private_ip,
            }
        with calling_from(primary.public_ip or primary.private_ip, network=network):
            yield

    def held(self) -> list[Any]:
        """Give the credentials that the instance holds, and for which role, for a saved state."""
        return [self._rotation.held(), self._identity.held(), self._role_id]

    def hold(self, held: list[Any] | None) -> None:
        """Hold the credentials of a saved state, none without one."""
        role, identity, role_id = held or ({}, {}, None)
        self._rotation.hold(role)
        self._identity.hold(identity)
        self._role_id = role_id

    # What metadata.Host asks.

    def options(self) -> MetadataOptions:
        """The metadata options as ModifyInstanceMetadataOptions left them."""
        set_options = self._moto().metadata_options or {}

        def option(name: str, default: str) -> str:
            return str(_field(set_options, name) or default)

        return MetadataOptions(
            http_tokens=cast('Literal["optional", "required"]', option("HttpTokens", "optional")),
            http_endpoint=cast('Literal["enabled", "disabled"]', option("HttpEndpoint", "enabled")),
            http_put_response_hop_limit=int(option("HttpPutResponseHopLimit", "1")),
            instance_metadata_tags=cast('Literal["enabled", "disabled"]', option("InstanceMetadataTags", "disabled")),
        )

    def running(self) -> bool:
        """Whether the instance runs; one that is gone does not."""
        return self.instance_id in self._running_ids()

    def facts(self) -> InstanceFacts:
        """What the metadata tree is made of."""
        instance = self._moto()
        zone = instance.placement.zone or f"{self.region}a"
        return InstanceFacts(
            instance_id=self.instance_id,
            account_id=self._fleet.backend.account,
            region=self.region,
            availability_zone=zone,
            availability_zone_id=next((one.zone_id for one in self._zones() if one.name == zone), None),
            image_id=instance.image_id,
            instance_type=instance.instance_type,
            pending_time=instance.launch_time.replace(tzinfo=UTC),
            interfaces=tuple(_interfaces(instance)),
            architecture=instance.architecture or "x86_64",
            key_name=instance.key_name,
            user_data=_user_data(instance.user_data),
            tags=self._tags(),
        )

    def profile(self) -> ProfileFacts | None:
        """The instance profile that is associated now."""
        seen = self._association()
        if seen.profile is None:
            return None
        role = seen.role.name if seen.role is not None else None
        return ProfileFacts(seen.profile.arn, seen.profile.id, role, seen.profile.create_date.replace(tzinfo=UTC))

    def credentials(self, delivery: str) -> InstanceCredentials:
        """The role's credentials that the instance holds; another role in the profile brings new ones."""
        role = self._association().role
        role_id = role.id if role is not None else None
        if role_id is not None and role_id != self._role_id:
            self._rotation.renew()
            self._role_id = role_id
        return self._rotation.current(delivery)

    def identity_credentials(self) -> InstanceCredentials:
        """Credentials of the instance identity role: no role of the account, so no revocation reaches them."""
        return self._identity.current("2.0")

    def _issue_identity(self, delivery: str) -> InstanceCredentials:
        account = self._fleet.backend.account
        arn = f"arn:aws:sts::{account}:assumed-role/aws:ec2-instance/{self.instance_id}"
        issuer = Issuer(
            "role", f"arn:aws:iam::{account}:role/aws:ec2-instance", "aws:ec2-instance", account, "aws:ec2-instance"
        )
        session = self._fleet.ledger.issue(
            arn=arn,
            user_id=f"{account}:aws:ec2-instance:{self.instance_id}",
            issuer=issuer,
            duration=CREDENTIAL_LIFETIME,
            context={"ec2:RoleDelivery": delivery},
        )
        return _served(session)

    def _issue(self, delivery: str) -> InstanceCredentials:
        seen = self._association().role
        if seen is None:
            raise RoleNotAssumableError(f"instance `{self.instance_id}` has no role")
        role = self._fleet.state.role(self._fleet.backend.account, unique_id=seen.id)
        if role is None or not self._fleet.may_be_assumed_by_ec2(role):
            raise RoleNotAssumableError(f"EC2 cannot assume the role `{seen.name}`")
        session = self._fleet.ledger.issue(
            arn=f"arn:aws:sts::{role.account}:assumed-role/{role.name}/{self.instance_id}",
            user_id=f"{role.unique_id}:{self.instance_id}",
            issuer=Issuer("role", role.arn, role.unique_id, role.account, role.name),
            duration=CREDENTIAL_LIFETIME,
            kind="instance",
            context=self._session_context(delivery),
        )
        return _served(session)

    def _session_context(self, delivery: str) -> Mapping[str, str]:
        primary = self.facts().primary
        account = self._fleet.backend.account
        return {
            "ec2:RoleDelivery": delivery,
            "ec2:SourceInstanceARN": f"arn:aws:ec2:{self.region}:{account}:instance/{self.instance_id}",
            "aws:Ec2InstanceSourceVpc": primary.vpc_id,
            "aws:Ec2InstanceSourcePrivateIPv4": primary.private_ip,
        }

    def _association(self) -> Association:
        return self.view.current(self._fleet.profile_delay)

    def _live_association(self) -> Association:
        association = self._ec2().iam_instance_profile_associations.get(self.instance_id)
        profile = association.iam_instance_profile if association else None
        return Association(profile, profile.roles[0] if profile is not None and profile.roles else None)

    def _running_ids(self) -> frozenset[str]:
        return frozenset(entry.id for entry in self._ec2().all_instances() if entry.is_running())

    def _tags(self) -> Mapping[str, str]:
        return dict(self._ec2().tags.get(self.instance_id, {}))

    def _zones(self) -> Any:
        return self._ec2().describe_availability_zones()

    def _moto(self) -> Any:
        return self._ec2().get_instance(self.instance_id)

    def _ec2(self) -> Any:
        return self._fleet.backend.service("ec2", region=self.region)


class Fleet:
    """All instances of the home account; the metadata service of each starts when it is first asked for."""

    def __init__(self, *, backend: Backend, state: State, ledger: Ledger, authorizer: Authorizer, clock: Clock) -> None:
        self.backend = backend
        self.state = state
        self.ledger = ledger
        self.clock = clock
        self.profile_delay = timedelta()
        self.replace_before = LATEST_MOMENT
        self._authorizer = authorizer
        self._instances: dict[str, Instance] = {}
        self._lock = threading.Lock()

    def all(self) -> tuple[Instance, ...]:
        """Every instance of the home region that is not terminated, in the order of launch."""
        ec2 = self.backend.service("ec2")
        return tuple(self._instance(entry.id) for entry in ec2.all_instances() if entry.state != "terminated")

    def find(self, instance: str) -> Instance:
        """Find an instance by its id or by its Name tag; `CloudError` when there is none or several."""
        found = [candidate for candidate in self.all() if instance in {candidate.instance_id, candidate.name}]
        if len(found) != 1:
            there = ", ".join(f"{candidate.instance_id} ({candidate.name})" for candidate in self.all())
            raise CloudError(f"{len(found)} instances match `{instance}`", hint=f"there are: {there or 'none'}")
        return found[0]

    def may_be_assumed_by_ec2(self, role: Role) -> bool:
        """Ask the role's trust policy on behalf of the EC2 service."""
        question = Question("sts:AssumeRole", role.arn, "ec2.amazonaws.com", role.tag_keys)
        return self._authorizer.decide_trust(role.trust, question).allowed

    def observe(self, call: Call) -> None:
        """Notice the calls that renew credentials, stop and start but not a reboot, and those that change profiles."""
        if call.operation in CHANGING.get(call.service, ()):
            for instance in list(self._instances.values()):
                instance.view.note()
        if call.service != "ec2":
            return
        if call.operation == "RunInstances":
            # From now on changes of theirs are noticed.
            self.all()
        if call.operation not in _RENEWING:
            return
        for instance_id in call.parameters.get("InstanceIds") or ():
            if instance_id in self._instances:
                self._instances[instance_id].renew()

    def close(self) -> None:
        """Stop every metadata service."""
        for instance in self._instances.values():
            instance.close()

    def _instance(self, instance_id: str) -> Instance:
        with self._lock:
            if instance_id not in self._instances:
                self._instances[instance_id] = Instance(self, instance_id, self.backend.region)
            return self._instances[instance_id]


def _served(session: Session) -> InstanceCredentials:
    return InstanceCredentials(
        session.access_key_id, session.secret_access_key, session.token, session.issued_at, session.expires_at
    )


def _interfaces(instance: Any) -> list[Interface]:
    faces = []
    for number, nic in sorted(instance.nics.items(), key=lambda item: int(item[0])):
        faces.append(
            Interface(
                mac=nic.mac_address,
                interface_id=nic.id,
                vpc_id=nic.subnet.vpc_id,
                subnet_id=nic.subnet.id,
                private_ip=nic.private_ip_address,
                local_hostname=instance.private_dns_name,
                public_ip=instance.public_ip or None,
                public_hostname=instance.public_dns_name or None,
                security_groups=tuple((group.id, group.name) for group in nic.group_set),
                subnet_cidr=nic.subnet.cidr_block,
                device_number=int(number),
            )
        )
    return faces


def _field(options: Any, name: str) -> Any:
    if isinstance(options, dict):
        return options.get(name)
    return getattr(options, "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_"), None)


def _user_data(value: Any) -> bytes | None:
    if not value:
        return None
    raw = value if isinstance(value, bytes) else str(value).encode()
    try:
        return base64.b64decode(raw, validate=True)
    except binascii.Error:
        return raw
