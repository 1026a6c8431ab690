"""The comments of one pull request, over HTTP as GitHub and GitLab have them: what they refuse is refused here too."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONGEST = 65_536
"""Characters of a comment that GitHub takes."""


@dataclass(slots=True)
class Comments:
    """What was written, oldest first, and how it was asked for."""

    url: str = ""
    token: str = "token-of-the-job"
    collection: str = "/repos/contoso/mailtls/issues/7/comments"
    single: str = "/repos/contoso/mailtls/issues/comments"
    header: str = "Authorization"
    me: dict[str, Any] = field(default_factory=lambda: {"login": "github-actions[bot]", "id": 1})
    author: str = "user"
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def write(self, author: dict[str, Any] | None, body: str) -> dict[str, Any]:
        """A comment of anybody."""
        comment = {"id": 100 + len(self.comments), self.author: author, "body": body}
        self.comments.append(comment)
        return comment


@contextmanager
def served(comments: Comments) -> Iterator[Comments]:
    """On loopback, until the block ends. `comments.url` is where."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

        def _answer(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _handle(self) -> None:
            target = urlsplit(self.path)
            comments.asked.append(f"{self.command} {target.path}")
            if comments.token not in self.headers.get(comments.header, ""):
                return self._answer(401, {"message": "Bad credentials"})
            length = int(self.headers.get("Content-Length", 0))
            sent = json.loads(self.rfile.read(length)) if length else {}
            if len(sent.get("body", "")) > LONGEST:
                return self._answer(422, {"message": "body is too long (maximum is 65536 characters)"})
            if (self.command, target.path) == ("GET", "/user"):
                return self._answer(200, comments.me)
            if (self.command, target.path) == ("GET", comments.collection):
                query = parse_qs(target.query)
                size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
                return self._answer(200, comments.comments[(page - 1) * size : page * size])
            if (self.command, target.path) == ("POST", comments.collection):
                return self._answer(201, comments.write(comments.me, sent["body"]))
            for comment in comments.comments:
                if self.command in ("PATCH", "PUT") and target.path == f"{comments.single}/{comment['id']}":
                    comment["body"] = sent["body"]
                    return self._answer(200, comment)
            return self._answer(404, {"message": "Not Found"})

        do_GET = do_POST = do_PATCH = do_PUT = _handle

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    comments.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield comments
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
