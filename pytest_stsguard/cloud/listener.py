"""A port, and a thread for each client's conversation; it ends gracefully and leaves nothing behind."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Self

from pytest_stsguard.cloud.conversation import Limits
from pytest_stsguard.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_stsguard.cloud.conversation import Conversation

__all__ = ["Listener"]

_LAST_WORDS = 1


class Listener:
    """Holds a conversation with each client at `host` and `port` (0: any free one), from its construction until `close`.

    `converse` is the class of the conversations, or what makes one.

    Raises:
        InputError: the address or the port cannot be used.
    """

    def __init__(
        self,
        converse: Callable[..., Conversation],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
    ) -> None:
        self._converse = converse
        self._limits = limits or Limits()
        self._closing = threading.Event()
        self._socket = _listen(host, port)
        self._lock = threading.Lock()
        self._conversations: dict[threading.Thread, Conversation] = {}
        address, self.port = self._socket.getsockname()[:2]
        self.url = f"http://[{address}]:{self.port}" if ":" in address else f"http://{address}:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name=f"stsguard {self.url}", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop: requests under way are answered, then every connection ends; a second call does nothing."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        # accept() is woken by a connection of our own: closing a socket under it is not portable.
        with socket.socket(self._socket.family) as wake:
            wake.settimeout(1)
            wake.connect_ex(self._socket.getsockname())
            self._acceptor.join()
        self._socket.close()
        with self._lock:
            conversations = dict(self._conversations)
        for conversation in conversations.values():
            conversation.end(only_idle=True)
        until = time.monotonic() + self._limits.grace
        for thread, conversation in conversations.items():
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                conversation.end()
                thread.join(_LAST_WORDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, address = self._socket.accept()
            except OSError:
                # A client that is gone already, or no file descriptor left: both pass.
                time.sleep(0.01)
                continue
            conversation = self._converse(client, address, limits=self._limits, closing=self._closing)
            thread = threading.Thread(target=self._serve, args=(conversation,), daemon=True)
            with self._lock:
                full = len(self._conversations) >= self._limits.connections
                if self._closing.is_set() or full:
                    client.close()
                    continue
                self._conversations[thread] = conversation
                thread.start()

    def _serve(self, conversation: Conversation) -> None:
        try:
            conversation.serve()
        except (ConnectionError, TimeoutError):
            # The client went away, or took longer than it may: there is nobody to tell.
            return
        finally:
            conversation.client.close()
            with self._lock:
                del self._conversations[threading.current_thread()]


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on port `{port}` of `{host}`: {reason.lower()}") from error
    return listener
