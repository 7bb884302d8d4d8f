"""Forty services through boto3: who may gets an answer, who may not gets the service's own words, whatever moto would do.

Each row of forty_services.yaml names a read and a write operation with the action and the resource that IAM checks, written
out as policies name them. One principal is granted exactly those, one the same actions on another resource, one nothing at
all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jmespath
import pytest
import yaml
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "111122223333"
PLACES = {"account": ACCOUNT, "region": "us-east-1", "role": f"arn:aws:iam::{ACCOUNT}:role/A4L-DataRole"}

Names = dict[str, str]


@dataclass(frozen=True)
class Call:
    """One operation: its method and parameters, and what IAM checks. `{id}` in texts comes from what is made before."""

    method: str
    parameters: dict[str, Any]
    action: str
    resource: str
    also: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(row: dict[str, Any]) -> Call:
        """Read a call of the table."""
        also = tuple((one["action"], one["resource"]) for one in row.get("also", ()))
        return Call(row["call"], row["with"], row["action"], row["resource"], also)


@dataclass(frozen=True)
class Row:
    """A service: its read, its write, what is made before, and the refusal's code and status."""

    service: str
    read: Call
    write: Call
    before: tuple[dict[str, Any], ...]
    code: str
    status: int

    def __str__(self) -> str:
        return self.service

    def setup(self, client: Any) -> Names:
        """Make what the calls need, as the administrator; gives its id."""
        names: Names = {}
        for step in self.before:
            answer = getattr(client, step["call"])(**filled(step["with"], PLACES))
            if "id" in step:
                # Route 53 gives a path for an id.
                names["id"] = str(jmespath.search(step["id"], answer)).strip("/")
        return names


def rows() -> Iterator[Row]:
    """Read the table."""
    table = yaml.safe_load(Path(__file__).with_name("forty_services.yaml").read_text(encoding="utf-8"))
    for service, row in table.items():
        yield Row(
            service,
            Call.of(filled(row["read"], PLACES)),
            Call.of(filled(row["write"], PLACES)),
            tuple(row.get("before", ())),
            row.get("code", "AccessDeniedException"),
            row.get("status", 400),
        )


def filled(value: Any, names: Names) -> Any:
    """Put a row's names into its texts."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace(f"{{{name}}}", text)
    elif isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    elif isinstance(value, list):
        return [filled(inner, names) for inner in value]
    return value


def another(resource: str) -> str:
    """Name a resource beside the one that is called."""
    return resource if resource == "*" else f"{resource}-another"


class Stage:
    """One cloud with the three principals and what the rows call."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.names: dict[str, Names] = {}
        iam = cloud.client("iam")
        self.users = {}
        for user in ("able", "elsewhere", "nobody"):
            iam.create_user(UserName=user)
            self.users[user] = cloud.user_credentials(user).session()
        self._iam = iam

    def prepare(self, row: Row) -> Names:
        """Make what the row calls, and grant it, once."""
        if row.service not in self.names:
            self.names[row.service] = names = row.setup(self.cloud.client(row.service))
            for user, change in (("able", str), ("elsewhere", another)):
                grants = [
                    (action, change(filled(resource, names)))
                    for call in (row.read, row.write)
                    for action, resource in ((call.action, call.resource), *call.also)
                ]
                statements = [{"Effect": "Allow", "Action": action, "Resource": arn} for action, arn in grants]
                document = json.dumps({"Version": "2012-10-17", "Statement": statements})
                self._iam.put_user_policy(UserName=user, PolicyName=row.service, PolicyDocument=document)
        return self.names[row.service]

    def call(self, user: str, row: Row, call: Call) -> dict[str, Any]:
        """Call one operation as one of the principals."""
        names = self.prepare(row)
        answer: dict[str, Any] = getattr(self.users[user].client(row.service), call.method)(
            **filled(call.parameters, names)
        )
        return answer


ROWS = tuple(rows())


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Cloud() as cloud:
        # The demo's bucket is there from the first call of S3 on; CloudTrail's row needs it.
        cloud.client("s3").list_buckets()
        yield Stage(cloud)


def refused(stage: Stage, user: str, row: Row, call: Call) -> dict[str, Any]:
    stage.prepare(row)
    with pytest.raises(ClientError) as caught:
        stage.call(user, row, call)
    return dict(caught.value.response)


def test_there_are_forty() -> None:
    assert len({row.service for row in ROWS}) >= 40


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_nobody_is_refused_in_the_services_own_words(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        response = refused(stage, "nobody", row, call)
        resource = filled(call.resource, stage.names[row.service])
        message = (
            f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: {call.action} on resource: "
            f"{quoted(row, call, resource)} because no identity-based policy allows the {call.action} action"
        )
        assert (response["Error"]["Code"], response["Error"]["Message"]) == (row.code, message)
        assert response["ResponseMetadata"]["HTTPStatusCode"] == row.status


def quoted(row: Row, call: Call, resource: str) -> str:
    """Write the resource as a message has it: S3's in quotes, a log group with the streams that policies have `*` for."""
    if row.service == "s3":
        return f'"{resource}"'
    return resource.replace(":*", ":log-stream:") if call.action == "logs:DescribeLogStreams" else resource


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_grant_on_another_resource_is_none_on_this(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        if call.resource != "*":
            assert refused(stage, "elsewhere", row, call)["Error"]["Code"] == row.code


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_may_gets_an_answer(row: Row, stage: Stage) -> None:
    for call in (row.read, row.write):
        assert stage.call("able", row, call)["ResponseMetadata"]["HTTPStatusCode"] < 300
