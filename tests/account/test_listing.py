from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.account import IdentityProvider, Organization, load
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROLE = "arn:aws:iam::111122223333:role/app"
PROFILE = "arn:aws:iam::111122223333:instance-profile/app"
EXPORT = {
    "RoleDetailList": [
        {
            "RoleName": "app",
            "Arn": ROLE,
            "InstanceProfileList": [{"Arn": PROFILE, "Roles": [{"RoleName": "app"}]}],
        }
    ],
    "UserDetailList": [],
    "GroupDetailList": [],
    "Policies": [],
}
INSTANCES = {
    "Reservations": [
        {
            "Instances": [
                {
                    "InstanceId": "i-1",
                    "IamInstanceProfile": {"Arn": PROFILE, "Id": "AIPA"},
                    "MetadataOptions": {
                        "HttpTokens": "optional",
                        "HttpPutResponseHopLimit": 2,
                        "HttpEndpoint": "enabled",
                    },
                    "Placement": {"AvailabilityZone": "us-west-2-lax-1a"},
                    "State": {"Name": "running"},
                },
                {"InstanceId": "i-2"},
            ]
        }
    ]
}


def fill(folder: Path, **files: Any) -> str:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2))
    return f"export:{folder}"


def test_listings_beside_an_export_fill_its_gaps(tmp_path: Path) -> None:
    provider = "arn:aws:iam::111122223333:oidc-provider/gitlab.com"
    target = fill(
        tmp_path,
        details=EXPORT,
        roles={"Roles": [{"Arn": ROLE, "MaxSessionDuration": 7200}]},
        instances=INSTANCES,
        oidc={"OpenIDConnectProviderList": [{"Arn": provider}]},
        one={"Url": "https://gitlab.com", "ClientIDList": ["sts.amazonaws.com"]},
        saml={"SAMLProviderList": [{"Arn": "arn:aws:iam::111122223333:saml-provider/Okta"}]},
        org={"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "999988887777"}},
        accounts={"Accounts": [{"Id": "111122223333"}]},
    )
    account = load(target)
    assert account.gaps == {"RoleLastUsed": "the export does not tell when roles were last used"}
    assert account.roles[0].max_session_duration == 7200
    assert account.organization == Organization("o-a1b2c3d4e5", "999988887777", ("111122223333",))
    assert account.identity_providers == (
        IdentityProvider(provider, "oidc", "gitlab.com", ("sts.amazonaws.com",)),
        IdentityProvider("arn:aws:iam::111122223333:saml-provider/Okta", "saml"),
    )
    one, other = account.instances
    assert (one.region, one.http_tokens, one.hop_limit, one.http_endpoint) == ("us-west-2", "optional", 2, "enabled")
    assert one.arn == "arn:aws:ec2:us-west-2:111122223333:instance/i-1"
    assert (other.region, other.http_tokens, other.profile, other.state) == ("", None, None, "")
    assert account.instances_of(account.roles[0]) == (one,)
    assert account.instance_profiles[0].roles == ("app",)
    assert account.instance_profiles[0].name == "app"
    assert str(one.location).endswith("instances.json:5: Reservations[0].Instances[0]")


def test_what_get_role_tells_is_kept_beside_list_roles(tmp_path: Path) -> None:
    used = {"LastUsedDate": "2026-01-02T03:04:05Z", "Region": "eu-west-1"}
    target = fill(
        tmp_path,
        details=EXPORT,
        a_role={"Role": {"Arn": ROLE, "MaxSessionDuration": 3600, "RoleLastUsed": used}},
        roles={"Roles": [{"Arn": ROLE, "MaxSessionDuration": 3600}, {"Arn": f"{ROLE}-2"}]},
    )
    account = load(target)
    assert account.roles[0].last_used == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert account.roles[0].last_used_region == "eu-west-1"
    assert not {"RoleLastUsed", "MaxSessionDuration"} & set(account.gaps)


def test_an_export_without_listings_names_its_gaps(tmp_path: Path) -> None:
    gaps = load(fill(tmp_path, details=EXPORT)).gaps
    assert set(gaps) == {"MaxSessionDuration", "RoleLastUsed", "instances", "identity providers", "organization"}


def test_pages_may_lie_in_several_files(tmp_path: Path) -> None:
    second = EXPORT | {"RoleDetailList": [{"RoleName": "b", "Arn": f"{ROLE}b"}]}
    account = load(fill(tmp_path, p1=EXPORT | {"IsTruncated": True}, p2=second))
    assert [role.name for role in account.roles] == ["app", "b"]
    assert account.problems == ()


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"package\.json:1: not an export of GetAccountAuthorizationDetails"):
        load(fill(tmp_path, details=EXPORT, package={"name": "x"}))


def test_a_directory_without_an_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the directory holds no file that ends in \.json, "):
        load(f"export:{tmp_path}")
    with pytest.raises(InputError, match="holds no export of GetAccountAuthorizationDetails"):
        load(fill(tmp_path, instances=INSTANCES))
