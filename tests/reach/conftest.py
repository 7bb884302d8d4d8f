"""Small accounts made of a few roles, and surveys of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account.build import AccountBuilder
from pytest_stsguard.reach import Survey, zones_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]
ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def policy(statements: Any) -> Json:
    return {"Version": "2012-10-17", "Statement": statements}


def _entity(noun: str, name: str, statements: Any, **more: Any) -> Json:
    title = noun.capitalize()
    return {
        f"{title}Name": name,
        f"{title}Id": ("AROA" if noun == "role" else "AIDA") + "EXAMPLE0000000000",
        "Arn": f"arn:aws:iam::{ACCOUNT}:{noun}/{name}",
        "Path": "/",
        "CreateDate": "2024-01-01T00:00:00Z",
        f"{title}PolicyList": [{"PolicyName": "Own", "PolicyDocument": policy(statements)}] if statements else [],
        "AttachedManagedPolicies": [],
        **more,
    }


@pytest.fixture
def survey_of() -> Callable[..., Survey]:
    """Give ``(trusts, *, may, users, zones, details) -> Survey``.

    `trusts` maps role names to trust statements, `may` role names to identity statements, `users` user names to theirs,
    `details` role names to further fields of the export.
    """

    def make(
        trusts: Mapping[str, Any],
        *,
        may: Mapping[str, Any] | None = None,
        users: Mapping[str, Any] | None = None,
        zones: Json | None = None,
        details: Mapping[str, Json] | None = None,
        listings: tuple[Json, ...] = (),
        policies: tuple[Json, ...] = (),
    ) -> Survey:
        roles = [
            _entity(
                "role",
                name,
                (may or {}).get(name),
                AssumeRolePolicyDocument=trust if isinstance(trust, str) else policy(trust),
                **{"InstanceProfileList": [], **(details or {}).get(name, {})},
            )
            for name, trust in trusts.items()
        ]
        people = [_entity("user", name, statements, GroupList=[]) for name, statements in (users or {}).items()]
        builder = AccountBuilder("test")
        export = {"RoleDetailList": roles, "UserDetailList": people, "GroupDetailList": [], "Policies": list(policies)}
        for page in (export, *listings):
            builder.add_text(json.dumps(page), None)
        account = builder.build()
        return Survey(account, zones_of(account, zones or {}), now=NOW)

    return make


@pytest.fixture
def names() -> Callable[..., list[str]]:
    """Give ``(faults) -> names`` of the resources, in order."""
    return lambda faults: [fault.resource.rpartition("/")[2] for fault in faults]
