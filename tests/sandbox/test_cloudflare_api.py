"""The Cloudflare stand-in over HTTP, as the provider plugin and a person with curl use it."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.cloudflare.rate_limit import CALLS, SECONDS
from sandbox.providers.cloudflare.api import CloudflareApi
from sandbox.providers.cloudflare.zone import GET_ZONE

TOKEN = "right-token"
ZONE = "contoso.example"
NAME = f"_mta-sts.{ZONE}"


class Api:
    """A client that shows status, headers and envelope as they come."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: Any = {}
        self._client = httpx.Client(trust_env=False, timeout=10)

    def __call__(
        self, method: str, path: str, body: Any = None, authorization: str | None = f"Bearer {TOKEN}"
    ) -> tuple[int, dict[str, Any]]:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": authorization} if authorization is not None else {}
        response = self._client.request(method, self.url + path, content=content, headers=headers)
        self.headers = response.headers
        return response.status_code, response.json()

    def close(self) -> None:
        self._client.close()

    def zone_id(self, name: str = ZONE) -> str:
        status, answer = self("GET", f"/zones?name={name}")
        assert status == 200
        (zone,) = answer["result"]
        return str(zone["id"])

    def create(self, **record: Any) -> tuple[int, dict[str, Any]]:
        return self("POST", f"/zones/{self.zone_id()}/dns_records", record)

    def created(self, **record: Any) -> dict[str, Any]:
        status, answer = self.create(**record)
        assert status == 200, answer
        result: dict[str, Any] = answer["result"]
        return result

    def refused(self, **record: Any) -> tuple[int, str]:
        """Code and message of the error."""
        status, answer = self.create(**record)
        assert (status, answer["success"], answer["result"]) == (400, False, None)
        (error,) = answer["errors"]
        return error["code"], error["message"]


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    cloudflare = Cloudflare([ZONE, "mailhost.example", "wingtip.example"], TOKEN)
    yield cloudflare
    cloudflare.stop()


@pytest.fixture
def api(cloudflare: Cloudflare) -> Iterator[Api]:
    api = Api(cloudflare.start())
    yield api
    api.close()


@pytest.fixture
def plugin(api: Api) -> CloudflareApi:
    """What the provider plugin speaks through."""
    return CloudflareApi({"baseUrl": api.url, "apiToken": TOKEN})


# ------------------------------------------------------------------------------------------------ who may ask


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 400, 9106),
        ("Bearer", 400, 6003),
        ("Basic dXNlcg==", 400, 6003),
        ("Bearer two words", 400, 6003),
        ("Bearer wrong-token", 403, 9109),
    ],
)
def test_only_the_token_opens_the_api(api: Api, authorization: str | None, status: int, code: int) -> None:
    answered, envelope = api("GET", "/zones", authorization=authorization)
    assert (answered, envelope["success"], envelope["errors"][0]["code"]) == (status, False, code)
    assert envelope["result"] is None


def test_a_token_can_be_verified(api: Api) -> None:
    assert api("GET", "/user/tokens/verify")[1]["result"]["status"] == "active"
    assert api("GET", "/user/tokens/verify", authorization="Bearer wrong-token")[0] == 403


def test_a_malformed_authorization_has_its_reason_in_the_chain(api: Api) -> None:
    _, envelope = api("GET", "/zones", authorization="Token x")
    assert envelope["errors"][0]["error_chain"] == [
        {"code": 6111, "message": "Invalid format for Authorization header"}
    ]


def test_the_rate_limit_shows_on_the_wire_and_can_be_reset(cloudflare: Cloudflare, api: Api) -> None:
    for _ in range(CALLS):
        cloudflare.rate_limit.count()
    status, envelope = api("GET", "/zones")
    assert (status, envelope["success"]) == (429, False)
    assert 0 < int(api.headers["Retry-After"]) <= SECONDS
    cloudflare.rate_limit.reset()
    assert api("GET", "/zones")[0] == 200


# ------------------------------------------------------------------------------------------------------ zones


def test_zones_are_listed_in_pages(api: Api) -> None:
    first = api("GET", "/zones?page=1&per_page=2")[1]
    second = api("GET", "/zones?page=2&per_page=2")[1]
    beyond = api("GET", "/zones?page=3&per_page=2")[1]
    names = [zone["name"] for page in (first, second, beyond) for zone in page["result"]]
    assert names == ["contoso.example", "mailhost.example", "wingtip.example"]
    assert first["result_info"] == {"page": 1, "per_page": 2, "count": 2, "total_count": 3, "total_pages": 2}
    assert (second["result_info"]["count"], beyond["result_info"]["count"]) == (1, 0)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=CONTOSO.example&status=active&match=all", [ZONE]),
        ("name=contoso.example&status=pending", []),
        ("name=contoso.example&status=pending&match=any", [ZONE]),
        ("name=nobody.example", []),
    ],
)
def test_zones_are_filtered(api: Api, query: str, names: list[str]) -> None:
    assert [zone["name"] for zone in api("GET", f"/zones?{query}")[1]["result"]] == names


def test_an_unknown_filter_is_refused_rather_than_ignored(api: Api) -> None:
    status, envelope = api("GET", "/zones?nmae=contoso.example")
    assert (status, "nmae" in envelope["errors"][0]["message"]) == (400, True)


def test_a_zones_id_is_the_same_in_every_sandbox(api: Api) -> None:
    other = Cloudflare([ZONE], TOKEN)
    try:
        with closing(Api(other.start())) as others:
            assert others.zone_id() == api.zone_id()
    finally:
        other.stop()


def test_the_plugin_finds_a_zone_by_name(plugin: CloudflareApi, api: Api) -> None:
    found = GET_ZONE.run(plugin, {"filter": {"name": ZONE, "match": "all"}})
    assert (found["zoneId"], found["status"], found["nameServers"]) == (
        api.zone_id(),
        "active",
        ["ns1.dnshost.example"],
    )


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", f"/zones/{'0' * 32}", 7003),
        ("GET", f"/zones/{ZONE}/dns_records", 7003),
        ("GET", f"/zones/{'0' * 32}/dns_records", 7003),
        ("POST", f"/zones/{'0' * 32}/dns_records", 7003),
        ("GET", "/accounts", 7000),
        ("DELETE", "/zones", 7000),
    ],
)
def test_what_is_not_there_is_refused(api: Api, method: str, path: str, code: int) -> None:
    status, envelope = api(method, path, {} if method == "POST" else None)
    assert (status, envelope["errors"][0]["code"]) == (400, code)


# ---------------------------------------------------------------------------------------------------- records


def test_a_record_lives(cloudflare: Cloudflare, plugin: CloudflareApi, api: Api) -> None:
    path = f"/zones/{api.zone_id()}/dns_records"
    made = plugin.call("POST", path, {"name": NAME, "type": "TXT", "content": '"v=STSv1; id=1;"', "ttl": 300.0})
    assert (made["name"], made["ttl"], made["proxied"], made["proxiable"]) == (NAME, 300, False, False)
    assert plugin.call("GET", f"{path}/{made['id']}") == made

    changed = plugin.call("PATCH", f"{path}/{made['id']}", {"content": '"v=STSv1; id=2;"'})
    assert (changed["content"], changed["ttl"], changed["created_on"]) == ('"v=STSv1; id=2;"', 300, made["created_on"])
    assert changed["modified_on"] > made["modified_on"]

    whole = plugin.call("PUT", f"{path}/{made['id']}", {"name": NAME, "type": "TXT", "content": '"x"'})
    assert (whole["id"], whole["ttl"]) == (made["id"], 1)
    assert [(r.name, r.type, r.content, r.ttl) for r in cloudflare.records(ZONE)] == [(NAME, "TXT", '"x"', 1)]
    assert cloudflare.leftovers() == [f"Cloudflare zone {ZONE}: TXT record {NAME}"]

    assert plugin.call("DELETE", f"{path}/{made['id']}") == {"id": made["id"]}
    assert cloudflare.leftovers() == []
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"ttl": 60})):
        status, envelope = api(method, f"{path}/{made['id']}", body)
        assert (status, envelope["errors"]) == (404, [{"code": 81044, "message": "Record does not exist."}])


def test_records_are_filtered_and_paged(plugin: CloudflareApi, api: Api) -> None:
    for number in range(7):
        api.created(name=f"a{number}.{ZONE}", type="A", content="192.0.2.1")
    api.created(name=ZONE, type="MX", content="mx1.contoso.example", priority=10)
    path = f"/zones/{api.zone_id()}/dns_records"
    assert len(plugin.pages(path)) == 8
    pages = [api("GET", f"{path}?per_page=3&page={page}")[1]["result"] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 2, 0]
    assert [record["priority"] for record in plugin.pages(path, type="MX")] == [10]
    assert [record["name"] for record in plugin.pages(path, **{"name.exact": f"A3.{ZONE}"})] == [f"a3.{ZONE}"]
    assert len(plugin.pages(path, type="MX", name=f"a3.{ZONE}", match="any")) == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"name": "_MTA-STS.Contoso.Example.", "type": "TXT", "content": '"x"'}, {"name": NAME}),
        ({"name": "_mta-sts", "type": "TXT", "content": '"x"'}, {"name": NAME}),
        ({"name": "@", "type": "TXT", "content": '"x"'}, {"name": ZONE}),
        # as the real one does, and as nobody wants it
        ({"name": "a.other.example", "type": "TXT", "content": '"x"'}, {"name": f"a.other.example.{ZONE}"}),
        ({"name": "bücher", "type": "A", "content": "192.0.2.1"}, {"name": f"xn--bcher-kva.{ZONE}"}),
        ({"name": "m", "type": "CNAME", "content": "D1.CloudFront.net."}, {"content": "d1.cloudfront.net"}),
        ({"name": "m", "type": "MX", "content": "Mx.Example.", "priority": 10.0}, {"content": "mx.example"}),
        ({"name": "m", "type": "AAAA", "content": "2001:DB8:0::1"}, {"content": "2001:db8::1"}),
        ({"name": "m", "type": "TXT", "content": "v=STSv1; id=1;"}, {"content": '"v=STSv1; id=1;"'}),
        ({"name": "m", "type": "TXT", "content": '"a""b"'}, {"content": '"a" "b"'}),
        ({"name": "m", "type": "TXT", "content": r'"a\"b" "\\ \059"'}, {"content": r'"a\"b" "\\ \059"'}),
        ({"name": "m", "type": "TXT", "content": f'"{"x" * 256}"'}, {"content": f'"{"x" * 255}" "x"'}),
        ({"name": "m", "type": "TXT", "content": f'"{"x" * 254}\\""'}, {"content": f'"{"x" * 254}\\""'}),
        ({"name": "m", "type": "A", "content": "192.0.2.1", "proxied": True, "ttl": 600}, {"ttl": 1, "proxied": True}),
        ({"name": "m", "type": "A", "content": "192.0.2.1", "comment": "why"}, {"comment": "why"}),
    ],
)
def test_what_cloudflare_keeps_is_not_always_what_was_sent(api: Api, sent: dict[str, Any], kept: Any) -> None:
    made = api.created(**sent)
    assert {member: made[member] for member in kept} == kept


ADDRESS = {"name": "m", "type": "A", "content": "192.0.2.1"}
TEXT = {"name": "m", "type": "TXT", "content": '"x"'}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (ADDRESS | {"ttl": 59}, 9021),
        (ADDRESS | {"ttl": 86401}, 9021),
        (ADDRESS | {"ttl": 300.5}, 9021),
        (ADDRESS | {"ttl": "300"}, 9021),
        (ADDRESS | {"ttl": True}, 9021),
        (ADDRESS | {"content": "192.0.2"}, 9005),
        (ADDRESS | {"content": "2001:db8::1"}, 9005),
        (ADDRESS | {"type": "AAAA"}, 9006),
        (ADDRESS | {"type": "CNAME"}, 9007),
        (ADDRESS | {"type": "CNAME", "content": "https://x.example/"}, 9007),
        (ADDRESS | {"type": "CNAME", "content": f"m.{ZONE}"}, 9039),
        (ADDRESS | {"type": "MX", "priority": 10}, 9009),
        (ADDRESS | {"type": "MX", "content": "mx.example"}, 9100),
        (ADDRESS | {"type": "MX", "content": "mx.example", "priority": 65536}, 9008),
        (TEXT | {"proxied": True}, 9004),
        (TEXT | {"content": '"x'}, 9000),
        (TEXT | {"content": 'x"y"'}, 9000),
        (TEXT | {"content": '"x" y'}, 9000),
        (TEXT | {"content": ""}, 9000),
        (TEXT | {"content": None}, 9000),
        (TEXT | {"content": f'"{"x" * 4081}"'}, 9000),
        (TEXT | {"name": ""}, 9000),
        (TEXT | {"name": "a..b"}, 9000),
        (TEXT | {"name": "a b"}, 9000),
        (TEXT | {"name": "x" * 64}, 9000),
        (TEXT | {"name": ".".join(["x" * 60] * 5)}, 9000),
        (TEXT | {"comment": "x" * 101}, 9000),
        (TEXT | {"proxied": "yes"}, 9207),
        (TEXT | {"tags": "x"}, 9207),
        # not in the stand-in, which says so
        (TEXT | {"name": "*.m"}, 1004),
        (TEXT | {"type": "SRV"}, 1004),
        (TEXT | {"type": ["TXT"]}, 1004),
        (TEXT | {"data": {"x": 1}}, 1004),
        (TEXT | {"settings": {"flatten_cname": True}}, 1004),
        (TEXT | {"porxied": True}, 1004),
    ],
)
def test_what_is_no_record_is_refused(cloudflare: Cloudflare, api: Api, record: dict[str, Any], code: int) -> None:
    assert api.refused(**record)[0] == code
    assert cloudflare.leftovers() == []


def test_a_body_that_is_no_json_object_is_refused(api: Api) -> None:
    for body in (b"{", b"[]", b"\xff", b"[" * 100_000):
        status, envelope = api("POST", f"/zones/{api.zone_id()}/dns_records", body)
        assert (status, envelope["errors"][0]["code"]) == (400, 9207)


CNAME = {"name": "m", "type": "CNAME", "content": "d1.cloudfront.net"}


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (TEXT, TEXT, 81058),
        (TEXT, TEXT | {"content": "x"}, 81058),
        (TEXT, TEXT | {"ttl": 60}, 81058),
        (CNAME, CNAME | {"content": "D1.cloudfront.net."}, 81058),
        (CNAME, CNAME | {"content": "d2.cloudfront.net"}, 81053),
        (ADDRESS, CNAME, 81053),
        (TEXT, CNAME, 81053),
        (CNAME, ADDRESS, 81054),
        (CNAME, TEXT, 81054),
        (ADDRESS | {"name": "@"}, CNAME | {"name": "@"}, 81053),
        (CNAME | {"name": "@"}, ADDRESS | {"name": "@"}, 81054),
        (TEXT, TEXT | {"content": '"y"'}, None),
        (CNAME, CNAME | {"name": "n"}, None),
        (TEXT | {"name": "@"}, CNAME | {"name": "@"}, None),
        (CNAME | {"name": "@"}, TEXT | {"name": "@"}, None),
    ],
)
def test_neighbours(api: Api, first: dict[str, Any], second: dict[str, Any], code: int | None) -> None:
    api.created(**first)
    if code is None:
        api.created(**second)
    else:
        assert api.refused(**second)[0] == code


def test_content_has_an_end_in_one_record_and_in_all_of_a_name(api: Api) -> None:
    """2,025 octets are eight strings, with their quotes and blanks 2,048 characters; four such are all of a name."""
    assert api.refused(**TEXT | {"content": f'"{"x" * 2026}"'})[0] == 9000
    for letter in "abcd":
        api.created(**TEXT | {"content": f'"{letter * 2025}"'})
    assert api.refused(**TEXT | {"content": '"x"'})[0] == 9000
    api.created(**TEXT | {"name": "n"})


def test_a_change_meets_its_neighbours_but_not_itself(api: Api) -> None:
    path = f"/zones/{api.zone_id()}/dns_records"
    api.created(**TEXT)
    other = api.created(**TEXT | {"content": '"y"'})
    assert api("PATCH", f"{path}/{other['id']}", {"content": '"x"'})[1]["errors"][0]["code"] == 81058
    assert api("PUT", f"{path}/{other['id']}", TEXT | {"content": '"y"', "ttl": 60})[0] == 200
    assert api("PATCH", f"{path}/{other['id']}", CNAME)[1]["errors"][0]["code"] == 81053


def test_comments_and_tags_have_times_of_their_own(api: Api) -> None:
    path = f"/zones/{api.zone_id()}/dns_records"
    assert "comment_modified_on" not in api.created(**TEXT | {"name": "n"})
    first = api.created(**TEXT | {"comment": "why", "tags": ["b:1", "a:1"]})
    assert first["tags"] == ["a:1", "b:1"]
    then = api("PATCH", f"{path}/{first['id']}", {"content": '"y"'})[1]["result"]
    times = ("comment_modified_on", "tags_modified_on")
    assert [then[time] for time in times] == [first[time] for time in times]
    last = api("PATCH", f"{path}/{first['id']}", {"comment": "", "tags": []})[1]["result"]
    assert (last["comment"], last["tags"]) == (None, [])
    assert all(last[time] > first[time] for time in times)


def test_of_many_at_once_who_want_the_same_one_gets_it(cloudflare: Cloudflare, api: Api) -> None:
    path = f"/zones/{api.zone_id()}/dns_records"
    start = threading.Barrier(8, timeout=30)

    def create(_: int) -> int:
        start.wait()
        with closing(Api(api.url)) as own:
            return own("POST", path, TEXT)[0]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == [200] + [400] * 7
    assert len(cloudflare.records(ZONE)) == 1


def test_one_connection_carries_many_calls(api: Api) -> None:
    parts = urlsplit(api.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.connect()
    opened = connection.sock
    for number in range(3):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("GET", f"{parts.path}/zones?per_page={number + 1}", headers=headers)
        assert len(json.load(connection.getresponse())["result"]) == number + 1
        assert connection.sock is opened
    connection.close()


def test_a_large_body_is_not_read(api: Api) -> None:
    parts = urlsplit(api.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.putrequest("POST", f"{parts.path}/zones")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
