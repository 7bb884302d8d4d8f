"""Instance profiles and instances on their way into the cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.ledger import new_unique_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.loading.blueprint import Instance, Profile
    from pytest_stsguard.cloud.loading.loaded import Loaded

__all__ = ["load_instances", "load_profiles"]

_IMAGE = "ami-0c02fb55956c7d316"
_GONE = frozenset({"terminated", "shutting-down"})
_AT_REST = frozenset({"stopped", "stopping"})


def load_profiles(profiles: Iterable[Profile], backend: Backend, loaded: Loaded) -> None:
    """Put instance profiles in, each with the role that is there."""
    from moto.iam.models import InstanceProfile  # noqa: PLC0415 - moto is imported when a cloud opens

    iam = backend.service("iam", account=loaded.account)
    roles = {role.name: role for role in list(iam.roles.values())}
    for profile in profiles:
        if profile.name in iam.instance_profiles:
            loaded.note(profile.arn, "an instance profile of that name is there already")
            continue
        missing = [name for name in profile.roles if name not in roles]
        if missing:
            loaded.note(profile.arn, f"its role `{missing[0]}` was not loaded", whole=False)
        iam.instance_profiles[profile.name] = InstanceProfile(
            account_id=loaded.account,
            region_name=backend.region,
            instance_profile_id=profile.id or new_unique_id("AIPA"),
            name=profile.name,
            path=profile.path,
            roles=[roles[name] for name in profile.roles if name in roles],
        )
        loaded.arns.append(profile.arn)


def load_instances(instances: Iterable[Instance], backend: Backend, loaded: Loaded) -> None:
    """Put instances in when EC2 is first reached; they keep their ids and how their metadata services answer."""
    iam = backend.service("iam", account=loaded.account)
    profiles = {profile.arn: profile.name for profile in iam.instance_profiles.values()}
    wanted = []
    for instance in instances:
        reason = _refusal(instance, backend, loaded)
        if reason is not None:
            loaded.note(instance.arn, reason)
            continue
        if instance.profile and instance.profile not in profiles:
            loaded.note(instance.arn, f"its instance profile `{instance.profile}` was not loaded", whole=False)
        loaded.arns.append(instance.arn)
        wanted.append((instance, profiles.get(instance.profile or "")))
    if wanted:
        backend.seeds["ec2"] = _planting(wanted, backend.seeds.get("ec2"))


def _refusal(instance: Instance, backend: Backend, loaded: Loaded) -> str | None:
    if instance.state in _GONE:
        return f"it is {instance.state}"
    if loaded.account != backend.account:
        return "the simulated cloud runs instances in its home account alone"
    if instance.region != backend.region:
        return f"it is in {instance.region}, and the simulated cloud runs instances in {backend.region} alone"
    return None


def _planting(
    wanted: Sequence[tuple[Instance, str | None]], before: Callable[[Backend], None] | None
) -> Callable[[Backend], None]:
    def plant(backend: Backend) -> None:
        if before is not None:
            before(backend)
        ec2 = backend.service("ec2")
        for instance, profile in wanted:
            _run(ec2, instance, profile, backend.region)

    return plant


def _run(ec2: Any, instance: Instance, profile: str | None, region: str) -> None:
    given = {
        "HttpTokens": instance.http_tokens,
        "HttpEndpoint": instance.http_endpoint,
        "HttpPutResponseHopLimit": instance.hop_limit,
    }
    reservation = ec2.run_instances(
        _IMAGE,
        1,
        None,
        [],
        region_name=region,
        instance_type="t3.micro",
        is_instance_type_default=True,
        disable_api_stop=False,
        ebs_optimized=False,
        instance_initiated_shutdown_behavior="stop",
        metadata_options={name: value for name, value in given.items() if value is not None},
    )
    made = reservation.instances[0]
    made.id = instance.id  # nothing is kept by the id yet: no tags, no profile, no volume but by the object
    if profile is not None:
        ec2.associate_iam_instance_profile(made.id, iam_instance_profile_name=profile)
    if instance.state in _AT_REST:
        made.stop()
