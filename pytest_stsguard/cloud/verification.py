"""Whether a signature's claim is true: made with the secret, over this very request, in time.

Signatures stay on the wall clock, since clients sign with it; see "Create a
signed AWS API request" and "Authenticating requests (Signature Version 2)" in AWS's references.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials as Keys
from botocore.utils import normalize_url_path

from pytest_stsguard.cloud.faults import Fault, Refusal
from pytest_stsguard.cloud.signature import STAMP, moment_of

if TYPE_CHECKING:
    from pytest_stsguard.cloud.request import Request
    from pytest_stsguard.cloud.signature import Claim

__all__ = ["expected_signature", "signing_key", "verify"]

_SKEW = timedelta(minutes=15)
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
# The services of S3's kind declare the payload's digest in a header, which may also say how else it is signed.
_S3 = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
# Signing names of services with operations whose clients leave the body out of the signature.
_UNSIGNED_BODIES = frozenset({"ebs", "lex", "mediastore", "omics"})
_NO_HOST = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
_UNSIGNED_HEADERS = "There were headers present in the request which were not signed"


def verify(request: Request, claim: Claim, secret: str) -> None:
    """Check that `claim` was made with `secret`, over this very request, in time; `Fault` when not.

    The chunks of a streamed body are not looked at here: each has a signature of its own, see `chunks`.
    """
    if claim.form == "s3v2":
        _verify_v2(request, claim, secret)
        return
    if claim.form == "post-v2":
        mac = hmac.new(secret.encode(), claim.policy.encode(), hashlib.sha1).digest()
        _compare(base64.b64encode(mac).decode(), claim)
        return
    _check_time(claim)
    if claim.form == "post":
        mac = hmac.new(signing_key(claim, secret), claim.policy.encode(), hashlib.sha256).digest()
        _compare(mac.hex(), claim)
        return
    _check_signed_headers(request, claim)
    for payload in _payloads(request, claim):
        if _same(expected_signature(request, claim, secret, payload), claim.signature):
            return
    raise Fault(Refusal.BAD_SIGNATURE)


def signing_key(claim: Claim, secret: str) -> bytes:
    """Derive the key that signs for the claim's day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in (claim.date[:8], claim.region or "", claim.service or "", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _compare(expected: str, claim: Claim) -> None:
    if not _same(expected, claim.signature):
        raise Fault(Refusal.BAD_SIGNATURE)


def _same(expected: str, given: str) -> bool:
    # As bytes: a client may send anything, and text that is not ASCII is refused by compare_digest.
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogateescape"))


def _check_time(claim: Claim) -> None:
    try:
        signed_at = moment_of(claim.date)
    except ValueError:
        raise Fault(
            Refusal.BAD_SIGNATURE, "X-Amz-Date must be in the ISO8601 Long Format yyyyMMdd'T'HHmmss'Z'"
        ) from None
    now = datetime.now(UTC)
    if claim.form == "query":
        end = signed_at + timedelta(seconds=claim.expires or 0)
        if now > end and claim.service == "s3":
            raise _expired(end, now)
        if now > end or now < signed_at - _SKEW:
            raise _off(claim, signed_at, now)
    elif abs(now - signed_at) > _SKEW:
        raise _off(claim, signed_at, now)


def _expired(end: datetime, now: datetime) -> Fault:
    """Word the end of a presigned URL, with both times as S3 tells them."""
    elements = {"Expires": end.strftime(_TIME), "ServerTime": now.strftime(_TIME)}
    return Fault(Refusal.ACCESS_DENIED, "Request has expired", elements=elements)


def _off(claim: Claim, signed_at: datetime, now: datetime) -> Fault:
    """Word a clock that is off; S3 adds both times and the tolerance, by which SDKs set theirs."""
    elements = {
        "RequestTime": claim.date,
        "ServerTime": now.strftime(_TIME),
        "MaxAllowedSkewMilliseconds": str(int(_SKEW.total_seconds() * 1000)),
    }
    return Fault(Refusal.SKEWED, _skewed(claim, signed_at, now), elements=elements if claim.service == "s3" else None)


def _skewed(claim: Claim, signed_at: datetime, now: datetime) -> str | None:
    """Word a clock that is off; EC2 and S3 have texts of their own."""
    if claim.service in {"ec2", "s3"}:
        return None
    at, present = signed_at.strftime(STAMP), now.strftime(STAMP)
    if signed_at > now:
        limit = (now + _SKEW).strftime(STAMP)
        return f"Signature not yet current: {at} is still later than {limit} ({present} + 15 min.)"
    limit = (now - _SKEW).strftime(STAMP)
    return f"Signature expired: {at} is now earlier than {limit} ({present} - 15 min.)"


def _check_signed_headers(request: Request, claim: Claim) -> None:
    """Refuse a signature that leaves open for whom, or what for, the request is."""
    if "host" not in claim.signed_headers:
        raise Fault(Refusal.BAD_SIGNATURE, _NO_HOST)
    # The digest of a presigned request's body is no part of it, so nobody is asked to sign it.
    free = {*claim.signed_headers, "x-amz-content-sha256"} if claim.form == "query" else set(claim.signed_headers)
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in free]
    if claim.service == "s3" and unsigned:
        raise Fault(Refusal.ACCESS_DENIED, _UNSIGNED_HEADERS)
    if "x-amz-target" in unsigned or "x-amz-date" in unsigned:
        raise Fault(Refusal.BAD_SIGNATURE, _UNSIGNED_HEADERS)


def _payloads(request: Request, claim: Claim) -> tuple[str, ...]:
    """Give what may stand for the body in the signature, having compared the body with its declared digest."""
    if claim.service in _S3:
        return (_declared_payload(request, claim),)
    computed = _digest(request)
    return (computed, _UNSIGNED_PAYLOAD) if claim.service in _UNSIGNED_BODIES else (computed,)


def _declared_payload(request: Request, claim: Claim) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if claim.form == "query" and (declared is None or "x-amz-content-sha256" not in claim.signed_headers):
        # A presigned request signs no payload, unless it signs the header that declares one.
        return _UNSIGNED_PAYLOAD
    if declared is None:
        raise Fault(Refusal.UNREADABLE, "Missing required header for this request: x-amz-content-sha256")
    if _HEX_DIGEST.fullmatch(declared):
        if _digest(request) != declared:
            raise Fault(
                None,
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                code="XAmzContentSHA256Mismatch",
            )
    elif declared != _UNSIGNED_PAYLOAD and not declared.startswith("STREAMING-"):
        raise Fault(
            None,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, or a valid sha256 value.",
            code="InvalidArgument",
        )
    return declared


def _digest(request: Request) -> str:
    digest = hashlib.sha256()
    for block in request.blocks():
        digest.update(block)
    return digest.hexdigest()


def expected_signature(request: Request, claim: Claim, secret: str, payload: str) -> str:
    """Sign `request` as its claim says that it was signed, with `payload` in the place of the body."""
    headers = request.headers
    signed = sorted(set(claim.signed_headers))
    values = {name: headers.get(name, request.host if name == "host" else "") for name in signed}
    path = request.split.path or "/"
    canonical = "\n".join(
        (
            request.method.upper(),
            path if claim.service in _S3 else quote(normalize_url_path(path), safe="/~"),
            _canonical_query(request),
            *(f"{name}:{' '.join(value.split())}" for name, value in values.items()),
            "",
            ";".join(signed),
            payload,
        )
    )
    scope = f"{claim.date[:8]}/{claim.region}/{claim.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{claim.date}\n{scope}\n{digest}"
    return hmac.new(signing_key(claim, secret), text.encode(), hashlib.sha256).hexdigest()


def _canonical_query(request: Request) -> str:
    """Encode and sort the query as AWS does, without the signature itself."""
    query = request.split.query
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = [
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs if name != "X-Amz-Signature"
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


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
        if _same(signer.get_signature(request.method, split, headers), claim.signature):
            break
    else:
        raise Fault(Refusal.BAD_SIGNATURE)
    if datetime.now(UTC).timestamp() > expires:
        raise _expired(datetime.fromtimestamp(expires, UTC), datetime.now(UTC))


def _bucket_paths(request: Request) -> list[str]:
    """The path with the bucket before it, for a bucket that the client put into the host's name."""
    host = request.host.rsplit(":", 1)[0]
    bucket = re.match(r"(.+)\.s3[.-]|(.+)\.localhost$", host)
    return [f"/{bucket.group(1) or bucket.group(2)}{request.path}"] if bucket else []
