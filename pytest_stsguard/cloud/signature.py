"""What a request's signature claims: who signed it, when, for which service and region, and how.

The forms: SigV4 in the Authorization header, in the query string (presigned) and in a form (POST policy), and S3's older
SigV2 in the query string and in a form, which boto3 still uses for presigned URLs in us-east-1. Whether a claim is true
is `verification.verify`'s to say. See "Signature Version 4" and "Authenticating requests (Signature Version 2)".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pytest_stsguard.cloud.faults import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.request import Request

__all__ = ["STAMP", "Claim", "claim_of", "moment_of", "policy_claim", "scope_of", "scoped_service", "signature_keys"]

STAMP = "%Y%m%dT%H%M%SZ"
_STAMPED = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_V4 = "AWS4-HMAC-SHA256"
_V4A = "AWS4-ECDSA-P256-SHA256"
_PART = re.compile(r"(Credential|SignedHeaders|Signature)=([^,\s]+)")
_TWO_MECHANISMS = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the "
    "Authorization header should be specified"
)
_UNSUPPORTED = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
_SCOPE = re.compile(r"/([a-z0-9-]{1,40})/aws4_request", re.ASCII)
# What S3 says of a signature in the header and in the query that it cannot read: "List of error codes" of its API reference.
_MALFORMED = "The authorization header is malformed; "
_COMPONENTS = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
_CREDENTIAL = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
_PARAMETERS = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, "
    "X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
_V2_PARAMETERS = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
_LONGEST_PRESIGNED = 604_800


@dataclass(frozen=True, slots=True)
class Claim:
    """What a signature says of itself; nothing of it is verified yet.

    `form` is ``header``, ``query``, ``post`` (a form with a policy), ``s3v2`` or ``post-v2``; `date` is in the form of
    X-Amz-Date; `policy` is the Base64 text that a form signs in place of the request.
    """

    form: str
    access_key_id: str
    signature: str
    token: str | None = None
    date: str = ""
    region: str | None = None
    service: str | None = None
    signed_headers: tuple[str, ...] = ()
    expires: int | None = None
    policy: str = ""


def claim_of(request: Request) -> Claim | None:
    """Read the claim of a request; None for an unsigned one, `Fault` for one that cannot be read."""
    authorization = request.headers.get("authorization")
    query = request.query
    in_query = "X-Amz-Algorithm" in query or ("AWSAccessKeyId" in query and "Signature" in query)
    if authorization is not None:
        if in_query:
            raise Fault(None, _TWO_MECHANISMS, code="InvalidArgument")
        return _header_claim(request, authorization)
    if "X-Amz-Algorithm" in query:
        return _query_claim(request)
    if not in_query:
        return None
    if "SignatureVersion" in query:
        raise Fault(Refusal.INCOMPLETE, _UNSUPPORTED, s3=("InvalidRequest", 400, _UNSUPPORTED))
    token = query.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    expires = _moment(query.get("Expires", ""))
    return Claim("s3v2", query["AWSAccessKeyId"], query["Signature"], token=token, service="s3", expires=expires)


def policy_claim(fields: Mapping[str, str]) -> Claim | None:
    """Read the claim of a form's fields, by lower-case name; None for a form without a policy."""
    policy = fields.get("policy")
    if policy is None:
        return None
    token = fields.get("x-amz-security-token")
    if "awsaccesskeyid" in fields and "signature" in fields:
        return Claim("post-v2", fields["awsaccesskeyid"], fields["signature"], token, service="s3", policy=policy)
    for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"):
        if name.lower() not in fields:
            raise Fault(
                None,
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields.",
                code="InvalidArgument",
            )
    _check_sigv4a(fields["x-amz-algorithm"])
    if fields["x-amz-algorithm"] != _V4:
        raise Fault(None, f'X-Amz-Algorithm only supports "{_V4}"', code="InvalidArgument")
    key, date, region, service = scope_of(fields["x-amz-credential"])
    stamp = fields["x-amz-date"]
    _check_day(stamp, date)
    return Claim("post", key, fields["x-amz-signature"], token, stamp, region, service, policy=policy)


def scoped_service(request: Request) -> str | None:
    """Give the service that a signature names, also where it cannot be read as a whole: the error is in its words."""
    query = request.query
    found = _SCOPE.search(request.headers.get("authorization") or query.get("X-Amz-Credential") or "")
    if found is None and "AWSAccessKeyId" in query and "SignatureVersion" not in query:
        return "s3"
    return found[1] if found else None


def _header_claim(request: Request, authorization: str) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(_PART.findall(rest))
    if algorithm == "AWS" and ":" in rest:
        raise _incomplete(_needed(parts), s3=("InvalidRequest", 400, _UNSUPPORTED))
    _check_sigv4a(algorithm)
    if algorithm != _V4:
        raise _incomplete(_needed(parts), s3=("InvalidArgument", 400, "Unsupported Authorization Type"))
    if len(parts) != len(_COMPONENT_NAMES) or _PART.sub("", rest).strip(" ,\t"):
        raise _incomplete(_needed(parts), s3=("AuthorizationHeaderMalformed", 400, _MALFORMED + _COMPONENTS))
    key, date, region, service = scope_of(parts["Credential"], in_header=True)
    stamp = request.headers.get("x-amz-date") or _stamp_of(request.headers.get("date"))
    if not stamp:
        raise _incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            s3=("AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"),
        )
    _check_day(stamp, date, in_header=True)
    token = request.headers.get("x-amz-security-token")
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    return Claim("header", key, parts["Signature"], token, stamp, region, service, signed)


_COMPONENT_NAMES = ("Credential", "Signature", "SignedHeaders")


def _needed(parts: Mapping[str, str]) -> str:
    """Tell which parts an Authorization header lacks, as AWS does."""
    missing = [name for name in _COMPONENT_NAMES if name not in parts]
    text = " ".join(f"Authorization header requires '{name}' parameter." for name in missing)
    return text or "Authorization header is not of the form key=value, key=value."


def _query_claim(request: Request) -> Claim:
    query = request.query
    _check_sigv4a(query["X-Amz-Algorithm"])
    if query["X-Amz-Algorithm"] != _V4:
        text = f'X-Amz-Algorithm only supports "{_V4}"'
        raise _parameters_error(text)
    needed = {"X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Expires"}
    missing = sorted(needed - query.keys())
    if missing:
        text = " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
        raise _incomplete(
            f"{text} Re-examine the query-string parameters.",
            s3=("AuthorizationQueryParametersError", 400, _PARAMETERS),
        )
    key, date, region, service = scope_of(query["X-Amz-Credential"])
    try:
        moment_of(query["X-Amz-Date"])
    except ValueError:
        raise _parameters_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"") from None
    _check_day(query["X-Amz-Date"], date)
    return Claim(
        "query",
        key,
        query["X-Amz-Signature"],
        query.get("X-Amz-Security-Token"),
        query["X-Amz-Date"],
        region,
        service,
        tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        _lifetime(query["X-Amz-Expires"]),
    )


def _incomplete(text: str, *, s3: tuple[str, int, str]) -> Fault:
    return Fault(Refusal.INCOMPLETE, text, s3=s3)


def _parameters_error(text: str) -> Fault:
    return _incomplete(text, s3=("AuthorizationQueryParametersError", 400, text))


def _check_sigv4a(text: str) -> None:
    if text == _V4A:
        raise Fault(
            Refusal.NOT_SIMULATED, f"stsguard does not verify SigV4a signatures ({_V4A}): sign for one region, by {_V4}"
        )


def _check_day(stamp: str, date: str, *, in_header: bool = False) -> None:
    if stamp.startswith(date):
        return
    detail = f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{stamp[:8]}".'
    code = "AuthorizationHeaderMalformed" if in_header else "AuthorizationQueryParametersError"
    raise Fault(
        Refusal.BAD_SIGNATURE,
        f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != "
        f"'{stamp[:8]}', from '{stamp[:40]}'.",
        s3=(code, 400, _MALFORMED + detail if in_header else detail),
    )


def _stamp_of(date: str | None) -> str:
    """Write an HTTP date as X-Amz-Date is: a client may sign either header."""
    try:
        return parsedate_to_datetime(date or "").astimezone(UTC).strftime(STAMP)
    except (ValueError, OverflowError):
        return ""


def scope_of(text: str, *, in_header: bool = False) -> tuple[str, str, str, str]:
    """Read a credential scope: key id, date, region and service."""
    parts = text.split("/")
    if len(parts) == 5 and parts[4] == "aws4_request" and all(parts):  # noqa: PLR2004 - the five parts of a scope
        return parts[0], parts[1], parts[2], parts[3]
    told = (_MALFORMED if in_header else "Error parsing the X-Amz-Credential parameter; ") + _CREDENTIAL
    code = "AuthorizationHeaderMalformed" if in_header else "AuthorizationQueryParametersError"
    raise _incomplete(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request.",
        s3=(code, 400, told),
    )


def moment_of(stamp: str) -> datetime:
    """Read an X-Amz-Date; ValueError for what is none. Four times as fast as strptime, at each call."""
    if not _STAMPED.fullmatch(stamp):
        raise ValueError(stamp)
    day, time = stamp[:8], stamp[9:15]
    return datetime(int(day[:4]), int(day[4:6]), int(day[6:]), int(time[:2]), int(time[2:4]), int(time[4:]), tzinfo=UTC)


def _lifetime(text: str) -> int:
    """Read for how many seconds a presigned request is good."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:  # noqa: PLR2004 - far beyond every date
        raise _parameters_error("X-Amz-Expires should be a number")
    if text.startswith("-") or int(text) == 0:
        raise _parameters_error("X-Amz-Expires must be non-negative")
    if int(text) > _LONGEST_PRESIGNED:
        raise _parameters_error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{_LONGEST_PRESIGNED} seconds"
        )
    return int(text)


def _moment(text: str) -> int:
    """Read when a SigV2 signature ends, in seconds since 1970; only S3 takes one."""
    if not text:
        raise Fault(Refusal.ACCESS_DENIED, _V2_PARAMETERS)
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - as above
        raise Fault(Refusal.ACCESS_DENIED, f"Invalid date (should be seconds since epoch): {text[:40]}")
    return int(text)


_AUTH_TYPES = {"header": "REST-HEADER", "query": "REST-QUERY-STRING", "s3v2": "REST-QUERY-STRING"}


def signature_keys(request: Request, claim: Claim) -> dict[str, str | list[str]]:
    """Give S3's condition keys about the signature itself: its form, version, age (milliseconds), and payload digest.

    See "Bucket policy examples using condition keys": s3:authType, s3:signatureversion, s3:signatureAge.
    """
    keys: dict[str, str | list[str]] = {
        "s3:authType": _AUTH_TYPES.get(claim.form, "POST"),
        "s3:signatureversion": "AWS" if claim.form in {"s3v2", "post-v2"} else _V4,
    }
    if claim.date:
        signed_at = moment_of(claim.date)
        keys["s3:signatureAge"] = str(max(0, int((datetime.now(UTC) - signed_at).total_seconds() * 1000)))
    digest = request.headers.get("x-amz-content-sha256")
    if digest is not None:
        keys["s3:x-amz-content-sha256"] = digest
    return keys
