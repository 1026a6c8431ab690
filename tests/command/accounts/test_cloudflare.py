"""Cloudflare's API asked: what stands at the other end may be broken, endless, or not Cloudflare at all."""

import itertools
import time
from collections.abc import Callable, Iterator

import pytest
from stand_ins import TOKEN, Answer, Request, Serving, refusal, result

from mailtls.discover.mail_names import ZoneRecord
from mailtls.observe.account.cloudflare import Cloudflare, CloudflareError, CloudflareRefused, Zone

ZONE_ID = "0" * 32
ZONE = {
    "id": ZONE_ID,
    "name": "Contoso.Example",
    "status": "active",
    "type": "full",
    "name_servers": ["ada.ns.cloudflare.com"],
    "vanity_name_servers": ["ns1.contoso.example"],
    "permissions": ["#dns_records:edit", "#zone:read"],
}


def one_page(items: list[dict[str, object]]) -> Answer:
    return result(items, result_info={"page": 1, "per_page": 50, "total_pages": 1})


def test_a_zone_and_its_records(served: Serving) -> None:
    records: list[dict[str, object]] = [
        {"id": "1", "name": "contoso.example", "type": "MX", "content": "mx1.contoso.example", "priority": 10},
        {"id": "2", "name": "_mta-sts.contoso.example", "type": "TXT", "content": '"v=STSv1; " "id=1;"'},
        {"id": "3", "name": "mta-sts.contoso.example", "type": "CNAME", "content": "edge.example"},
    ]
    server = served(lambda request: one_page([ZONE] if request.path == "/zones" else records))
    account = Cloudflare(TOKEN, server.url)
    servers = ("ada.ns.cloudflare.com", "ns1.contoso.example")
    zone = Zone(ZONE_ID, "contoso.example", "active", "full", servers, ("#dns_records:edit", "#zone:read"))
    assert account.zone("contoso.example") == zone
    assert account.zone("fabrikam.example") is None
    assert list(account.records(ZONE_ID)) == [
        ZoneRecord("contoso.example", "MX", "10 mx1.contoso.example"),
        ZoneRecord("_mta-sts.contoso.example", "TXT", "v=STSv1; id=1;"),
        ZoneRecord("mta-sts.contoso.example", "CNAME", "edge.example"),
    ]
    assert {request.headers["Authorization"] for request in server.requests} == {f"Bearer {TOKEN}"}
    assert {request.method for request in server.requests} == {"GET"}


def test_pages_are_followed_to_the_last(served: Serving) -> None:
    def answer(request: Request) -> Answer:
        page = int(request.query["page"])
        return result([{**ZONE, "id": str(page), "name": f"z{page}.example"}], result_info={"total_pages": 3})

    assert [zone.name for zone in Cloudflare(TOKEN, served(answer).url).zones()] == [
        "z1.example",
        "z2.example",
        "z3.example",
    ]


def test_pages_without_end_are_left(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailtls.observe.account.cloudflare.MAX_PAGES", 5)

    def new_ones(request: Request) -> Answer:
        return result([{**ZONE, "id": request.query["page"]}], result_info={"total_pages": 10**9})

    server = served(new_ones)
    with pytest.raises(CloudflareError, match="more than 5 pages"):
        list(Cloudflare(TOKEN, server.url).zones())
    assert len(server.requests) == 5


def test_a_page_that_comes_again_ends_the_list(served: Serving) -> None:
    server = served(lambda _: result([ZONE], result_info={"total_pages": 10**9}))
    with pytest.raises(CloudflareError, match="page 2 of /zones repeats"):
        list(Cloudflare(TOKEN, server.url).zones())


def endless() -> Iterator[bytes]:
    return itertools.repeat(b'{"result": "' + b"x" * 65536)


def trickle() -> Iterator[bytes]:
    for _ in range(1000):
        time.sleep(0.05)
        yield b" "


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: Answer(200, endless()), "more than 100000 octets"),
        (lambda: Answer(200, trickle()), "no whole answer within 1 s"),
        (lambda: Answer(500, endless()), "more than 100000 octets"),
        (lambda: Answer(200, [b"<html>login</html>"]), "status 200, is not Cloudflare's JSON"),
        (lambda: Answer(502, [b"Bad Gateway"]), "status 502, is not Cloudflare's JSON"),
        (lambda: Answer(200, [b"[" * 90_000]), "is not Cloudflare's JSON"),
        (lambda: Answer(200, [b'{"success": true, "result": 1}']), "no list of results"),
        (lambda: Answer(200, [b'{"success": true, "result": [1]}']), "no list of results"),
        (lambda: result([{"id": 1}]), "a result without id"),
        (lambda: Answer(301, [], {"Location": "http://127.0.0.1:1/"}), "a redirect, which is not followed"),
        (lambda: Answer(200, [b"{}"], {"Content-Length": "99"}), ""),
        (lambda: refusal(503, 10, f"try again, {TOKEN}"), "10 try again, [token]"),
        (lambda: refusal(429, 971, "slow down", Retry_After="100000"), "slow down"),
        (lambda: Answer(429, [b"no"], {"Retry-After": "soon"}), "status 429"),
    ],
)
def test_an_answer_that_is_none(served: Serving, answer: Callable[[], Answer], said: str) -> None:
    server = served(lambda _: answer())
    account = Cloudflare(TOKEN, server.url, timeout=1, max_answer=100_000, longest_pause=5)
    with pytest.raises(CloudflareError) as raised:
        list(account.zones())
    assert said in str(raised.value)
    assert TOKEN not in str(raised.value) + repr(raised.value.__cause__) + repr(account)
    assert str(raised.value).isprintable()
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_is_not_taken(served: Serving, status: int) -> None:
    server = served(lambda _: refusal(status, 1000, "Invalid API Token"))
    with pytest.raises(CloudflareRefused, match="1000 Invalid API Token"):
        Cloudflare(TOKEN, server.url).token_status()


def test_too_many_calls_are_waited_for_once(served: Serving) -> None:
    answers = iter([refusal(429, 971, "slow down", Retry_After="0"), result({"id": "1", "status": "active"})])
    pauses: list[float] = []
    account = Cloudflare(TOKEN, served(lambda _: next(answers)).url, pausing=pauses.append)
    assert account.token_status() == ("active", "")
    assert pauses == [0.0]


@pytest.mark.parametrize(
    "url",
    ["http://api.cloudflare.com/client/v4", "ftp://127.0.0.1/", "api.cloudflare.com", "", "https://", "http://[::1"],
)
def test_the_token_crosses_no_network_in_clear_text(url: str) -> None:
    with pytest.raises(CloudflareError, match="no base URL"):
        Cloudflare(TOKEN, url)


@pytest.mark.parametrize("token", ["two words", "line\nend", "b\u00fccher", "x\r\nHost: evil"])
def test_a_token_that_is_none(token: str) -> None:
    with pytest.raises(CloudflareError) as raised:
        Cloudflare(token)
    assert token not in str(raised.value)


def test_nobody_listens() -> None:
    with pytest.raises(CloudflareError, match=r"no answer: .*refused"):
        Cloudflare(TOKEN, "http://127.0.0.1:1").token_status()
