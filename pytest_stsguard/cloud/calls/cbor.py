"""A reader for the part of CBOR that Smithy's RPC protocol uses; it refuses everything else.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html, RFC 8949.
"""

from __future__ import annotations

import struct
from typing import Any

from .call import UnparsableRequestError

__all__ = ["load_cbor"]

_DEPTH = 64
_EPOCH_TAG = 1
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_INDEFINITE = 31
_BREAK = 0xFF
_ONE_BYTE = 24
_CONSTANTS = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}


def load_cbor(body: bytes) -> Any:
    """Decode one item that fills the body; an empty body is an empty map. A timestamp is its epoch seconds."""
    if not body:
        return {}
    reader = _Reader(body)
    try:
        value = reader.item(_DEPTH)
    except (IndexError, ValueError, struct.error) as error:
        raise UnparsableRequestError("the body is not valid CBOR", hint=str(error) or None) from error
    if reader.place != len(body):
        raise UnparsableRequestError("the body is not valid CBOR", hint="something follows the document")
    return value


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.place = 0

    def item(self, depth: int) -> Any:
        if depth == 0:
            raise ValueError("nested too deeply")
        first = self.body[self.place]
        self.place += 1
        major, info = first >> 5, first & 31
        if major == _SIMPLE:
            return self._simple(info)
        if info == _INDEFINITE:
            return self._indefinite(major, depth)
        return self._definite(major, self._argument(info), depth)

    def _definite(self, major: int, argument: int, depth: int) -> Any:
        if major == _UNSIGNED:
            return argument
        if major == _NEGATIVE:
            return -1 - argument
        if major in (_BYTES, _TEXT):
            data = self._take(argument)
            return data.decode() if major == _TEXT else data
        if major == _LIST:
            return [self.item(depth - 1) for _ in range(self._possible(argument))]
        if major == _MAP:
            return self._pairs(depth, self._possible(argument))
        if argument != _EPOCH_TAG:
            raise ValueError(f"tag `{argument}` is not used by AWS")
        return self.item(depth - 1)

    def _indefinite(self, major: int, depth: int) -> Any:
        if major == _MAP:
            return self._pairs(depth, None)
        if major not in (_BYTES, _TEXT, _LIST):
            raise ValueError("a length is missing")
        parts = []
        while not self._ended():
            if major != _LIST and self.body[self.place] >> 5 != major:
                raise ValueError("a string is made of other things than strings")
            parts.append(self.item(depth - 1))
        if major == _LIST:
            return parts
        return b"".join(parts) if major == _BYTES else "".join(parts)

    def _pairs(self, depth: int, count: int | None) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while len(pairs) < count if count is not None else not self._ended():
            key = self.item(depth - 1)
            if not isinstance(key, str) or key in pairs:
                raise ValueError("a key is repeated or no text")
            pairs[key] = self.item(depth - 1)
        return pairs

    def _simple(self, info: int) -> Any:
        if info in _CONSTANTS:
            return _CONSTANTS[info]
        form = _FLOATS.get(info)
        if form is None:
            raise ValueError(f"simple value `{info}` is not used by AWS")
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _argument(self, info: int) -> int:
        if info < _ONE_BYTE:
            return info
        if info > _ONE_BYTE + 3:
            raise ValueError("a reserved length")
        return int.from_bytes(self._take(1 << (info - _ONE_BYTE)), "big")

    def _take(self, size: int) -> bytes:
        end = self.place + size
        if end > len(self.body):
            raise ValueError("it ends too early")
        data = self.body[self.place : end]
        self.place = end
        return data

    def _possible(self, count: int) -> int:
        """Refuse a count that the rest of the body cannot hold, before anything is made for it."""
        if count > len(self.body) - self.place:
            raise ValueError("it ends too early")
        return count

    def _ended(self) -> bool:
        if self.body[self.place] != _BREAK:
            return False
        self.place += 1
        return True
