"""Uploads from a browser's form: a POST to a bucket, under a policy that its author signed.

A form becomes the PutObject that it stands for, and is then authenticated and authorized like any other.
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree as ET

from pytest_stsguard.cloud.calls.addressing import place
from pytest_stsguard.cloud.faults import Fault
from pytest_stsguard.cloud.request import Headers, Response
from pytest_stsguard.cloud.signature import Claim, policy_claim
from pytest_stsguard.cloud.spool import IN_MEMORY, Spool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.request import Request

__all__ = ["FormUpload", "form_upload"]

_KIND = "multipart/form-data"
_LARGEST_FIELDS = 20 * 1024
_LARGEST_BUFFER = 1024 * 1024
_MOST_FIELDS = 256
_NOT_CONDITIONED = frozenset({"awsaccesskeyid", "signature", "x-amz-signature", "policy", "file"})
_AUTHENTICATION = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"}
)
_HEADERS = frozenset(
    {"cache-control", "content-type", "content-disposition", "content-encoding", "content-md5", "expires"}
)
_SUCCESS = frozenset({"200", "201", "204"})


def form_upload(request: Request) -> FormUpload | None:
    """Read a form that is posted to a bucket; None for any other request, `Fault` for a form that cannot be read."""
    content_type = request.headers.get("content-type", "")
    if request.method != "POST" or content_type.partition(";")[0].strip().lower() != _KIND:
        return None
    if "authorization" in request.headers or "x-amz-target" in request.headers or request.split.query:
        return None
    bucket = place(request.host).bucket or request.path.strip("/")
    if not bucket or "/" in bucket:
        return None
    fields, file, filename = _read(request, content_type)
    try:
        return _upload(request, bucket, fields, file=file, filename=filename)
    except Fault:
        if isinstance(file, Spool):
            file.close()
        raise


def _upload(request: Request, bucket: str, fields: dict[str, str], *, file: bytes | Spool, filename: str) -> FormUpload:
    """Make the PutObject of a form's parts."""
    key = fields.get("key")
    if key is None:
        raise _invalid("Bucket POST must contain a field named 'key'.  If it is specified, please check the order.")
    fields["key"] = key = key.replace("${filename}", filename.replace("\\", "/").rpartition("/")[2])
    headers = Headers({"host": request.host, "content-length": str(len(file)), **_as_headers(fields)})
    for name in ("user-agent", "origin", "referer"):
        if name in request.headers:
            headers[name] = request.headers[name]
    path = quote(f"/{key}" if place(request.host).bucket else f"/{bucket}/{key}", safe="/~-._")
    parts = urlsplit(request.url)
    put = replace(
        request,
        method="PUT",
        url=urlunsplit((parts.scheme, parts.netloc, path, "", "")),
        headers=headers,
        body=b"" if isinstance(file, Spool) else file,
        spool=file if isinstance(file, Spool) else None,
    )
    return FormUpload(put, policy_claim(fields), bucket, key, fields)


def _read(request: Request, content_type: str) -> tuple[dict[str, str], bytes | Spool, str]:
    """Take the form apart: its fields by lower-case name, the file, and the file's name."""
    from werkzeug.exceptions import HTTPException, RequestEntityTooLarge  # noqa: PLC0415 - few clouds see a form
    from werkzeug.formparser import FormDataParser  # noqa: PLC0415
    from werkzeug.http import parse_options_header  # noqa: PLC0415

    kept: list[Spool] = []

    def sink(*_: object, **__: object) -> Any:
        kept.append(Spool())
        return _Writer(kept[-1])

    _, options = parse_options_header(content_type)
    parser = FormDataParser(
        stream_factory=sink, max_form_memory_size=_LARGEST_BUFFER, max_form_parts=_MOST_FIELDS, cls=None, silent=False
    )
    stream = _Reader(request)
    try:
        _, form, files = parser.parse(stream, _KIND, request.size, dict(options))  # type: ignore[arg-type] # as above
    except RequestEntityTooLarge as error:
        _close(kept)
        raise _too_large() from error
    except (ValueError, HTTPException) as error:
        _close(kept)
        text = "The body of your POST request is not well-formed multipart/form-data."
        raise Fault(None, text, code="MalformedPOSTRequest") from error
    fields = {name.lower(): value for name, value in reversed(list(form.items(multi=True)))}
    if sum(len(name) + len(value) for name, value in fields.items() if name != "file") > _LARGEST_FIELDS:
        _close(kept)
        raise _too_large()
    if "file" in fields and not kept:
        return fields, fields.pop("file").encode(), ""
    if len(kept) != 1 or "file" not in files:
        _close(kept)
        raise _invalid("POST requires exactly one file upload per request.")
    (spool,) = kept
    if spool.size > IN_MEMORY:
        return fields, spool, files["file"].filename or ""
    content = bytes(spool.view())
    spool.close()
    return fields, content, files["file"].filename or ""


class _Reader:
    """A body as the file that the form parser reads."""

    def __init__(self, request: Request) -> None:
        self._blocks = request.blocks()
        self._rest = b""

    def read(self, most: int = -1) -> bytes:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = block
        cut = len(self._rest) if most < 0 else most
        data, self._rest = self._rest[:cut], self._rest[cut:]
        return data


class _Writer:
    """A spool as the file that the form parser writes."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def write(self, data: bytes) -> int:
        self._spool.write(data)
        return len(data)

    def seek(self, *_: int) -> int:
        return 0

    def close(self) -> None:
        """The spool belongs to the form's reader."""


def _close(kept: list[Spool]) -> None:
    for spool in kept:
        spool.close()


def _too_large() -> Fault:
    text = "Your POST request fields preceding the upload file were too large."
    return Fault(None, text, code="MaxPostPreDataLengthExceeded")


def _invalid(message: str) -> Fault:
    return Fault(None, message, code="InvalidArgument")


def _as_headers(fields: Mapping[str, str]) -> dict[str, str]:
    """Give the headers of the PutObject that a form's fields stand for."""
    headers = {name: text for name, text in fields.items() if name in _HEADERS}
    headers |= {
        name: text for name, text in fields.items() if name.startswith("x-amz-") and name not in _AUTHENTICATION
    }
    if "acl" in fields:
        headers["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        headers["x-amz-tagging"] = _tagging(fields["tagging"])
    return headers


def _tagging(document: str) -> str:
    """Write a form's tags, which are XML, as the header takes them."""
    try:
        root = ET.fromstring(document)  # noqa: S314 - expat of today refuses to expand entities without end
    except ET.ParseError as error:
        raise Fault(None, "The XML you provided was not well-formed.", code="MalformedXML") from error
    tags = [{child.tag.rpartition("}")[2]: child.text or "" for child in tag} for tag in root.iter() if len(tag) == 2]  # noqa: PLR2004 - Key and Value
    return urlencode([(tag["Key"], tag["Value"]) for tag in tags if tag.keys() == {"Key", "Value"}])


@dataclass(frozen=True, slots=True)
class FormUpload:
    """A form: the PutObject that it asks for, who claims to have signed its policy, and its fields."""

    request: Request
    claim: Claim | None
    bucket: str
    key: str
    fields: Mapping[str, str]

    def check(self) -> None:
        """Hold the form against its policy, whose signature is verified; `Fault` as S3 refuses it."""
        if self.claim is None:
            return
        policy = _policy(self.claim.policy)
        if datetime.now(UTC) >= policy.expiration:
            raise _denied("Policy expired.")
        covered = set()
        for condition in policy.conditions:
            covered.add(self._check(condition))
        left = {"bucket", *self.fields} - covered - _NOT_CONDITIONED
        extra = sorted(name for name in left if not name.startswith("x-ignore-"))
        if extra:
            raise _denied(f"Extra input fields: {', '.join(extra)}")

    def _check(self, condition: Any) -> str:
        """Check one condition and give the name of the field that it is about."""
        if isinstance(condition, dict) and len(condition) == 1:
            ((name, value),) = condition.items()
            operator, name = "eq", f"${name}"
        elif isinstance(condition, list) and len(condition) == 3:  # noqa: PLR2004 - operator, field, value
            operator, name, value = condition
        else:
            raise _malformed("Invalid Condition")
        operator = str(operator).lower()
        if operator == "content-length-range":
            self._check_length(name, value)
            return ""
        if operator not in {"eq", "starts-with"} or not isinstance(name, str) or not name.startswith("$"):
            raise _malformed(f"Invalid Condition: {json.dumps(condition)[:200]}")
        name = name[1:].lower()
        found = self.bucket if name == "bucket" else self.fields.get(name, "")
        wanted = str(value)
        parts = found.split(",") if name == "content-type" and operator == "starts-with" else [found]
        if found != wanted if operator == "eq" else not all(part.strip().startswith(wanted) for part in parts):
            text = json.dumps([operator, f"${name}", wanted])
            raise _denied(f"Policy Condition failed: {text}")
        return name

    def _check_length(self, least: Any, most: Any) -> None:
        try:
            low, high = int(least), int(most)
        except (TypeError, ValueError):
            raise _malformed("Invalid content-length-range") from None
        if self.request.size > high:
            raise Fault(None, "Your proposed upload exceeds the maximum allowed size", code="EntityTooLarge")
        if self.request.size < low:
            raise Fault(None, "Your proposed upload is smaller than the minimum allowed size", code="EntityTooSmall")

    def answer(self, response: Response) -> Response:
        """Turn PutObject's answer into the one that the form asks for: by default an empty 204."""
        if response.status >= 300:  # noqa: PLR2004 - no success
            return response
        lowered = {name.lower(): text for name, text in response.headers.items()}
        etag = lowered.get("etag", "")
        location = f"http{'s' * self.request.secure}://{self.request.host}{self.request.path}"
        headers = {"etag": etag, "location": location}
        headers |= {name: text for name, text in lowered.items() if name.startswith("x-amz-")}
        redirect = self.fields.get("success_action_redirect") or self.fields.get("redirect")
        target = urlsplit(redirect or "")
        if redirect and target.scheme in {"http", "https"}:
            more = urlencode({"bucket": self.bucket, "key": self.key, "etag": etag})
            query = f"{target.query}&{more}" if target.query else more
            return Response(303, {**headers, "location": urlunsplit(target._replace(query=query))}, b"")
        status = self.fields.get("success_action_status", "")
        if status != "201":
            return Response(int(status) if status in _SUCCESS else 204, headers, b"")
        root = ET.Element("PostResponse")
        for name, text in (("Location", location), ("Bucket", self.bucket), ("Key", self.key), ("ETag", etag)):
            ET.SubElement(root, name).text = text
        body = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return Response(201, {**headers, "content-type": "application/xml"}, body)


@dataclass(frozen=True, slots=True)
class _Policy:
    expiration: datetime
    conditions: list[Any]


def _policy(text: str) -> _Policy:
    try:
        document = json.loads(base64.b64decode(text, validate=True))
        expiration = datetime.fromisoformat(document["expiration"])
        conditions = document["conditions"]
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        raise _malformed("Invalid JSON, or no expiration or conditions") from None
    if expiration.tzinfo is None or not isinstance(conditions, list):
        raise _malformed("Invalid expiration or conditions")
    return _Policy(expiration, conditions)


def _malformed(detail: str) -> Fault:
    return Fault(None, f"Invalid Policy: {detail}", code="InvalidPolicyDocument")


def _denied(detail: str) -> Fault:
    return Fault(None, f"Invalid according to Policy: {detail}", code="AccessDenied", status=403)
