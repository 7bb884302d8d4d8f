"""Making, changing and deleting one resource by its kind's calls."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .halt import FailedError, NotSimulatedError
from .kinds import KINDS
from .steps import Sight, call_of, path_in, words
from .taken import is_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.backend import Backend
    from pytest_stsguard.cloud.forwarded import Forwarded

    from .kinds import Kind, Part
    from .requests import Answer, Requests
    from .resource import Made

__all__ = ["Maker", "Place"]

_GONE = re.compile(r"NoSuch|NotFound|NonExistent|DoesNotExist|Unknown(Parameter|Resource)")
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized")
_SUFFIX = 12


@dataclass(frozen=True, slots=True)
class Place:
    """The stack that a resource belongs to, as far as its calls tell of it."""

    stack: str
    stack_id: str
    account: str
    region: str
    tags: Mapping[str, str]


class Maker:
    """Calls in the name of `forwarded` for the resources of one stack."""

    def __init__(self, requests: Requests, forwarded: Forwarded, place: Place, backend: Backend) -> None:
        self._requests = requests
        self._forwarded = forwarded
        self._place = place
        self._backend = backend

    def wanted(self, kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Give a resource's properties with the stack's tags; refuse by name what its kind does not know.

        Raises:
            FailedError: a property is not of the form that its kind takes.
            NotSimulatedError: the type, or one of the properties, is not simulated.
        """
        known = kind_of(kind).known
        unknown = sorted(properties.keys() - known)
        if unknown:
            raise NotSimulatedError(f"`{unknown[0]}` of `{kind}`")
        wanted = dict(properties)
        _check_form(kind_of(kind), wanted)
        if "Tags" in known and self._place.tags:
            own = _tags(wanted.get("Tags"))
            wanted["Tags"] = [{"Key": key, "Value": value} for key, value in {**self._place.tags, **own}.items()]
        return wanted

    def make(self, made: Made, begun: Callable[[], None]) -> None:
        """Make a resource; `begun` is called as soon as there is something of it.

        Raises:
            FailedError: a call was refused.
            NotSimulatedError: a call is not simulated.
        """
        kind = kind_of(made.cf_resource_type)
        place = self._place
        if is_taken(self._backend, made.cf_resource_type, made.name, account=place.account, region=place.region):
            told = f"Resource of type '{made.cf_resource_type}' with identifier '{made.name}' already exists."
            raise FailedError(f"{told} (RequestToken: {uuid.uuid4()}, HandlerErrorCode: AlreadyExists)")
        answer = self._call(kind.create, made) if kind.create else None
        output = answer.output if answer is not None else {}
        made.physical_resource_id = str(self._told(kind.ref, made, output))
        for name, source in kind.attributes.items():
            value = self._told(source, made, output)
            if value is not None:
                made.attributes[name] = value
        begun()
        for number, part in enumerate(kind.parts):
            for item in _items(part, made.properties):
                self._call(part.put, made, item)
                made.held.append((number, item))
        for step in kind.read:
            self._call(step, made)
        if kind.tagged:
            self._mark(made)

    def change(self, made: Made, properties: Mapping[str, Any], undo: list[Any]) -> None:
        """Change a resource in place to other properties; `undo` gets what takes each call back.

        Raises:
            FailedError: a call was refused.
            NotSimulatedError: the change of a property is not simulated.
        """
        kind = kind_of(made.cf_resource_type)
        before, made.properties = made.properties, dict(properties)
        undo.append(lambda: setattr(made, "properties", before))
        changed = {name for name in before.keys() | properties.keys() if before.get(name) != properties.get(name)}
        in_parts = {name for part in kind.parts for name in (part.property, *part.also)}
        done: set[str] = set()
        for name in sorted(changed):
            if name in kind.changes and name not in in_parts:
                self._set(made, kind.changes[name], name, before, undo=undo, done=done)
            elif name == "Tags" and kind.tags is not None:
                self._retag(made, kind.tags, before, undo)
            elif name not in in_parts and name not in kind.passive:
                raise NotSimulatedError(f"changing `{name}` of `{made.cf_resource_type}`")
        for number, part in enumerate(kind.parts):
            if changed & {part.property, *part.also}:
                self._change_part(made, number, part, before, undo, again=bool(changed & set(part.also)))

    def delete(self, made: Made) -> None:
        """Delete a resource; one that is not there any more counts as deleted.

        Raises:
            FailedError: a call was refused, as also when something else still needs the resource.
            NotSimulatedError: a call is not simulated.
        """
        kind = kind_of(made.cf_resource_type)
        for number, item in reversed(made.held.copy()):
            part = kind.parts[number]
            if part.bound and part.take:
                self._call(part.take, made, item, gone=True)
                made.held.remove((number, item))
        for sweep in kind.sweeps:
            answer = self._call(sweep.listing, made, gone=True)
            for item in path_in(dict(answer.output), sweep.path) or []:
                if not item.get(sweep.spared):
                    self._call(sweep.take, made, item, gone=True)
        for step in (*kind.before, *([kind.delete] if kind.delete else ())):
            self._call(step, made, gone=True)

    def name_for(self, kind: str, logical: str, properties: Mapping[str, Any]) -> str:
        """Give the name that the template gives, or one as CloudFormation generates it."""
        own = kind_of(kind)
        given = properties.get(own.name) if own.name else None
        if given is not None:
            return str(given)
        suffix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(_SUFFIX))
        prefix = f"{self._place.stack}-{logical}".replace(":", "-")
        name = f"{prefix[: own.longest - _SUFFIX - 1]}-{suffix}"
        return name.lower() if own.lower else name

    def read_parameter(self, name: str) -> str:
        """Read the value of a parameter of Systems Manager for the template.

        Raises:
            FailedError: it may not be read, or is not there.
        """
        answer = self._send("ssm", "GetParameters", {"Names": [name]})
        found = answer.output.get("Parameters") or []
        if not found:
            raise FailedError(f"Unable to fetch parameters [{name}] from parameter store for this account.")
        return str(found[0]["Value"])

    def _set(
        self,
        made: Made,
        steps: tuple[str, str],
        name: str,
        before: Mapping[str, Any],
        *,
        undo: list[Any],
        done: set[str],
    ) -> None:
        step = steps[0] if name in made.properties else steps[1]
        if not step:
            raise NotSimulatedError(f"taking away `{name}` of `{made.cf_resource_type}`")
        if step in done:
            return
        done.add(step)
        self._call(step, made)
        back = steps[0] if name in before else steps[1]
        undo.append(lambda: self._call(back, made, properties=before) if back else None)

    def _retag(self, made: Made, steps: tuple[str, str], before: Mapping[str, Any], undo: list[Any]) -> None:
        old, new = (_tags(each.get("Tags")) for each in (before, made.properties))
        gone = [key for key in old if key not in new]
        if gone:
            self._call(steps[1], made, gone)
            undo.append(lambda: self._call(steps[0], made, properties=before))
        if new and new != {key: old[key] for key in new if key in old}:
            self._call(steps[0], made)
            added = [key for key in new if key not in old]
            undo.append(lambda: self._call(steps[1], made, added) if added else None)
            undo.append(lambda: self._call(steps[0], made, properties=before) if old else None)

    def _change_part(
        self, made: Made, number: int, part: Part, before: Mapping[str, Any], undo: list[Any], *, again: bool
    ) -> None:
        old, new = _items(part, before), _items(part, made.properties)
        for item in old:
            if any(_same(part, item, other) for other in new):
                continue
            if not part.take:
                raise NotSimulatedError(f"taking away `{part.property}` of `{made.cf_resource_type}`")
            self._call(part.take, made, item)
            _drop(made, number, item)
            undo.append(lambda item=item: self._put_back(made, number, part, item, before))
        for item in new:
            if item in old and not again:
                continue
            self._call(part.put, made, item)
            former = next((other for other in old if _same(part, item, other)), None)
            _drop(made, number, former)
            made.held.append((number, item))
            undo.append(lambda item=item, former=former: self._take_back(made, number, part, (item, former), before))

    def _put_back(self, made: Made, number: int, part: Part, item: Any, before: Mapping[str, Any]) -> None:
        self._call(part.put, made, item, properties=before)
        made.held.append((number, item))

    def _take_back(
        self, made: Made, number: int, part: Part, items: tuple[Any, Any], before: Mapping[str, Any]
    ) -> None:
        item, former = items
        if former is not None:
            self._call(part.put, made, former, properties=before)
        elif part.take:
            self._call(part.take, made, item, gone=True)
        _drop(made, number, item)
        if former is not None:
            made.held.append((number, former))

    def _told(self, source: str, made: Made, output: Mapping[str, Any]) -> Any:
        if source == "@name":
            return made.name
        if source.startswith("="):
            return words(source[1:], self._sight(made))
        return path_in(dict(output), source)

    def _sight(self, made: Made, item: Any = None, properties: Mapping[str, Any] | None = None) -> Sight:
        return Sight(
            made.properties if properties is None else properties,
            made.name,
            made.physical_resource_id,
            made.attributes,
            self._place.region,
            self._place.account,
            item,
        )

    def _call(
        self,
        step: str,
        made: Made,
        item: Any = None,
        *,
        gone: bool = False,
        properties: Mapping[str, Any] | None = None,
    ) -> Answer:
        service, operation, parameters = call_of(step, self._sight(made, item, properties))
        return self._send(service, operation, parameters, gone=gone)

    def _mark(self, made: Made) -> None:
        """Put CloudFormation's own tags on what EC2 has made, which nobody needs a permission for."""
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - there since EC2 was called

        place = self._place
        own = {
            "aws:cloudformation:stack-name": place.stack,
            "aws:cloudformation:stack-id": place.stack_id,
            "aws:cloudformation:logical-id": made.logical_resource_id,
        }
        ec2_backends[place.account][place.region].create_tags([made.physical_resource_id], own)

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any], *, gone: bool = False) -> Answer:
        answer = self._requests.send(
            service, operation, parameters, forwarded=self._forwarded, region=self._place.region
        )
        if not answer.failed or (gone and _GONE.search(answer.code)):
            return answer
        if not answer.simulated:
            raise NotSimulatedError(answer.message)
        raise FailedError(_reason(service, answer))


def kind_of(name: str) -> Kind:
    """Find a resource type.

    Raises:
        NotSimulatedError: it is none of those that are simulated.
    """
    found = KINDS.get(name)
    if found is None:
        raise NotSimulatedError(f"`{name}` in a stack")
    return found


def _reason(service: str, answer: Answer) -> str:
    """Word a failure as CloudFormation's handlers do."""
    told = f"{answer.message} (Service: {service.capitalize()}, Status Code: {answer.status}, Request ID: {answer.request_id})"
    code = "AccessDenied" if _DENIED.search(answer.code) else "GeneralServiceException"
    if answer.code.endswith(("AlreadyExists", "AlreadyExistsException", "AlreadyOwnedByYou")):
        code = "AlreadyExists"
    return f'Resource handler returned message: "{told}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'


def _check_form(kind: Kind, properties: Mapping[str, Any]) -> None:
    """Refuse lists that are none, and items without what tells them apart."""
    for part in kind.parts:
        value = properties.get(part.property)
        if value is None or part.whole:
            continue
        if not isinstance(value, list) or (part.key and not all(isinstance(each, dict) for each in value)):
            raise FailedError(f"Properties validation failed: #/{part.property}: expected type: JSONArray")
    tags = properties.get("Tags") or []
    if not isinstance(tags, dict) and not (
        isinstance(tags, list) and all(isinstance(each, dict) and "Key" in each for each in tags)
    ):
        raise FailedError("Properties validation failed: #/Tags: expected type: JSONArray")


def _items(part: Part, properties: Mapping[str, Any]) -> list[Any]:
    value = properties.get(part.property)
    if value is None:
        return []
    items = value if isinstance(value, list) and not part.whole else [value]
    return [item for item in items if item is not None]


def _same(part: Part, one: Any, other: Any) -> bool:
    if part.whole:
        return True
    return bool(one.get(part.key) == other.get(part.key)) if part.key else bool(one == other)


def _drop(made: Made, number: int, item: Any) -> None:
    if (number, item) in made.held:
        made.held.remove((number, item))


def _tags(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    return {each["Key"]: each.get("Value") for each in value or []}
