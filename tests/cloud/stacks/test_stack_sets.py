"""Stack sets work in the execution role of each account, which the administration role assumes; never in the caller's name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("moto.cloudformation")

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import World

    Make = Callable[..., Any]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OTHER = "222233334444"
ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-the-set"}}
PLACES = {"StackSetName": "set", "Accounts": [OTHER], "Regions": ["us-east-1"]}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Sets:
    """Two accounts with the two roles, and a set with one queue."""

    def __init__(self, world: World, *, executing: tuple[dict[str, Any], ...] = (ALL,), trusting: bool = True) -> None:
        self.member = world.cloud.administrator(OTHER)
        self.world = world
        if trusting:
            assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::*:role/{EXECUTION}"}
            world.role(ADMINISTRATION, principal={"Service": "cloudformation.amazonaws.com"}, access=(assume,))
        iam = world.cloud.client("iam", self.member)
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{world.account}:role/{ADMINISTRATION}" if trusting else OTHER},
            "Action": "sts:AssumeRole",
        }
        iam.create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(RoleName=EXECUTION, PolicyName="own", PolicyDocument=document(*executing))
        self.iam = iam
        may = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
        self.client = world.cloud.client("cloudformation", world.user("alice", may))
        body = json.dumps({"Resources": {"Queue": QUEUE}})
        self.client.create_stack_set(StackSetName="set", TemplateBody=body, PermissionModel="SELF_MANAGED")

    @property
    def queues(self) -> list[str]:
        return list(self.world.cloud.client("sqs", self.member).list_queues().get("QueueUrls", []))

    def status(self, operation: dict[str, Any]) -> str:
        told = self.client.describe_stack_set_operation(StackSetName="set", OperationId=operation["OperationId"])
        return str(told["StackSetOperation"]["Status"])


def test_instances_are_made_and_deleted_by_the_execution_role(world: World) -> None:
    sets = Sets(world)
    assert sets.status(sets.client.create_stack_instances(**PLACES)) == "SUCCEEDED"
    assert len(sets.queues) == 1
    made = [each for each in world.cloud.trail.records() if each["eventName"] == "CreateQueue"]
    assert [each["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] for each in made] == [EXECUTION]
    assumed = [each for each in world.cloud.trail.records() if each["eventName"] == "AssumeRole"]
    assert [each["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] for each in assumed] == [ADMINISTRATION]
    assert sets.status(sets.client.delete_stack_instances(**PLACES, RetainStacks=False)) == "SUCCEEDED"
    assert sets.queues == []
    assert sets.client.list_stack_instances(StackSetName="set")["Summaries"] == []


def test_what_the_execution_role_may_not_make_is_not_made(world: World) -> None:
    sets = Sets(world, executing=(ALL, {"Effect": "Deny", "Action": "sqs:CreateQueue", "Resource": "*"}))
    assert sets.status(sets.client.create_stack_instances(**PLACES)) == "FAILED"
    assert sets.queues == []
    (stack,) = world.cloud.client("cloudformation", sets.member).describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_a_deletion_that_is_refused_leaves_the_instance(world: World) -> None:
    sets = Sets(world)
    sets.client.create_stack_instances(**PLACES)
    deny = document({"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"})
    sets.iam.put_role_policy(RoleName=EXECUTION, PolicyName="contained", PolicyDocument=deny)
    assert sets.status(sets.client.delete_stack_instances(**PLACES, RetainStacks=False)) == "FAILED"
    assert len(sets.queues) == 1
    assert len(sets.client.list_stack_instances(StackSetName="set")["Summaries"]) == 1
    assert sets.status(sets.client.delete_stack_instances(**PLACES, RetainStacks=True)) == "SUCCEEDED"
    assert len(sets.queues) == 1
    assert sets.client.list_stack_instances(StackSetName="set")["Summaries"] == []


def test_roles_that_do_not_trust_make_nothing(world: World, stack: Make) -> None:
    sets = Sets(world, trusting=False)
    code, message = stack().refused(sets.client.create_stack_instances, **PLACES)
    assert (code, ADMINISTRATION in message) == ("ValidationError", True)
    world.role(ADMINISTRATION, principal={"Service": "cloudformation.amazonaws.com"})
    assert sets.status(sets.client.create_stack_instances(**PLACES)) == "FAILED"
    assert sets.queues == []


def test_what_of_sets_is_not_simulated_is_refused_by_name(world: World, stack: Make) -> None:
    own = stack()
    body = json.dumps({"Resources": {"Odd": {"Type": "AWS::Nobody::Knows"}}})
    own.client.create_stack_set(StackSetName="odd", TemplateBody=body, PermissionModel="SELF_MANAGED")
    own.client.create_stack_set(StackSetName="service", TemplateBody=body, PermissionModel="SERVICE_MANAGED")
    world.role(ADMINISTRATION, principal={"Service": "cloudformation.amazonaws.com"})
    places = {"Accounts": [world.account], "Regions": ["us-east-1"]}
    for name, words in (("odd", "`AWS::Nobody::Knows`"), ("service", "permissions of an organization")):
        code, message = own.refused(own.client.create_stack_instances, StackSetName=name, **places)
        assert (code, words in message) == ("NotImplemented", True)
    for call in (own.client.update_stack_instances, own.client.update_stack_set):
        assert own.refused(call, StackSetName="odd", **places)[0] == "NotImplemented"
    code, _ = own.refused(own.client.create_stack_instances, StackSetName="none", **places)
    assert code == "StackSetNotFoundException"
