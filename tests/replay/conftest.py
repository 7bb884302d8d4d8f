"""Accounts made of trust policies alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account.build import AccountBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.account import Account

HOME = "111122223333"


@pytest.fixture(scope="session")
def account_of() -> Callable[..., Account]:
    """Give ``(trusts, *listings) -> Account``: `trusts` maps role names to trust policies."""
    return _account_of


def _account_of(trusts: dict[str, Any], *listings: dict[str, Any]) -> Account:
    roles = [
        {
            "RoleName": name,
            "Arn": f"arn:aws:iam::{HOME}:role/{name}",
            "Path": "/",
            "AssumeRolePolicyDocument": trust,
        }
        for name, trust in trusts.items()
    ]
    builder = AccountBuilder("test")
    page = {"RoleDetailList": roles, "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    for one in (page, *listings):
        builder.add_text(json.dumps(one), None)
    return builder.build()
