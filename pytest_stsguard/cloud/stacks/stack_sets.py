"""Stack sets: stacks in many accounts, made by a role in each, which a role of the administrator's account assumes.

"Grant self-managed permissions" in the AWS CloudFormation User Guide. The caller needs nothing in the other accounts: who may
make stack instances may do there whatever the execution role may.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from . import hook
from .halt import FailedError, Halt, NotSimulatedError
from .outcome import Before, created, failed_deletion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.identity import Caller

    from .work import Work

__all__ = ["Instances", "find_set"]


def find_set(service: Any, name: Any) -> Any:
    """Find a stack set that is not deleted, by its name or its id."""
    sets = [each for key, each in service.stacksets.items() if name in {key, each.name} and each.status != "DELETED"]
    return sets[-1] if sets else None


class Instances:
    """The stacks of one stack set; `enter` gives the caller that the execution role of an account is."""

    def __init__(
        self,
        stack_set: Any,
        *,
        enter: Callable[[str], Caller],
        work_of: Callable[[Caller, Any], Work],
        service_of: Callable[[str, str], Any],
    ) -> None:
        self._set = stack_set
        self._enter = enter
        self._work_of = work_of
        self._service_of = service_of

    def create(self, call: Call) -> str:
        """Make the instances that a call asks for, until one fails; gives the operation's id.

        Raises:
            NotSimulatedError: something in the template is not simulated; the instance is taken back.
        """
        given = call.parameters
        overrides = given.get("ParameterOverrides") or self._set.parameters

        def make(account: str, region: str, before: Before, work: Work) -> None:
            try:
                with hook.working(work):
                    self._set.instances.create_instances(
                        [account], [region], overrides, {}, permission_model="SELF_MANAGED"
                    )
            except Halt as halt:
                if isinstance(halt.cause, NotSimulatedError) or before.new is None:
                    before.forget(work)
                else:
                    created(before, work, on_failure="ROLLBACK")
                raise halt.cause from None
            if not before.told():
                before.forget(work)
                raise FailedError("the outputs cannot be resolved")
            before.settle(None)

        return self._each(call, "CREATE", self._wanted(call), make)

    def delete(self, call: Call) -> str:
        """Delete the instances that a call asks for, or let their stacks go; gives the operation's id.

        Raises:
            NotSimulatedError: a deletion is not simulated.
        """
        retain = str(call.parameters.get("RetainStacks")).lower() == "true"
        there = [place for place in self._wanted(call) if self._instance(*place) is not None]

        def remove(account: str, region: str, before: Before, work: Work) -> None:
            instance = self._instance(account, region)
            if not retain:
                before.stack = instance.stack
                try:
                    with hook.working(work):
                        instance.delete()
                except Halt as halt:
                    failed_deletion(before, work)
                    raise halt.cause from None
                before.settle(None)
            self._set.stack_instances.remove(instance)

        return self._each(call, "DELETE", there, remove)

    def _each(
        self,
        call: Call,
        action: str,
        places: list[tuple[str, str]],
        step: Callable[[str, str, Before, Work], None],
    ) -> str:
        status = "SUCCEEDED"
        for account, region in places:
            try:
                caller = self._enter(account)
                service = self._service_of(account, region)
                before = Before(service, None, f"StackSet:{self._set.name}")
                step(account, region, before, self._work_of(caller, service))
            except FailedError:
                # No failure is tolerated unless the caller says so: what follows is not tried.
                status = "FAILED"
                break
        operation = str(call.parameters.get("OperationId") or uuid.uuid4())
        self._set._create_operation(operation, action, status, *_columns(places))  # noqa: SLF001 - moto's own way
        return operation

    def _instance(self, account: str, region: str) -> Any:
        return self._set.instances.get_instance(account, region)

    @staticmethod
    def _wanted(call: Call) -> list[tuple[str, str]]:
        return [
            (str(account), str(region))
            for region in call.parameters.get("Regions") or ()
            for account in call.parameters.get("Accounts") or ()
        ]


def _columns(places: list[tuple[str, str]]) -> Iterator[list[str]]:
    yield list(dict.fromkeys(account for account, _ in places))
    yield list(dict.fromkeys(region for _, region in places))
