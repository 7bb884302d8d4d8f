"""What a request's signature claims, and whether the claim is true.

Three forms: SigV4 in the Authorization header, SigV4 in the query string (presigned), and S3's older SigV2 in the query
string, which boto3 still uses for presigned URLs in us-east-1. The mathematics are botocore's own signers. Signatures stay
on the wall clock, since clients sign with it; see "Signature Version 4" and "Authenticating requests (Signature Version
2)" in AWS's references.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from botocore.auth import HmacV1QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as Keys

from pytest_stsguard.cloud.faults import Fault, Refusal

if TYPE_CHECKING:
    from pytest_stsguard.cloud.request import Request

__all__ = ["Claim", "claim_of", "signature_keys", "verify"]

_SKEW = timedelta(minutes=15)
_LONGEST_PRESIGNED = 604_800
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_STAMP = "%Y%m%dT%H%M%SZ"
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]+)\s*"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says of itself; nothing of it is verified yet."""

    form: str
    access_key_id: str
    signature: str
    token: str | None = None
    date: str = ""
    region: str | None = None
    service: str | None = None
    signed_headers: tuple[str, ...] = ()
    expires: int | None = None


def claim_of(request: Request) -> Claim | None:
    """Read the claim of a request; None for an unsigned one, `Fault` for one that cannot be read."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _header_claim(request, authorization)
    if "X-Amz-Algorithm" in request.query:
        return _query_claim(request)
    if "AWSAccessKeyId" in request.query and "Signature" in request.query:
        query = request.query
        token = query.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
        expires = _number(query.get("Expires", ""))
        return Claim("s3v2", query["AWSAccessKeyId"], query["Signature"], token=token, service="s3", expires=expires)
    return None


def _header_claim(request: Request, authorization: str) -> Claim:
    match = _HEADER.fullmatch(authorization)
    if match is None:
        raise Fault(Refusal.UNREADABLE, "Authorization header is not an AWS4-HMAC-SHA256 signature")
    scope, headers, signature = match.groups()
    key, date, region, service = _scope(scope)
    stamp = request.headers.get("x-amz-date") or ""
    if not stamp.startswith(date):
        raise Fault(
            Refusal.BAD_SIGNATURE, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
        )
    token = request.headers.get("x-amz-security-token")
    return Claim("header", key, signature, token, stamp, region, service, tuple(headers.lower().split(";")))


def _query_claim(request: Request) -> Claim:
    query = request.query
    missing = {
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Expires",
    } - query.keys()
    if missing or query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
        names = ", ".join(sorted(missing)) or "X-Amz-Algorithm"
        raise Fault(Refusal.UNREADABLE, f"Query-string authentication version 4 requires a valid {names}")
    key, date, region, service = _scope(query["X-Amz-Credential"])
    if not query["X-Amz-Date"].startswith(date):
        raise Fault(
            Refusal.BAD_SIGNATURE, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
        )
    return Claim(
        "query",
        key,
        query["X-Amz-Signature"],
        query.get("X-Amz-Security-Token"),
        query["X-Amz-Date"],
        region,
        service,
        tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        _number(query["X-Amz-Expires"]),
    )


def _scope(text: str) -> tuple[str, str, str, str]:
    parts = text.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(parts):  # noqa: PLR2004 - the five parts of a scope
        raise Fault(Refusal.UNREADABLE, "Credential should be scoped to a valid region and service")
    return parts[0], parts[1], parts[2], parts[3]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Fault(Refusal.UNREADABLE, f"Invalid expiry `{text[:40]}` in the query string") from None


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Check that `claim` was made with `secret`, over this very request, in time; `Fault` when not."""
    if claim.form == "s3v2":
        _verify_v2(request, claim, secret)
        return
    _check_time(claim)
    keys = Keys(claim.access_key_id, secret, claim.token)
    signer = (_S3Verifier if claim.service == "s3" else _Verifier)(keys, claim.service or "", claim.region or "")
    _check_payload(request, claim)
    expected = signer.expected(request, claim)
    if not hmac.compare_digest(expected, claim.signature):
        raise Fault(Refusal.BAD_SIGNATURE)


def signature_keys(request: Request, claim: Claim) -> dict[str, str | list[str]]:
    """Give S3's condition keys about the signature itself: its form, version, age (milliseconds), and payload digest.

    See "Bucket policy examples using condition keys": s3:authType, s3:signatureversion, s3:signatureAge.
    """
    keys: dict[str, str | list[str]] = {
        "s3:authType": "REST-HEADER" if claim.form == "header" else "REST-QUERY-STRING",
        "s3:signatureversion": "AWS" if claim.form == "s3v2" else "AWS4-HMAC-SHA256",
    }
    if claim.date:
        signed_at = datetime.strptime(claim.date, _STAMP).replace(tzinfo=UTC)
        keys["s3:signatureAge"] = str(max(0, int((datetime.now(UTC) - signed_at).total_seconds() * 1000)))
    digest = request.headers.get("x-amz-content-sha256")
    if digest is not None:
        keys["s3:x-amz-content-sha256"] = digest
    return keys


def _check_time(claim: Claim) -> None:
    try:
        signed_at = datetime.strptime(claim.date, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Fault(
            Refusal.BAD_SIGNATURE, "X-Amz-Date must be in the ISO8601 Long Format yyyyMMdd'T'HHmmss'Z'"
        ) from None
    now = datetime.now(UTC)
    if claim.form == "query":
        if not 0 < (claim.expires or 0) <= _LONGEST_PRESIGNED:
            raise Fault(
                None, "X-Amz-Expires must be between 1 and 604800 seconds", code="AuthorizationQueryParametersError"
            )
        if now > signed_at + timedelta(seconds=claim.expires or 0):
            raise Fault(Refusal.ACCESS_DENIED if claim.service == "s3" else Refusal.SKEWED, "Request has expired")
        if now < signed_at - _SKEW:
            raise Fault(Refusal.SKEWED)
    elif abs(now - signed_at) > _SKEW:
        raise Fault(Refusal.SKEWED)


def _check_payload(request: Request, claim: Claim) -> None:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is None or claim.form == "query":
        if claim.service == "s3" and claim.form == "header":
            raise Fault(Refusal.UNREADABLE, "Missing required header for this request: x-amz-content-sha256")
        return
    if _HEX_DIGEST.fullmatch(declared):
        if hashlib.sha256(request.body).hexdigest() != declared:
            raise Fault(
                None,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                code="XAmzContentSHA256Mismatch",
            )
    elif declared not in {_UNSIGNED_PAYLOAD, _UNSIGNED_TRAILER}:
        raise Fault(Refusal.NOT_SIMULATED, f"stsguard does not simulate the payload signature {declared[:60]}")


class _Verifier(SigV4Auth):
    """botocore's signer, turned round: the headers are those that the client says it signed."""

    def expected(self, request: Request, claim: Claim) -> str:
        headers: Any = HTTPHeaders()
        for name in claim.signed_headers:
            headers[name] = request.headers.get(name, request.host if name == "host" else "")
        signed = AWSRequest(method=request.method, url=_canonical_url(request), headers=headers, data=request.body)
        signed.context["timestamp"] = claim.date
        self._body = self._payload_of(request, claim)
        return str(self.signature(self.string_to_sign(signed, self.canonical_request(signed)), signed))

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers

    def payload(self, request: AWSRequest) -> str:  # noqa: ARG002 - botocore's signature
        return self._body

    def _payload_of(self, request: Request, claim: Claim) -> str:
        if claim.form == "query" and claim.service == "s3":
            return _UNSIGNED_PAYLOAD
        declared = request.headers.get("x-amz-content-sha256") if claim.form == "header" else None
        return declared or hashlib.sha256(request.body).hexdigest()


class _S3Verifier(_Verifier):
    """S3 takes the path as it is."""

    def _normalize_url_path(self, path: str) -> str:
        return path


def _canonical_url(request: Request) -> str:
    """Encode the query as AWS does before it sorts it, without the signature itself."""
    parts = request.split
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs if name != "X-Amz-Signature"
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


class _V2Verifier(HmacV1QueryAuth):
    """botocore's SigV2 signer with the moment of expiry that the client wrote."""

    def __init__(self, credentials: Keys, moment: int) -> None:
        super().__init__(credentials)
        self._moment = moment

    def _get_date(self) -> str:
        return str(self._moment)


def _verify_v2(request: Request, claim: Claim, secret: str) -> None:
    expires = claim.expires or 0
    headers: Any = HTTPHeaders()
    for name in ("content-md5", "content-type"):
        if name in request.headers:
            headers[name] = request.headers[name]
    amz = {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}
    amz |= {name: value for name, value in request.query.items() if name.startswith("x-amz-")}
    for name, value in amz.items():
        headers[name] = value
    signer = _V2Verifier(Keys(claim.access_key_id, secret, claim.token), expires)
    candidates = [request.path, *_bucket_paths(request)]
    for path in candidates:
        split = urlsplit(request.url)._replace(path=path)
        if hmac.compare_digest(signer.get_signature(request.method, split, headers), claim.signature):
            break
    else:
        raise Fault(Refusal.BAD_SIGNATURE)
    if datetime.now(UTC).timestamp() > expires:
        raise Fault(Refusal.ACCESS_DENIED, "Request has expired")


def _bucket_paths(request: Request) -> list[str]:
    """The path with the bucket before it, for a bucket that the client put into the host's name."""
    host = request.host.rsplit(":", 1)[0]
    bucket = re.match(r"(.+)\.s3[.-]|(.+)\.localhost$", host)
    return [f"/{bucket.group(1) or bucket.group(2)}{request.path}"] if bucket else []
