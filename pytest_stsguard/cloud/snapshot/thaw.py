"""Making objects of the data that `freeze` wrote, from a file that anybody may have written.

Nothing in the file is executed: objects come to be without their constructors, of classes that are allowed by the name of
their module, and get attributes. A file can make a strange account, no more.
"""

from __future__ import annotations

import base64
import importlib
import re
import threading
from collections import OrderedDict, defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import FunctionType, MethodType
from typing import Any

from pytest_stsguard.cloud.snapshot.freeze import ADDRESSES, CONTAINERS, FACTORIES, OWN_STATE, slots_of

__all__ = ["Thawer"]

_MODULE = re.compile(r"[a-z_][a-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_FORBIDDEN = ("moto.server", "moto.proxy", "moto.moto_proxy", "moto.moto_server")


class Thawer:
    """Makes objects of a table; `known` gives the ones that exist anyway, by their names.

    Every method raises ValueError, TypeError, KeyError, IndexError or AttributeError for data that is none of ours.
    """

    def __init__(self, table: list[Any], known: Any, allowed: tuple[str, ...]) -> None:
        self._table = table
        self._known = known
        self._allowed = allowed
        self._objects: list[Any] = []
        try:
            self._objects += [self._empty(data) for data in table]
            for made, data in zip(self._objects, table, strict=True):
                self._fill(made, data)
            # What hashes or looks into others is filled when those are whole.
            for made, data in zip(self._objects, table, strict=True):
                self._fill_late(made, data)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Close the files of objects that nobody will use."""
        for made in self._objects:
            if f"{type(made).__module__}:{type(made).__qualname__}" in OWN_STATE:
                made.dispose()

    def value(self, data: Any) -> Any:
        """Give the object that `data` stands for."""
        if data is None or isinstance(data, (bool, int, str)):
            return data
        ((kind, content),) = data.items()
        return getattr(self, f"_{kind}_value")(content)

    def _f_value(self, content: str) -> float:
        return float.fromhex(content)

    def _b_value(self, content: str) -> bytes:
        return base64.b64decode(content, validate=True)

    def _u_value(self, content: list[Any]) -> tuple[Any, ...]:
        return tuple(self.value(each) for each in content)

    def _z_value(self, content: list[Any]) -> frozenset[Any]:
        return frozenset(self.value(each) for each in content)

    def _k_value(self, content: list[str]) -> Any:
        return self._known(*content)

    def _e_value(self, content: list[str]) -> Any:
        kind = self._class(content[0])
        if not issubclass(kind, Enum):
            raise TypeError(content[0])
        return kind[content[1]]

    def _c_value(self, content: str) -> type:
        return FACTORIES[content] if content in FACTORIES else self._class(content)

    def _t_value(self, content: str) -> datetime:
        return datetime.fromisoformat(content)

    def _y_value(self, content: str) -> date:
        return date.fromisoformat(content)

    def _i_value(self, content: list[int]) -> timedelta:
        days, seconds, microseconds = content
        return timedelta(days, seconds, microseconds)

    def _d_value(self, content: str) -> Decimal:
        return Decimal(content)

    def _p_value(self, content: list[Any]) -> re.Pattern[str]:
        pattern, flags = content
        return re.compile(pattern, int(flags))

    def _l_value(self, content: str) -> Any:
        return {"Lock": threading.Lock, "RLock": threading.RLock, "Condition": threading.Condition}[content]()

    def _h_value(self, content: list[Any]) -> Any:
        owner, name = self.value(content[0]), _plain(content[1])
        method = getattr(type(owner), name)
        if not isinstance(method, FunctionType) or not f"{method.__module__}.".startswith(self._allowed):
            raise TypeError(name)
        return MethodType(method, owner)

    def _v_value(self, content: list[str]) -> Any:
        return ADDRESSES[content[0]](content[1])

    def _w_value(self, content: str) -> Any:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - as `freeze`

        return load_pem_private_key(content.encode(), None)

    def _r_value(self, content: int) -> Any:
        if content < 0:
            raise IndexError(content)
        return self._objects[content]

    def _class(self, name: str) -> type:
        module, _, path = name.partition(":")
        if not _MODULE.fullmatch(module) or not f"{module}.".startswith(self._allowed):
            raise ValueError(name)
        if module.startswith(_FORBIDDEN):
            raise ValueError(name)
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = vars(found)[_plain(part)]
        if not isinstance(found, type) or found.__module__ != module:
            raise TypeError(name)
        return found

    def _empty(self, data: Any) -> Any:
        kind = CONTAINERS.get(data["o"])
        if kind is not None:
            return kind()
        kind = self._class(data["o"])
        base = next((each for each in (dict, list, set) if issubclass(kind, each)), object)
        return base.__new__(kind)

    def _fill(self, made: Any, data: Any) -> None:
        if "m" in data and isinstance(made, defaultdict):
            made.default_factory = self.value(data["m"])
        if isinstance(made, list):
            list.extend(made, [self.value(each) for each in data["n"]])
        names = set(slots_of(type(made))) if "a" in data else set()
        for name, each in data.get("a", {}).items():
            if name in names:
                object.__setattr__(made, name, self.value(each))
            else:
                vars(made)[_plain(name)] = self.value(each)

    def _fill_late(self, made: Any, data: Any) -> None:
        if data["o"] in OWN_STATE:
            made.__setstate__(self._state(data["g"]))
        elif isinstance(made, dict):
            # A class of moto's may have ideas of its own about its entries.
            enter = OrderedDict.__setitem__ if isinstance(made, OrderedDict) else dict.__setitem__
            for key, each in data["n"]:
                enter(made, self.value(key), self.value(each))
        elif isinstance(made, set):
            made.update(self.value(each) for each in data["n"])

    def _state(self, data: Any) -> Any:
        """Give an object's own state, which is a dictionary that may not have been filled yet."""
        if "r" in data and isinstance(self.value(data), dict):
            pairs = self._table[data["r"]]["n"]
            return {_plain(self.value(key)): self.value(each) for key, each in pairs}
        raise TypeError(data)


def _plain(name: Any) -> str:
    """Refuse names by which Python itself goes."""
    if not isinstance(name, str) or name.startswith("__"):
        raise ValueError(name)
    return name
