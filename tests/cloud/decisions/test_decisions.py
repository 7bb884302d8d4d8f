"""Whole decisions as a client meets them: one read of an object, by whoever the case describes, through every layer.

Each case names the page of AWS that it is derived from. In its texts ``{caller}`` is the caller's ARN (a session's own),
``{role}`` its role's, ``{name}`` the name of either, ``{bucket}`` the bucket, ``{home}`` and ``{member}`` are the accounts.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from pytest_stsguard.cloud import Cloud, Credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "reads.json").read_text(encoding="utf-8"))
MEMBER = "222233334444"
SESSION = "session"


class Stage:
    """A cloud with two accounts, in which each case gets a caller and a bucket of its own."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.administrators = {"home": cloud.administrator(cloud.account), "member": cloud.administrator(MEMBER)}
        self._made = 0

    def play(self, case: Mapping[str, Any]) -> str:
        """Read an object as the case's caller, and tell what came of it."""
        self._made += 1
        caller = case["caller"]
        account = {"home": self.cloud.account, "member": MEMBER}[caller.get("account", "home")]
        names = {"home": self.cloud.account, "member": MEMBER, "bucket": f"case-{self._made}", "name": f"n{self._made}"}
        names["role"] = f"arn:aws:iam::{account}:role/{names['name']}"
        user = f"arn:aws:iam::{account}:user/{names['name']}"
        session = f"arn:aws:sts::{account}:assumed-role/{names['name']}/{SESSION}"
        names["caller"] = session if caller["kind"] == "role" else user
        credentials = (self._role if caller["kind"] == "role" else self._user)(caller, names)
        self._bucket(case.get("bucket_policy"), names)
        try:
            self.cloud.client("s3", credentials).get_object(Bucket=names["bucket"], Key="k")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return "denied" if code == "AccessDenied" else code
        return "allowed"

    def _bucket(self, statements: Any, names: Mapping[str, str]) -> None:
        s3 = self.cloud.client("s3")
        s3.create_bucket(Bucket=names["bucket"])
        s3.put_object(Bucket=names["bucket"], Key="k", Body=b"x")
        s3.delete_public_access_block(Bucket=names["bucket"])
        if statements:
            s3.put_bucket_policy(Bucket=names["bucket"], Policy=_document(statements, names))

    def _holder(self, caller: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
        iam = self.cloud.client("iam", self.administrators[caller.get("account", "home")])
        more: dict[str, Any] = {"Tags": _tags(caller.get("tags"))}
        if "boundary" in caller:
            document = _document(caller["boundary"], names)
            made = iam.create_policy(PolicyName=names["name"], PolicyDocument=document)
            more["PermissionsBoundary"] = made["Policy"]["Arn"]
        return iam, more

    def _user(self, caller: Mapping[str, Any], names: Mapping[str, str]) -> Credentials:
        iam, more = self._holder(caller, names)
        iam.create_user(UserName=names["name"], **more)
        if caller["policies"]:
            document = _document(caller["policies"], names)
            iam.put_user_policy(UserName=names["name"], PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=names["name"])["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"], origin=self.cloud)

    def _role(self, caller: Mapping[str, Any], names: Mapping[str, str]) -> Credentials:
        iam, more = self._holder(caller, names)
        account = names["role"].split(":")[4]
        actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": actions}
        iam.create_role(RoleName=names["name"], AssumeRolePolicyDocument=_document([trust], names), **more)
        if caller["policies"]:
            document = _document(caller["policies"], names)
            iam.put_role_policy(RoleName=names["name"], PolicyName="p", PolicyDocument=document)
        given: dict[str, Any] = {"Tags": _tags(caller.get("session_tags"))}
        if "session_policy" in caller:
            given["Policy"] = _document(caller["session_policy"], names)
        if "session_arns" in caller:
            given["PolicyArns"] = [{"arn": arn} for arn in caller["session_arns"]]
        if "source_identity" in caller:
            given["SourceIdentity"] = caller["source_identity"]
        sts = self.cloud.client("sts", self.administrators[caller.get("account", "home")])
        answer = sts.assume_role(RoleArn=names["role"], RoleSessionName=SESSION, **given)
        return self.cloud.credentials_of(answer["Credentials"])


def _document(statements: Any, names: Mapping[str, str]) -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _tags(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Cloud(world="empty") as cloud:
        yield Stage(cloud)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_read_is_decided_as_aws_decides_it(case: dict[str, Any], stage: Stage) -> None:
    assert case["source"].startswith("https://docs.aws.amazon.com/")
    assert stage.play(case) == case["expected"]
