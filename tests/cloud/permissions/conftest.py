"""A small account that answers what the mapping asks: buckets, roles with paths, tags, keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.calls import Call
from pytest_stsguard.cloud.calls.catalogue import catalogue
from pytest_stsguard.cloud.permissions import Permission, required

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT = "111122223333"
_IAM = f"arn:aws:iam::{ACCOUNT}:"


@dataclass
class Account:
    """State, held in mappings."""

    buckets: dict[str, str] = field(default_factory=lambda: {"b": ACCOUNT, "theirs": "444455556666"})
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    profiles: dict[str, str] = field(
        default_factory=lambda: {"web": f"{_IAM}role/app/Web", f"{_IAM}instance-profile/web": f"{_IAM}role/app/Web"}
    )
    paths: dict[tuple[str, str], str] = field(
        default_factory=lambda: {
            ("role", "Deploy"): f"{_IAM}role/ci/Deploy",
            ("user", "alice"): f"{_IAM}user/people/alice",
            ("instance-profile", "web"): f"{_IAM}instance-profile/app/web",
        }
    )
    boundaries: dict[str, str] = field(default_factory=lambda: {f"{_IAM}role/ci/Deploy": f"{_IAM}policy/Limits"})
    keys: dict[str, str] = field(default_factory=dict)
    encrypted: dict[str, tuple[str, bool]] = field(default_factory=dict)
    templates: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    points: dict[str, tuple[str, str]] = field(default_factory=dict)
    existing: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def bucket_owner(self, bucket: str) -> str | None:
        return self.buckets.get(bucket)

    def resource_tags(self, arn: str) -> Mapping[str, str]:
        return self.tags.get(arn, {})

    def instance_profile_role(self, profile: str) -> str | None:
        return self.profiles.get(profile)

    def iam_arn(self, kind: str, name: str) -> str | None:
        return self.paths.get((kind, name))

    def permissions_boundary(self, arn: str) -> str | None:
        return self.boundaries.get(arn)

    def partition_key(self, table: str) -> str | None:
        return self.keys.get(table)

    def existing_arn(self, service: str, kind: str, identifier: str, region: str) -> str | None:
        return self.existing.get((service, kind, identifier))

    def encryption(self, arn: str) -> tuple[str, bool] | None:
        return self.encrypted.get(arn)

    def launch_template(self, named: str, version: str, region: str) -> tuple[str, Mapping[str, Any]] | None:
        return self.templates.get(named)

    def access_point(self, arn: str) -> tuple[str, str] | None:
        return self.points.get(arn)

    def key_aliases(self, arn: str) -> tuple[str, ...]:
        return tuple(name for (service, kind, name), key in self.existing.items() if (kind, key) == ("alias", arn))

    def parameters_below(self, path: str, region: str, *, recursive: bool) -> tuple[str, ...]:
        place = f"arn:aws:ssm:{region}:{ACCOUNT}:parameter"
        below = tuple(arn for arn in self.encrypted if arn.startswith(f"{place}{path.rstrip('/')}/"))
        return (
            below if recursive else tuple(arn for arn in below if "/" not in arn.removeprefix(place)[len(path) + 1 :])
        )


@pytest.fixture
def world() -> Account:
    return Account()


@pytest.fixture
def needs(world: Account) -> Callable[..., tuple[Permission, ...]]:
    """Ask what a call needs in the small account."""

    def ask(service: str, operation: str, parameters: dict[str, Any], **options: Any) -> tuple[Permission, ...]:
        known = catalogue().by_name.get(service)
        signing_name = options.pop("signing_name", known.signing_names[0] if known else service)
        call = Call(service, operation, "any", parameters, options.pop("region", "us-east-1"), signing_name)
        return required(call, account=ACCOUNT, state=world, **options)

    return ask
