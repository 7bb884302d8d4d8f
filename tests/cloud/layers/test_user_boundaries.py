"""A user's permissions boundary binds from the call that sets it, and shows where IAM shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    Accounts = Any  # the class of conftest.py

S3_ALONE = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def boundary(accounts: Accounts) -> str:
    iam = accounts.client("iam")
    return str(iam.create_policy(PolicyName="limit", PolicyDocument=accounts.document(S3_ALONE))["Policy"]["Arn"])


def credentials(accounts: Accounts, name: str) -> Any:
    accounts.client("iam").put_user_policy(
        UserName=name, PolicyName="own", PolicyDocument=accounts.document(EVERYTHING)
    )
    return accounts.cloud.user_credentials(name)


def test_a_user_made_with_a_boundary_is_bound_by_it(accounts: Accounts, boundary: str) -> None:
    iam = accounts.client("iam")
    shown = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    made = iam.create_user(UserName="bound", PermissionsBoundary=boundary)["User"]
    assert made["PermissionsBoundary"] == shown
    user = credentials(accounts, "bound")
    accounts.client("s3", user).list_buckets()
    text = accounts.message_of(accounts.client("sqs", user).list_queues)
    assert text.endswith("because no permissions boundary allows the sqs:ListQueues action")
    assert iam.get_user(UserName="bound")["User"]["PermissionsBoundary"] == shown
    details = iam.get_account_authorization_details(Filter=["User"])["UserDetailList"]
    assert next(each for each in details if each["UserName"] == "bound")["PermissionsBoundary"] == shown
    assert all("PermissionsBoundary" not in each for each in iam.list_users()["Users"])


def test_a_boundary_is_put_and_taken_away(accounts: Accounts, boundary: str) -> None:
    iam = accounts.client("iam")
    iam.create_user(UserName="free")
    sqs = accounts.client("sqs", credentials(accounts, "free"))
    sqs.list_queues()
    iam.put_user_permissions_boundary(UserName="free", PermissionsBoundary=boundary)
    assert accounts.code_of(sqs.list_queues) == "AccessDenied"
    iam.delete_user_permissions_boundary(UserName="free")
    sqs.list_queues()
    assert "PermissionsBoundary" not in iam.get_user(UserName="free")["User"]


def test_a_user_who_is_renamed_keeps_its_keys_and_its_boundary(accounts: Accounts, boundary: str) -> None:
    iam = accounts.client("iam")
    iam.create_user(UserName="before", PermissionsBoundary=boundary)
    user = credentials(accounts, "before")
    iam.update_user(UserName="before", NewUserName="after")
    assert accounts.client("sts", user).get_caller_identity()["Arn"].endswith(":user/after")
    accounts.client("s3", user).list_buckets()
    assert accounts.code_of(accounts.client("sqs", user).list_queues) == "AccessDenied"


def test_to_rename_a_user_ends_none_of_its_sessions(accounts: Accounts) -> None:
    iam = accounts.client("iam")
    iam.create_user(UserName="old-name")
    user = credentials(accounts, "old-name")
    token = accounts.client("sts", user).get_session_token()["Credentials"]
    session = accounts.client("sqs", accounts.cloud.credentials_of(token))
    iam.update_user(UserName="old-name", NewUserName="new-name")
    session.list_queues()
    deny = accounts.document({**EVERYTHING, "Effect": "Deny"})
    iam.put_user_policy(UserName="new-name", PolicyName="revoke", PolicyDocument=deny)
    assert accounts.code_of(session.list_queues) == "AccessDenied"


def test_one_of_awss_own_policies_may_be_the_boundary(accounts: Accounts) -> None:
    iam = accounts.client("iam")
    iam.create_user(UserName="read-only", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    sqs = accounts.client("sqs", credentials(accounts, "read-only"))
    sqs.list_queues()
    assert accounts.code_of(sqs.create_queue, QueueName="q") == "AccessDenied"


def test_what_does_not_exist_is_refused(accounts: Accounts, boundary: str) -> None:
    iam = accounts.client("iam")
    missing = f"arn:aws:iam::{accounts.home}:policy/missing"
    assert accounts.code_of(iam.create_user, UserName="new", PermissionsBoundary=missing) == "NoSuchEntity"
    assert accounts.code_of(iam.get_user, UserName="new") == "NoSuchEntity"
    put = iam.put_user_permissions_boundary
    assert accounts.code_of(put, UserName="nobody", PermissionsBoundary=boundary) == "NoSuchEntity"


def test_who_may_set_it_is_asked_for_the_boundary(accounts: Accounts, boundary: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html, "Delegating responsibility"."""
    only = {
        "Effect": "Allow",
        "Action": ["iam:CreateUser", "iam:PutUserPermissionsBoundary"],
        "Resource": "*",
        "Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}},
    }
    iam = accounts.client("iam", accounts.user("delegate", only, account=accounts.home))
    iam.create_user(UserName="delegated", PermissionsBoundary=boundary)
    assert accounts.code_of(iam.create_user, UserName="unbound") == "AccessDenied"
    wider = "arn:aws:iam::aws:policy/AdministratorAccess"
    put = iam.put_user_permissions_boundary
    assert accounts.code_of(put, UserName="delegated", PermissionsBoundary=wider) == "AccessDenied"
    assert accounts.code_of(iam.delete_user_permissions_boundary, UserName="delegated") == "AccessDenied"
