"""An EC2 instance as settings: which instance profile it has, and since when it runs. Neither ends a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from pytest_stsguard.revocation.clients import Clients

__all__ = ["read_instance_profile", "restart_instance", "running_since", "write_instance_profile"]

_LIVE = ("associating", "associated")


def read_instance_profile(clients: Clients, instance: str) -> Any:
    """Give the ARN of the instance profile; None without one."""
    found = _association(clients, instance)
    return found["IamInstanceProfile"]["Arn"] if found else None


def write_instance_profile(clients: Clients, state: Any, instance: str) -> None:
    """Give the instance another profile, or none."""
    ec2, found = clients("ec2"), _association(clients, instance)
    if state is None:
        if found is not None:
            ec2.disassociate_iam_instance_profile(AssociationId=found["AssociationId"])
    elif found is None:
        ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Arn": state})
    else:
        ec2.replace_iam_instance_profile_association(
            AssociationId=found["AssociationId"], IamInstanceProfile={"Arn": state}
        )


def running_since(clients: Clients, instance: str) -> Any:
    """Give the moment of the last start, as text, and the state."""
    found = clients("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    if not found:
        raise InputError(f"there is no instance `{instance}`")
    one = found[0]["Instances"][0]
    return {"state": one["State"]["Name"], "launched": one["LaunchTime"].isoformat()}


def restart_instance(clients: Clients, _: Any, instance: str) -> None:
    """Stop and start it; one that a broken run left stopped is started."""
    ec2 = clients("ec2")
    if running_since(clients, instance)["state"] != "stopped":
        ec2.stop_instances(InstanceIds=[instance])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance])
    ec2.start_instances(InstanceIds=[instance])


def _association(clients: Clients, instance: str) -> Any:
    filters = [{"Name": "instance-id", "Values": [instance]}]
    found = clients("ec2").describe_iam_instance_profile_associations(Filters=filters)
    return next((one for one in found["IamInstanceProfileAssociations"] if one["State"] in _LIVE), None)
