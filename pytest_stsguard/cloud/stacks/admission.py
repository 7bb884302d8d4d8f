"""What CloudFormation refuses at once, before it looks at a resource."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from pytest_stsguard.cloud.faults import Fault

from .template import check_capabilities

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call

__all__ = ["check_change_set", "check_stack", "check_wish", "is_true"]

# A stack that has failed so can only be deleted, or must be rolled back first: "Stack status codes" in the user guide.
_STUCK: Final = frozenset(
    {"DELETE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"}
)


def check_stack(call: Call, stack: Any) -> None:
    """Refuse a call that the stack's state, or its protection, forbids.

    Raises:
        Fault: ``ValidationError``.
    """
    if stack is None:
        return
    if call.operation == "DeleteStack" and is_true(stack.enable_termination_protection):
        told = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise Fault(None, told, code="ValidationError")
    if call.operation == "UpdateStack" and stack.status in _STUCK:
        told = f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated."
        raise Fault(None, told, code="ValidationError")


def check_change_set(change: Any) -> None:
    """Refuse to execute a change set twice.

    Raises:
        Fault: ``InvalidChangeSetStatus``.
    """
    if change is not None and change.execution_status != "AVAILABLE":
        told = (
            f"ChangeSet [{change.change_set_id}] cannot be executed in its current execution status of"
            f" [{change.execution_status}]"
        )
        raise Fault(None, told, code="InvalidChangeSetStatus")


def check_wish(call: Call, template: dict[str, Any]) -> None:
    """Refuse a template with more than the call acknowledges, or with other types than it names.

    A policy may ask for the named types by ``cloudformation:ResourceTypes``.

    Raises:
        Fault: ``InsufficientCapabilitiesException``, or ``ValidationError``.
    """
    check_capabilities(template, call.parameters.get("Capabilities") or ())
    named = call.parameters.get("ResourceTypes")
    if not named:
        return
    held = dict.fromkeys(each["Type"] for each in template["Resources"].values())
    others = [kind for kind in held if not any(fnmatchcase(kind, pattern) for pattern in named)]
    if others:
        told = f"Resource types {others} are not among the allowed resource types of this operation"
        raise Fault(None, told.replace("'", ""), code="ValidationError")


def is_true(value: Any) -> bool:
    """Read a switch, which may have come as text."""
    return str(value).lower() == "true"
