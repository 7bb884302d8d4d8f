"""The way in over HTTP: a WSGI application on loopback that the AWS CLI, curl and any SDK can point at."""

from __future__ import annotations

import json
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.request import Headers, Request, Response
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_stsguard.cloud.cloud import Cloud

__all__ = ["Server"]

_CONTROL = "/_stsguard/"
_JSON = {"content-type": "application/json"}


class Server:
    """Serves one cloud until it is closed; `url` is what AWS_ENDPOINT_URL takes."""

    def __init__(self, cloud: Cloud, *, host: str = "127.0.0.1", port: int = 0) -> None:
        from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 - only a server pays for werkzeug

        class Handler(WSGIRequestHandler):
            """Keeps connections open and says nothing of requests: the trail records them."""

            protocol_version = "HTTP/1.1"

            def log_request(self, *_: Any) -> None:
                """Write no line for a request."""

        self._cloud = cloud
        self._listener = _listen(host, port)
        address, bound = self._listener.getsockname()[:2]
        self.url = f"http://{address}:{bound}"
        self._server = make_server(
            host, bound, self.application, threaded=True, request_handler=Handler, fd=self._listener.fileno()
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"stsguard {self.url}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop taking requests and free the port; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._listener.close()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one WSGI request: our own controls, or AWS at the gate."""
        request = _neutral(environ)
        response = self._control(request) if request.path.startswith(_CONTROL) else self._answer(request)
        headers = [(name, value) for name, value in response.headers.items() if name.lower() not in _HOP_BY_HOP]
        if request.method != "HEAD" or "content-length" not in response.headers:
            headers = [header for header in headers if header[0].lower() != "content-length"]
            headers.append(("content-length", str(len(response.body))))
        start_response(f"{response.status} {_phrase(response.status)}", headers)
        return [b"" if request.method == "HEAD" else response.body]

    def _answer(self, request: Request) -> Response:
        try:
            return self._cloud.gate.handle(request)
        except Exception as error:  # noqa: BLE001 - a fault of moto or of ours must reach the client as AWS's 500
            print(f"stsguard: {request.method} {request.path}: {error!r}", file=sys.stderr)  # noqa: T201 - the server's log
            return _json(500, {"__type": "InternalFailure", "message": "the simulated service failed"})

    def _control(self, request: Request) -> Response:
        action = request.path[len(_CONTROL) :]
        if (request.method, action) == ("POST", "clock"):
            return self._move_clock(request)
        if (request.method, action) == ("GET", "clock"):
            return _json(200, {"now": self._cloud.clock.now().isoformat()})
        if (request.method, action) == ("GET", "trail"):
            return _json(200, {"Records": self._cloud.trail.records()})
        if (request.method, action) == ("GET", "health"):
            return _json(200, {"status": "ok"})
        return _json(404, {"error": f"no `{request.method} {request.path}` here"})

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


_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "server", "date"})


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on port `{port}` of `{host}`: {reason.lower()}") from error
    return listener


def _neutral(environ: dict[str, Any]) -> Request:
    from werkzeug.wrappers import Request as WsgiRequest  # noqa: PLC0415 - as above

    wsgi = WsgiRequest(environ)
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or wsgi.full_path
    if target.startswith("http://"):
        target = "/" + target.partition("//")[2].partition("/")[2]
    url = f"{wsgi.scheme}://{environ.get('HTTP_HOST', 'localhost')}{target}"
    return Request(
        wsgi.method,
        url,
        Headers.of(wsgi.headers.items()),
        wsgi.get_data(cache=False),
        source_ip=environ.get("REMOTE_ADDR") or "127.0.0.1",
        secure=False,
    )


def _json(status: int, body: object) -> Response:
    return Response(status, _JSON, json.dumps(body).encode())


def _phrase(status: int) -> str:
    from http import HTTPStatus  # noqa: PLC0415 - beside its one use

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
