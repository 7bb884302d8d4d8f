"""The sign-in service over HTTP on loopback: ``/federation`` and what the console's pages ask for."""

from __future__ import annotations

import json
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from pytest_stsguard.clock import isoformat
from pytest_stsguard.cloud.calls import Call
from pytest_stsguard.cloud.cloudtrail import Event
from pytest_stsguard.cloud.metadata.message import Answer
from pytest_stsguard.cloud.metadata.server import LoopbackServer
from pytest_stsguard.cloud.request import Request as CloudRequest
from pytest_stsguard.cloud.signin.federation import Federation, RefusedError

if TYPE_CHECKING:
    from pytest_stsguard.cloud.authentication import Authenticator
    from pytest_stsguard.cloud.ledger import Session
    from pytest_stsguard.cloud.metadata.message import Request
    from pytest_stsguard.cloud.sts import TokenService
    from pytest_stsguard.cloud.trail import Trail

__all__ = ["COOKIE", "CREDENTIALS", "SigninServer"]

COOKIE: Final = "aws-creds"
CREDENTIALS: Final = "/console/tb/creds"
"""Where a page of the console fetches the credentials with which it calls services."""

_HTML: Final = {"Content-Type": "text/html; charset=utf-8"}
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_SUFFIXES: Final = (".aws.amazon.com", ".amazonaws.cn", ".amazonaws-us-gov.com")


class SigninServer(LoopbackServer):
    """Serves the federation endpoint until it is closed; `federation_url` is what a custom broker calls.

    Each sign-in leaves GetSigninToken and ConsoleLogin in the trail.
    """

    def __init__(
        self, tokens: TokenService, authenticator: Authenticator, trail: Trail, *, region: str, host: str = "127.0.0.1"
    ) -> None:
        self._federation = Federation(tokens)
        self._tokens = tokens
        self._authenticator = authenticator
        self._trail = trail
        self._region = region
        super().__init__(self._respond, host=host)

    @property
    def federation_url(self) -> str:
        """The endpoint, in the place of ``https://signin.aws.amazon.com/federation``."""
        return f"{self.url}/federation"

    def _respond(self, request: Request) -> Answer:
        parts = urlsplit(request.target)
        if request.method not in {"GET", "POST"}:
            return Answer(405, _HTML)
        if parts.path == CREDENTIALS:
            return self._credentials(request)
        if parts.path != "/federation":
            return Answer(404, _HTML)
        try:
            return self._federate(dict(parse_qsl(parts.query, keep_blank_values=True)))
        except RefusedError as error:
            return Answer(400, _HTML, f"<html><body>{error}</body></html>".encode())

    def _federate(self, parameters: dict[str, str]) -> Answer:
        action = parameters.get("Action")
        if action == "getSigninToken":
            token, session = self._federation.sign_in_token(parameters)
            self._record("GetSigninToken", session)
            return Answer(200, _JSON, json.dumps({"SigninToken": token}).encode())
        if action == "login":
            return self._login(parameters)
        raise RefusedError("The parameter Action is missing or unknown")

    def _login(self, parameters: dict[str, str]) -> Answer:
        destination = parameters.get("Destination", "")
        parts = urlsplit(destination)
        # Only the console itself: an open redirect would hand the session's cookie's holder to anyone.
        host = parts.hostname or ""
        if parts.scheme != "https" or not host.endswith(_SUFFIXES) or any(c in destination for c in "\r\n"):
            raise RefusedError("Destination is not a page of the AWS console")
        cookie, session = self._federation.login(parameters.get("SigninToken"))
        self._record("ConsoleLogin", session)
        headers = {"Location": destination, "Set-Cookie": f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax"}
        return Answer(302, headers)

    def _credentials(self, request: Request) -> Answer:
        session = self._federation.console(_cookie(request.headers.get("cookie", "")))
        if session is None:
            return Answer(401, _JSON, b"{}")
        content = {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret_access_key,
            "sessionToken": session.token,
            "expiration": isoformat(session.expires_at),
        }
        return Answer(200, _JSON, json.dumps(content).encode())

    def _record(self, name: str, session: Session) -> None:
        caller = self._authenticator.caller_of(session)
        elements: dict[str, Any] = {name: "Success"}
        self._trail.add(
            Event(
                request_id=f"{name}-{session.access_key_id}",
                time=self._tokens.clock.now(),
                request=CloudRequest("GET", self.federation_url, {}),
                call=Call("signin", name, "query", {}, self._region, "signin"),
                caller=caller,
                claimed_key=session.access_key_id,
                error_code=None,
                error_message=None,
                response_elements=elements,
                recipient=caller.account,
            )
        )


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""
