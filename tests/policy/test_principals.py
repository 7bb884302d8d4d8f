"""Who calls is read from an ARN or a name, once, or refused."""

from __future__ import annotations

import pytest

from pytest_stsguard.errors import InputError
from pytest_stsguard.policy import Principal, principals
from pytest_stsguard.policy.principals import Grant, Kind, caller_of, grant_of, spares

A = "111122223333"


def test_all_that_is_known_of_a_caller() -> None:
    user = caller_of(f"arn:aws-cn:iam::{A}:user/team/bob")
    assert (user.arn, user.partition, user.account, user.name) == (
        f"arn:aws-cn:iam::{A}:user/team/bob",
        "aws-cn",
        A,
        "bob",
    )
    assert (user.owns_policies, user.ordinary, user.principal_type) == (True, True, "User")
    role = caller_of(f"arn:aws-cn:iam::{A}:role/app")
    assert (role.account_arn, role.principal_arn) == (f"arn:aws-cn:iam::{A}:root", role.arn)
    session = caller_of(f"arn:aws:sts::{A}:assumed-role/app/s")
    assert (session.arn, session.name, session.ordinary) == (f"arn:aws:sts::{A}:assumed-role/app/s", "app", True)
    federated = caller_of(f"arn:aws:sts::{A}:federated-user/x/y")
    assert (federated.arn, federated.ordinary, federated.owns_policies) == (federated.principal_arn, False, True)
    root = caller_of(A)
    assert root == caller_of(f"arn:aws:iam::{A}:root")
    assert (root.arn, root.partition, root.account, root.name, root.ordinary) == (
        f"arn:aws:iam::{A}:root",
        "aws",
        A,
        "",
        False,
    )
    nobody = caller_of("*")
    assert (nobody.arn, nobody.partition, nobody.account, nobody.name) == ("*", "aws", "", "")
    assert (nobody.owns_policies, nobody.principal_arn, nobody.principal_type) == (False, None, "Anonymous")
    service = caller_of("ec2.amazonaws.com")
    assert (service.arn, service.partition, service.account, service.principal_type) == (
        "ec2.amazonaws.com",
        "aws",
        "",
        None,
    )


def test_a_refusal_helps() -> None:
    with pytest.raises(InputError) as caught:
        caller_of("alice")
    assert (
        caught.value.hint
        == "give a user, role, session, federated user, root or identity provider ARN, or a service's name"
    )
    with pytest.raises(InputError, match="a principal of 2049 characters cannot call"):
        caller_of("a" * 2049)
    with pytest.raises(InputError) as caught:
        caller_of("b" * 2048)
    assert caught.value.message == f"`{'b' * 200}` cannot call"
    longest = "x" * 2034 + ".amazonaws.com"
    assert caller_of(longest).arn == longest


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        (f"arn:aws:iam::{A}:user/alice", Kind.USER, "alice"),
        (f"arn:aws:iam::{A}:user/team/bob", Kind.USER, "bob"),
        (f"arn:aws:iam::{A}:role/team/app", Kind.ROLE, "app"),
        (f"arn:aws:sts::{A}:assumed-role/app/s@1", Kind.SESSION, "app"),
        (f"arn:aws:sts::{A}:assumed-role/app/s/t", Kind.SESSION, "app"),
        (f"arn:aws:iam::{A}:user/odd:path/eve", Kind.USER, "eve"),
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
        "arn:aws:iam::1234:user/alice", "arn:aws:iam", f"ARN:aws:iam::{A}:user/x", ".", "..", "x:y.z", "a b.c", "a.b.", ".a.b", "a..b", "\u00e9.b", "a.b" * 2000,
        f"arn:aws:sts::{A}:assumed-role//s", f"arn:aws:sts::{A}:federated-user/",
    ],
)  # fmt: skip
def test_nobody_calls_under_these_names(text: str) -> None:
    with pytest.raises(InputError) as caught:
        caller_of(text)
    assert caught.value.location == "principal"


def test_the_table_of_callers_stays_bounded() -> None:
    largest = 0
    for number in range(principals.MOST_CALLERS + 10):
        caller_of(f"arn:aws:iam::{A}:user/u{number}")
        largest = max(largest, len(principals.KNOWN_CALLERS))
    assert largest == principals.MOST_CALLERS


def grant(kind: str, value: str, caller: str, role_arn: str | None = None, user_id: str | None = None) -> Grant:
    return grant_of(Principal(kind, value), caller_of(caller), role_arn, user_id)


SESSION = f"arn:aws:sts::{A}:assumed-role/app/s"
OIDC = f"arn:aws:iam::{A}:oidc-provider/token.example.com"


@pytest.mark.parametrize(
    ("kind", "value", "caller", "expected"),
    [
        ("Service", "*", "ec2.amazonaws.com", Grant.DIRECT),
        ("Service", "*", OIDC, Grant.NONE),
        ("Federated", "*", OIDC, Grant.DIRECT),
        ("Federated", "*", "ec2.amazonaws.com", Grant.NONE),
        ("Federated", "cognito-identity.amazonaws.com", "ec2.amazonaws.com", Grant.NONE),
        ("Federated", OIDC, OIDC, Grant.DIRECT),
        ("AWS", A, OIDC, Grant.NONE),
        ("AWS", OIDC, OIDC, Grant.NONE),
        ("AWS", f"arn:aws:iam::{A}:role/x:role/app", SESSION, Grant.ROLE),
        ("AWS", f"arn:aws-cn:iam::{A}:role/app", SESSION, Grant.NONE),
        ("AWS", f"arn:aws:iam::{A}:user/app", SESSION, Grant.NONE),
        ("CanonicalUser", "*", SESSION, Grant.NONE),
    ],
)
def test_how_strongly_a_principal_names_a_caller(kind: str, value: str, caller: str, expected: Grant) -> None:
    assert grant(kind, value, caller) is expected


def test_what_the_request_tells_of_the_caller_counts() -> None:
    role = f"arn:aws:iam::{A}:role/team/app"
    assert grant("AWS", role, SESSION, role_arn=role) is Grant.ROLE
    assert grant("AWS", role, SESSION, role_arn=f"arn:aws:iam::{A}:role/app") is Grant.NONE
    assert grant("AWS", role, SESSION, role_arn="no role") is Grant.ROLE
    assert grant("AWS", "AROAEXAMPLE", SESSION, user_id="AROAEXAMPLE:s") is Grant.ROLE
    assert grant("AWS", "AROAEXAMPLE:s", SESSION, user_id="AROAEXAMPLE:s") is Grant.DIRECT
    assert grant("AWS", "AROAEXAMPLE:s", SESSION, user_id="AROAEXAMPLE:t") is Grant.NONE


def test_notprincipal_minds_what_the_request_tells() -> None:
    role = f"arn:aws:iam::{A}:role/team/app"
    named = tuple(Principal("AWS", value) for value in (SESSION, role, A))
    assert spares(named, caller_of(SESSION), role, None)
    assert not spares(named, caller_of(SESSION), f"arn:aws:iam::{A}:role/app", None)
    ids = tuple(Principal("AWS", value) for value in ("AROAEXAMPLE", "AROAEXAMPLE:s", A))
    assert spares(ids, caller_of(SESSION), None, "AROAEXAMPLE:s")
    assert not spares(ids, caller_of(SESSION), None, "AROAOTHER:s")
    assert spares((Principal("AWS", "*"),), caller_of(SESSION), None, None)
    assert not spares((Principal("Service", "*"),), caller_of(SESSION), None, None)
