"""A web endpoint for proofs: takes one request after the other and remembers them."""

import queue
import socket
import threading
from types import TracebackType


class Receiver:
    """url: `http://127.0.0.1:PORT`. Answers 200 to a POST, 502 to the rest."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._came: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self._serve, name="receiver", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def next(self, seconds: float = 30) -> str:
        """The body of the next POST, or the head of another request. Raises LookupError when none comes."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty as e:
            raise LookupError("no request came") from e

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        got = b""
        while b"\r\n\r\n" not in got and (part := connection.recv(65536)):
            got += part
        head, _, body = got.partition(b"\r\n\r\n")
        if not head.startswith(b"POST"):
            self._came.put(head.decode())
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length and (part := connection.recv(65536)):
            body += part
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self._came.put(body.decode())
