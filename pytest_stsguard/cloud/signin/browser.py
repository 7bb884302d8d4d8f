"""What a custom broker and a person's browser do to sign in: three requests over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from pytest_stsguard.cloud.signin.server import COOKIE, CREDENTIALS
from pytest_stsguard.errors import CloudError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_stsguard.cloud.credentials import Credentials

__all__ = ["console_credentials", "sign_in_url"]

_CONSOLE: Final = "https://console.aws.amazon.com/"
_SECONDS: Final = 10


def sign_in_url(endpoint: str, credentials: Credentials, *, duration: int | None = None) -> str:
    """Make the URL by which a person signs in, as a broker does; `duration` is SessionDuration, in seconds.

    Raises:
        CloudError: the endpoint refuses the credentials or the duration.
    """
    session = {
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token or "",
    }
    query = {"Action": "getSigninToken", "SessionType": "json", "Session": json.dumps(session)}
    if duration is not None:
        query["SessionDuration"] = str(duration)
    _, body = _get(f"{endpoint}?{urlencode(query)}", expect=200)
    token = json.loads(body)["SigninToken"]
    query = {"Action": "login", "Issuer": "stsguard", "Destination": _CONSOLE, "SigninToken": token}
    return f"{endpoint}?{urlencode(query)}"


def console_credentials(url: str) -> dict[str, Any]:
    """Open a sign-in URL, and fetch what the console's pages call services with.

    Raises:
        CloudError: the URL is no longer good.
    """
    headers, _ = _get(url, expect=302)
    cookie = headers.get("set-cookie", "").partition(";")[0]
    if not cookie.startswith(f"{COOKIE}="):
        raise CloudError("the sign-in set no cookie")
    parts = urlsplit(url)
    _, body = _get(f"{parts.scheme}://{parts.netloc}{CREDENTIALS}", {"Cookie": cookie}, expect=200)
    found: dict[str, Any] = json.loads(body)
    return {
        "AccessKeyId": found["accessKeyId"],
        "SecretAccessKey": found["secretAccessKey"],
        "SessionToken": found["sessionToken"],
    }


def _get(url: str, headers: Mapping[str, str] | None = None, *, expect: int) -> tuple[dict[str, str], str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request(
            "GET", f"{parts.path}?{parts.query}" if parts.query else parts.path, headers=dict(headers or {})
        )
        answer = connection.getresponse()
        body = answer.read().decode()
    finally:
        connection.close()
    if answer.status != expect:
        reason = body.replace("<html><body>", "").replace("</body></html>", "").strip()
        raise CloudError(f"the sign-in service answered {answer.status}: {reason[:1].lower()}{reason[1:]}")
    return {name.lower(): value for name, value in answer.getheaders()}, body
