"""What a launch template names is asked for like what a call names: `pytest_stsguard/cloud/permissions/launching.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Needs = Callable[..., Any]

PLACE = "us-east-1:111122223333"
ROLE = "arn:aws:iam::111122223333:role/app/Web"
TEMPLATE = f"arn:aws:ec2:{PLACE}:launch-template/lt-1"
DATA = {"ImageId": "ami-1", "InstanceType": "t3.micro", "IamInstanceProfile": {"Name": "web"}, "KeyName": "theirs"}


def on(found: Any, action: str) -> dict[str, Any]:
    return {each.resource: each.context for each in found if each.action == action}


def test_a_template_counts_where_the_call_says_nothing(needs: Needs, world: Any) -> None:
    world.templates = {"lt-1": ("lt-1", DATA), "by-name": ("lt-1", DATA)}
    for spec in ({"LaunchTemplateId": "lt-1"}, {"LaunchTemplateName": "by-name", "Version": "2"}):
        found = needs("ec2", "RunInstances", {"LaunchTemplate": spec, "KeyName": "mine", "MinCount": 1, "MaxCount": 1})
        launched = on(found, "ec2:RunInstances")
        assert TEMPLATE in launched
        assert on(found, "iam:PassRole").keys() == {ROLE}
        image = launched["arn:aws:ec2:us-east-1::image/ami-1"]
        assert (image["ec2:LaunchTemplate"], image["ec2:IsLaunchTemplateResource"]) == (TEMPLATE, "true")
        key = launched[f"arn:aws:ec2:{PLACE}:key-pair/mine"]
        assert key["ec2:IsLaunchTemplateResource"] == "false"
        assert launched[f"arn:aws:ec2:{PLACE}:instance/*"]["ec2:InstanceType"] == "t3.micro"


def test_without_a_template_there_is_no_key_of_one(needs: Needs) -> None:
    found = needs("ec2", "RunInstances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1})
    assert all("ec2:LaunchTemplate" not in context for context in on(found, "ec2:RunInstances").values())


@pytest.mark.parametrize(
    "parameters",
    [
        {"LaunchTemplate": {"LaunchTemplateId": "lt-1"}},
        {"MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"}}}},
    ],
)
def test_a_scaling_group_needs_what_it_launches(parameters: dict[str, Any], needs: Needs, world: Any) -> None:
    world.templates = {"lt-1": ("lt-1", DATA)}
    for operation in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup"):
        found = needs("autoscaling", operation, {"AutoScalingGroupName": "g", "MinSize": 1, "MaxSize": 1, **parameters})
        assert on(found, "iam:PassRole")[ROLE]["aws:CalledVia"] == ["autoscaling.amazonaws.com"]
        assert TEMPLATE in on(found, "ec2:RunInstances")


def test_a_fleet_needs_what_it_launches(needs: Needs, world: Any) -> None:
    world.templates = {"lt-1": ("lt-1", DATA)}
    configs = [{"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"}}]
    found = needs("ec2", "CreateFleet", {"LaunchTemplateConfigs": configs})
    assert on(found, "iam:PassRole").keys() == {ROLE}


def test_a_command_is_checked_on_the_instances_that_it_reaches(needs: Needs) -> None:
    given = {"DocumentName": "AWS-RunShellScript"}
    anywhere = f"arn:aws:ec2:{PLACE}:instance/*"
    targets = [{"Key": "tag:env", "Values": ["prod"]}]
    assert anywhere in on(needs("ssm", "SendCommand", {**given, "Targets": targets}), "ssm:SendCommand")
    targets = [{"Key": "InstanceIds", "Values": ["i-1", "i-2"]}]
    found = on(needs("ssm", "SendCommand", {**given, "Targets": targets}), "ssm:SendCommand")
    assert {f"arn:aws:ec2:{PLACE}:instance/i-1", f"arn:aws:ec2:{PLACE}:instance/i-2"} <= found.keys()
    assert anywhere not in found


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud() as cloud:
        yield cloud


def test_a_role_is_not_taken_by_way_of_a_template(cloud: Cloud) -> None:
    iam, ec2 = cloud.client("iam"), cloud.client("ec2")
    profile = {"Name": iam.list_instance_profiles()["InstanceProfiles"][0]["InstanceProfileName"]}
    image = ec2.describe_images()["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.micro", "IamInstanceProfile": profile}
    ec2.create_launch_template(LaunchTemplateName="escalate", LaunchTemplateData=data)
    iam.create_user(UserName="launcher")
    allow = {"Effect": "Allow", "Action": ["ec2:*", "autoscaling:*"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="launcher", PolicyName="p", PolicyDocument=document)
    session = cloud.user_credentials("launcher").session()
    template = {"LaunchTemplateName": "escalate", "Version": "$Latest"}
    with pytest.raises(ClientError, match="iam:PassRole"):
        session.client("ec2").run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)
    group = {"AutoScalingGroupName": "g", "MinSize": 0, "MaxSize": 1, "AvailabilityZones": ["us-east-1a"]}
    with pytest.raises(ClientError, match="iam:PassRole"):
        session.client("autoscaling").create_auto_scaling_group(LaunchTemplate=template, **group)
    assert ec2.run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)["Instances"]
