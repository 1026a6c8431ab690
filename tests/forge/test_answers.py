"""Answers that no forge should give, and the one that GitHub gives for "later": told in words, without the token."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailtls.propose.forges import rest
from mailtls.propose.forges.forge import ForgeError, NotAllowed, Refused, Unreachable
from mailtls.propose.forges.github import GitHub

TOKEN = "token-of-ours"
Answers = Callable[[int, dict[str, str], bytes], GitHub]


@pytest.fixture
def answers() -> Iterator[Answers]:
    """Takes what the forge says to everything; gives a client of it. What it waited stands in `client.api.sleep`."""
    said: list[tuple[int, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

        def do_GET(self) -> None:
            code, headers, content = said[0]
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def client(code: int, headers: dict[str, str], content: bytes) -> GitHub:
            said[:] = [(code, headers, content)]
            made = GitHub.of("alice/specs", TOKEN, f"http://127.0.0.1:{server.server_port}")
            made.api.sleep = lambda _: None
            return made

        yield client
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>log in</html>", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"message": "x"}', "no list"),
        (b'[{"number": 1}]', "has not the shape"),
        (b"[null]", "has not the shape"),
        (b'[{"head": {"repo": 7}}]', "has not the shape"),
        (b'["' + b"x" * (rest.MOST_OCTETS + 9) + b'"]', "more than"),
    ],
)
def test_an_answer_that_is_none(answers: Answers, content: bytes, told: str) -> None:
    with pytest.raises(Refused, match=told):
        answers(200, {}, content).open_pull_requests("main", "mailtls/")


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "3600"}, {"X-RateLimit-Remaining": "0"}, {"Retry-After": "9" * 40, "X-RateLimit-Remaining": "0"}],
)
def test_githubs_403_for_too_many_requests_is_not_a_missing_right(answers: Answers, headers: dict[str, str]) -> None:
    with pytest.raises(Unreachable, match="more than a run has"):
        answers(403, headers, b"{}").open_pull_requests("main", "mailtls/")


def test_a_403_without_such_words_is_a_missing_right(answers: Answers) -> None:
    with pytest.raises(NotAllowed, match="lacks a right"):
        answers(403, {"X-RateLimit-Remaining": "59"}, b"{}").open_pull_requests("main", "mailtls/")


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 409, 422, 500])
def test_a_forge_that_says_the_token_back_does_not_make_us_show_it(answers: Answers, code: int) -> None:
    said = b'{"message": "bad token-of-ours \\u001b[31m", "errors": [{"token": "token-of-ours"}]}'
    with pytest.raises(ForgeError) as told:
        answers(code, {"Location": "/x"}, said).open_pull_requests("main", "mailtls/")
    assert TOKEN not in str(told.value)
    assert "\x1b" not in str(told.value)


def test_an_answer_that_comes_too_slowly_is_given_up(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "MOST_SECONDS", -1)
    with pytest.raises(Unreachable, match="took longer"):
        answers(200, {}, b"[]").open_pull_requests("main", "mailtls/")


def test_a_forge_that_is_not_there_is_told(answers: Answers) -> None:
    client = answers(200, {}, b"[]")
    client.api.url = "http://127.0.0.1:1"
    with pytest.raises(Unreachable, match="refused"):
        client.open_pull_requests("main", "mailtls/")
