"""One change of one stack: what moto's stack asks to be made, changed and deleted, and the way back when something fails.

CloudFormation makes resources in the order of their dependencies and, at the first failure, deletes what it has made, or
takes an update back: "Stack failure options" in the AWS CloudFormation User Guide. What goes in an update goes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .halt import FailedError, Halt, NotSimulatedError
from .maker import Maker, Place, kind_of
from .references import references
from .resource import Made, Outline, made_of, templates_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.forwarded import Forwarded

    from .requests import Requests

__all__ = ["Work"]

_CUSTOM = (
    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
    "Rename {name} and update the stack again."
)


class Work:
    """The change that a call asks for; `retained` are resources that a deletion leaves alone."""

    def __init__(
        self,
        requests: Requests,
        forwarded: Forwarded,
        *,
        stack_of: Callable[[str], Any],
        backend: Backend,
        retained: frozenset[str] = frozenset(),
    ) -> None:
        self._requests = requests
        self._forwarded = forwarded
        self._stack_of = stack_of
        self._backend = backend
        self._retained = retained
        self._undo: list[Any] = []
        self._failed: list[str] = []

    @staticmethod
    def outline(kind: str) -> Outline:
        """Tell moto about a type."""
        try:
            return Outline(kind_of(kind))
        except NotSimulatedError as error:
            raise Halt(error) from error

    def create(self, resources: Any, logical: str, kind: str, properties: Mapping[str, Any]) -> Made:
        """Make a resource of moto's map `resources`; raises Halt when it cannot be."""
        maker = self._maker(resources)
        made = Made(kind, logical, logical, properties)
        try:
            wanted = maker.wanted(kind, properties)
        except FailedError as error:
            raise self._failure(resources, made, "CREATE_FAILED", error) from error
        except NotSimulatedError as error:
            raise Halt(error) from error
        made = Made(kind, logical, maker.name_for(kind, logical, wanted), wanted)
        self._tell(resources, made, "CREATE_IN_PROGRESS")

        def begun() -> None:
            # From here on there is something, which a later deletion must find even when the rest fails.
            made_of(resources)[logical] = made
            self._undo.append(lambda: self._unmake(resources, made))

        try:
            maker.make(made, begun)
        except FailedError as error:
            raise self._failure(resources, made, "CREATE_FAILED", error) from error
        except NotSimulatedError as error:
            raise Halt(error) from error
        self._tell(resources, made, "CREATE_COMPLETE")
        return made

    def update(self, resources: Any, template: dict[str, Any], parameters: dict[str, Any] | None) -> None:
        """Bring moto's map `resources` to another template; raises Halt when that fails, with the way back still to go."""
        self._remember(resources)
        resources._template = template  # noqa: SLF001 - moto's own update does the same
        resources.input_parameters = parameters or resources.input_parameters
        resources.load_mapping()
        resources.load_parameters()
        resources.load_conditions()
        wanted = resources._resource_json_map = template["Resources"]  # noqa: SLF001 - as above
        going: list[Made] = []
        seen: set[str] = set()
        for logical in wanted:
            self._visit(resources, logical, seen, going)
        there = made_of(resources)
        leaving = [
            name
            for name, each in there.items()
            if _is_resource(each) and (name not in wanted or not _is_wanted(resources, wanted[name]))
        ]
        going.extend(there.pop(name) for name in leaving)
        for made in reversed(going):
            self._clean_up(resources, made)

    def delete(self, resources: Any) -> None:
        """Delete what moto's map `resources` holds, the newest first; raises Halt when something stays."""
        there = made_of(resources)
        for each in there.values():
            # Nothing is deleted of a stack that the world's own template made with what is not simulated otherwise.
            if _is_resource(each):
                self.outline(each.cf_resource_type)
        last: FailedError | None = None
        for logical in [name for name, each in reversed(there.items()) if _is_resource(each)]:
            own = templates_of(resources).get(logical, {})
            if logical in self._retained or own.get("DeletionPolicy") in {"Retain", "RetainExceptOnCreate"}:
                self._tell(resources, there[logical], "DELETE_SKIPPED")
                continue
            made = self.adopted(resources, there[logical], own)
            try:
                self._tell(resources, made, "DELETE_IN_PROGRESS")
                self._maker(resources).delete(made)
            except FailedError as error:
                self._tell(resources, made, "DELETE_FAILED", str(error))
                self._failed.append(logical)
                last = error
            except NotSimulatedError as error:
                raise Halt(error) from error
            else:
                self._tell(resources, made, "DELETE_COMPLETE")
                there.pop(logical)
        if last is not None:
            raise Halt(last)

    def parameter(self, resources: Any, name: str, *, many: bool) -> Any:
        """Read a parameter of Systems Manager for a template's parameter."""
        try:
            text = self._maker(resources).read_parameter(name)
        except (FailedError, NotSimulatedError) as error:
            raise Halt(error) from error
        return text.split(",") if many else text

    def go_back(self) -> bool:
        """Take back what was done; False when something of it failed."""
        whole = True
        while self._undo:
            try:
                self._undo.pop()()
            except (FailedError, NotSimulatedError):
                whole = False
        return whole

    @property
    def failed(self) -> str:
        """The resources that failed, as CloudFormation lists them."""
        return f"[{', '.join(self._failed)}]"

    @staticmethod
    def adopted(resources: Any, there: Any, own: Mapping[str, Any]) -> Made:
        """Give a resource as ours, which may be one that moto made itself when the cloud began from a template."""
        if isinstance(there, Made):
            return there
        from moto.cloudformation.parsing import clean_json  # noqa: PLC0415 - with a stack

        try:
            kind = kind_of(there.cf_resource_type)
        except NotSimulatedError as error:
            raise Halt(error) from error
        properties = clean_json(own.get("Properties") or {}, resources)
        physical = str(there.physical_resource_id)
        made = Made(there.cf_resource_type, there.logical_resource_id, physical, properties)
        made.physical_resource_id = physical
        made.held = [
            (number, item)
            for number, part in enumerate(kind.parts)
            for value in [properties.get(part.property)]
            if value is not None
            for item in (value if isinstance(value, list) and not part.whole else [value])
        ]
        for name in kind.attributes:
            value = _attribute(there, name)
            if value is not None:
                made.attributes[name] = value
        return made

    def _visit(self, resources: Any, logical: str, seen: set[str], going: list[Made]) -> None:
        """Bring one resource to its new form, after those that it refers to."""
        if logical in seen:
            return
        seen.add(logical)
        own = templates_of(resources)[logical]
        for name in references(own):
            if name in templates_of(resources):
                self._visit(resources, name, seen, going)
        there = made_of(resources).get(logical)
        if there is None or not _is_resource(there):
            _ = resources[logical]  # moto's way to have a resource made
        elif _is_wanted(resources, own):
            self._renew(resources, logical, there, own, going)

    def _renew(self, resources: Any, logical: str, there: Any, own: Mapping[str, Any], going: list[Made]) -> None:
        from moto.cloudformation.parsing import clean_json  # noqa: PLC0415 - with a stack

        if not isinstance(there, Made):
            if own == self._old[logical]:
                return
            raise Halt(NotSimulatedError(f"changing `{logical}`, which the world's own template made"))
        properties = clean_json(own.get("Properties") or {}, resources)
        maker = self._maker(resources)
        try:
            wanted = maker.wanted(own["Type"], properties)
            if own["Type"] != there.cf_resource_type or self._replaces(there, wanted):
                made_of(resources).pop(logical)
                _ = resources[logical]
                going.append(there)
            elif wanted != there.properties:
                self._tell(resources, there, "UPDATE_IN_PROGRESS")
                maker.change(there, wanted, self._undo)
                self._tell(resources, there, "UPDATE_COMPLETE")
        except FailedError as error:
            raise self._failure(resources, there, "UPDATE_FAILED", error) from error
        except NotSimulatedError as error:
            raise Halt(error) from error

    @staticmethod
    def _replaces(there: Made, wanted: Mapping[str, Any]) -> bool:
        """Tell whether the change of a property makes another resource."""
        kind = kind_of(there.cf_resource_type)
        before = there.properties
        changed = {name for name in before.keys() | wanted.keys() if before.get(name) != wanted.get(name)}
        if not changed & {*kind.fixed, kind.name}:
            return False
        if kind.name and wanted.get(kind.name) is not None and wanted.get(kind.name) == before.get(kind.name):
            raise FailedError(_CUSTOM.format(name=wanted[kind.name]))
        return True

    def _failure(self, resources: Any, made: Made, status: str, error: FailedError) -> Halt:
        self._tell(resources, made, status, str(error))
        self._failed.append(made.logical_resource_id)
        return Halt(error)

    def _clean_up(self, resources: Any, made: Any) -> None:
        """Delete what an update has left behind; a failure leaves it, and the update is complete all the same."""
        own = self._old.get(made.logical_resource_id, {})
        replaced = made.logical_resource_id in templates_of(resources)
        policy = "UpdateReplacePolicy" if replaced else "DeletionPolicy"
        if own.get(policy) == "Retain":
            self._tell(resources, made, "DELETE_SKIPPED")
            return
        made = self.adopted(resources, made, own)
        try:
            self._maker(resources).delete(made)
        except (FailedError, NotSimulatedError) as error:
            self._tell(resources, made, "DELETE_FAILED", str(error))
        else:
            self._tell(resources, made, "DELETE_COMPLETE")

    def _remember(self, resources: Any) -> None:
        """Note what an update changes in moto's map, so that going back brings it there again."""
        names = ("_template", "_resource_json_map", "input_parameters", "lazy_condition_map")
        before = {name: getattr(resources, name) for name in names if hasattr(resources, name)}
        parsed, resolved = dict(made_of(resources)), dict(resources.resolved_parameters)
        self._old = dict(before["_resource_json_map"])

        def restore() -> None:
            for name, value in before.items():
                setattr(resources, name, value)
            resources._parsed_resources = parsed  # noqa: SLF001 - moto's own map
            resources.resolved_parameters = resolved

        self._undo.append(restore)

    def _unmake(self, resources: Any, made: Made) -> None:
        own = templates_of(resources).get(made.logical_resource_id, {})
        if own.get("DeletionPolicy") == "Retain" and made.logical_resource_id not in self._failed:
            made_of(resources).pop(made.logical_resource_id, None)
            self._tell(resources, made, "DELETE_SKIPPED")
            return
        self._tell(resources, made, "DELETE_IN_PROGRESS")
        try:
            self._maker(resources).delete(made)
        except (FailedError, NotSimulatedError) as error:
            self._tell(resources, made, "DELETE_FAILED", str(error))
            raise
        made_of(resources).pop(made.logical_resource_id, None)
        self._tell(resources, made, "DELETE_COMPLETE")

    def _maker(self, resources: Any) -> Maker:
        tags = {key: value for key, value in resources.tags.items() if not key.startswith("aws:")}
        place = Place(
            str(resources["AWS::StackName"]),
            resources.stack_id,
            resources["AWS::AccountId"],
            resources["AWS::Region"],
            tags,
        )
        return Maker(self._requests, self._forwarded, place, self._backend)

    def _tell(self, resources: Any, made: Any, status: str, reason: str | None = None) -> None:
        """Add an event to the stack's."""
        stack = self._stack_of(resources.stack_id)
        if stack is None:
            return
        from moto.cloudformation.models import Event  # noqa: PLC0415 - with a stack

        if not stack.events:
            stack._add_stack_event("CREATE_IN_PROGRESS", resource_status_reason="User Initiated")  # noqa: SLF001 - moto's way
        stack.events.append(
            Event(
                stack_id=stack.stack_id,
                stack_name=stack.name,
                logical_resource_id=made.logical_resource_id,
                physical_resource_id=made.physical_resource_id,
                resource_type=made.cf_resource_type,
                resource_status=status,
                resource_status_reason=reason,
                resource_properties=None,
            )
        )


def _is_resource(there: Any) -> bool:
    return hasattr(there, "logical_resource_id")


def _is_wanted(resources: Any, own: Mapping[str, Any]) -> bool:
    condition = own.get("Condition")
    return not condition or bool(resources.lazy_condition_map[condition])


def _attribute(there: Any, name: str) -> Any:
    """Ask a resource of moto's own for an attribute; None for one that it does not know."""
    try:
        return there.get_cfn_attribute(name)
    except Exception:  # noqa: BLE001 - moto's models raise what they like
        return None
