from __future__ import annotations

from typing import Any

import pytest

from pytest_stsguard.errors import ConfigurationError
from pytest_stsguard.trust import ExternalAccount, OidcZone, Zones

OWN = "111122223333"


def test_the_defaults() -> None:
    zones = Zones.parse({"account": OWN})
    assert zones == Zones(account=OWN)
    assert (zones.partition, zones.own_account, zones.organization, zones.accounts) == ("aws", True, False, ())
    assert [zones.service(f"{name}.amazonaws.com") for name in ("ec2", "lambda", "ecs-tasks", "sns")] == [
        "any",
        "any",
        "any",
        "source-in-zone",
    ]


def test_the_organisation_counts_as_soon_as_its_id_is_given() -> None:
    assert Zones.parse({"account": OWN, "org_id": "o-a1b2c3d4e5"}).organization
    assert not Zones.parse({"account": OWN, "org_id": "o-a1b2c3d4e5", "trust": {"organization": False}}).organization


def test_every_key() -> None:
    table = {
        "account": OWN,
        "partition": "aws-us-gov",
        "org_id": "o-a1b2c3d4e5",
        "role_tags": {"team": "core"},
        "trust": {
            "own_account": False,
            "own_principals": [f"arn:aws:iam::{OWN}:role/ci/*"],
            "organization": True,
            "accounts": [{"id": "444455556666", "external_id": ["a", "b"]}, {"id": "777788889999", "external_id": "c"}],
            "services": {"ec2.amazonaws.com": "any"},
            "oidc": [
                {"issuer": "https://gitlab.com/", "sub": "project_path:acme/*", "aud": ["x"], "amr": ["mfa"]},
                {"issuer": "token.actions.githubusercontent.com", "claims": {"Repository": ["acme/*"]}},
            ],
            "saml": ["Okta", f"arn:aws:iam::{OWN}:saml-provider/Entra"],
            "networks": ["203.0.113.0/24", "2001:db8::/32"],
        },
    }
    assert Zones.parse(table) == Zones(
        account=OWN,
        partition="aws-us-gov",
        org_id="o-a1b2c3d4e5",
        own_account=False,
        own_principals=(f"arn:aws:iam::{OWN}:role/ci/*",),
        organization=True,
        accounts=(ExternalAccount("444455556666", ("a", "b")), ExternalAccount("777788889999", ("c",))),
        services=(("ec2.amazonaws.com", "any"),),
        oidc=(
            OidcZone("gitlab.com", subjects=("project_path:acme/*",), audiences=("x",), methods=("mfa",)),
            OidcZone("token.actions.githubusercontent.com", claims=(("repository", ("acme/*",)),)),
        ),
        saml=("Okta", "Entra"),
        networks=("203.0.113.0/24", "2001:db8::/32"),
        role_tags=(("team", "core"),),
    )


def test_a_given_table_of_services_replaces_the_default_whole() -> None:
    zones = Zones.parse({"account": OWN, "trust": {"services": {"sns.amazonaws.com": "any"}}})
    assert zones.service("sns.amazonaws.com") == "any"
    assert zones.service("ec2.amazonaws.com") is None


def test_the_tags_of_a_role_are_put_in_later() -> None:
    zones = Zones.parse({"account": OWN})
    assert zones.role_tags is None
    assert zones.with_role_tags({"b": "2", "a": "1"}).role_tags == (("a", "1"), ("b", "2"))
    assert Zones.parse({"account": OWN, "trust": {"role_tags": {"a": "1"}}}).role_tags == (("a", "1"),)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"github": [{"owner": "acme"}]}, [("token.actions.githubusercontent.com", ["repo:acme/*"])]),
        (
            {"github": [{"owner": "acme", "owner_id": "1", "repositories": ["api", "*"]}]},
            [
                (
                    "token.actions.githubusercontent.com",
                    ["repo:acme/api:*", "repo:acme@1/api@*:*", "repo:acme/*", "repo:acme@1/*"],
                ),
                ("token.actions.githubusercontent.com", ["repository_owner_id=1"]),
            ],
        ),
        (
            {"github": [{"owner": "acme", "owner_id": "1", "repositories": ["api"]}]},
            [("token.actions.githubusercontent.com", ["repo:acme/api:*", "repo:acme@1/api@*:*"])],
        ),
        ({"gitlab": [{"group": "acme"}]}, [("gitlab.com", ["project_path:acme/*"])]),
        (
            {"gitlab": [{"group": "acme", "projects": "api", "host": "git.acme.example"}]},
            [("git.acme.example", ["project_path:acme/api:*"])],
        ),
        ({"eks": [{"issuer": "https://oidc.eks/id/A"}]}, [("oidc.eks/id/A", ["system:serviceaccount:*:*"])]),
        (
            {"terraform_cloud": [{"organization": "acme"}, {"organization": "b", "workspace": "w", "host": "tfe.b"}]},
            [("app.terraform.io", ["organization:acme:*"]), ("tfe.b", ["organization:b:project:*:workspace:w:*"])],
        ),
        (
            {"terraform_cloud": [{"organization": "acme", "project": "p"}]},
            [("app.terraform.io", ["organization:acme:project:p:workspace:*:*"])],
        ),
    ],
)
def test_tenants_of_shared_issuers_are_declared_by_name(
    declared: dict[str, Any], expected: list[tuple[str, list[str]]]
) -> None:
    zones = Zones.parse({"account": OWN, "trust": declared})
    found = [
        (one.issuer, [*(one.subjects or ()), *(f"{name}={value}" for name, values in one.claims for value in values)])
        for one in zones.oidc
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "zones.account: the role's own account is missing"),
        ([], "zones: expected a table"),
        ({"account": "1111"}, "zones.account: expected an account id of twelve digits"),
        ({"account": 111122223333}, "zones.account: expected an account id of twelve digits"),
        (
            {"account": OWN, "acount": "x"},
            "zones: unknown key `acount` (known: account, org_id, partition, role_tags, trust)",
        ),
        ({"account": OWN, "partition": "AWS"}, "zones.partition: expected a partition such as `aws`"),
        ({"account": OWN, "org_id": "r-1"}, "zones.org_id: expected an organization id such as `o-a1b2c3d4e5`"),
        ({"account": OWN, "trust": []}, "zones.trust: expected a table"),
        ({"account": OWN, "trust": {"organisation": True}}, "zones.trust: unknown key `organisation`"),
        ({"account": OWN, "trust": {"own_account": "yes"}}, "zones.trust.own_account: expected true or false"),
        ({"account": OWN, "trust": {"own_principals": ["role/ci"]}}, "zones.trust.own_principals[0]: expected an ARN"),
        (
            {"account": OWN, "trust": {"networks": ["10.0.0.0/33"]}},
            "zones.trust.networks[0]: expected a network in CIDR",
        ),
        ({"account": OWN, "trust": {"saml": [""]}}, "zones.trust.saml[0]: expected a text that is not empty"),
        ({"account": OWN, "trust": {"saml": {"Okta": 1}}}, "zones.trust.saml: expected a list of texts"),
        ({"account": OWN, "trust": {"accounts": ["1"]}}, "zones.trust.accounts[0]: expected a table"),
        ({"account": OWN, "trust": {"accounts": {}}}, "zones.trust.accounts: expected a list of tables"),
        ({"account": OWN, "trust": {"accounts": [{}]}}, "zones.trust.accounts[0].id: the account's id is missing"),
        ({"account": OWN, "trust": {"accounts": [{"id": OWN, "externalid": "x"}]}}, "unknown key `externalid`"),
        (
            {"account": OWN, "trust": {"services": {"ec2": "all"}}},
            'zones.trust.services."ec2": `all` is neither `any` nor',
        ),
        ({"account": OWN, "trust": {"services": {"ec2": True}}}, 'zones.trust.services."ec2": expected a text'),
        ({"account": OWN, "trust": {"oidc": [{"sub": ["x"]}]}}, "zones.trust.oidc[0].issuer: the issuer is missing"),
        (
            {"account": OWN, "trust": {"oidc": [{"issuer": "x", "subject": []}]}},
            "zones.trust.oidc[0]: unknown key `subject`",
        ),
        (
            {"account": OWN, "trust": {"oidc": [{"issuer": "x", "claims": []}]}},
            "zones.trust.oidc[0].claims: expected a table",
        ),
        ({"account": OWN, "role_tags": {"a": 1}}, 'zones.role_tags."a": expected a text'),
        (
            {"account": OWN, "trust": {"github": [{"repositories": ["x"]}]}},
            "zones.trust.github[0].owner: `owner` is missing",
        ),
        ({"account": OWN, "trust": {"gitlab": [{"groups": "x"}]}}, "zones.trust.gitlab[0]: unknown key `groups`"),
        (
            {"account": OWN, "trust": {"eks": [{"issuer": "x", "service_accounts": ["api"]}]}},
            "zones.trust.eks[0].service_accounts[0]: expected `namespace/name`",
        ),
        ({1: OWN}, "zones: expected a table"),
    ],
)
def test_what_cannot_be_used_is_named(table: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Zones.parse(table)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
