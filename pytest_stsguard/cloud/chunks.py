"""Bodies that come in chunks of their own (``aws-chunked``): each signed, or none, with digests in a trailer behind them.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and, for trailers,
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.checksums import ALGORITHMS, PREFIX, Checksum, check_digests, checksum, compare
from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.request import Headers
from pytest_stsguard.cloud.spool import IN_MEMORY, Spool
from pytest_stsguard.cloud.verification import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.signature import Claim

__all__ = ["unwrapped"]

_STREAMING = "STREAMING-"
_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_HEAD = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_LONGEST_LINE = 1024
_LEAST_CHUNK = 8192
_MOST_TRAILERS = 8
_EMPTY = hashlib.sha256(b"").hexdigest()
_TRAILING = "The request contained trailing data that was not well-formed or did not conform to our published schema."
_REST = ("x-amz-decoded-content-length", "x-amz-trailer", "transfer-encoding", "content-encoding")


def unwrapped(request: Request, claim: Claim | None, secret: str | None) -> Request:
    """Give the request as its service is to see it: the chunks joined, every signature and digest verified.

    Raises:
        Fault: as S3 refuses a body that is cut short, is signed wrongly, or is not what its digests say.
    """
    _check_announced_algorithm(request)
    declared = request.headers.get("x-amz-content-sha256", "")
    if not declared.startswith(_STREAMING):
        check_digests(request)
        return request
    if declared not in {_SIGNED, _SIGNED_TRAILER, _UNSIGNED_TRAILER}:
        raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not verify payloads of the form {declared[:60]}")
    length = request.headers.get("x-amz-decoded-content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise Fault(None, "You must provide the Content-Length HTTP header.", code="MissingContentLength", status=411)
    signer = None
    if declared != _UNSIGNED_TRAILER:
        if claim is None or secret is None or claim.form != "header":
            raise Fault(Refusal.UNREADABLE, f"{declared} needs a signature in the Authorization header")
        signer = _ChunkSigner(claim, secret)
    return _Reader(request, signer, trailer=declared.endswith("TRAILER")).decoded(int(length))


def _check_announced_algorithm(request: Request) -> None:
    """Refuse a request that says by which algorithm it is summed, but nowhere the sum."""
    algorithm = request.headers.get("x-amz-sdk-checksum-algorithm", "").lower()
    if algorithm and PREFIX + algorithm not in request.headers and "x-amz-trailer" not in request.headers:
        raise Fault(
            None,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            code="InvalidRequest",
        )


def _too_small(number: int, size: int) -> Fault:
    """Refuse a body of which chunk `number` follows a small one: see "Signature calculations ... (chunked upload)"."""
    text = f"Only the last chunk is allowed to have a size less than {_LEAST_CHUNK} bytes"
    elements = {"Chunk": str(number), "BadChunkSize": str(size)}
    return Fault(None, text, code="InvalidChunkSizeError", status=403, elements=elements)


def _incomplete() -> Fault:
    return Fault(None, "The request body terminated unexpectedly", code="IncompleteBody")


class _ChunkSigner:
    """The chain of signatures: each goes over the one before, the first over the request's own."""

    def __init__(self, claim: Claim, secret: str) -> None:
        self._key = signing_key(claim, secret)
        self._scope = f"{claim.date[:8]}/{claim.region}/{claim.service}/aws4_request"
        self._date = claim.date
        self._last = claim.signature

    def check(self, signature: str, digest: str, *, trailer: bool = False) -> None:
        """Compare the signature of the next chunk, whose SHA-256 is `digest`."""
        kind = "AWS4-HMAC-SHA256-TRAILER" if trailer else "AWS4-HMAC-SHA256-PAYLOAD"
        parts = [kind, self._date, self._scope, self._last, *([] if trailer else [_EMPTY]), digest]
        expected = hmac.new(self._key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise Fault(Refusal.BAD_SIGNATURE)
        self._last = expected


class _Reader:
    """Takes one body apart."""

    def __init__(self, request: Request, signer: _ChunkSigner | None, *, trailer: bool) -> None:
        self._request = request
        self._signer = signer
        self._blocks = request.blocks()
        self._buffer = b""
        self._announced = self._announcement(trailer=trailer)
        self._sums: dict[str, Checksum] = {
            name: checksum(name.removeprefix(PREFIX)) for name in self._announced if name.startswith(PREFIX)
        }

    def _announcement(self, *, trailer: bool) -> tuple[str, ...]:
        text = self._request.headers.get("x-amz-trailer", "") if trailer else ""
        names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
        for name in names:
            if name.removeprefix(PREFIX) not in ALGORITHMS or len(names) > 1:
                raise Fault(Refusal.UNREADABLE, "The value specified in the x-amz-trailer header is not supported")
        return names

    def decoded(self, length: int) -> Request:
        sink = Spool() if length > IN_MEMORY else None
        held = bytearray()
        try:
            self._join(length, held.extend if sink is None else sink.write)
            trailers = self._trailers()
            compare(trailers, self._sums)
            joined = replace(self._request, body=bytes(held), spool=sink)
            check_digests(joined)
        except BaseException:
            if sink is not None:
                sink.close()
            raise
        return replace(joined, headers=self._headers(length, trailers))

    def _join(self, length: int, write: Callable[[bytes], None]) -> None:
        size = 0
        for data in self._data():
            size += len(data)
            if size > length:
                raise _incomplete()
            for each in self._sums.values():
                each.update(data)
            write(data)
        if size != length:
            raise _incomplete()

    def _data(self) -> Iterator[bytes]:
        """Give the data of all chunks; what a chunk's signature says is known when the chunk has been given."""
        size = _LEAST_CHUNK
        for number in count(1):
            head = _HEAD.fullmatch(self._line())
            if head is None or (self._signer is not None) != (head[2] is not None):
                raise _incomplete()
            left, digest = int(head[1], 16), hashlib.sha256()
            last = left == 0
            if size < _LEAST_CHUNK and not last:
                raise _too_small(number, size)
            size = left
            while left:
                data = self._take(left)
                if self._signer is not None:
                    digest.update(data)
                left -= len(data)
                yield data
            if self._signer is not None:
                self._signer.check(head[2].decode(), digest.hexdigest())
            if last:
                return
            if self._line() != b"\r\n":
                raise _incomplete()

    def _trailers(self) -> dict[str, str]:
        """Read what stands behind the last chunk: the announced headers, their signature, an empty line."""
        found: dict[str, str] = {}
        text = b""
        for _ in range(_MOST_TRAILERS):
            if not self._more():
                break
            line = self._line()
            if line == b"\r\n":
                break
            name, separator, value = line.rstrip(b"\r\n").partition(b":")
            key = name.decode("latin-1").strip().lower()
            if not separator or key in found or key not in {*self._announced, "x-amz-trailer-signature"}:
                raise Fault(None, _TRAILING, code="MalformedTrailerError")
            found[key] = value.decode("latin-1").strip()
            if key in self._announced:
                text += f"{key}:{found[key]}\n".encode("latin-1")
        if self._more() or not set(self._announced) <= found.keys():
            raise Fault(None, _TRAILING, code="MalformedTrailerError")
        signature = found.pop("x-amz-trailer-signature", None)
        if self._signer is not None and self._announced:
            if signature is None:
                raise Fault(None, _TRAILING, code="MalformedTrailerError")
            self._signer.check(signature, hashlib.sha256(text).hexdigest(), trailer=True)
        return found

    def _headers(self, length: int, trailers: dict[str, str]) -> Headers:
        headers = Headers((name, text) for name, text in self._request.headers.items() if name not in _REST)
        codings = [each.strip() for each in self._request.headers.get("content-encoding", "").split(",")]
        kept = ",".join(each for each in codings if each and each.lower() != "aws-chunked")
        if kept:
            headers["content-encoding"] = kept
        headers |= {"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "content-length": str(length), **trailers}
        for name in trailers:
            headers.setdefault("x-amz-sdk-checksum-algorithm", name.removeprefix(PREFIX).upper())
        return headers

    def _more(self) -> bool:
        while not self._buffer:
            block = next(self._blocks, None)
            if block is None:
                return False
            self._buffer = block
        return True

    def _take(self, most: int) -> bytes:
        if not self._more():
            raise _incomplete()
        data, self._buffer = self._buffer[:most], self._buffer[most:]
        return data

    def _line(self) -> bytes:
        line = b""
        while self._more():
            end = self._buffer.find(b"\n") + 1
            line += self._take(end or len(self._buffer))
            if end or len(line) > _LONGEST_LINE:
                break
        if not line.endswith(b"\r\n") or len(line) > _LONGEST_LINE:
            raise _incomplete()
        return line
