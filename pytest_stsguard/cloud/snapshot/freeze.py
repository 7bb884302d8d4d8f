"""Writing live objects down as plain JSON data: no code, no pickles, each object once, with references between them.

Values stand for themselves; all else is a small object with one key that says what it is: ``{"r": 7}`` refers to the
seventh object of the table. See `thaw` for the way back.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import threading
from collections import OrderedDict, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ADDRESSES", "CONTAINERS", "FACTORIES", "OWN_STATE", "Freezer", "UnsavedError", "slots_of"]

CONTAINERS: dict[str, type] = {
    "list": list,
    "dict": dict,
    "set": set,
    "OrderedDict": OrderedDict,
    "defaultdict": defaultdict,
}
FACTORIES: dict[str, type] = {each.__name__: each for each in (list, dict, set, int, str, OrderedDict)}
_LOCKS: dict[Any, str] = {
    type(threading.Lock()): "Lock",
    type(threading.RLock()): "RLock",
    threading.Condition: "Condition",
}
ADDRESSES: dict[str, type] = {
    each.__name__: each
    for each in (ipaddress.IPv4Address, ipaddress.IPv4Network, ipaddress.IPv6Address, ipaddress.IPv6Network)
}
# Objects over files say themselves what they hold.
OWN_STATE = frozenset({"moto.s3.models:FakeKey"})
_OWN_HOOKS = "pytest_stsguard."


class UnsavedError(Exception):
    """Something of which no data can be made: an open connection, a function, a class that is not known."""


class Freezer:
    """Makes data of objects; `known` names the ones that exist anyway, by id, so that they are only referred to."""

    def __init__(self, known: dict[int, list[str]], allowed: tuple[str, ...]) -> None:
        self.table: list[Any] = []
        self._known = known
        self._allowed = allowed
        self._places: dict[int, int] = {}
        self._alive: list[Any] = []
        self._waiting: list[tuple[int, Any]] = []

    def freeze(self, value: Any) -> Any:
        """Give the data of `value`; all or nothing enters the table.

        Raises:
            UnsavedError: no data can be made of it, or of something that it refers to.
        """
        mark = len(self.table)
        try:
            data = self._value(value)
            while self._waiting:
                place, each = self._waiting.pop()
                self.table[place] = self._object(each)
        except BaseException:
            self._waiting.clear()
            del self.table[mark:], self._alive[mark:]
            self._places = {key: place for key, place in self._places.items() if place < mark}
            raise
        return data

    def attributes(self, value: Any) -> dict[str, Any]:
        """Give the data of an object's attributes, for an object that `known` names.

        A dictionary with a default of its own code keeps the one that the object has when it is new.
        """
        found = {}
        for name, each in vars(value).items():
            if isinstance(each, defaultdict) and isinstance(each.default_factory, FunctionType):
                found[name] = {"x": self.freeze(dict(each))}
            elif not _is_own_hook(each):
                found[name] = self.freeze(each)
        return found

    def _value(self, value: Any) -> Any:  # noqa: PLR0911 - one line a kind of value
        if value is None or type(value) in {bool, int, str}:
            return value
        if type(value) is float:
            return {"f": value.hex()}
        if type(value) in {bytes, bytearray}:
            return {"b": base64.b64encode(value).decode()}
        if type(value) is tuple:
            return {"u": [self._value(each) for each in value]}
        if type(value) is frozenset:
            return {"z": [self._value(each) for each in value]}
        if id(value) in self._known:
            return {"k": self._known[id(value)]}
        return self._special(value)

    def _special(self, value: Any) -> Any:
        writer = _WRITERS.get(type(value))
        if writer is not None:
            return writer(value)
        if isinstance(value, Enum):
            return {"e": [self._class(type(value)), value.name]}
        if isinstance(value, type):
            return {"c": value.__name__ if FACTORIES.get(value.__name__) is value else self._class(value)}
        if isinstance(value, MethodType) and value.__name__ in dir(type(value.__self__)):
            return {"h": [self._value(value.__self__), value.__name__]}
        if type(value).__module__.startswith("cryptography.") and hasattr(value, "private_bytes"):
            return {"w": _pem(value)}
        return {"r": self._place(value)}

    def _place(self, value: Any) -> int:
        place = self._places.get(id(value))
        if place is None:
            if isinstance(value, FunctionType):
                raise UnsavedError(f"the function `{value.__qualname__}`")
            place = self._places[id(value)] = len(self.table)
            self.table.append(None)
            # Kept alive, so that its id is not another's meanwhile.
            self._alive.append(value)
            self._waiting.append((place, value))
        return place

    def _object(self, value: Any) -> Any:
        kind = type(value)
        if CONTAINERS.get(kind.__name__) is kind:
            if kind is defaultdict and value.default_factory is not None:
                return {"o": kind.__name__, "m": self._value(value.default_factory), **self._content(value)}
            return {"o": kind.__name__, **self._content(value)}
        data: dict[str, Any] = {"o": self._class(kind)}
        if data["o"] in OWN_STATE:
            return data | {"g": self._value(value.__getstate__())}
        if isinstance(value, (list, dict, set)):
            data |= self._content(value)
        attributes = {name: getattr(value, name) for name in slots_of(kind) if hasattr(value, name)}
        attributes |= getattr(value, "__dict__", {})
        return data | {"a": {name: self._value(each) for name, each in attributes.items() if not _is_own_hook(each)}}

    def _content(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):
            pairs = OrderedDict.items(value) if isinstance(value, OrderedDict) else dict.items(value)
            return {"n": [[self._value(key), self._value(each)] for key, each in pairs]}
        return {"n": [self._value(each) for each in value]}

    def _class(self, kind: type) -> str:
        if not f"{kind.__module__}.".startswith(self._allowed) or "<locals>" in kind.__qualname__:
            raise UnsavedError(f"an object of `{kind.__module__}.{kind.__qualname__}`")
        return f"{kind.__module__}:{kind.__qualname__}"


def _pem(key: Any) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - with a key of this library alone

    form, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return str(key.private_bytes(form, kind, serialization.NoEncryption()).decode())


def slots_of(kind: type) -> list[str]:
    """Name the slots of a class and of those that it derives from."""
    names = [name for each in kind.__mro__ for name in _as_names(vars(each).get("__slots__", ()))]
    return [name for name in names if name not in {"__dict__", "__weakref__"}]


def _as_names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_own_hook(value: Any) -> bool:
    """Whether the gate itself put this function on an object: it does so again when it is needed."""
    return isinstance(value, FunctionType) and value.__module__.startswith(_OWN_HOOKS)


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    datetime: lambda value: {"t": value.isoformat()},
    date: lambda value: {"y": value.isoformat()},
    timedelta: lambda value: {"i": [value.days, value.seconds, value.microseconds]},
    Decimal: lambda value: {"d": str(value)},
    re.Pattern: lambda value: {"p": [value.pattern, value.flags]},
    **dict.fromkeys(_LOCKS, lambda value: {"l": _LOCKS[type(value)]}),
    **dict.fromkeys(ADDRESSES.values(), lambda value: {"v": [type(value).__name__, str(value)]}),
}
