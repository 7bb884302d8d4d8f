"""The mapping against the Service Authorization Reference, for every operation of the services with rules of their own."""

from __future__ import annotations

import re

import pytest

from pytest_stsguard.cloud.permissions import Permission, UnmappedOperationError
from pytest_stsguard.cloud.permissions.coverage import operations
from pytest_stsguard.cloud.permissions.implemented import implemented, services
from pytest_stsguard.cloud.permissions.reference import action, actions
from pytest_stsguard.cloud.permissions.rules import required
from pytest_stsguard.cloud.permissions.samples import Nothing, sample, sampled

_SERVICES = ("dynamodb", "dynamodbstreams", "ec2", "iam", "s3", "sts")
# Keys that a check has whatever the reference's table for the action says: passing a role, tagging at creation, keys
# that a service uses on the caller's behalf.
_BESIDES = re.compile(
    r"iam:(PassedToService|AssociatedResourceArn)|ec2:CreateAction|ec2:Region"
    r"|aws:(CalledVia(First|Last)?|Principal\w+|Source(Account|Arn|Ip)|ViaAWSService)"
)
# Operations whose checks the reference describes by other rules than its table of resource types.
_EXPLAINED = {
    "dynamodb:DeleteResourcePolicy": "one ARN names the table or the stream",
    "dynamodb:GetResourcePolicy": "as above",
    "dynamodb:ListTagsOfResource": "as above",
    "dynamodb:PutResourcePolicy": "as above",
    "dynamodb:TagResource": "as above",
    "dynamodb:UntagResource": "as above",
    "dynamodb:PartiQLSelect": "an index stands in its table's place",
    "dynamodb:Query": "as above",
    "dynamodb:Scan": "as above",
    "iam:GenerateServiceLastAccessedDetails": "one ARN names the principal or the policy",
    "iam:ListPoliciesGrantingServiceAccess": "as above",
    "s3express:CreateSession": "a bucket or an access point",
}


def _shape(template: str) -> re.Pattern[str]:
    parts = [re.escape(part).replace(r"\*", ".*") for part in re.split(r"\$\{\w+\}", template)]
    return re.compile("[^:]*".join(parts[:-1]) + ".*" + parts[-1])


@pytest.mark.parametrize("full", [False, True], ids=["required parameters", "all parameters"])
@pytest.mark.parametrize("service", _SERVICES)
def test_every_permission_is_in_the_reference(service: str, full: bool) -> None:  # noqa: FBT001 - a parameter of the test
    wrong = []
    for name in sampled(service):
        try:
            needed = required(
                sample(service, name, full=full), account="111122223333", state=Nothing(), caller_name="me"
            )
        except UnmappedOperationError:
            continue
        for permission in needed:
            wrong += [f"{name}: {permission.action} {problem}" for problem in _problems(permission)]
    assert wrong == []


@pytest.mark.parametrize("full", [False, True], ids=["required parameters", "all parameters"])
def test_every_permission_of_the_other_services_is_too(full: bool) -> None:  # noqa: FBT001 - as above
    wrong = []
    for service in services():
        if service in (*_SERVICES, "apigateway", "apigatewayv2"):
            continue
        for name in implemented(service):
            call = sample(service, name, full=full)
            try:
                needed = required(call, account="111122223333", state=Nothing())
            except UnmappedOperationError:
                continue
            for permission in needed:
                wrong += [f"{service}:{name}: {permission.action} {problem}" for problem in _problems(permission)]
    assert wrong == []


def _problems(permission: Permission) -> list[str]:
    prefix, _, short = permission.action.partition(":")
    found = action(prefix, short)
    if found is None:
        return ["is no action"]
    families = {family for key in found.all_keys if (family := re.split(r"\$|<", key)[0]) != key}
    problems = [
        f"has no key {key}"
        for key in permission.context
        if not _BESIDES.fullmatch(key) and key not in found.all_keys and not key.startswith(tuple(families))
    ]
    patterns = [_shape(use.template) for use in found.uses]
    if permission.resource != "*" and not any(pattern.fullmatch(permission.resource) for pattern in patterns):
        problems.append(f"is not checked on {permission.resource}")
    # Session tags of a federated user are checked on the user, which the reference's table leaves out.
    return [] if permission.action == "sts:TagSession" and "federated-user" in permission.resource else problems


@pytest.mark.parametrize("service", _SERVICES)
def test_every_required_resource_is_checked(service: str) -> None:
    wrong = []
    for operation in operations(service):
        for name in {permission.action for permission in operation.permissions}:
            prefix, _, short = name.partition(":")
            # A tagging action at creation is checked on what is created, a passed role on itself.
            if name in _EXPLAINED or (short != operation.name and name in ("ec2:CreateTags", "iam:PassRole")):
                continue
            found = action(prefix, short)
            resources = [permission.resource for permission in operation.permissions if permission.action == name]
            missing = [
                use.name
                for use in (found.uses if found else ())
                if use.required and not any(_shape(use.template).fullmatch(resource) for resource in resources)
            ]
            if missing:
                wrong.append(f"{operation.name}: {name} lacks {missing}, has {resources}")
    assert wrong == []


def test_the_mapped_services_are_mapped_but_for_what_the_reference_lacks() -> None:
    for service in _SERVICES:
        for operation in operations(service):
            if operation.reason is None:
                continue
            lacking = f"the reference has no action `{service}:{operation.name}`"
            assert operation.reason == lacking or operation.name == "WriteGetObjectResponse"


def test_an_unknown_service_or_action_is_unknown() -> None:
    assert action("nosuchservice", "Anything") is None
    assert action("s3", "NoSuchAction") is None
    assert action("s3", "getobject") is None
    assert actions("nosuchservice") == ()
