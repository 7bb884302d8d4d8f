"""What a simulated account holds when it opens: the demo world, or nothing but an administrator.

The demo world is the one of the well-known demonstration: two EC2 instances that share one instance role, a bucket with a
secret, and a user who may assume a role with access to S3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import new_unique_id

if TYPE_CHECKING:
    from pytest_stsguard.cloud.backend import Backend

__all__ = ["ADMINISTRATOR", "DEMO", "WORLDS", "Demo", "create_administrator"]

ADMINISTRATOR = "stsguard-administrator"
_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
_LISTING = ["s3:ListAllMyBuckets", "ec2:Describe*", "dynamodb:ListTables", "iam:ListAccountAliases"]
_IMAGE = "ami-0c02fb55956c7d316"


@dataclass(frozen=True, slots=True)
class Demo:
    """The names of the demo world."""

    instance_role: str = "A4L-InstanceRole"
    instances: tuple[str, str] = ("A", "B")
    bucket: str = "a4l-secrets"
    secret_key: str = "secret.txt"  # noqa: S105 - an object's key
    secret: str = "the cats are planning something\n"  # noqa: S105 - the demo's secret is public
    user: str = "a4l-developer"
    data_role: str = "A4L-DataRole"

    def bucket_of(self, account: str) -> str:
        """The bucket's name in an account: bucket names are shared by all the world."""
        return f"{self.bucket}-{account}"


DEMO = Demo()


def create_administrator(backend: Backend, account: str) -> Any:
    """Make the user that `Cloud.client` calls as by default; gives its moto access key."""
    iam = backend.service("iam", account=account)
    iam.create_user(backend.region, ADMINISTRATOR)
    backend.provide_managed_policy(_ADMINISTRATOR_ACCESS, account=account)
    iam.attach_user_policy(_ADMINISTRATOR_ACCESS, ADMINISTRATOR)
    return iam.create_access_key(ADMINISTRATOR)


def _plant_demo(backend: Backend) -> None:
    backend.seeds |= {"iam": _demo_iam, "s3": _demo_s3, "ec2": _demo_ec2}


def _demo_iam(backend: Backend) -> None:
    iam = backend.service("iam")
    account = backend.account
    bucket = f"arn:aws:s3:::{DEMO.bucket_of(account)}"
    _role(
        iam,
        DEMO.instance_role,
        trust={"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        access=[
            {"Effect": "Allow", "Action": _LISTING, "Resource": "*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"},
        ],
    )
    profile = iam.create_instance_profile(DEMO.instance_role, "/", [], [])
    profile.id = new_unique_id("AIPA")
    iam.add_role_to_instance_profile(profile.name, DEMO.instance_role)
    user = iam.create_user(backend.region, DEMO.user)
    principals = [user.arn, f"arn:aws:iam::{account}:user/{ADMINISTRATOR}"]
    _role(
        iam,
        DEMO.data_role,
        trust={
            "Effect": "Allow",
            "Principal": {"AWS": principals},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
        },
        access=[
            {"Effect": "Allow", "Action": _LISTING, "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"],
                "Resource": [bucket, f"{bucket}/*"],
            },
        ],
    )


def _role(iam: Any, name: str, *, trust: dict[str, Any], access: list[dict[str, Any]]) -> None:
    iam.create_role(name, _document([trust]), "/", None, "", [], "3600")
    iam.put_role_policy(name, f"{name}Access", _document(access))


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _demo_s3(backend: Backend) -> None:
    s3 = backend.service("s3")
    bucket = DEMO.bucket_of(backend.account)
    s3.create_bucket(bucket, backend.region)
    s3.put_object(bucket, DEMO.secret_key, DEMO.secret.encode())


def _demo_ec2(backend: Backend) -> None:
    backend.seed("iam")
    ec2 = backend.service("ec2")
    for name in DEMO.instances:
        reservation = ec2.run_instances(
            _IMAGE,
            1,
            None,
            [],
            region_name=backend.region,
            instance_type="t3.micro",
            is_instance_type_default=True,
            disable_api_stop=False,
            ebs_optimized=False,
            instance_initiated_shutdown_behavior="stop",
            tags={"instance": {"Name": name}},
            metadata_options={"HttpTokens": "optional"},
            iam_instance_profile_name=DEMO.instance_role,
        )
        instance = reservation.instances[0]
        if instance.id not in ec2.iam_instance_profile_associations:
            ec2.associate_iam_instance_profile(instance.id, iam_instance_profile_name=DEMO.instance_role)


def _plant_nothing(backend: Backend) -> None:
    """An empty account needs no seeds."""


WORLDS = {"demo": _plant_demo, "empty": _plant_nothing}
