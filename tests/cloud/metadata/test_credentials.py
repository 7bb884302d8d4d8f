from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.metadata import ContainerCredentials, InstanceCredentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytest_stsguard.clock import SimulatedClock


IAM = "/latest/meta-data/iam/security-credentials"


@pytest.mark.parametrize("path", [IAM, IAM + "/", IAM.replace("latest", "2016-09-02")])
def test_the_role_is_named_with_and_without_the_slash_and_without_a_newline(
    fetch: Callable[..., Any], path: str
) -> None:
    reply = fetch(path)
    assert (reply.status, reply.body) == (200, b"A4L-InstanceRole")


def test_the_document_is_written_as_ec2_writes_it(fetch: Callable[..., Any], machine: Any) -> None:
    reply = fetch(f"{IAM}/A4L-InstanceRole")
    [held] = machine.issued
    assert reply.headers["Content-Type"] == "text/plain"
    assert reply.text == (
        "{\n"
        '  "Code" : "Success",\n'
        f'  "LastUpdated" : "{isoformat(held.last_updated)}",\n'
        '  "Type" : "AWS-HMAC",\n'
        f'  "AccessKeyId" : "{held.access_key_id}",\n'
        f'  "SecretAccessKey" : "{held.secret_access_key}",\n'
        f'  "Token" : "{held.token}",\n'
        f'  "Expiration" : "{isoformat(held.expiration)}"\n'
        "}"
    )
    assert json.loads(reply.text)["Expiration"].endswith("Z")


def test_reading_the_tree_issues_nothing(fetch: Callable[..., Any], machine: Any) -> None:
    for path in ("/", "/latest/meta-data/", IAM, "/latest/meta-data/iam/info", "/latest/meta-data/ami-id"):
        fetch(path)
    assert machine.issued == []


def test_v1_and_v2_hand_out_different_credentials_and_each_keeps_its_own(
    fetch: Callable[..., Any], new_token: Callable[..., str]
) -> None:
    v1 = [json.loads(fetch(f"{IAM}/A4L-InstanceRole").text) for _ in range(2)]
    v2 = [json.loads(fetch(f"{IAM}/A4L-InstanceRole", token=new_token()).text) for _ in range(2)]
    assert v1[0] == v1[1] != v2[0] == v2[1]
    assert "/1.0/" in v1[0]["SecretAccessKey"]
    assert "/2.0/" in v2[0]["SecretAccessKey"]


def test_iam_info_names_the_instance_profile(fetch: Callable[..., Any]) -> None:
    assert fetch("/latest/meta-data/iam/info").text == (
        '{\n  "Code" : "Success",\n  "LastUpdated" : "2026-05-04T03:02:01Z",\n'
        '  "InstanceProfileArn" : "arn:aws:iam::111122223333:instance-profile/A4L-InstanceProfile",\n'
        '  "InstanceProfileId" : "AIPA2S6TZNPQ67BDPYHXF"\n}'
    )


def test_a_profile_without_a_role_has_an_info_but_no_credentials(fetch: Callable[..., Any], machine: Any) -> None:
    machine.role = None
    assert fetch("/latest/meta-data/iam/").text == "info"
    assert fetch("/latest/meta-data/iam/info").status == 200
    assert fetch(IAM + "/").status == 404


@pytest.mark.parametrize("name", ["a4l-instancerole", "Other", "A4L-InstanceProfile", "A4L-InstanceRole%0A"])
def test_only_the_instances_own_role_has_credentials(fetch: Callable[..., Any], machine: Any, name: str) -> None:
    assert fetch(f"{IAM}/{name}").status == 404
    assert machine.issued == []


def test_a_role_name_may_come_percent_encoded(fetch: Callable[..., Any], machine: Any) -> None:
    machine.role = "role+name=a,b.c@d-e_f"
    assert fetch(IAM).text == machine.role
    assert fetch(f"{IAM}/role%2Bname%3Da%2Cb.c%40d-e_f").status == 200
    assert fetch(f"{IAM}/{machine.role}").status == 200


def test_a_role_that_ec2_may_not_assume_gives_ec2s_document(
    fetch: Callable[..., Any], machine: Any, clock: SimulatedClock
) -> None:
    machine.trusted = False
    before = isoformat(clock.now())
    reply = fetch(f"{IAM}/A4L-InstanceRole")
    document = json.loads(reply.text)
    assert reply.status == 200
    assert list(document) == ["Code", "Message", "LastUpdated"]
    assert document["Code"] == "AssumeRoleUnauthorizedAccess"
    assert document["Message"].startswith(
        "EC2 cannot assume the role A4L-InstanceRole.  Please see documentation at https://"
    )
    assert before <= document["LastUpdated"] <= isoformat(clock.now())
    assert fetch(IAM).text == "A4L-InstanceRole"


def test_credentials_follow_the_rules_of_the_instance(
    fetch: Callable[..., Any], machine: Any, clock: SimulatedClock
) -> None:
    def key() -> str:
        return json.loads(fetch(f"{IAM}/A4L-InstanceRole").text)["AccessKeyId"]

    stolen = key()
    clock.advance(5 * 3600)
    assert key() == stolen
    clock.advance(55 * 60)
    fresh = key()
    assert fresh != stolen
    machine.stop_and_start()
    assert key() not in {stolen, fresh}


def test_the_identity_of_the_instance_is_served_without_any_role(fetch: Callable[..., Any], machine: Any) -> None:
    machine.has_profile = False
    path = "/latest/meta-data/identity-credentials/ec2/"
    document = json.loads(fetch(path + "security-credentials/ec2-instance").text)
    assert list(document) == ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    assert document["AccessKeyId"] == "ASIAIDENTITY00000001"
    assert fetch(path + "info").text == (
        '{\n  "Code" : "Success",\n  "LastUpdated" : "2026-05-04T03:02:01Z",\n  "AccountId" : "111122223333"\n}'
    )


def test_no_repr_shows_a_secret() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    role = "arn:aws:iam::111122223333:role/app"
    held = InstanceCredentials("ASIA0000000000001234", "s3cr3t", "t0k3n", moment, moment)
    assert repr(held) == "InstanceCredentials(…1234, expiration=2026-01-01T00:00:00Z)"
    task = ContainerCredentials("ASIA0000000000001234", "s3cr3t", "t0k3n", moment, moment, role)
    assert repr(task) == "ContainerCredentials(…1234, expiration=2026-01-01T00:00:00Z)"
    assert task.account_id == "111122223333"
