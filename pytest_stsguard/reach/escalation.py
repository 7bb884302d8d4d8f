"""How a session of a role could become more than it is: by writing policies, passing roles, or assuming them.

The ways are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_examples.html and of Rhino Security
Labs' "AWS IAM privilege escalation"; each is asked of the engine. An administrator has nothing more to gain.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from pytest_stsguard.policy import Policy
from pytest_stsguard.reach.admission import ASSUME
from pytest_stsguard.reach.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.reach.assume import AssumeGraph
    from pytest_stsguard.reach.permissions import Holder, Permissions

__all__ = ["ASKED", "STARTING", "escalations"]

_WRITING: Final = (
    "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:PutGroupPolicy",
    "iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:AttachGroupPolicy",
    "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:AddUserToGroup", "iam:UpdateAssumeRolePolicy",
    "iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile",
)  # fmt: skip
"""Calls that give permissions, or a way into an identity that has them."""

_MOST_ASSOCIATED: Final = 4
_STRONG: Final = ("AdministratorAccess", "IAMFullAccess")
"""Managed policies of AWS that make whoever they are attached to an administrator."""

STARTING: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("ec2.amazonaws.com", ("ec2:RunInstances",)),
    ("ec2.amazonaws.com", ("ec2:AssociateIamInstanceProfile",)),
    ("ec2.amazonaws.com", ("ec2:ReplaceIamInstanceProfileAssociation",)),
    ("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:InvokeFunction")),
    ("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:AddPermission")),
    ("lambda.amazonaws.com", ("lambda:CreateFunction", "lambda:CreateEventSourceMapping")),
    ("lambda.amazonaws.com", ("lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode")),
    ("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:RunTask")),
    ("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:StartTask")),
    ("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:CreateService")),
    ("ecs-tasks.amazonaws.com", ("ecs:RegisterTaskDefinition", "ecs:UpdateService")),
    ("ecs-tasks.amazonaws.com", ("ecs:RunTask",)),
    ("cloudformation.amazonaws.com", ("cloudformation:CreateStack",)),
    ("cloudformation.amazonaws.com", ("cloudformation:UpdateStack",)),
    ("codebuild.amazonaws.com", ("codebuild:CreateProject", "codebuild:StartBuild")),
    ("codebuild.amazonaws.com", ("codebuild:UpdateProject", "codebuild:StartBuild")),
    ("glue.amazonaws.com", ("glue:CreateDevEndpoint",)),
    ("glue.amazonaws.com", ("glue:CreateJob", "glue:StartJobRun")),
    ("glue.amazonaws.com", ("glue:UpdateJob", "glue:StartJobRun")),
    ("glue.amazonaws.com", ("glue:CreateSession", "glue:RunStatement")),
    ("sagemaker.amazonaws.com", ("sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl")),
    ("sagemaker.amazonaws.com", ("sagemaker:CreateTrainingJob",)),
    ("sagemaker.amazonaws.com", ("sagemaker:CreateProcessingJob",)),
    ("states.amazonaws.com", ("states:CreateStateMachine", "states:StartExecution")),
    ("ssm.amazonaws.com", ("ssm:StartAutomationExecution",)),
    ("datapipeline.amazonaws.com", ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition")),
    ("elasticmapreduce.amazonaws.com", ("elasticmapreduce:RunJobFlow",)),
    ("batch.amazonaws.com", ("batch:RegisterJobDefinition", "batch:SubmitJob")),
    ("scheduler.amazonaws.com", ("scheduler:CreateSchedule",)),
    ("pods.eks.amazonaws.com", ("eks:CreatePodIdentityAssociation",)),
    ("cognito-identity.amazonaws.com", ("cognito-identity:SetIdentityPoolRoles",)),
)
"""Calls that together start something with a role that was passed to the service before them."""


ASKED: Final = (*_WRITING, "iam:PassRole", ASSUME)
"""What decides, before what is started with a role that was passed."""


def escalations(permissions: Permissions, graph: AssumeGraph) -> Iterator[Fault]:
    """Find the roles that can gain more than they have (STSG-304)."""
    nearest = _ways_to_administrators(permissions, graph)
    for holder in permissions.roles:
        if holder.arn not in permissions.wanted or holder.arn in permissions.administrators:
            continue
        ways = [*_writes(holder, permissions), *_passes(holder, permissions), *_assumes(holder, permissions)]
        start = graph.number(holder.arn)
        if start is not None and start in nearest:
            ways.append(f"assumes an administrator: {' -> '.join(_way(graph, nearest, start))}")
        if ways:
            yield Fault(
                holder.arn,
                f"a session of this role can gain more than the role has: {'; '.join(ways)}",
                place="escalation",
                location=holder.principal.location,
                evidence={"ways": ways},
            )


def _writes(holder: Holder, permissions: Permissions) -> Iterator[str]:
    found = [action for action in _WRITING if _allowed_somewhere(holder, action, permissions)]
    if found:
        yield f"writes permissions ({', '.join(found)})"


def _allowed_somewhere(holder: Holder, action: str, permissions: Permissions) -> bool:
    if not holder.speaks_of(action):
        return False
    contexts: tuple[dict[str, str], ...] = ({},)
    if action.startswith("iam:Attach"):
        own = f"arn:{permissions.account.partition}:iam::aws:policy"
        contexts = tuple({"iam:PolicyARN": f"{own}/{name}"} for name in _STRONG)
    return any(
        holder.allows(action, resource, context)
        for resource in holder.resources_for(action, permissions.account)
        for context in contexts
    )


def _passes(holder: Holder, permissions: Permissions) -> Iterator[str]:
    """Tell what could be started with any role, or with an administrator's."""
    if not holder.speaks_of("iam:PassRole"):
        return
    account = permissions.account
    stronger = (
        f"arn:{account.partition}:iam::{account.id}:role/stsguard-probe",
        *sorted(permissions.administrators)[:32],
    )
    seen: set[str] = set()
    for service, calls in STARTING:
        if service in seen or not all(holder.speaks_of(call) for call in calls):
            continue
        passed = next((role for role in stronger if _may_pass(holder, role, service)), None)
        if passed is not None and all(_may_start(holder, call, permissions) for call in calls):
            seen.add(service)
            which = "any role" if passed == stronger[0] else passed
            yield f"passes {which} to {service} ({', '.join(calls)})"


def _may_pass(holder: Holder, role: str, service: str) -> bool:
    """Ask whether a role can be passed to a service, for whatever resource the policies name."""
    passed = {"iam:PassedToService": service}
    contexts = [passed, *({**passed, "iam:AssociatedResourceArn": one} for one in _associated(holder))]
    return any(holder.allows("iam:PassRole", role, context) for context in contexts)


def _associated(holder: Holder) -> list[str]:
    found = (
        value.replace("*", "stsguard").replace("?", "x")
        for policy in (*holder.policies, *holder.boundary)
        for matcher in policy.index.plan("iam:PassRole").matchers
        for condition in matcher.statement.conditions
        if condition.key.lower() == "iam:associatedresourcearn"
        for value in condition.values
    )
    return list(islice(dict.fromkeys(found), _MOST_ASSOCIATED))


def _may_start(holder: Holder, call: str, permissions: Permissions) -> bool:
    return holder.allows(call, "*") or any(
        holder.allows(call, resource) for resource in holder.resources_for(call, permissions.account)
    )


def _assumes(holder: Holder, permissions: Permissions) -> Iterator[str]:
    account = permissions.account
    invented = f"arn:{account.partition}:iam::{account.id}:role/stsguard-probe"
    if not holder.speaks_of(ASSUME):
        return
    statement = {"Effect": "Allow", "Principal": {"AWS": account.id}, "Action": ASSUME}
    trusting = Policy.parse({"Version": "2012-10-17", "Statement": statement}, kind="trust")
    if holder.allows(ASSUME, invented, guard=trusting):
        yield "assumes any role that trusts the account (sts:AssumeRole without limit)"


def _ways_to_administrators(permissions: Permissions, graph: AssumeGraph) -> dict[int, int]:
    """Give for each node from which an administrator can be reached the next node on the shortest way there."""
    before: list[list[int]] = [[] for _ in graph.successors]
    for node, followers in enumerate(graph.successors):
        for other in followers:
            before[other].append(node)
    goals = [goal for arn in permissions.administrators if (goal := graph.number(arn)) is not None]
    following: dict[int, int] = {}
    queue = deque(goals)
    seen = set(goals)
    while queue:
        node = queue.popleft()
        for other in before[node]:
            if other not in seen:
                seen.add(other)
                following[other] = node
                queue.append(other)
    return following


def _way(graph: AssumeGraph, following: dict[int, int], start: int) -> list[str]:
    nodes = [start]
    while nodes[-1] in following:
        nodes.append(following[nodes[-1]])
    return [name for node in nodes if (name := graph.name(node)) is not None]
