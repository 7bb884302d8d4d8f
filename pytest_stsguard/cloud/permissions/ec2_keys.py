"""EC2's condition keys that the request or the ARN fills.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-policy-keys. Keys that
describe an existing resource beyond its id and its tags (the type of an instance that is stopped, the owner of an image)
are not known from a call and are absent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .scope import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .permission import Context
    from .reference import Use
    from .scope import Scope

__all__ = ["new_keys", "own_keys", "volume_keys"]

# The key that holds the id of a resource, by its type.
_IDS = {
    "elastic-ip": "ec2:AllocationId",
    "image": "ec2:ImageID",
    "instance": "ec2:InstanceID",
    "internet-gateway": "ec2:InternetGatewayID",
    "key-pair": "ec2:KeyPairName",
    "network-acl": "ec2:NetworkAclID",
    "network-interface": "ec2:NetworkInterfaceID",
    "placement-group": "ec2:PlacementGroupName",
    "route-table": "ec2:RouteTableID",
    "security-group": "ec2:SecurityGroupID",
    "snapshot": "ec2:SnapshotID",
    "subnet": "ec2:SubnetID",
    "transit-gateway": "ec2:transitGatewayId",
    "transit-gateway-attachment": "ec2:transitGatewayAttachmentId",
    "transit-gateway-route-table": "ec2:transitGatewayRouteTableId",
    "volume": "ec2:VolumeID",
    "vpc": "ec2:VpcID",
    "vpc-peering-connection": "ec2:VpcPeeringConnectionID",
}

# What a resource that is being created gets from the request: the key, and where its value stands.
_NEW = {
    "ec2:AssociatePublicIpAddress": "NetworkInterfaces.AssociatePublicIpAddress",
    "ec2:AvailabilityZone": "AvailabilityZone Placement.AvailabilityZone",
    "ec2:AvailabilityZoneId": "AvailabilityZoneId Placement.AvailabilityZoneId",
    "ec2:Domain": "Domain",
    "ec2:EbsOptimized": "EbsOptimized",
    "ec2:Encrypted": "Encrypted",
    "ec2:InstanceMarketType": "InstanceMarketOptions.MarketType",
    "ec2:InstanceMetadataTags": "MetadataOptions.InstanceMetadataTags",
    "ec2:InstanceType": "InstanceType",
    "ec2:KeyPairType": "KeyType",
    "ec2:KmsKeyId": "KmsKeyId",
    "ec2:MetadataHttpEndpoint": "MetadataOptions.HttpEndpoint",
    "ec2:MetadataHttpPutResponseHopLimit": "MetadataOptions.HttpPutResponseHopLimit",
    "ec2:MetadataHttpTokens": "MetadataOptions.HttpTokens",
    "ec2:PlacementGroupStrategy": "Strategy",
    "ec2:Tenancy": "Placement.Tenancy InstanceTenancy Tenancy",
    "ec2:VolumeIops": "Iops",
    "ec2:VolumeSize": "Size",
    "ec2:VolumeThroughput": "Throughput",
    "ec2:VolumeType": "VolumeType",
    "ec2:VpceServiceName": "ServiceName",
}
_DEFAULTS = {
    "ec2:EbsOptimized": "false",
    "ec2:Encrypted": "false",
    "ec2:InstanceMarketType": "on-demand",
    "ec2:Tenancy": "default",
}
# The same for keys whose value is an ARN: the type, and where the id stands.
_NEW_ARNS = {
    "ec2:AccepterVpc": ("vpc", "PeerVpcId"),
    "ec2:ParentSnapshot": ("snapshot", "SnapshotId"),
    "ec2:ParentVolume": ("volume", "VolumeId"),
    "ec2:PlacementGroup": ("placement-group", "Placement.GroupName"),
    "ec2:RequesterVpc": ("vpc", "VpcId"),
    "ec2:Subnet": ("subnet", "SubnetId NetworkInterfaces.SubnetId"),
    "ec2:Vpc": ("vpc", "VpcId"),
}
_VOLUME = {
    "ec2:Encrypted": "Encrypted",
    "ec2:VolumeIops": "Iops",
    "ec2:VolumeSize": "VolumeSize",
    "ec2:VolumeThroughput": "Throughput",
    "ec2:VolumeType": "VolumeType",
}
_NOT_ATTRIBUTES = ("DryRun", "Attribute", "Value", "ClientToken")


def own_keys(use: Use, arn: str) -> Context:
    """Give the key that holds the id of an existing resource."""
    key = _IDS.get(use.name)
    if key is None or key not in use.keys or arn.endswith("/*"):
        return {}
    return {key: arn.rpartition("/")[2]}


def new_keys(scope: Scope, use: Use, *, new: bool) -> Context:
    """Give what the request says of a resource that it creates, or of the attributes that it changes."""
    context: Context = {}
    if new:
        for key, paths in _NEW.items():
            if key in use.keys and (value := scope.text(*paths.split()) or _default(scope, key)) is not None:
                context[key] = value
        for key, (kind, paths) in _NEW_ARNS.items():
            if key in use.keys and (identifier := scope.text(*paths.split())) is not None:
                context[key] = _arn(scope, kind, identifier)
    profile = scope.text("IamInstanceProfile.Arn", "IamInstanceProfile.Name")
    for key in ("ec2:InstanceProfile", "ec2:NewInstanceProfile"):
        # A profile in the request is the new one; the present one of an existing instance is not in the call.
        if profile is not None and key in use.keys and (new or key == "ec2:NewInstanceProfile"):
            context[key] = _profile(scope, profile)
    if "ec2:Attribute/${AttributeName}" in use.keys:
        context.update(_attributes(scope, use))
    return context


def _default(scope: Scope, key: str) -> str | None:
    # Whether a volume from a snapshot is encrypted is the snapshot's matter.
    if key == "ec2:Encrypted" and scope.text("SnapshotId") is not None:
        return None
    return _DEFAULTS.get(key)


def _arn(scope: Scope, kind: str, identifier: str) -> str:
    account = "" if kind == "snapshot" else scope.account
    return f"arn:{scope.partition}:ec2:{scope.call.region}:{account}:{kind}/{identifier}"


def _profile(scope: Scope, profile: str) -> str:
    if profile.startswith("arn:"):
        return profile
    plain = f"arn:{scope.partition}:iam::{scope.account}:instance-profile/{profile}"
    return scope.state.iam_arn("instance-profile", profile) or plain


def _attributes(scope: Scope, use: Use) -> Context:
    """Give ec2:Attribute and ec2:Attribute/NAME of a Modify or Reset operation."""
    parameters: Mapping[str, Any] = scope.call.parameters
    context: Context = {}
    names = []
    for name, value in parameters.items():
        inner = value.get("Value") if isinstance(value, dict) else value
        if name in _NOT_ATTRIBUTES or name.endswith(("Id", "Ids")) or isinstance(inner, list | dict) or inner is None:
            continue
        names.append(name)
        context[f"ec2:Attribute/{name}"] = str(inner).lower() if isinstance(inner, bool) else str(inner)
    if isinstance(attribute := parameters.get("Attribute"), str):
        names.append(attribute)
        if "Value" in parameters:
            context[f"ec2:Attribute/{attribute}"] = str(parameters["Value"])
    if names and "ec2:Attribute" in use.keys:
        context["ec2:Attribute"] = names if len(names) > 1 else names[0]
    return context


def volume_keys(scope: Scope, mapping: Mapping[str, Any]) -> Context:
    """Give the keys of one volume that a launch creates."""
    context: Context = {} if "SnapshotId" in mapping else {"ec2:Encrypted": "false"}
    for key, name in _VOLUME.items():
        for value in find(mapping, name):
            context[key] = str(value).lower() if isinstance(value, bool) else str(value)
    for identifier in find(mapping, "SnapshotId"):
        context["ec2:ParentSnapshot"] = _arn(scope, "snapshot", str(identifier))
    return context
