"""Bodies in chunks of their own: AWS's published examples, uploads made by hand, and each way to get one wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_stsguard.cloud.chunks import unwrapped
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.request import Headers, Request
from pytest_stsguard.cloud.signature import Claim
from pytest_stsguard.cloud.spool import IN_MEMORY, Spool

if TYPE_CHECKING:
    from collections.abc import Callable

BUCKET = "of-the-wire"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CHUNKS = (b"a" * 65536, b"a" * 1024, b"")


def documented(kind: str, seed: str, signatures: tuple[str, ...], trailer: bytes = b"", **headers: str) -> Any:
    """Build the upload of AWS's documentation: 65 KB and 1 KB of the letter a, signed on 24 May 2013."""
    body = b"".join(
        f"{len(data):x};chunk-signature={signature}\r\n".encode() + data + (b"\r\n" if data else b"")
        for data, signature in zip(CHUNKS, signatures, strict=True)
    )
    body += trailer or b"\r\n"
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    all_headers = Headers({"x-amz-content-sha256": kind, "x-amz-decoded-content-length": "66560", **names})
    claim = Claim("header", "AKIAIOSFODNN7EXAMPLE", seed, None, "20130524T000000Z", "us-east-1", "s3")
    return Request("PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt", all_headers, body), claim


SIGNED = documented(
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
    (
        "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
        "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
        "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
    ),
)
TRAILED = documented(
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
    (
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ),
    b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
    x_amz_trailer="x-amz-checksum-crc32c",
)


@pytest.mark.parametrize("example", [SIGNED, TRAILED], ids=["signed", "trailer"])
def test_the_examples_of_the_documentation_are_true(example: Any) -> None:
    request, claim = example
    whole = unwrapped(request, claim, SECRET)
    assert whole.body == b"a" * 66560
    assert whole.headers["content-length"] == "66560"
    assert "x-amz-decoded-content-length" not in whole.headers


@pytest.mark.parametrize("example", [SIGNED, TRAILED], ids=["signed", "trailer"])
@pytest.mark.parametrize("place", [100, 66_000, -150, -60])
def test_one_other_byte_in_the_examples_is_noticed(example: Any, place: int) -> None:
    request, claim = example
    body = bytearray(request.body)
    body[place] ^= 1
    with pytest.raises(Fault) as refused:
        unwrapped(replace(request, body=bytes(body)), claim, SECRET)
    assert refused.value.refusal is not None or refused.value.code in {
        "BadDigest", "IncompleteBody", "MalformedTrailerError", "InvalidDigest"
    }  # fmt: skip


def test_a_large_upload_goes_through_a_file() -> None:
    data = b"0123456789abcdef" * (IN_MEMORY // 16 + 10)
    spool = Spool()
    for at in range(0, len(data), 1 << 20):
        piece = data[at : at + (1 << 20)]
        spool.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    spool.write(b"0\r\nx-amz-checksum-crc32:" + crc32(data).encode() + b"\r\n\r\n")
    headers = Headers(
        {
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": str(len(data)),
            "x-amz-trailer": "x-amz-checksum-crc32",
        }
    )
    whole = unwrapped(Request("PUT", "https://s3.amazonaws.com/b/k", headers, spool=spool), None, None)
    spool.close()
    assert whole.spool is not None
    assert whole.body == b""
    assert hashlib.sha256(b"".join(whole.blocks())).digest() == hashlib.sha256(data).digest()
    whole.spool.close()


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def upload(wire: Any, *chunks: bytes, sign: Callable[[int, str], str] = lambda _, own: own, **more: Any) -> Request:
    """Make an upload in signed chunks by hand; `sign` may tamper with the signature of a chunk, by its number."""
    signer = wire.signer()
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    length = sum(map(len, chunks))
    headers = {"content_encoding": "aws-chunked", "x_amz_decoded_content_length": str(length), **more}
    request, last = signer.request("PUT", f"/{BUCKET}/chunked", payload=kind, **headers)
    body = b""
    for number, data in enumerate((*chunks, b"")):
        digests = f"{hashlib.sha256(b'').hexdigest()}\n{hashlib.sha256(data).hexdigest()}"
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{signer.stamp}\n{signer.scope}\n{last}\n{digests}"
        last = hmac.new(signer.key, text.encode(), hashlib.sha256).hexdigest()
        body += f"{len(data):x};chunk-signature={sign(number, last)}\r\n".encode() + data + b"\r\n"
    return replace(request, body=body)


def test_an_upload_by_hand_is_stored_without_its_chunks(wire: Any) -> None:
    response = wire.send(upload(wire, b"one " * 3000, b"two"))
    assert response.status == 200, response.body
    assert wire.stored("chunked") == b"one " * 3000 + b"two"
    head = wire.cloud.client("s3").head_object(Bucket=BUCKET, Key="chunked")
    assert "ContentEncoding" not in head or "aws-chunked" not in head["ContentEncoding"]


@pytest.mark.parametrize(("size", "status"), [(8192, 200), (8191, 403)])
def test_only_the_last_chunk_may_be_small(wire: Any, size: int, status: int) -> None:
    # "The chunk size must be at least 8 KB", sigv4-streaming.html.
    response = wire.send(upload(wire, b"x" * 9000, b"y" * size, b"end"))
    assert response.status == status
    told = b"<Code>InvalidChunkSizeError</Code>" in response.body
    assert told == (status == 403)
    assert (b"<Chunk>3</Chunk><BadChunkSize>8191</BadChunkSize>" in response.body) == told


@pytest.mark.parametrize("number", [0, 1, 2])
def test_each_chunk_has_to_be_signed(wire: Any, number: int) -> None:
    forged = upload(wire, b"one " * 3000, b"two", sign=lambda at, own: "0" * 64 if at == number else own)
    response = wire.send(forged)
    assert response.status == 403
    assert b"SignatureDoesNotMatch" in response.body


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body[:-20], "IncompleteBody"),
        (lambda body: body[: len(body) // 2], "IncompleteBody"),
        (lambda body: b"", "IncompleteBody"),
        (lambda body: b"zz" + body, "IncompleteBody"),
        (lambda body: body.replace(b";chunk-signature=", b";other="), "IncompleteBody"),
        (lambda body: body + b"more", "MalformedTrailerError"),
        (lambda body: body + b"x-amz-meta-a:b\r\n\r\n", "MalformedTrailerError"),
    ],
)
def test_a_body_that_is_not_whole_is_refused(wire: Any, change: Callable[[bytes], bytes], code: str) -> None:
    request = upload(wire, b"data")
    response = wire.send(replace(request, body=change(request.body)))
    assert (response.status, code.encode() in response.body) == (400, True), response.body


def test_the_length_that_is_announced_is_the_length_that_is_taken(wire: Any) -> None:
    response = wire.send(upload(wire, b"data", x_amz_decoded_content_length="5"))
    assert (response.status, b"IncompleteBody" in response.body) == (400, True)
    response = wire.send(upload(wire, b"data", x_amz_decoded_content_length="many"))
    assert (response.status, b"MissingContentLength" in response.body) == (411, True)


def unsigned(wire: Any, body: bytes, length: int, trailer: str) -> Any:
    kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    request, _ = wire.signer().request(
        "PUT", f"/{BUCKET}/trailed", payload=kind, body=body,
        x_amz_decoded_content_length=str(length), x_amz_trailer=trailer,
    )  # fmt: skip
    return wire.send(request)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("crc32", "y/Q5Jg=="),
        ("crc32c", "4waSgw=="),
        ("crc64nvme", "rosUhgp5mIg="),
        ("sha1", base64.b64encode(hashlib.sha1(b"123456789").digest()).decode()),
        ("sha256", base64.b64encode(hashlib.sha256(b"123456789").digest()).decode()),
    ],
)
def test_a_trailing_checksum_is_computed(wire: Any, algorithm: str, digest: str) -> None:
    name = f"x-amz-checksum-{algorithm}"
    good = unsigned(wire, f"9\r\n123456789\r\n0\r\n{name}:{digest}\r\n\r\n".encode(), 9, name)
    assert good.status == 200, good.body
    assert wire.stored("trailed") == b"123456789"
    bad = unsigned(wire, f"9\r\n123456780\r\n0\r\n{name}:{digest}\r\n\r\n".encode(), 9, name)
    assert (bad.status, b"BadDigest" in bad.body) == (400, True)
    none = unsigned(wire, b"9\r\n123456789\r\n0\r\n\r\n", 9, name)
    assert (none.status, b"MalformedTrailerError" in none.body) == (400, True)


def test_a_trailer_of_another_kind_is_refused(wire: Any) -> None:
    response = unsigned(wire, b"1\r\na\r\n0\r\nx-amz-meta-a:b\r\n\r\n", 1, "x-amz-meta-a")
    assert (response.status, b"x-amz-trailer" in response.body) == (400, True)


def test_a_digest_in_a_header_is_compared(wire: Any) -> None:
    right = base64.b64encode(hashlib.md5(b"body").digest()).decode()
    for headers, code in [
        ({"content_md5": right}, None),
        ({"content_md5": base64.b64encode(b"0" * 16).decode()}, b"BadDigest"),
        ({"content_md5": "no digest"}, b"InvalidDigest"),
        ({"x_amz_checksum_crc32": crc32(b"body")}, None),
        ({"x_amz_checksum_crc32": crc32(b"other")}, b"BadDigest"),
        ({"x_amz_sdk_checksum_algorithm": "CRC32"}, b"InvalidRequest"),
    ]:
        request, _ = wire.signer().request(
            "PUT", f"/{BUCKET}/digest", payload="UNSIGNED-PAYLOAD", body=b"body", **headers
        )
        response = wire.send(request)
        assert (response.status, code is None or code in response.body) == (200 if code is None else 400, True)
