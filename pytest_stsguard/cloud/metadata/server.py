"""HTTP servers on loopback for small requests whose bodies do not matter: they are never read."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pytest_stsguard.cloud.conversation import Conversation, Limits
from pytest_stsguard.cloud.listener import Listener
from pytest_stsguard.cloud.metadata.message import Answer, Request, error_page
from pytest_stsguard.cloud.metadata.service import MetadataService

if TYPE_CHECKING:
    from collections.abc import Callable

    import h11

    from pytest_stsguard.clock import Clock
    from pytest_stsguard.cloud.metadata.instance import Host
    from pytest_stsguard.cloud.metadata.tokens import SessionTokens

__all__ = ["LoopbackServer", "MetadataServer"]

_LIMITS = Limits(idle=30)


class LoopbackServer(Listener):
    """Serves `answer` at `host` and `port` (0: any free one) from its construction until `close`.

    `answer` is called from a thread of each connection; None closes the connection without a word. `refuse` gives the
    answer to what is no HTTP request. With `keep_alive` a connection takes further requests, unless one had a body or
    asked to be the last. Nothing is logged. A context manager.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer | None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keep_alive: bool = False,
        refuse: Callable[[int], Answer] = error_page,
    ) -> None:
        self.answer = answer
        self.refuse = refuse
        self.keep_alive = keep_alive
        super().__init__(partial(_Conversation, self), host=host, port=port, limits=_LIMITS)


class MetadataServer(LoopbackServer):
    """The instance metadata service of one instance: `MetadataService` on a port of its own.

    EC2 closes each connection after its answer, and so does this; `keep_alive` keeps them open for load tests.
    `url` is what AWS_EC2_METADATA_SERVICE_ENDPOINT takes. `tokens` of one server may be handed to another of the same
    instance, as for a second port that is two hops away.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(
        self,
        instance: Host,
        clock: Clock,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        hops: int = 1,
        tokens: SessionTokens | None = None,
        keep_alive: bool = False,
    ) -> None:
        self.service = MetadataService(instance, clock, hops=hops, tokens=tokens)
        super().__init__(self.service.answer, host=host, port=port, keep_alive=keep_alive)

    @property
    def tokens(self) -> SessionTokens:
        """The session tokens that this server issues and accepts."""
        return self.service.tokens


class _Conversation(Conversation):
    def __init__(self, server: LoopbackServer, *of_conversation: Any, **settings: Any) -> None:
        super().__init__(*of_conversation, **settings)
        self._server = server

    def respond(self, head: h11.Request) -> None:
        headers: dict[str, str] = {}
        for name, value in head.headers:
            headers.setdefault(name.decode(), value.decode("latin-1"))
        try:
            answer = self._server.answer(Request(head.method.decode(), head.target.decode(), headers))
        except Exception:
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not has_body:
            self.event()  # the end of the request, without which no other begins
        if answer is not None:
            self.send(answer.status, answer.headers, [answer.body], last=has_body or not self._server.keep_alive)

    def refuse(self, status: int) -> None:
        answer = self._server.refuse(status)
        self.send(answer.status, answer.headers, [answer.body], last=True)
