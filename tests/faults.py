"""A front before the simulated cloud's server that makes trouble: throttles, drops connections, answers late."""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud import Cloud

WRITES = (b"Action=Put", b"Action=Create", b"Action=Update", b"Action=Delete", b"Action=Attach", b"Action=Detach")

_QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
)


class Faults:
    """Listens at `url`; every `throttle`th call is throttled, of every `drop`th the connection is cut.

    A call is cut before it was carried out and, the next time, after. `on_write` is called with the number of each call that
    changes something, before and after it is carried out. `refuse` answers calls whose body begins so with an error, a code
    and a message; with `ahead` the answers say that it is so many seconds later than it is here.
    """

    def __init__(self, cloud: Cloud, *, throttle: int = 0, drop: int = 0, delay: float = 0.0) -> None:
        self.throttle, self.drop, self.delay = throttle, drop, delay
        self.calls = self.throttled = self.dropped = self.writes = 0
        self.on_write: Callable[[int, str], None] | None = None
        self.refuse: dict[bytes, tuple[str, str]] = {}
        self.ahead = 0.0
        self._lock = threading.Lock()
        self._server = cloud.serve()
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        faults = self

        class Handler(WSGIRequestHandler):
            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time.time()) + faults.ahead)

        self._front = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Handler)
        self._thread = threading.Thread(target=self._front.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._front.server_port}"

    def close(self) -> None:
        self._front.shutdown()
        self._thread.join()
        self._front.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with self._lock:
            self.calls += 1
            throttle = self.throttle and self.calls % self.throttle == 0
            drop = not throttle and self.drop and self.calls % self.drop == 0
            self.throttled += bool(throttle)
            self.dropped += bool(drop)
            late = self.dropped % 2 == 0
            self.writes += body.startswith(WRITES) and not throttle
            number = self.writes if body.startswith(WRITES) else 0
        time.sleep(self.delay)
        if throttle:
            return _throttled(environ, body, start_response)
        for beginning, (code, message) in self.refuse.items():
            if body.startswith(beginning):
                text = _QUERY.format(code=code, message=message)
                start_response("409 Conflict", [("Content-Type", "text/xml"), ("Content-Length", str(len(text)))])
                return [text.encode()]
        if drop and not late:
            return _cut(environ)
        if number and self.on_write:
            self.on_write(number, "before")
        answer = self._server.application(environ, start_response)
        if number and self.on_write:
            self.on_write(number, "after")
        return _cut(environ) if drop else answer


def _cut(environ: dict[str, Any]) -> list[bytes]:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return [b""]


def _throttled(environ: dict[str, Any], body: bytes, start_response: Callable[..., Any]) -> list[bytes]:
    if "HTTP_X_AMZ_TARGET" in environ:
        text, status, kind = '{"__type":"ThrottlingException"}', "400 Bad Request", "application/x-amz-json-1.0"
    elif body.startswith((b"Action=", b"Version=")):
        text, status, kind = _QUERY.format(code="Throttling", message="slow down"), "400 Bad Request", "text/xml"
    else:
        text, status, kind = "<Error><Code>SlowDown</Code></Error>", "503 Slow Down", "application/xml"
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(text)))])
    return [text.encode()]
