"""A forge on loopback that refuses each request that its published description does not have.


The description says which operations there are, with parameters, bodies and answers; a stand-in what becomes of them.
"""

import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import jsonschema

TOKEN = "token-of-ours"


class Refusal(Exception):
    """The forge says no. code: of HTTP. words: its own."""

    def __init__(self, code: int, words: object) -> None:
        super().__init__(str(words))
        self.code, self.words = code, words


class StandIn(Protocol):
    """answer: of a request that the description allows."""

    prefix: str
    description: Path

    def admitted(self, headers: Any) -> bool: ...

    def answer(self, operation: str, places: dict[str, str], query: dict[str, str], body: Any) -> Any: ...


@dataclass
class Described:
    """url: of the forge. wrong: what broke the description; a test asserts that it is empty."""

    url: str
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(stand_in: StandIn) -> Iterator[Described]:
    paths = json.loads(stand_in.description.read_text())["paths"]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            sent = json.loads(self.rfile.read(length)) if length else None
            try:
                code, said = self._judged(sent)
            except Refusal as e:
                code, said = e.code, {"message": e.words}
            content = json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _judged(self, sent: Any) -> tuple[int, Any]:
            parts = urllib.parse.urlsplit(self.path)
            operation = f"{self.command} {parts.path}"
            served.asked.append(operation)
            if not stand_in.admitted(self.headers):
                raise Refusal(401, "Bad credentials")
            template, places = _found(paths, parts.path.removeprefix(stand_in.prefix))
            described = paths.get(template, {}).get(self.command.lower())
            if described is None or not parts.path.startswith(stand_in.prefix):
                served.wrong.append(f"{operation}: no such operation")
                raise Refusal(404, "Not Found")
            query = dict(urllib.parse.parse_qsl(parts.query))
            for words in _wrong(described, query, sent):
                served.wrong.append(f"{operation}: {words}")
                raise Refusal(422, words)
            said = stand_in.answer(f"{self.command} {template}", places, query, sent)
            jsonschema.validate(said, _nullable(described["answer"]["schema"]))
            return int(described["answer"]["status"]), said

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Described(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def _found(paths: dict[str, Any], path: str) -> tuple[str, dict[str, str]]:
    """The template that fits, and what stands at its places."""
    for template in paths:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        if match := re.fullmatch(pattern, path):
            return template, {name: urllib.parse.unquote(value) for name, value in match.groupdict().items()}
    return "", {}


def _wrong(described: dict[str, Any], query: dict[str, str], sent: Any) -> Iterator[str]:
    known = {each["name"]: each["schema"] for each in described["parameters"] if each["in"] == "query"}
    for name, text in query.items():
        if name not in known:
            yield f"the parameter {name} is not described"
        else:
            value = int(text) if known[name].get("type") == "integer" and text.isdigit() else text
            yield from (e.message for e in jsonschema.Draft202012Validator(known[name]).iter_errors(value))
    if described["requestBody"] is None:
        if sent is not None:
            yield "a body where none is described"
        return
    schema = _nullable(described["requestBody"]["content"]["application/json"]["schema"])
    for error in jsonschema.Draft202012Validator(schema).iter_errors(sent):
        yield error.message
    allowed = {name for each in [schema, *schema.get("oneOf", [])] for name in each.get("properties", {})}
    if isinstance(sent, dict) and (unknown := sent.keys() - allowed):
        yield f"the member {min(unknown)} is not described"


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0 writes `nullable` where JSON Schema has the type null."""
    if isinstance(schema, list):
        return [_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    other = {name: _nullable(each) for name, each in schema.items() if name != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [other, {"type": "null"}]}
    return other
