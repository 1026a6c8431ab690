"""A TCP listener on loopback whose connections have threads of their own, a bounded number of them."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

LIMIT = 64
"""Connections served at once; further ones wait to be accepted."""
STOP_SECONDS = 5

LOG = logging.getLogger(__name__)

Serve = Callable[[socket.socket], None]
"""Serves one connection to its end. It closes nothing itself; OSError means that the connection broke."""


class Listener:
    """name: of its threads. serve: must bound its own time, and takes the end of the connection as its own."""

    def __init__(self, name: str, serve: Serve, limit: int = LIMIT) -> None:
        self._name = name
        self._serve = serve
        self._free = threading.BoundedSemaphore(limit)
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._listening: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """`127.0.0.1:PORT`. Raises OSError when `port` is taken."""
        self._listening = socket.create_server(("127.0.0.1", port), backlog=128)
        self._thread = threading.Thread(target=self._accept, args=(self._listening,), name=self._name, daemon=True)
        self._thread.start()
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def stop(self) -> None:
        """Ends the listener and every connection."""
        if self._listening is None or self._thread is None:
            return
        listening, self._listening = self._listening, None
        _shut(listening)  # wakes accept(), which closing would not
        self._end_connections()  # the accepting thread may be waiting for one to end
        self._thread.join(STOP_SECONDS)
        listening.close()
        self._end_connections()

    def _end_connections(self) -> None:
        with self._lock:
            serving = dict(self._open)
            for connection in serving:
                _shut(connection)
        for thread in serving.values():
            thread.join(STOP_SECONDS)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            self._free.acquire()
            try:
                connection, _ = listening.accept()
            except OSError:
                self._free.release()
                return
            thread = threading.Thread(target=self._serve_one, args=(connection,), name=self._name, daemon=True)
            with self._lock:
                self._open[connection] = thread
                thread.start()

    def _serve_one(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection)
        except OSError as e:
            LOG.debug("%s: a connection ended: %s", self._name, e)
        finally:
            with self._lock:
                self._open.pop(connection, None)
            connection.close()
            self._free.release()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it was closed, or never connected
        connection.shutdown(socket.SHUT_RDWR)
