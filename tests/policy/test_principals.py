"""Who calls is read from an ARN or a name, once, or refused."""

from __future__ import annotations

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import principals
from pytest_stsguard.policy.principals import Kind, caller_of

A = "111122223333"


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (f"arn:aws:iam::{A}:user/alice", Kind.USER, "alice"),
        (f"arn:aws:iam::{A}:user/team/bob", Kind.USER, "bob"),
        (f"arn:aws:iam::{A}:role/team/app", Kind.ROLE, "app"),
        (f"arn:aws:sts::{A}:assumed-role/app/s@1", Kind.SESSION, "app"),
        (f"arn:aws:sts::{A}:federated-user/carol", Kind.FEDERATED_USER, "carol"),
        (f"arn:aws:iam::{A}:root", Kind.ROOT, ""),
        (A, Kind.ROOT, ""),
        (f"arn:aws:iam::{A}:oidc-provider/a.b/c", Kind.PROVIDER, "a.b/c"),
        (f"arn:aws:iam::{A}:saml-provider/Okta", Kind.PROVIDER, "Okta"),
        ("ec2.amazonaws.com", Kind.SERVICE, "ec2.amazonaws.com"),
        ("accounts.google.com", Kind.SERVICE, "accounts.google.com"),
        ("*", Kind.ANONYMOUS, ""),
        (f"arn:aws-us-gov:iam::{A}:user/alice", Kind.USER, "alice"),
    ],
)
def test_callers(text: str, kind: Kind, name: str) -> None:
    caller = caller_of(text)
    assert (caller.kind, caller.name) == (kind, name)
    assert caller.account == (A if A in text else "")
    assert caller_of(text) is caller


def test_a_session_keeps_its_partition_in_its_roles_arn() -> None:
    caller = caller_of(f"arn:aws-cn:sts::{A}:assumed-role/app/s")
    assert caller.principal_arn == f"arn:aws-cn:iam::{A}:role/app"
    assert caller.account_arn == f"arn:aws-cn:iam::{A}:root"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "alice", "a b", f"arn:aws:iam::{A}:group/x", f"arn:aws:iam::{A}:user/", f"arn:aws:iam::{A}:user/a/",
        f"arn:aws:sts::{A}:assumed-role/app", f"arn:aws:sts::{A}:assumed-role/app/", f"arn:aws:s3::{A}:user/x",
        "arn:aws:iam::1234:user/alice", "arn:aws:iam", f"ARN:aws:iam::{A}:user/x", ".", "..", "x:y.z", "a.b" * 2000,
        f"arn:aws:sts::{A}:assumed-role//s", f"arn:aws:sts::{A}:federated-user/",
    ],
)  # fmt: skip
def test_nobody_calls_under_these_names(text: str) -> None:
    with pytest.raises(InputError) as caught:
        caller_of(text)
    assert caught.value.location == "principal"


def test_the_table_of_callers_stays_bounded() -> None:
    for number in range(principals.MOST_CALLERS + 10):
        caller_of(f"arn:aws:iam::{A}:user/u{number}")
    assert len(principals.KNOWN_CALLERS) <= principals.MOST_CALLERS
