"""A denial that the containment did not cause is never taken for it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.drill import Observation, parse_scenario, play
from pytest_stsguard.drill.attribution import foreign
from pytest_stsguard.drill.ground import Simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud

MEMBER = "999900001111"
DENIED = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: sqs:ListQueues on resource: * "
SCENARIO: dict[str, Any] = {
    "probes": ["s3.list_buckets"],
    "warm_up": [{"act": "role", "name": "data"}],
    "theft": [{"act": "assume", "role": "data", "session": "stolen"}],
    "containment": [
        {"act": "revoke", "target": "data"},
        {"act": "expect", "session": "stolen", "outcome": "denied"},
    ],
    "cleanup": [{"act": "clean-up"}],
}


@pytest.mark.parametrize(
    ("tail", "layer"),
    [
        ("with an explicit deny in an identity-based policy", "identity-based policy"),
        ("with an explicit deny in a service control policy", "service control policy"),
        ("with an explicit deny in a permissions boundary", "permissions boundary"),
        (
            "with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/Deny policy",
            "identity-based policy",
        ),
        ("because no VPC endpoint policy allows the sqs:ListQueues action", "VPC endpoint policy"),
        ("because no session policy allows the sqs:ListQueues action", "session policy"),
        ("", ""),
    ],
)
def test_layer_is_read_from_the_words_of_aws(tail: str, layer: str) -> None:
    seen = Observation("sqs.list_queues", "denied", "AccessDenied", DENIED + tail, explicit="explicit" in tail)
    assert seen.layer == layer


@pytest.mark.parametrize(
    ("tail", "methods", "words"),
    [
        ("with an explicit deny in an identity-based policy", ["older-sessions"], ""),
        ("with an explicit deny in an identity-based policy", ["boundary"], "by an identity-based policy"),
        ("with an explicit deny in a permissions boundary", ["boundary"], ""),
        ("with an explicit deny in a service control policy", ["scp"], ""),
        ("with an explicit deny in a service control policy", ["deny-all"], "by a service control policy"),
        ("with an explicit deny in a service control policy", [], "by a service control policy"),
        ("with an explicit deny in a VPC endpoint policy", ["user-sessions", "scp"], "by a VPC endpoint policy"),
        ("with an explicit deny in an identity-based policy", ["deactivate-key"], "by an identity-based policy"),
        (
            "because no identity-based policy allows the x",
            ["older-sessions"],
            "by no grant of an identity-based policy",
        ),
        ("because no identity-based policy allows the x", ["remove-permissions"], ""),
        ("", ["older-sessions"], ""),
    ],
)
def test_each_method_denies_in_a_layer_of_its_own(tail: str, methods: list[str], words: str) -> None:
    seen = Observation("sqs.list_queues", "denied", "AccessDenied", DENIED + tail, explicit="explicit" in tail)
    assert foreign(seen, methods) == words


@pytest.fixture
def deny_from_above(sts_cloud: Cloud) -> Callable[[str], None]:
    """Give what denies an action to the member account by a service control policy."""
    sts_cloud.administrator(MEMBER)
    organizations = sts_cloud.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    with suppress(organizations.exceptions.PolicyTypeAlreadyEnabledException):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="SERVICE_CONTROL_POLICY")

    def deny(action: str) -> None:
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = organizations.create_policy(
            Name=f"no-{action[:2]}", Description="x", Content=text, Type="SERVICE_CONTROL_POLICY"
        )
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=MEMBER)

    return deny


def failures_of(where: Any, *, on: str = "", do: Callable[[], None] = lambda: None, **changes: Any) -> str:
    """Play, doing something at the first step of an action or detail; gives what went wrong."""
    done: list[None] = []

    def look(step: Any) -> None:
        if on in {step.action, step.detail} and not done:
            done.append(None)
            do()

    result = play(parse_scenario(SCENARIO | changes, name="small"), where, listener=look)
    assert result.passed == (not result.failures)
    return " ".join(result.failures)


def test_denial_of_a_service_control_policy_is_no_containment(
    sts_cloud: Cloud, deny_from_above: Callable[[str], None]
) -> None:
    member = Simulated(sts_cloud, sts_cloud.administrator(MEMBER), account=MEMBER)
    assert failures_of(member) == ""
    deny_from_above("sqs:*")
    never = {"act": "expect", "session": "stolen", "outcome": "denied", "probes": ["sqs.list_queues"]}
    uncontained = failures_of(member, containment=[never])
    assert "denied to `stolen` by a service control policy: that proves nothing of the containment" in uncontained
    late = failures_of(
        member, on="running", do=lambda: deny_from_above("s3:*"), containment=SCENARIO["containment"][1:]
    )
    assert "by a service control policy: that proves nothing" in late


def test_permission_that_somebody_took_away_is_no_containment(sts_cloud: Cloud) -> None:
    iam = sts_cloud.client("iam")

    def spoil() -> None:
        iam.delete_role_policy(RoleName="data", PolicyName="Access")
        iam.delete_role_policy(RoleName="data", PolicyName="AWSRevokeOlderSessions")

    assert "by no grant of an identity-based policy: that proves nothing" in failures_of(
        sts_cloud, on="revoked", do=spoil
    )


def test_denial_that_was_there_all_along_is_no_containment(sts_cloud: Cloud) -> None:
    """An explicit deny in the role's own policies, of a call that no session was ever allowed."""
    iam = sts_cloud.client("iam")

    def forbid() -> None:
        statement = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="data", PolicyName="Forbidden", PolicyDocument=text)

    never = {"act": "expect", "session": "stolen", "outcome": "denied", "probes": ["sqs.list_queues"]}
    for containment in ([never], [SCENARIO["containment"][0], never]):
        said = failures_of(sts_cloud, on="warmed up", do=forbid, containment=containment)
        assert "sqs.list_queues was never allowed to `stolen`: its denial proves nothing" in said
