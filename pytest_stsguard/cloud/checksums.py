"""The checksums that S3 computes over what is uploaded, in the order of the bytes and without holding them.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html. The two that Python lacks, CRC-32C and
CRC-64/NVME, are computed from tables, some 10 MB a second, unless the AWS common runtime
(``boto3[crt]``) is installed.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Protocol

from pytest_stsguard.cloud.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_stsguard.cloud.request import Request

__all__ = ["ALGORITHMS", "PREFIX", "Checksum", "check_digests", "checksum"]

ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
PREFIX = "x-amz-checksum-"
_MD5_SIZE = 16
_CASTAGNOLI = 0x82F63B78
_NVME = 0x9A6C9329AC4BC9B5


class Checksum(Protocol):
    """One checksum in the making."""

    def update(self, data: bytes, /) -> None:
        """Add `data`."""

    def digest(self) -> bytes:
        """Give the checksum of all that was added."""


def checksum(algorithm: str) -> Checksum:
    """Begin a checksum by `algorithm`, one of `ALGORITHMS`; `KeyError` for another."""
    makers: dict[str, Callable[[], Checksum]] = {
        "crc32": lambda: _Running(zlib.crc32, 4),
        "crc32c": lambda: _native("crc32c", 4) or _Crc(_CASTAGNOLI, 4),
        "crc64nvme": lambda: _native("crc64nvme", 8) or _Crc(_NVME, 8),
        "sha1": lambda: hashlib.sha1(usedforsecurity=False),
        "sha256": hashlib.sha256,
    }
    return makers[algorithm]()


def check_digests(request: Request) -> None:
    """Compare a body with the digests that its headers declare: Content-MD5 and x-amz-checksum-*.

    Raises:
        Fault: ``InvalidDigest`` for one that is none, ``BadDigest`` for a body that another digest belongs to.
    """
    made: dict[str, Checksum] = {}
    if "content-md5" in request.headers:
        _decoded(request.headers["content-md5"], size=_MD5_SIZE)
        made["content-md5"] = hashlib.md5(usedforsecurity=False)
    # CompleteMultipartUpload declares the digest of the object, not of its own body.
    algorithms = () if request.method == "POST" and "uploadId" in request.query else ALGORITHMS
    made |= {PREFIX + name: checksum(name) for name in algorithms if PREFIX + name in request.headers}
    if made:
        for block in request.blocks():
            for each in made.values():
                each.update(block)
        compare(request.headers, made)


def compare(declared: Mapping[str, str], made: Mapping[str, Checksum]) -> None:
    """Compare declared digests, in Base64, with computed ones, by their headers' names; `Fault` as `check_digests`."""
    for header, made_one in made.items():
        digest = made_one.digest()
        if _decoded(declared[header], size=len(digest)) == digest:
            continue
        if header == "content-md5":
            raise Fault(None, "The Content-MD5 you specified did not match what we received.", code="BadDigest")
        name = header.removeprefix(PREFIX).upper()
        raise Fault(None, f"The {name} you specified did not match the calculated checksum.", code="BadDigest")


def _decoded(text: str, *, size: int) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != size:
        raise Fault(None, "The checksum or Content-MD5 you specified is not valid.", code="InvalidDigest")
    return digest


def _native(name: str, width: int) -> Checksum | None:
    """Begin a checksum of the AWS common runtime, where that is installed."""
    try:
        native = importlib.import_module("awscrt.checksums")
    except ImportError:
        return None
    return _Running(getattr(native, name), width)


class _Running:
    """A checksum that a function of the bytes and the value so far computes."""

    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step = step
        self._width = width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class _Crc:
    """A reflected CRC of 4 or 8 bytes, one step for as many bytes as it is wide."""

    def __init__(self, polynomial: int, width: int) -> None:
        self._width = width
        self._all = (1 << 8 * width) - 1
        self._value = self._all
        self._tables = _tables(polynomial, width)
        self._rest = b""

    def update(self, data: bytes, /) -> None:
        data = self._rest + data if self._rest else data
        whole = len(data) - len(data) % self._width
        self._rest = data[whole:]
        self._value = (self._eight if self._width == 8 else self._four)(data[:whole])  # noqa: PLR2004 - CRC-64

    def _eight(self, data: bytes) -> int:
        a, b, c, d = self._tables
        value = self._value
        for (word,) in struct.iter_unpack("<Q", data):
            value ^= word
            value = a[value & 0xFFFF] ^ b[value >> 16 & 0xFFFF] ^ c[value >> 32 & 0xFFFF] ^ d[value >> 48]
        return value

    def _four(self, data: bytes) -> int:
        a, b = self._tables
        value = self._value
        for (word,) in struct.iter_unpack("<I", data):
            value ^= word
            value = a[value & 0xFFFF] ^ b[value >> 16]
        return value

    def digest(self) -> bytes:
        value = self._value
        table = self._tables[-1]
        for byte in self._rest:
            # The last table advances by two bytes: one byte, shifted up, advances by itself.
            value = table[((value ^ byte) & 0xFF) << 8] ^ (value >> 8)
        return (value ^ self._all).to_bytes(self._width, "big")


@cache
def _tables(polynomial: int, width: int) -> tuple[list[int], ...]:
    """Give the remainders of each 16-bit word at each place of a step, the first place first."""
    single = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        single.append(value)
    tables: list[list[int]] = []
    last = [single[(single[word & 0xFF] ^ word >> 8) & 0xFF] ^ single[word & 0xFF] >> 8 for word in range(65536)]
    tables.append(last)
    while len(tables) < width // 2:
        before = tables[0]
        tables.insert(0, [last[value & 0xFFFF] ^ value >> 16 for value in before])
    return tuple(tables)
