"""S3 objects that are too large for memory: moto's own store, filled from files and read from files.

moto keeps an object in a temporary file, but takes and gives its content as bytes. While a cloud with S3 is open, a large
body goes into that file, and comes out of it, in pieces; everything else of S3 stays moto's.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.checksums import checksum
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.spool import IN_MEMORY, Spool, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.signature import Claim

__all__ = ["admit_large", "check_length", "install", "transfer", "uninstall"]

_UPLOADS = frozenset({"PutObject", "UploadPart"})
_READING = frozenset({"GetObject", "CopyObject", "UploadPartCopy"})
_LARGEST_ELSEWHERE = 128 * 1024 * 1024
_LEAST_PART = 5 * 1024 * 1024
_LOCAL = threading.local()
_ORIGINAL: dict[str, Any] = {}
_LOCK = threading.Lock()


def admit_large(request: Request, claim: Claim | None) -> Request:
    """Leave a large body in its file where it may be an object's, else take it into memory, up to 128 MB.

    Raises:
        Fault: ``RequestEntityTooLarge`` (413).
    """
    if request.spool is None or (request.method == "PUT" and (claim is None or claim.service == "s3")):
        return request
    if request.size > _LARGEST_ELSEWHERE:
        raise Fault(None, "The request is too large", code="RequestEntityTooLarge", status=413)
    return request.whole()


def check_length(request: Request, call: Call) -> None:
    """Refuse a large body of a call that uploads nothing, and an upload that does not say how long it is.

    "List of error codes" of Amazon S3's API reference; aws-chunked bodies say their length in a header of their own.
    """
    if call.operation in {"PutObject", "UploadPart"} and "x-amz-decoded-content-length" not in request.headers:
        if "transfer-encoding" in request.headers:
            text = "A header you provided implies functionality that is not implemented"
            raise Fault(None, text, code="NotImplemented", status=501, elements={"Header": "Transfer-Encoding"})
        if "content-length" not in request.headers:
            text = "You must provide the Content-Length HTTP header."
            raise Fault(None, text, code="MissingContentLength", status=411)
    if request.spool is not None and call.operation not in _UPLOADS:
        raise Fault(None, "Your proposed upload exceeds the maximum allowed size", code="EntityTooLarge")


@contextmanager
def transfer(request: Request, call: Call) -> Iterator[None]:
    """Let moto, in this thread, take the large body of `request`, and give a large object as a `View`."""
    _LOCAL.incoming = request.spool
    _LOCAL.reading = call.operation in _READING
    try:
        yield
    finally:
        _LOCAL.incoming = None
        _LOCAL.reading = False


def install() -> None:
    """Make moto's objects take and give files; a second call does nothing."""
    from moto.s3.models import FakeKey, FakeMultipart  # noqa: PLC0415 - moto's S3 comes with the first call to it

    with _LOCK:
        if _ORIGINAL:
            return
        _ORIGINAL["value"] = FakeKey.__dict__["value"]
        _ORIGINAL["complete"] = FakeMultipart.complete
        FakeKey.value = property(_value, _store)
        FakeMultipart.complete = _complete


def uninstall() -> None:
    """Give moto its own ways back."""
    with _LOCK:
        if not _ORIGINAL:
            return
        from moto.s3.models import FakeKey, FakeMultipart  # noqa: PLC0415 - as above

        FakeKey.value = _ORIGINAL["value"]
        FakeMultipart.complete = _ORIGINAL["complete"]
        _ORIGINAL.clear()


def _value(key: Any) -> Any:
    """Give an object's content: bytes, or a view while a large one is read."""
    if not getattr(_LOCAL, "reading", False) or key.contentsize <= IN_MEMORY:
        return _own("value").fget(key)
    return _view(key)


def _view(key: Any) -> View:
    with key.lock:
        key._value_buffer.flush()  # noqa: SLF001 - moto's own store, as the module says
        return View(key._value_buffer.fileno(), 0, key.contentsize)  # noqa: SLF001 - as above


def _store(key: Any, content: Any) -> None:
    """Take an object's content: bytes, a file that was filled for it, or a view of another object."""
    incoming = getattr(_LOCAL, "incoming", None)
    if isinstance(content, View):
        content = _copied(content)
    elif content == b"" and incoming is not None:
        content, _LOCAL.incoming = incoming, None
    if not isinstance(content, Spool):
        _own("value").fset(key, content)
        return
    key._value_buffer.close()  # noqa: SLF001 - as above
    key._value_buffer = content.keep()  # noqa: SLF001 - as above
    key.contentsize = content.size
    if key._etag is None:  # noqa: SLF001 - moto would compute it under the feet of a reader
        digest = hashlib.md5(usedforsecurity=False)
        for block in content.view():
            digest.update(block)
        key._etag = digest.hexdigest()  # noqa: SLF001 - as above


def _copied(view: View) -> Spool | bytes:
    if len(view) <= IN_MEMORY:
        return bytes(view)
    spool = Spool()
    for block in view:
        spool.write(block)
    return spool


def _own(name: str) -> Any:
    """Give moto's own way; a key that outlives the cloud finds it on its class again."""
    if name in _ORIGINAL:
        return _ORIGINAL[name]
    from moto.s3.models import FakeKey  # noqa: PLC0415 - as above

    return FakeKey.__dict__[name]


def _complete(multipart: Any, body: Any) -> Any:
    """Join the parts of a large upload in a file, by moto's rules."""
    from moto.s3.exceptions import EntityTooSmall, InvalidPart  # noqa: PLC0415 - as above

    named = list(body)
    parts = [multipart.parts.get(number) for number, _ in named]
    if sum(part.contentsize for part in parts if part is not None) <= IN_MEMORY:
        return _ORIGINAL["complete"](multipart, iter(named))
    for part, (_, etag) in zip(parts, named, strict=True):
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise InvalidPart
    if any(part.contentsize < _LEAST_PART for part in parts[:-1]):
        raise EntityTooSmall
    algorithm = (multipart.metadata.get("x-amz-checksum-algorithm") or "").lower()
    kind = multipart.metadata.get("x-amz-checksum-type") or ("FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")
    whole = checksum(algorithm) if algorithm else None
    spool = Spool()
    for part in parts:
        own = checksum(algorithm) if algorithm and kind == "COMPOSITE" else None
        for block in _view(part):
            spool.write(block)
            if own is not None:
                own.update(block)
            elif whole is not None:
                whole.update(block)
        if own is not None and whole is not None:
            whole.update(own.digest())
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    return spool, etag, _details(whole, kind, len(parts))


def _details(whole: Any, kind: str, count: int) -> tuple[str, str, int] | None:
    if whole is None:
        return None
    return kind, base64.b64encode(whole.digest()).decode(), count if kind == "COMPOSITE" else 1
