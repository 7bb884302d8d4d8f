"""The categories of instance metadata, made from what the instance says of itself.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.metadata.credentials import RoleNotAssumableError
from pytest_stsguard.cloud.metadata.tree import Document, Folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.credentials import InstanceCredentials
    from pytest_stsguard.cloud.metadata.instance import Host, InstanceFacts, Interface

__all__ = ["VERSIONS", "categories"]

VERSIONS = (
    *("1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01"),
    *("2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19"),
    *("2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03"),
    *("2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11"),
)
"""The dated versions that EC2 lists. Each of them answers what ``latest`` does; on EC2 old ones lack newer categories."""

TROUBLESHOOTING = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc"
)


def categories(host: Host, facts: InstanceFacts, *, delivery: str, tags: bool, clock: Clock) -> Folder:
    """Give the whole tree of one instance for one request.

    `delivery` is ``"1.0"`` or ``"2.0"``, by how the request was made; `tags` tells whether the instance's tags are shown.
    Credentials are only asked for when their document is read.
    """
    root = {
        "dynamic": Folder(_dynamic(facts)),
        "meta-data": Folder({**_meta_data(facts, tags=tags), **_roles(host, facts, delivery=delivery, clock=clock)}),
        "user-data": None if facts.user_data is None else Document(facts.user_data, "application/octet-stream"),
    }
    top = Folder(root, listing="\n".join(name for name, child in root.items() if child))
    return Folder(dict.fromkeys((*VERSIONS, "latest"), top), listing="\n".join((*VERSIONS, "latest")))


def _meta_data(facts: InstanceFacts, *, tags: bool) -> Mapping[str, str | Folder | None]:
    primary = facts.primary
    key = Folder({"openssh-key": facts.public_key}) if facts.key_name and facts.public_key else None
    return {
        "ami-id": facts.image_id,
        "ami-launch-index": str(facts.launch_index),
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": Folder({"ami": facts.root_device_name, "root": facts.root_device_name}),
        "events": Folder({"maintenance": Folder({"history": "[]", "scheduled": "[]"})}),
        "hostname": primary.local_hostname,
        "instance-action": facts.instance_action,
        "instance-id": facts.instance_id,
        "instance-life-cycle": facts.life_cycle,
        "instance-type": facts.instance_type,
        "local-hostname": primary.local_hostname,
        "local-ipv4": primary.private_ip,
        "mac": primary.mac,
        "metrics": Folder({"vhostmd": '<?xml version="1.0" encoding="UTF-8"?>'}),
        "network": Folder(
            {"interfaces": Folder({"macs": Folder({i.mac: _interface(facts, i) for i in facts.interfaces})})}
        ),
        "placement": Folder(
            {
                "availability-zone": facts.availability_zone,
                "availability-zone-id": facts.availability_zone_id,
                "region": facts.region,
            }
        ),
        "profile": "default-hvm",
        "public-hostname": primary.public_hostname,
        "public-ipv4": primary.public_ip,
        "public-keys": key and Folder({"0": key}, listing=f"0={facts.key_name}"),
        "reservation-id": facts.reservation_id,
        "security-groups": "\n".join(name for _, name in primary.security_groups),
        "services": Folder({"domain": facts.domain, "partition": facts.partition}),
        "system": facts.system,
        "tags": Folder({"instance": Folder(dict(facts.tags))}) if tags and facts.tags else None,
    }


def _interface(facts: InstanceFacts, interface: Interface) -> Folder:
    public = interface.public_ip
    return Folder(
        {
            "device-number": str(interface.device_number),
            "interface-id": interface.interface_id,
            "ipv4-associations": Folder({public: interface.private_ip}) if public else None,
            "local-hostname": interface.local_hostname,
            "local-ipv4s": interface.private_ip,
            "mac": interface.mac,
            "owner-id": facts.account_id,
            "public-hostname": interface.public_hostname,
            "public-ipv4s": public,
            "security-group-ids": "\n".join(group for group, _ in interface.security_groups),
            "security-groups": "\n".join(name for _, name in interface.security_groups),
            "subnet-id": interface.subnet_id,
            "subnet-ipv4-cidr-block": interface.subnet_cidr,
            "vpc-id": interface.vpc_id,
            "vpc-ipv4-cidr-block": interface.vpc_cidr,
            "vpc-ipv4-cidr-blocks": interface.vpc_cidr,
        }
    )


def _dynamic(facts: InstanceFacts) -> Mapping[str, Folder]:
    """Give the dynamic data; pkcs7, signature and rsa2048 are left out, since only AWS can sign them."""
    document = {
        "accountId": facts.account_id,
        "architecture": facts.architecture,
        "availabilityZone": facts.availability_zone,
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": facts.image_id,
        "instanceId": facts.instance_id,
        "instanceType": facts.instance_type,
        "kernelId": None,
        "pendingTime": isoformat(facts.pending_time),
        "privateIp": facts.primary.private_ip,
        "ramdiskId": None,
        "region": facts.region,
        "version": "2017-09-30",
    }
    return {
        "fws": Folder({"instance-monitoring": facts.monitoring}),
        "instance-identity": Folder({"document": _json(document, facts.pending_time)}),
    }


def _roles(host: Host, facts: InstanceFacts, *, delivery: str, clock: Clock) -> Mapping[str, Folder]:
    started = facts.pending_time
    account = _json({"Code": "Success", "LastUpdated": isoformat(started), "AccountId": facts.account_id}, started)

    def identity() -> Document:
        return _credentials(host.identity_credentials())

    folders = {
        "identity-credentials": Folder(
            {"ec2": Folder({"info": account, "security-credentials": Folder({"ec2-instance": identity})})}
        )
    }
    profile = host.profile()
    if profile is None:
        return folders
    info = {
        "Code": "Success",
        "LastUpdated": isoformat(profile.last_updated),
        "InstanceProfileArn": profile.arn,
        "InstanceProfileId": profile.id,
    }
    role = profile.role_name
    credentials = Folder({role: _role(host, role, delivery=delivery, clock=clock)}) if role else None
    folders["iam"] = Folder({"info": _json(info, profile.last_updated), "security-credentials": credentials})
    return folders


def _role(host: Host, role: str, *, delivery: str, clock: Clock) -> Callable[[], Document]:
    def document() -> Document:
        try:
            return _credentials(host.credentials(delivery))
        except RoleNotAssumableError as error:
            now = clock.now()
            message = f"EC2 cannot assume the role {role}.  Please see documentation at {TROUBLESHOOTING}."
            return _json({"Code": error.code, "Message": message, "LastUpdated": isoformat(now)}, now)

    return document


def _credentials(credentials: InstanceCredentials) -> Document:
    return _json(
        {
            "Code": "Success",
            "LastUpdated": isoformat(credentials.last_updated),
            "Type": "AWS-HMAC",
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key,
            "Token": credentials.token,
            "Expiration": isoformat(credentials.expiration),
        },
        credentials.last_updated,
    )


def _json(content: Mapping[str, str | None], modified: datetime) -> Document:
    """Write `content` in EC2's own layout: two spaces, a space before each colon, no newline at the end."""
    return Document(json.dumps(content, indent=2, separators=(",", " : ")).encode(), modified=modified)
