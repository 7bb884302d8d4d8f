"""A template's values as an operation takes them: numbers in text, documents as objects, tags in lists."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from pytest_stsguard.cloud.calls.catalogue import model

from .halt import FailedError, NotSimulatedError

__all__ = ["fitted", "parameters_of"]

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
_TRUTH = {"true": True, "false": False, True: True, False: False}


def parameters_of(service: str, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fit what a step gives to the input of its operation.

    Raises:
        FailedError: a value is of the wrong type, or one that the operation needs is missing.
        NotSimulatedError: the operation has no such member, so that the property cannot be passed on.
    """
    called = model(service).operation_model(operation)
    shape = called.input_shape
    fit: dict[str, Any] = fitted(dict(given), shape, "") if shape is not None else {}
    # What every SDK fills in by itself.
    fit |= {name: str(uuid.uuid4()) for name in called.idempotent_members if name not in fit}
    missing = [name for name in (shape.required_members if shape is not None else ()) if name not in fit]
    if missing:
        raise FailedError(f"Properties validation failed: required key [{missing[0]}] not found")
    return fit


def fitted(value: Any, shape: Any, place: str) -> Any:
    """Fit one value to one shape of botocore's models; `place` is where it stands, for the message."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, place)
    if kind == "list":
        return _list(value, shape, place)
    if kind == "map":
        if isinstance(value, list):
            value = _pairs(value, place)
        if not isinstance(value, Mapping):
            raise _wrong(place, "a mapping")
        return {str(key): fitted(inner, shape.value, f"{place}.{key}") for key, inner in value.items()}
    if kind == "string":
        if isinstance(value, (dict, list)):
            return json.dumps(value)
        return str(value).lower() if isinstance(value, bool) else str(value)
    return _scalar(value, kind, place)


def _structure(value: Any, shape: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, "a mapping")
    names = {name.lower(): name for name in shape.members}
    fit = {}
    for key, inner in value.items():
        name = names.get(str(key).lower())
        if name is None:
            raise NotSimulatedError(f"the property `{f'{place}.{key}'.lstrip('.')}`")
        if inner is not None:
            fit[name] = fitted(inner, shape.members[name], f"{place}.{key}")
    return fit


def _list(value: Any, shape: Any, place: str) -> list[Any]:
    if isinstance(value, Mapping):
        value = [{"Key": key, "Value": inner} for key, inner in value.items()]
    if not isinstance(value, list):
        raise _wrong(place, "a list")
    return [fitted(each, shape.member, place) for each in value if each is not None]


def _pairs(value: list[Any], place: str) -> dict[str, Any]:
    if not all(isinstance(each, Mapping) and "Key" in each for each in value):
        raise _wrong(place, "a list of keys with values")
    return {str(each["Key"]): each.get("Value", "") for each in value}


def _scalar(value: Any, kind: str, place: str) -> Any:
    if isinstance(value, (dict, list)):
        raise _wrong(place, "a single value")
    if kind == "boolean":
        found = _TRUTH.get(value.lower() if isinstance(value, str) else value)
        if found is None:
            raise _wrong(place, "true or false")
        return found
    if kind in _NUMBERS:
        try:
            return _NUMBERS[kind](value)
        except ValueError:
            raise _wrong(place, "a number") from None
    return value


def _wrong(place: str, wanted: str) -> FailedError:
    return FailedError(f"Properties validation failed: {place.lstrip('.')} must be {wanted}")
