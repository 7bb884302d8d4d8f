"""KMS: a key policy must allow, and a grant allows beside it, until it is retired or revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_stsguard.cloud import Credentials

    Accounts = Any  # the class of conftest.py

ENCRYPT = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}


@pytest.fixture(scope="module")
def key(accounts: Accounts) -> str:
    return str(accounts.client("kms").create_key()["KeyMetadata"]["Arn"])


@pytest.fixture(scope="module")
def grantee(accounts: Accounts) -> Credentials:
    credentials: Credentials = accounts.user("grantee", account=accounts.home)
    return credentials


def grant(accounts: Accounts, key: str, **more: Any) -> str:
    given = {"GranteePrincipal": f"arn:aws:iam::{accounts.home}:user/grantee", "Operations": ["Encrypt"], **more}
    return str(accounts.client("kms").create_grant(KeyId=key, **given)["GrantId"])


def test_default_key_policy_leaves_it_to_the_account(accounts: Accounts, key: str, grantee: Credentials) -> None:
    accounts.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    text = accounts.message_of(accounts.client("kms", grantee).encrypt, KeyId=key, Plaintext=b"x")
    assert "is not authorized to perform: kms:Encrypt on resource" in text


def test_key_policy_that_names_nobody_shuts_the_administrator_out(accounts: Accounts) -> None:
    kms = accounts.client("kms")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    only = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{accounts.home}:user/grantee"}, "Action": "kms:*"}
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=accounts.document({**only, "Resource": "*"}))
    text = accounts.message_of(kms.encrypt, KeyId=arn, Plaintext=b"x")
    assert text.endswith("because no resource-based policy allows the kms:Encrypt action")


def test_grant_gives_its_operations_until_it_is_revoked(accounts: Accounts, key: str, grantee: Credentials) -> None:
    kms = accounts.client("kms", grantee)
    identifier = grant(accounts, key)
    kms.encrypt(KeyId=key, Plaintext=b"x")
    assert accounts.code_of(kms.describe_key, KeyId=key) == "AccessDeniedException"
    accounts.client("kms").revoke_grant(KeyId=key, GrantId=identifier)
    assert accounts.code_of(kms.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"


def test_retiring_principal_may_retire_and_nothing_else(accounts: Accounts, key: str, grantee: Credentials) -> None:
    retiring = accounts.client("kms", accounts.user("retiring", account=accounts.home))
    identifier = grant(accounts, key, RetiringPrincipal=f"arn:aws:iam::{accounts.home}:user/retiring")
    assert accounts.code_of(retiring.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    refused = accounts.code_of(accounts.client("kms", grantee).retire_grant, KeyId=key, GrantId=identifier)
    assert refused == "AccessDeniedException"
    retiring.retire_grant(KeyId=key, GrantId=identifier)
    assert accounts.code_of(accounts.client("kms", grantee).encrypt, KeyId=key, Plaintext=b"x")


@pytest.mark.parametrize(
    ("constraint", "fits", "misfits"),
    [
        ("EncryptionContextSubset", {"team": "blue", "more": "x"}, [{"team": "red"}, {}]),
        ("EncryptionContextEquals", {"team": "blue"}, [{"team": "blue", "more": "x"}, {}]),
    ],
)
def test_constraint_on_the_encryption_context(
    accounts: Accounts, key: str, constraint: str, fits: dict[str, str], misfits: list[dict[str, str]]
) -> None:
    grantee = accounts.user(constraint, account=accounts.home)
    kms = accounts.client("kms", grantee)
    principal = f"arn:aws:iam::{accounts.home}:user/{constraint}"
    grant(accounts, key, GranteePrincipal=principal, Constraints={constraint: {"team": "blue"}})
    kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=fits)
    for context in misfits:
        refused = accounts.code_of(kms.encrypt, KeyId=key, Plaintext=b"x", EncryptionContext=context)
        assert refused == "AccessDeniedException"


def test_whoever_may_grant_on_gives_no_more_than_it_has(accounts: Accounts, key: str, grantee: Credentials) -> None:
    kms = accounts.client("kms", grantee)
    identifier = grant(accounts, key, Operations=["Encrypt", "CreateGrant"])
    passing = {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{accounts.home}:user/grantee"}
    passed = kms.create_grant(**passing, Operations=["Encrypt"])["GrantId"]
    assert accounts.code_of(kms.create_grant, **passing, Operations=["Decrypt"]) == "AccessDeniedException"
    for each in (identifier, passed):
        accounts.client("kms").revoke_grant(KeyId=key, GrantId=each)


def test_grant_survives_no_explicit_denial(accounts: Accounts, key: str, grantee: Credentials) -> None:
    identifier = grant(accounts, key)
    iam = accounts.client("iam")
    deny = accounts.document({"Effect": "Deny", "Action": "kms:*", "Resource": "*"})
    iam.put_user_policy(UserName="grantee", PolicyName="deny", PolicyDocument=deny)
    text = accounts.message_of(accounts.client("kms", grantee).encrypt, KeyId=key, Plaintext=b"x")
    assert text.endswith("with an explicit deny in an identity-based policy")
    iam.delete_user_policy(UserName="grantee", PolicyName="deny")
    accounts.client("kms").revoke_grant(KeyId=key, GrantId=identifier)


def test_grant_across_accounts_needs_the_grantees_own_account_too(accounts: Accounts, key: str) -> None:
    permitted, unpermitted = accounts.user("permitted", ENCRYPT), accounts.user("unpermitted")
    for name in ("permitted", "unpermitted"):
        grant(accounts, key, GranteePrincipal=f"arn:aws:iam::{accounts.member}:user/{name}")
    accounts.client("kms", permitted).encrypt(KeyId=key, Plaintext=b"x")
    refused = accounts.code_of(accounts.client("kms", unpermitted).encrypt, KeyId=key, Plaintext=b"x")
    assert refused == "AccessDeniedException"


def test_a_ciphertext_is_decrypted_with_the_key_that_made_it_in_whichever_account(accounts: Accounts, key: str) -> None:
    made = accounts.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    reader = accounts.user("cross-reader", ENCRYPT)
    assert accounts.code_of(accounts.client("kms", reader).decrypt, CiphertextBlob=made) == "AccessDeniedException"
    principal = f"arn:aws:iam::{accounts.member}:user/cross-reader"
    identifier = grant(accounts, key, GranteePrincipal=principal, Operations=["Decrypt"])
    assert accounts.client("kms", reader).decrypt(CiphertextBlob=made)["Plaintext"] == b"secret"
    accounts.client("kms").revoke_grant(KeyId=key, GrantId=identifier)


def test_key_that_does_not_exist_is_not_found(accounts: Accounts) -> None:
    missing = f"arn:aws:kms:us-east-1:{accounts.home}:key/00000000-0000-0000-0000-000000000000"
    assert accounts.code_of(accounts.client("kms").describe_key, KeyId=missing) == "NotFoundException"
