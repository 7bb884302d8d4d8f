"""Bodies that are too large for memory go up, down, and from part to object through files."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_stsguard.cloud.request import Headers
from pytest_stsguard.cloud.spool import Spool

BUCKET = "of-the-wire"
MB = 1024 * 1024
DATA = hashlib.sha256(b"seed").digest() * (6 * MB // 32) + b"end"


def body_of(wire: Any, **more: Any) -> bytes:
    data: bytes = wire.cloud.client("s3").get_object(Bucket=BUCKET, **more)["Body"].read()
    return data


@pytest.fixture(scope="module")
def large(wire: Any) -> Any:
    wire.cloud.client("s3").put_object(Bucket=BUCKET, Key="large", Body=DATA, Metadata={"of": "me"})
    return wire


def test_what_went_up_comes_down(large: Any) -> None:
    got = large.cloud.client("s3").get_object(Bucket=BUCKET, Key="large")
    assert got["Body"].read() == DATA
    assert got["ContentLength"] == len(DATA)
    assert got["ETag"] == f'"{hashlib.md5(DATA).hexdigest()}"'
    assert got["Metadata"] == {"of": "me"}


@pytest.mark.parametrize(
    ("range_", "expected"),
    [
        ("bytes=0-9", DATA[:10]),
        ("bytes=-3", b"end"),
        ("bytes=6291450-", DATA[6291450:]),
        ("bytes=5-99999999", DATA[5:]),
    ],
)
def test_a_range_of_a_large_object(large: Any, range_: str, expected: bytes) -> None:
    assert body_of(large, Key="large", Range=range_) == expected


def test_a_range_beyond_the_end_is_refused(large: Any) -> None:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="InvalidRange"):
        body_of(large, Key="large", Range="bytes=99999999-")


def test_a_reader_keeps_what_it_reads_when_the_object_is_replaced(large: Any) -> None:
    s3 = large.cloud.client("s3")
    s3.put_object(Bucket=BUCKET, Key="replaced", Body=DATA)
    reading = s3.get_object(Bucket=BUCKET, Key="replaced")["Body"]
    assert reading.read(10) == DATA[:10]
    s3.put_object(Bucket=BUCKET, Key="replaced", Body=b"short")
    assert reading.read() == DATA[10:]
    assert body_of(large, Key="replaced") == b"short"


def test_a_copy_is_a_copy(large: Any) -> None:
    s3 = large.cloud.client("s3")
    s3.copy_object(Bucket=BUCKET, Key="copied", CopySource={"Bucket": BUCKET, "Key": "large"})
    s3.put_object(Bucket=BUCKET, Key="large-2", Body=b"other")
    assert body_of(large, Key="copied") == DATA


@pytest.mark.parametrize(("algorithm", "kind"), [(None, None), ("CRC32", "FULL_OBJECT"), ("SHA256", "COMPOSITE")])
def test_parts_become_an_object(large: Any, algorithm: str | None, kind: str | None) -> None:
    s3 = large.cloud.client("s3")
    more = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    created = {**more, "ChecksumType": kind} if kind else {}
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="joined", **created)["UploadId"]
    pieces = (DATA[: 5 * MB], DATA[5 * MB :])
    where = {"Bucket": BUCKET, "Key": "joined", "UploadId": upload}
    parts = []
    for number, piece in enumerate(pieces, 1):
        done = s3.upload_part(**where, PartNumber=number, Body=io.BytesIO(piece), **more)
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    md5s = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-2"'
    assert body_of(large, Key="joined") == DATA
    head = s3.head_object(Bucket=BUCKET, Key="joined", ChecksumMode="ENABLED")
    if algorithm == "SHA256":
        digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
        assert head["ChecksumSHA256"].startswith(base64.b64encode(hashlib.sha256(digests).digest()).decode())
    if algorithm == "CRC32":
        assert head["ChecksumCRC32"] == base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()


def test_a_part_that_is_none_is_refused(large: Any) -> None:
    from botocore.exceptions import ClientError

    s3 = large.cloud.client("s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="broken")["UploadId"]
    where = {"Bucket": BUCKET, "Key": "broken", "UploadId": upload}
    etag = s3.upload_part(**where, PartNumber=1, Body=DATA)["ETag"]
    for parts, code in [
        ([{"PartNumber": 1, "ETag": '"other"'}], "InvalidPart"),
        ([{"PartNumber": 1, "ETag": etag}, {"PartNumber": 2, "ETag": etag}], "InvalidPart"),
    ]:
        with pytest.raises(ClientError, match=code):
            s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})


def test_only_an_object_may_be_large(large: Any) -> None:
    spool = Spool()
    spool.write(DATA)
    policy, _ = large.signer().request("PUT", f"/{BUCKET}?policy=", payload="UNSIGNED-PAYLOAD")
    answer = large.send(replace(policy, spool=spool))
    assert (answer.status, b"EntityTooLarge" in answer.body) == (400, True)
    # Elsewhere it is read into memory, and refused there by its signature.
    other, _ = large.signer(service="dynamodb").request("POST", "/", x_amz_target="DynamoDB_20120810.ListTables")
    answer = large.send(replace(other, spool=spool))
    assert (answer.status, b"InvalidSignatureException" in answer.body) == (400, True)
    spool.close()


def test_who_may_not_upload_may_not_upload_much(large: Any) -> None:
    from botocore.exceptions import ClientError

    large.cloud.client("iam").create_user(UserName="small")
    nobody = large.cloud.user_credentials("small").session().client("s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.put_object(Bucket=BUCKET, Key="large", Body=io.BytesIO(DATA[::-1]))
    assert body_of(large, Key="large") == DATA


STREAM = Path(__file__).with_name("stream.py")


def test_a_quarter_of_a_gigabyte_leaves_memory_alone() -> None:
    done = subprocess.run([sys.executable, str(STREAM), "256"], capture_output=True, text=True, check=True, timeout=120)
    measured = json.loads(done.stdout)
    assert measured["down"] == measured["up"] == 256 * MB
    assert measured["grown_mb"] < 100


@pytest.mark.parametrize(
    ("named", "status", "code"),
    [({}, 411, "MissingContentLength"), ({"transfer-encoding": "chunked"}, 501, "NotImplemented")],
)
def test_an_upload_says_how_long_it_is(wire: Any, named: dict[str, str], status: int, code: str) -> None:
    request, _ = wire.signer().request("PUT", f"/{BUCKET}/unmeasured", payload="UNSIGNED-PAYLOAD")
    kept = {name: text for name, text in request.headers.items() if name != "content-length"}
    answer = wire.send(replace(request, headers=Headers({**kept, **named})))
    assert (answer.status, f"<Code>{code}</Code>" in answer.body.decode()) == (status, True)
