"""The way in over HTTP, at which the AWS CLI, curl and any SDK can point: AWS at the gate, and our own controls."""

from __future__ import annotations

import ipaddress
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pytest_stsguard.cloud.connection import Connection
from pytest_stsguard.cloud.conversation import Limits, phrase
from pytest_stsguard.cloud.listener import Listener
from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.cloud.snapshot import text_of
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_stsguard.clock import SimulatedClock
    from pytest_stsguard.cloud.gate import Gate
    from pytest_stsguard.cloud.instances import Instance
    from pytest_stsguard.cloud.trail import Trail

__all__ = ["Server"]

_CONTROL = "/_stsguard/"
# The hop limit of an instance is 64 at most; each distance that is asked for takes a port.
_HOPS = frozenset({"1", "2", "3"})
_JSON = {"content-type": "application/json"}


class Served(Protocol):
    """What a server asks of a cloud."""

    gate: Gate
    clock: SimulatedClock
    trail: Trail

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Its EC2 instances."""

    def save(self) -> dict[str, Any]:
        """Give its state as JSON data."""

    def restore(self, state: Any) -> None:
        """Put a saved state in the place of its own."""


class Server:
    """Serves one cloud until it is closed; `url` is what AWS_ENDPOINT_URL takes.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(self, cloud: Served, *, host: str = "127.0.0.1", port: int = 0, limits: Limits | None = None) -> None:
        self._cloud = cloud
        self._host = host
        self._listener = Listener(partial(Connection, self.respond), host=host, port=port, limits=limits)
        self.url = self._listener.url

    def close(self) -> None:
        """Answer what is under way, then stop and free the port; a second call does nothing."""
        self._listener.close()

    def respond(self, request: Request) -> Response:
        """Answer one request: our own controls, or AWS at the gate."""
        try:
            if request.path.startswith(_CONTROL):
                return self._control(request)
            return self._cloud.gate.handle(request)
        except Exception as error:  # noqa: BLE001 - a fault of moto or of ours must reach the client as AWS's 500
            print(f"stsguard: {request.method} {request.path}: {error!r}", file=sys.stderr)  # noqa: T201 - the server's log
            return _json(500, {"__type": "InternalFailure", "message": "the simulated service failed"})

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as a WSGI application, for whoever has a server of their own; bodies are held in memory."""
        response = self.respond(_neutral(environ))
        headers = [(name, text) for name, text in response.headers.items() if name.lower() != "content-length"]
        start_response(
            f"{response.status} {phrase(response.status)}", [*headers, ("content-length", str(response.size))]
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else response.blocks()

    def _control(self, request: Request) -> Response:
        if "origin" in request.headers or not self._is_named(request.host):
            # A page in somebody's browser can reach loopback; nothing that it could want is in here. One that gives this
            # address to a name of its own (DNS rebinding) sends no Origin, but that name.
            return _json(403, {"error": "controls are not for web pages"})
        controls: dict[tuple[str, str], Callable[[], Response]] = {
            ("GET", "health"): lambda: _json(200, {"status": "ok"}),
            ("GET", "clock"): lambda: _json(200, {"now": self._cloud.clock.now().isoformat()}),
            ("POST", "clock"): lambda: self._move_clock(request),
            ("GET", "instances"): lambda: self._instances(request),
            ("GET", "trail"): lambda: _json(200, {"Records": self._cloud.trail.records()}),
            ("GET", "state"): lambda: Response(200, _JSON, text_of(self._cloud.save()).encode()),
            ("POST", "state"): lambda: self._restore(request),
        }
        control = controls.get((request.method, request.path[len(_CONTROL) :]))
        return control() if control else _json(404, {"error": f"no `{request.method} {request.path}` here"})

    def _is_named(self, host: str) -> bool:
        """Whether a Host is an address or loopback's own name; a server that others may reach has names that none knows."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.strip("[]").lower()
        if name in {"", "localhost"} or name.endswith(".localhost"):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return self._host != "localhost" and not ipaddress.ip_address(self._host).is_loopback
        return True

    def _instances(self, request: Request) -> Response:
        """Tell where each instance's metadata service listens; that of one launched meanwhile starts now.

        ``hops`` in the query asks for the port of callers so many hops away, by default 1.
        """
        hops = request.query.get("hops", "1")
        if hops not in _HOPS:
            return _json(400, {"error": f"expected hops from 1 to {len(_HOPS)}"})
        told = [
            {
                "InstanceId": each.instance_id,
                "Name": each.name,
                "imds": each.serve_metadata(host=self._host, hops=int(hops)).url,
            }
            for each in self._cloud.instances
        ]
        return _json(200, {"instances": told})

    def _restore(self, request: Request) -> Response:
        try:
            self._cloud.restore(json.loads(b"".join(request.blocks())))
        except (ValueError, RecursionError):
            return _json(400, {"error": "the saved state is no JSON"})
        except InputError as error:
            return _json(400, {"error": str(error)})
        return _json(200, {"now": self._cloud.clock.now().isoformat()})

    def _move_clock(self, request: Request) -> Response:
        try:
            body = json.loads(request.body)
            seconds = body["advance"]
            if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
                raise TypeError  # noqa: TRY301 - one answer for every wrong shape
            now = self._cloud.clock.advance(seconds)
        except (ValueError, TypeError, KeyError, OverflowError):
            return _json(400, {"error": 'expected {"advance": SECONDS} with seconds from 0 up'})
        return _json(200, {"now": now.isoformat()})


def _neutral(environ: dict[str, Any]) -> Request:
    names = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    headers = Headers(
        (names.get(name) or name[5:].replace("_", "-").lower(), str(text))
        for name, text in environ.items()
        if name.startswith("HTTP_") or (name in names and text)
    )
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if target is None:
        query = environ.get("QUERY_STRING")
        target = environ.get("PATH_INFO", "/") + (f"?{query}" if query else "")
    url = f"{environ.get('wsgi.url_scheme', 'http')}://{headers.get('host', 'localhost')}{target}"
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    address = environ.get("REMOTE_ADDR") or "127.0.0.1"
    return Request(environ["REQUEST_METHOD"], url, headers, body, source_ip=address, secure=False)


def _json(status: int, body: object) -> Response:
    return Response(status, _JSON, json.dumps(body).encode())
