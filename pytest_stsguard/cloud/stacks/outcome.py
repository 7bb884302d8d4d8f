"""What is left of a stack after a change, in moto's books: statuses, events, and nothing that moto would make by itself.

See "Stack status codes" in the AWS CloudFormation User Guide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .resource import made_of, templates_of

if TYPE_CHECKING:
    from .work import Work

__all__ = ["Before", "created", "failed_deletion", "failed_update", "name_events"]

_BEGUN = "CREATE_IN_PROGRESS"
_KEPT = ("template", "template_dict", "parameters", "tags", "output_map", "description", "role_arn")


class Before:
    """A service's books before a change; `stack` is the one that the change is about, None when `name` is to be created."""

    def __init__(self, service: Any, stack: Any, name: str) -> None:
        self.service = service
        self.stack = stack
        self._name = name
        self.status = getattr(stack, "status", None)
        self._stacks = frozenset(service.stacks)
        self._values = {name: getattr(stack, name) for name in _KEPT if hasattr(stack, name)}

    @property
    def new(self) -> Any:
        """The stack that the change has brought; None for none. Other calls may bring others at the same time."""
        stacks = list(self.service.stacks.items())
        return next((each for key, each in stacks if key not in self._stacks and each.name == self._name), None)

    def told(self) -> bool:
        """Whether the stack's outputs can be told; moto looks at them only when somebody asks, for all stacks at once."""
        stack = self.new or self.stack
        if stack is None or stack.stack_id in self.service.deleted_stacks:
            return True
        try:
            list(stack.outputs or ())
        except Exception:  # noqa: BLE001 - moto fails in many ways on what is no output
            return False
        return True

    def settle(self, role: str | None) -> None:
        """After a success: the role stays with the stack, and a deleted stack holds nothing that could be made again."""
        stack = self.new or self.stack
        if stack is None:
            return
        stack.role_arn = role
        if stack.stack_id in self.service.deleted_stacks:
            _empty(stack)

    def restore(self) -> None:
        """Give the stack its values back."""
        for name, value in self._values.items():
            setattr(self.stack, name, value)
        self.service.stacks.setdefault(self.stack.stack_id, self.stack)

    def forget(self, work: Work) -> None:
        """Take everything back, as if the call had not been made."""
        work.go_back()
        self.drop_exports()
        new = self.new
        if new is not None:
            del self.service.stacks[new.stack_id]
        elif self.stack is not None:
            self.restore()
            self.stack.status = self.status

    def drop_exports(self) -> None:
        """Take away the exports of a stack that the change has brought."""
        own = getattr(self.new, "stack_id", None)
        for name, export in list(self.service.exports.items()):
            if export.exporting_stack_id == own:
                del self.service.exports[name]


def created(before: Before, work: Work, *, on_failure: str) -> None:
    """After a creation that failed: delete what was made, unless the caller wants it kept."""
    stack = before.new or before.stack
    before.drop_exports()
    told = f"The following resource(s) failed to create: {work.failed}. "
    if on_failure == "DO_NOTHING":
        _turn(stack, "CREATE_FAILED", told)
        _silence(stack)
        return
    _turn(
        stack,
        "ROLLBACK_IN_PROGRESS" if on_failure == "ROLLBACK" else "DELETE_IN_PROGRESS",
        f"{told}Rollback requested by user.",
    )
    whole = work.go_back()
    if on_failure == "DELETE" and whole:
        _turn(stack, "DELETE_COMPLETE")
        before.service.deleted_stacks[stack.stack_id] = before.service.stacks.pop(stack.stack_id)
    else:
        end = "ROLLBACK" if on_failure == "ROLLBACK" else "DELETE"
        _turn(stack, f"{end}_COMPLETE" if whole else f"{end}_FAILED")
    _empty(stack)


def failed_update(before: Before, work: Work, *, keep: bool) -> None:
    """After an update that failed: everything is as it was, unless the caller wants to `keep` what was changed."""
    stack = before.stack
    told = f"The following resource(s) failed to update: {work.failed}. "
    if keep:
        _turn(stack, "UPDATE_FAILED", told)
        _silence(stack)
        return
    _turn(stack, "UPDATE_ROLLBACK_IN_PROGRESS", told)
    whole = work.go_back()
    before.restore()
    _turn(stack, "UPDATE_ROLLBACK_COMPLETE" if whole else "UPDATE_ROLLBACK_FAILED")


def failed_deletion(before: Before, work: Work) -> None:
    """After a deletion that failed: what stays, and the stack that it belongs to, stay."""
    before.restore()
    _turn(before.stack, "DELETE_FAILED", f"The following resource(s) failed to delete: {work.failed}. ")


def name_events(service: Any) -> None:
    """Turn the events' ids, which moto keeps as objects, into text, which a saved state can hold."""
    for stack in [*service.stacks.values(), *service.deleted_stacks.values()]:
        for event in stack.events:
            event.event_id = str(event.event_id)
        begun = [
            each for each in stack.events if each.logical_resource_id == stack.name and each.resource_status == _BEGUN
        ]
        # Where it looks at exports, moto begins a stack twice: once as the first resource is made, and once by itself.
        for event in begun[1:]:
            stack.events.remove(event)


def _turn(stack: Any, status: str, reason: str | None = None) -> None:
    stack.status = status
    stack._add_stack_event(status, resource_status_reason=reason)  # noqa: SLF001 - moto's own way


def _empty(stack: Any) -> None:
    """Leave a stack only what there is: moto would make the rest for who looks at it."""
    resources = stack.resource_map
    there = made_of(resources)
    left = {name: own for name, own in templates_of(resources).items() if name in there}
    resources._resource_json_map = left  # noqa: SLF001 - moto offers no other place
    _silence(stack)


def _silence(stack: Any) -> None:
    """Take away outputs, which a stack that was not created does not have."""
    from moto.cloudformation.parsing import OutputMap  # noqa: PLC0415 - moto's comes with the first call to it

    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
