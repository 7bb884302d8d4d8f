"""EC2: networks, what guards them, instances."""

from __future__ import annotations

from .kind import Kind, Part

__all__ = ["KINDS"]

_TAGS = ("ec2:CreateTags Resources[]=@ Tags", "ec2:DeleteTags Resources[]=@ Tags=keys(.)")
_TARGETS = (
    "CarrierGatewayId",
    "DestinationCidrBlock",
    "DestinationIpv6CidrBlock",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
)
_RULE = (
    "CidrIp",
    "CidrIpv6",
    "Description",
    "FromPort",
    "IpProtocol",
    "SourceSecurityGroupId",
    "SourceSecurityGroupOwnerId",
    "SourcePrefixListId",
    "DestinationSecurityGroupId",
    "DestinationPrefixListId",
    "ToPort",
)
_INSTANCE = (
    "BlockDeviceMappings",
    "EbsOptimized",
    "ImageId",
    "InstanceType",
    "KeyName",
    "NetworkInterfaces",
    "PrivateIpAddress",
    "SecurityGroupIds",
    "SubnetId",
    "UserData",
)


def _rule(direction: str) -> Kind:
    return Kind(
        create=f"ec2:AuthorizeSecurityGroup{direction} GroupId IpPermissions=rule(@all)",
        fixed=frozenset({"GroupId", *_RULE}),
        delete=f"ec2:RevokeSecurityGroup{direction} GroupId IpPermissions=rule(@all)",
    )


def _rules(direction: str) -> Part:
    return Part(
        f"SecurityGroup{direction}",
        f"ec2:AuthorizeSecurityGroup{direction} GroupId=%GroupId IpPermissions=rule(.)",
        f"ec2:RevokeSecurityGroup{direction} GroupId=%GroupId IpPermissions=rule(.)",
    )


KINDS = {
    "AWS::EC2::VPC": Kind(
        create="ec2:CreateVpc CidrBlock InstanceTenancy TagSpecifications=tags(vpc)",
        ref="Vpc.VpcId",
        attributes={"VpcId": "Vpc.VpcId", "CidrBlock": "Vpc.CidrBlock"},
        parts=(
            Part("EnableDnsSupport", "ec2:ModifyVpcAttribute VpcId=@ EnableDnsSupport.Value=.", whole=True),
            Part("EnableDnsHostnames", "ec2:ModifyVpcAttribute VpcId=@ EnableDnsHostnames.Value=.", whole=True),
        ),
        tags=_TAGS,
        fixed=frozenset({"CidrBlock", "InstanceTenancy"}),
        delete="ec2:DeleteVpc VpcId=@",
        tagged=True,
    ),
    "AWS::EC2::Subnet": Kind(
        create="ec2:CreateSubnet VpcId CidrBlock AvailabilityZone Ipv6CidrBlock TagSpecifications=tags(subnet)",
        ref="Subnet.SubnetId",
        attributes={
            "SubnetId": "Subnet.SubnetId",
            "VpcId": "Subnet.VpcId",
            "CidrBlock": "Subnet.CidrBlock",
            "AvailabilityZone": "Subnet.AvailabilityZone",
        },
        parts=(
            Part("MapPublicIpOnLaunch", "ec2:ModifySubnetAttribute SubnetId=@ MapPublicIpOnLaunch.Value=.", whole=True),
        ),
        tags=_TAGS,
        fixed=frozenset({"AvailabilityZone", "CidrBlock", "Ipv6CidrBlock", "VpcId"}),
        delete="ec2:DeleteSubnet SubnetId=@",
        tagged=True,
    ),
    "AWS::EC2::InternetGateway": Kind(
        create="ec2:CreateInternetGateway TagSpecifications=tags(internet-gateway)",
        ref="InternetGateway.InternetGatewayId",
        attributes={"InternetGatewayId": "InternetGateway.InternetGatewayId"},
        tags=_TAGS,
        delete="ec2:DeleteInternetGateway InternetGatewayId=@",
        tagged=True,
    ),
    "AWS::EC2::VPCGatewayAttachment": Kind(
        create="ec2:AttachInternetGateway InternetGatewayId VpcId",
        fixed=frozenset({"InternetGatewayId", "VpcId"}),
        delete="ec2:DetachInternetGateway InternetGatewayId VpcId",
    ),
    "AWS::EC2::RouteTable": Kind(
        create="ec2:CreateRouteTable VpcId TagSpecifications=tags(route-table)",
        ref="RouteTable.RouteTableId",
        attributes={"RouteTableId": "RouteTable.RouteTableId"},
        tags=_TAGS,
        fixed=frozenset({"VpcId"}),
        delete="ec2:DeleteRouteTable RouteTableId=@",
        tagged=True,
    ),
    "AWS::EC2::Route": Kind(
        create=f"ec2:CreateRoute RouteTableId {' '.join(_TARGETS)}",
        fixed=frozenset({"RouteTableId", *_TARGETS}),
        delete="ec2:DeleteRoute RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Kind(
        create="ec2:AssociateRouteTable RouteTableId SubnetId",
        ref="AssociationId",
        attributes={"Id": "AssociationId"},
        fixed=frozenset({"RouteTableId", "SubnetId"}),
        delete="ec2:DisassociateRouteTable AssociationId=@",
    ),
    "AWS::EC2::EIP": Kind(
        create="ec2:AllocateAddress Domain TagSpecifications=tags(elastic-ip)",
        ref="PublicIp",
        attributes={"AllocationId": "AllocationId", "PublicIp": "PublicIp"},
        tags=("ec2:CreateTags Resources[]=%AllocationId Tags", "ec2:DeleteTags Resources[]=%AllocationId Tags=keys(.)"),
        fixed=frozenset({"Domain"}),
        delete="ec2:ReleaseAddress AllocationId=%AllocationId",
    ),
    "AWS::EC2::NatGateway": Kind(
        create="ec2:CreateNatGateway AllocationId SubnetId ConnectivityType TagSpecifications=tags(natgateway)",
        ref="NatGateway.NatGatewayId",
        attributes={"NatGatewayId": "NatGateway.NatGatewayId"},
        read=("ec2:DescribeNatGateways NatGatewayIds[]=@",),
        tags=_TAGS,
        fixed=frozenset({"AllocationId", "ConnectivityType", "SubnetId"}),
        delete="ec2:DeleteNatGateway NatGatewayId=@",
        tagged=True,
    ),
    "AWS::EC2::SecurityGroup": Kind(
        create="ec2:CreateSecurityGroup GroupName=name(GroupName) Description=GroupDescription VpcId"
        " TagSpecifications=tags(security-group)",
        ref="GroupId",
        attributes={"GroupId": "GroupId", "Id": "GroupId", "VpcId": "={VpcId}"},
        parts=(_rules("Ingress"), _rules("Egress")),
        tags=_TAGS,
        fixed=frozenset({"GroupDescription", "GroupName", "VpcId"}),
        delete="ec2:DeleteSecurityGroup GroupId=@",
        tagged=True,
    ),
    "AWS::EC2::SecurityGroupIngress": _rule("Ingress"),
    "AWS::EC2::SecurityGroupEgress": _rule("Egress"),
    "AWS::EC2::LaunchTemplate": Kind(
        create="ec2:CreateLaunchTemplate LaunchTemplateName=name(LaunchTemplateName) LaunchTemplateData"
        " VersionDescription TagSpecifications",
        ref="LaunchTemplate.LaunchTemplateId",
        attributes={
            "LaunchTemplateId": "LaunchTemplate.LaunchTemplateId",
            "LatestVersionNumber": "LaunchTemplate.LatestVersionNumber",
            "DefaultVersionNumber": "LaunchTemplate.DefaultVersionNumber",
        },
        fixed=frozenset({"LaunchTemplateData", "LaunchTemplateName", "TagSpecifications", "VersionDescription"}),
        delete="ec2:DeleteLaunchTemplate LaunchTemplateId=@",
    ),
    "AWS::EC2::Instance": Kind(
        create=f"ec2:RunInstances MinCount='1' MaxCount='1' {' '.join(_INSTANCE)} SecurityGroups LaunchTemplate"
        " IamInstanceProfile.Name=IamInstanceProfile Placement.AvailabilityZone=AvailabilityZone"
        " Placement.Tenancy=Tenancy Monitoring.Enabled=Monitoring DisableApiTermination"
        " InstanceInitiatedShutdownBehavior TagSpecifications=tags(instance)",
        ref="Instances.0.InstanceId",
        attributes={
            "InstanceId": "Instances.0.InstanceId",
            "AvailabilityZone": "Instances.0.Placement.AvailabilityZone",
            "PrivateDnsName": "Instances.0.PrivateDnsName",
            "PrivateIp": "Instances.0.PrivateIpAddress",
            "PublicDnsName": "Instances.0.PublicDnsName",
            "PublicIp": "Instances.0.PublicIpAddress",
            "VpcId": "Instances.0.VpcId",
        },
        read=("ec2:DescribeInstances InstanceIds[]=@",),
        parts=(
            Part("SourceDestCheck", "ec2:ModifyInstanceAttribute InstanceId=@ SourceDestCheck.Value=.", whole=True),
        ),
        changes={
            "DisableApiTermination": (
                "ec2:ModifyInstanceAttribute InstanceId=@ DisableApiTermination.Value=DisableApiTermination",
                "",
            ),
        },
        tags=_TAGS,
        fixed=frozenset({*_INSTANCE, "AvailabilityZone", "LaunchTemplate", "SecurityGroups"}),
        settled=frozenset({"IamInstanceProfile", "InstanceInitiatedShutdownBehavior", "Monitoring", "Tenancy"}),
        delete="ec2:TerminateInstances InstanceIds[]=@",
        tagged=True,
    ),
}
