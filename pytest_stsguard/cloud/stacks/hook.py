"""Where moto's CloudFormation makes, changes and deletes resources, it asks the `Work` of the call that it answers.

In a call that changes no stack it makes nothing: moto would make the resources of a deleted stack anew for who looks at it.
The world's own template, and a `mock_aws` that a test has beside the cloud, are left to moto.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .halt import Halt, NotSimulatedError
from .template import long_forms, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .work import Work

__all__ = ["asked", "install", "is_trusted", "trusted", "uninstall", "working"]

_LOCAL = threading.local()
_LOCK = threading.Lock()
_ORIGINAL: dict[str, Any] = {}


@contextmanager
def asked(read: Mapping[str, str]) -> Iterator[None]:
    """Let moto, in this thread, answer a caller of the cloud; `read` is what was read at addresses of S3 for that."""
    _LOCAL.read = read
    try:
        yield
    finally:
        _LOCAL.read = None


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Let moto, in this thread, ask `work`."""
    _LOCAL.work = work
    try:
        yield
    finally:
        _LOCAL.work = None


@contextmanager
def trusted() -> Iterator[None]:
    """Let moto, in this thread, make resources itself: the simulator fills its own world."""
    _LOCAL.trusted = True
    try:
        yield
    finally:
        _LOCAL.trusted = False


def is_trusted() -> bool:
    """Whether this thread fills the world."""
    return bool(getattr(_LOCAL, "trusted", False))


def install() -> None:
    """Make moto ask; a second call does nothing."""
    with _LOCK:
        if _ORIGINAL:
            return
        from moto.cloudformation import models, parsing, responses  # noqa: PLC0415 - moto's comes with the first call to it

        _ORIGINAL.update(
            create=parsing.parse_and_create_resource,
            outline=parsing.resource_class_from_type,
            update=parsing.ResourceMap.update,
            delete=parsing.ResourceMap.delete,
            parameter=parsing.ResourceMap.parse_ssm_parameter,
            yaml=models.yaml,
            fetch=responses.get_stack_from_s3_url,
        )
        parsing.parse_and_create_resource = _create
        parsing.resource_class_from_type = _outline
        parsing.ResourceMap.update = _update
        parsing.ResourceMap.delete = _delete
        parsing.ResourceMap.parse_ssm_parameter = _parameter
        models.yaml = responses.yaml = _Yaml
        responses.get_stack_from_s3_url = _fetch


def uninstall() -> None:
    """Give moto its own way back."""
    with _LOCK:
        if not _ORIGINAL:
            return
        from moto.cloudformation import models, parsing, responses  # noqa: PLC0415 - as above

        parsing.parse_and_create_resource = _ORIGINAL["create"]
        parsing.resource_class_from_type = _ORIGINAL["outline"]
        parsing.ResourceMap.update = _ORIGINAL["update"]
        parsing.ResourceMap.delete = _ORIGINAL["delete"]
        parsing.ResourceMap.parse_ssm_parameter = _ORIGINAL["parameter"]
        models.yaml = responses.yaml = _ORIGINAL["yaml"]
        responses.get_stack_from_s3_url = _ORIGINAL["fetch"]
        _ORIGINAL.clear()


def _work() -> Work | None:
    work: Work | None = getattr(_LOCAL, "work", None)
    return work


def _left_alone() -> bool:
    return getattr(_LOCAL, "read", None) is None


def _create(logical: str, own: dict[str, Any], resources: Any, account_id: str, region_name: str) -> Any:
    if _left_alone():
        return _ORIGINAL["create"](logical, own, resources, account_id=account_id, region_name=region_name)
    work = _work()
    condition = own.get("Condition")
    if work is None or (condition and not resources.lazy_condition_map[condition]):
        return None
    from moto.cloudformation.parsing import clean_json  # noqa: PLC0415 - as above

    return work.create(resources, logical, own["Type"], clean_json(own.get("Properties") or {}, resources))


def _outline(resource_type: str) -> Any:
    work = _work()
    return _ORIGINAL["outline"](resource_type) if work is None else work.outline(resource_type)


def _update(resources: Any, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    if _left_alone():
        _ORIGINAL["update"](resources, template, parameters)
        return
    _working().update(resources, template, parameters)


def _delete(resources: Any) -> None:
    if _left_alone():
        _ORIGINAL["delete"](resources)
        return
    _working().delete(resources)


def _parameter(resources: Any, value: str, value_type: str) -> Any:
    if _left_alone():
        return _ORIGINAL["parameter"](resources, value, value_type)
    return _working().parameter(resources, value, many=value_type.find("List") > 0)


def _fetch(template_url: str, account_id: str, partition: str) -> str:
    if _left_alone():
        return str(_ORIGINAL["fetch"](template_url, account_id=account_id, partition=partition))
    return str(_LOCAL.read[template_url])


def _working() -> Work:
    work = _work()
    if work is None:
        raise Halt(NotSimulatedError("what this call does to a stack"))
    return work


class _Yaml:
    """What moto's modules call `yaml`, without its power to make any object that a template names."""

    Loader = None

    @staticmethod
    def load(text: Any, **_: Any) -> Any:
        """Read a template."""
        found = read_yaml(text)
        long_forms(found)
        return found

    @staticmethod
    def add_multi_constructor(*_: Any) -> None:
        """Do nothing: the loader knows the short forms."""
