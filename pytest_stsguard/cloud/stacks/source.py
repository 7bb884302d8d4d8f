"""Where a call's template comes from: its body, an object of S3, the stack as it is, or a change set."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_stsguard.cloud.calls.addressing import place
from pytest_stsguard.cloud.faults import Fault, Refusal

if TYPE_CHECKING:
    from pytest_stsguard.cloud.calls import Call
    from pytest_stsguard.cloud.forwarded import Forwarded

    from .requests import Requests

__all__ = ["given_template"]


def given_template(call: Call, *, requests: Requests, forwarded: Forwarded) -> tuple[str | None, dict[str, str]]:
    """Give the template that a call brings, None when it brings none, and by address what was read from S3 for it.

    Raises:
        Fault: an object cannot be read by the caller, or the address is none of S3's.
    """
    read: dict[str, str] = {}
    for name in ("TemplateURL", "StackPolicyURL"):
        url = call.parameters.get(name)
        if url:
            read[str(url)] = _read(str(url), call, requests, forwarded)
    body = read.get(str(call.parameters.get("TemplateURL"))) or call.parameters.get("TemplateBody")
    return (str(body) if body else None), read


def _read(url: str, call: Call, requests: Requests, forwarded: Forwarded) -> str:
    bucket, key = _object(url)
    version = parse_qs(urlsplit(url).query).get("versionId", [])
    given = {"Bucket": bucket, "Key": key, **({"VersionId": version[0]} if version else {})}
    answer = requests.send("s3", "GetObject", given, forwarded=forwarded, region=call.region)
    if answer.failed:
        told = "Access Denied" if answer.code == "AccessDenied" else answer.message
        raise Fault(None, f"S3 error: {told}", code="ValidationError")
    try:
        return answer.body.decode()
    except UnicodeDecodeError as error:
        raise Fault(None, "Template format error: the template is no UTF-8 text.", code="ValidationError") from error


def _object(url: str) -> tuple[str, str]:
    """Read bucket and key out of an address of S3, in either style."""
    try:
        parts = urlsplit(url)
        where = place(parts.netloc)
    except ValueError:
        raise Fault(None, "TemplateURL must be a valid URL.", code="ValidationError") from None
    if not where.services or where.services[0].service != "s3" or where.kind:
        raise Fault(Refusal.NOT_SIMULATED, "stsguard does not simulate a template's address that is none of S3's")
    path = unquote(parts.path).lstrip("/")
    bucket, key = (where.bucket, path) if where.bucket else path.partition("/")[::2]
    if not bucket or not key:
        told = "TemplateURL must reference a valid S3 object to which you have access."
        raise Fault(None, told, code="ValidationError")
    return bucket, key
