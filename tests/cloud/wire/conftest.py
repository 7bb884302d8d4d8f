"""One small cloud for all tests of a module: none of them changes what another looks at."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from pytest_stsguard.cloud import Cloud
from pytest_stsguard.cloud.request import Headers, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_stsguard.cloud.request import Response

BUCKET = "of-the-wire"
EMPTY = hashlib.sha256(b"").hexdigest()


def key_for(secret: str, day: str, region: str, service: str) -> bytes:
    """Derive a signing key by hand, as AWS documents it."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@dataclass
class Signer:
    """SigV4 by hand, step by step: nothing of botocore's is in it."""

    cloud: Cloud
    service: str = "s3"
    region: str = "us-east-1"
    stamp: str = ""

    def __post_init__(self) -> None:
        self.stamp = self.stamp or datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.key = key_for(self.cloud.admin.secret_access_key, self.stamp[:8], self.region, self.service)

    @property
    def scope(self) -> str:
        return f"{self.stamp[:8]}/{self.region}/{self.service}/aws4_request"

    def request(
        self,
        method: str,
        path: str,
        *,
        payload: str = EMPTY,
        body: bytes = b"",
        host: str | None = None,
        sign: Any = None,
        **headers: str,
    ) -> tuple[Request, str]:
        """Sign and give the request with its signature; `sign` names the headers to sign, by default all."""
        host = host or f"{self.service}.{self.region}.amazonaws.com"
        named = {name.replace("_", "-").lower(): text for name, text in headers.items()}
        all_headers = {"host": host, "x-amz-date": self.stamp, **named}
        if self.service == "s3":
            all_headers["x-amz-content-sha256"] = payload
        signed = sorted(all_headers if sign is None else sign)
        bare, _, query = path.partition("?")
        canonical = "\n".join(
            [method, quote(bare, safe="/~-._%"), query, *(f"{name}:{all_headers[name]}" for name in signed), "",
             ";".join(signed), payload]
        )  # fmt: skip
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        signature = mac(self.key, f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n{digest}")
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={self.cloud.admin.access_key_id}/{self.scope}, "
            f"SignedHeaders={';'.join(signed)}, Signature={signature}"
        )
        made = Headers({**all_headers, "authorization": authorization, "content-length": str(len(body))})
        return Request(method, f"https://{host}{path}", made, body), signature


@dataclass
class Wire:
    """A cloud with a bucket, and what a client on the wire sends to it."""

    cloud: Cloud

    def signer(self, **more: Any) -> Signer:
        return Signer(self.cloud, **more)

    def send(self, request: Request) -> Response:
        return self.cloud.gate.handle(request)

    def stored(self, key: str) -> bytes:
        data: bytes = self.cloud.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return data


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Cloud(world="empty") as cloud:
        cloud.client("s3").create_bucket(Bucket=BUCKET)
        yield Wire(cloud)
