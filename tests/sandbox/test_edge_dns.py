"""The DNS edge, asked by dnspython and by the publish gate's own walk; Route 53 and CloudFront are the emulator's."""

import socket
import struct
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import pytest
from dns.name import Name
from edge_callers import DnsClient
from hypothesis import given
from hypothesis import strategies as st

from mailtls.observe.dns import Resolver
from sandbox.cloud.cloudflare import Cloudflare
from sandbox.edges.deployed import StateUnknown
from sandbox.edges.dns import DnsEdge
from sandbox.edges.zones import CloudflareZones, CloudFrontNames, Record, Route53Zones
from sandbox.providers.cloudflare.api import CloudflareApi
from sandbox.world.world import World

TOKEN = "token"
ZONES = ("contoso.example", "mailhost.example", "nofile.example")
RD = dns.flags.RD


class Zones:
    """A source in memory. records: (owner, type) -> texts. silent: it cannot be read."""

    def __init__(self, *apexes: str) -> None:
        self._apexes = {dns.name.from_text(apex) for apex in apexes}
        self.records: dict[tuple[str, str], list[str]] = {}
        self.silent = False
        self.broken = False

    def apexes(self) -> Collection[Name]:
        if self.silent:
            raise StateUnknown("silent")
        return self._apexes

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        if self.silent:
            raise StateUnknown("silent")
        if self.broken:
            raise RuntimeError("broken")
        wanted = name.to_text(omit_final_dot=True).lower()
        found = [
            Record(type.removesuffix(" alias"), 300, text, alias=type.endswith(" alias"))
            for (owner, type), texts in self.records.items()
            if owner == wanted
            for text in texts
        ]
        return tuple(found) if found or any(owner.endswith(f".{wanted}") for owner, _ in self.records) else None


@pytest.fixture(scope="module")
def cloudflare() -> Iterator[Cloudflare]:
    cloudflare = Cloudflare(ZONES, TOKEN)
    yield cloudflare
    cloudflare.stop()


@pytest.fixture(scope="module")
def api(cloudflare: Cloudflare) -> CloudflareApi:
    return CloudflareApi({"baseUrl": cloudflare.start(), "apiToken": TOKEN})


@pytest.fixture
def deploy(api: CloudflareApi) -> Iterator[Callable[..., str]]:
    """Makes a record at Cloudflare, for the time of a test; returns the path to it."""
    made: list[str] = []

    def create(zone: str, name: str, type: str, content: str, **more: Any) -> str:
        (found,) = api.pages("/zones", name=zone)
        path = f"/zones/{found['id']}/dns_records"
        record = api.call("POST", path, {"name": name, "type": type, "content": content, "ttl": 300, **more})
        made.append(f"{path}/{record['id']}")
        return made[-1]

    yield create
    for path in made:
        api.call("DELETE", path)


@pytest.fixture(scope="module")
def zones() -> Zones:
    return Zones("zones.example", "deep.zones.example", "elsewhere.example")


@pytest.fixture(scope="module")
def edge(cloudflare: Cloudflare, zones: Zones) -> Iterator[DnsEdge]:
    edge = DnsEdge([CloudflareZones(cloudflare), zones], World())
    edge.start()
    yield edge
    edge.stop()


@pytest.fixture(scope="module")
def client(cloudflare: Cloudflare, zones: Zones) -> Iterator[DnsClient]:
    edge = DnsEdge([CloudflareZones(cloudflare), zones], World())
    yield DnsClient(edge.start())
    edge.stop()


@pytest.fixture(autouse=True)
def empty(zones: Zones) -> None:
    zones.records.clear()
    zones.silent = zones.broken = False


# ---------------------------------------------------------------------------- deployed records and the world's


def test_a_deployed_record_shows_at_once_and_is_gone_at_once(
    client: DnsClient, api: CloudflareApi, deploy: Callable[..., str]
) -> None:
    name = "_mta-sts.contoso.example"
    assert client.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN
    path = deploy("contoso.example", name, "TXT", '"v=STSv1; id=1;"')
    for number in range(2, 12):
        api.call("PATCH", path, {"content": f'"v=STSv1; id={number};"'})
        assert client.found(name, "TXT") == [f'"v=STSv1; id={number};"']
    deploy("contoso.example", "x.contoso.example", "TXT", '"x"')
    assert client.ask("x.contoso.example", "TXT").answer[0].ttl == 300
    deploy("contoso.example", "_smtp._tls.contoso.example", "TXT", '"x"')
    assert client.ask("_tls.contoso.example", "TXT").rcode() == dns.rcode.NOERROR  # only a name below it


def test_what_is_deployed_and_what_the_owner_has_by_hand_are_one_zone(
    client: DnsClient, deploy: Callable[..., str]
) -> None:
    deploy("contoso.example", "contoso.example", "TXT", '"deployed"')
    assert client.found("contoso.example", "MX") == ["10 mx1.contoso.example.", "20 mx2.contoso.example."]
    assert client.found("contoso.example", "TXT") == ['"deployed"', '"v=spf1 mx -all"']
    deploy("mailhost.example", "reports.mailhost.example", "MX", "inbound-smtp.eu-west-1.amazonaws.com", priority=10)
    assert client.found("reports.mailhost.example", "MX") == ["10 inbound-smtp.eu-west-1.amazonaws.com."]
    assert client.found("inbound-smtp.eu-west-1.amazonaws.com", "A") == ["127.0.0.1"]


def test_a_record_added_to_the_world_at_run_time_shows(cloudflare: Cloudflare) -> None:
    world = World()
    edge = DnsEdge([CloudflareZones(cloudflare)], world)
    client = DnsClient(edge.start())
    try:
        world.add("sandbox._domainkey.reporter.example", "TXT", '"v=DKIM1; p=x"', 60)
        assert client.found("sandbox._domainkey.reporter.example", "TXT") == ['"v=DKIM1; p=x"']
    finally:
        edge.stop()


def test_strings_of_a_long_text_stay_apart(client: DnsClient, deploy: Callable[..., str]) -> None:
    deploy("contoso.example", "long.contoso.example", "TXT", f'"{"a" * 255}" "b;c"')
    (data,) = client.ask("long.contoso.example", "TXT").answer[0]
    assert data.strings == (b"a" * 255, b"b;c")


@pytest.mark.parametrize(("type", "content"), [("CNAME", "d1.cloudfront.net"), ("A", "192.0.2.1")])
def test_a_proxied_record_answers_with_the_proxy(
    client: DnsClient, deploy: Callable[..., str], type: str, content: str
) -> None:
    name = "mta-sts.contoso.example"
    deploy("contoso.example", name, type, content, proxied=True)
    assert client.found(name, "A") == ["192.0.2.104"]
    assert client.found(name, "AAAA") == ["2001:db8::104"]
    assert client.found(name, "CNAME") == client.found(name, "TXT") == []


def test_a_cname_at_the_apex_is_flattened(client: DnsClient, deploy: Callable[..., str]) -> None:
    deploy("nofile.example", "nofile.example", "CNAME", "mx1.mailhost.example")
    assert client.found("nofile.example", "A") == ["192.0.2.51"]
    assert client.found("nofile.example", "AAAA") == ["2001:db8:5::51"]
    assert client.found("nofile.example", "CNAME") == []


# -------------------------------------------------------------------------------------------------- authority


def test_every_zone_has_authority_and_the_name_server_an_address(client: DnsClient, zones: Zones) -> None:
    for zone in ("contoso.example", "nofile.example", "zones.example", "google.com", "."):
        response = client.ask(zone, "NS", recursive=False)
        assert response.flags & dns.flags.AA
        assert [data.to_text() for data in response.answer[0]] == ["ns1.dnshost.example."]
        assert response.answer[0].name == dns.name.from_text(zone)
        (soa,) = client.ask(zone, "SOA").answer
        assert soa[0].mname == dns.name.from_text("ns1.dnshost.example")
    assert client.found("ns1.dnshost.example", "A") == ["127.0.0.1"]


def test_recursion_is_there_for_who_asks(client: DnsClient) -> None:
    for recursive in (True, False):
        response = client.ask("contoso.example", "MX", recursive)
        assert response.flags & dns.flags.RA
        assert bool(response.flags & RD) == recursive


@pytest.mark.parametrize(
    ("name", "rcode", "zone"),
    [
        ("nothing.contoso.example", dns.rcode.NXDOMAIN, "contoso.example."),
        ("mx1.contoso.example", dns.rcode.NOERROR, "contoso.example."),  # no TXT there
        ("nofile.example", dns.rcode.NOERROR, "nofile.example."),
        ("a.nofile.example", dns.rcode.NXDOMAIN, "nofile.example."),
        ("l.google.com", dns.rcode.NOERROR, "google.com."),  # only names below it
        ("protection.outlook.com", dns.rcode.NOERROR, "outlook.com."),
        ("zones.example", dns.rcode.NOERROR, "zones.example."),
        ("b.zones.example", dns.rcode.NOERROR, "zones.example."),  # an empty non-terminal
        ("example", dns.rcode.NOERROR, "."),  # zones below it
        ("deep.zones.example", dns.rcode.NOERROR, "deep.zones.example."),
        ("d.deep.zones.example", dns.rcode.NXDOMAIN, "deep.zones.example."),
        ("www.debian.org", dns.rcode.NXDOMAIN, "."),  # this internet has nothing else
        ("test", dns.rcode.NXDOMAIN, "."),
    ],
)
def test_what_is_not_there_is_said_with_the_zones_soa(
    client: DnsClient, zones: Zones, name: str, rcode: dns.rcode.Rcode, zone: str
) -> None:
    zones.records["a.b.zones.example", "A"] = ["192.0.2.1"]
    response = client.ask(name, "TXT")
    assert (response.rcode(), response.answer) == (rcode, [])
    (soa,) = response.authority
    assert (soa.rdtype, soa.name.to_text()) == (dns.rdatatype.SOA, zone)
    assert soa.ttl <= soa[0].minimum == 300


def test_names_are_the_same_in_any_case_and_come_back_as_asked(client: DnsClient) -> None:
    response = client.ask("mX1.CoNtOsO.eXaMpLe", "A")
    assert response.answer[0].name.labels == (b"mX1", b"CoNtOsO", b"eXaMpLe", b"")
    assert response.answer[0][0].to_text() == "192.0.2.11"


def test_a_wildcard_stands_for_names_that_are_not_there(client: DnsClient, zones: Zones) -> None:
    zones.records["*.zones.example", "TXT"] = ['"any"']
    zones.records["a.b.zones.example", "A"] = ["192.0.2.1"]
    assert client.found("_mta-sts.zones.example", "TXT") == ['"any"']
    assert client.found("x.y.zones.example", "TXT") == ['"any"']
    assert client.found("a.b.zones.example", "TXT") == []
    assert client.found("b.zones.example", "TXT") == []
    assert client.found("x.b.zones.example", "TXT") == []  # its closest encloser is b.zones.example
    assert client.ask("x.zones.example", "A").rcode() == dns.rcode.NOERROR


# ---------------------------------------------------------------------------------------------------- aliases


def test_a_resolver_follows_aliases_everywhere_a_zones_server_only_at_home(client: DnsClient, zones: Zones) -> None:
    zones.records["a.zones.example", "CNAME"] = ["b.zones.example."]
    zones.records["b.zones.example", "CNAME"] = ["c.elsewhere.example."]
    zones.records["c.elsewhere.example", "CNAME"] = ["mx1.contoso.example."]
    at_home = ["b.zones.example.", "c.elsewhere.example."]
    assert client.found("a.zones.example", "A", recursive=False) == at_home
    assert client.found("a.zones.example", "A") == [*at_home, "mx1.contoso.example.", "192.0.2.11"]
    assert client.found("a.zones.example", "CNAME") == ["b.zones.example."]


def test_an_alias_to_nothing_is_no_such_name(client: DnsClient, zones: Zones) -> None:
    zones.records["a.zones.example", "CNAME"] = ["d.elsewhere.example."]
    response = client.ask("a.zones.example", "A")
    assert (response.rcode(), len(response.answer)) == (dns.rcode.NXDOMAIN, 1)
    assert response.authority[0].name.to_text() == "elsewhere.example."
    assert client.ask("a.zones.example", "A", recursive=False).rcode() == dns.rcode.NOERROR


def test_a_servers_own_alias_hides_its_target(client: DnsClient, zones: Zones) -> None:
    zones.records["a.zones.example", "A alias"] = ["b.zones.example."]
    zones.records["b.zones.example", "CNAME"] = ["mx1.contoso.example."]
    assert client.found("a.zones.example", "A", recursive=False) == ["192.0.2.11"]
    assert client.found("a.zones.example", "AAAA") == []


@pytest.mark.parametrize("type", ["CNAME", "A alias"])
def test_aliases_in_a_circle_fail(client: DnsClient, zones: Zones, type: str) -> None:
    zones.records["a.zones.example", type] = ["b.zones.example."]
    zones.records["b.zones.example", type] = ["a.zones.example."]
    response = client.ask("a.zones.example", "A")
    assert (response.rcode(), response.answer) == (dns.rcode.SERVFAIL, [])


# --------------------------------------------------------------------------------------------------- the wire


def test_a_large_answer_is_cut_over_udp_and_whole_over_tcp(client: DnsClient, zones: Zones) -> None:
    texts = [f'"{number:02}{"x" * 200}"' for number in range(10)]
    zones.records["large.zones.example", "TXT"] = texts
    sizes: list[tuple[dict[str, Any], bool]] = [({}, True), ({"payload": 1232}, True), ({"payload": 4096}, False)]
    for options, cut in sizes:
        response = client.ask("large.zones.example", "TXT", **options)
        assert bool(response.flags & dns.flags.TC) == cut
    query = dns.message.make_query("large.zones.example", "TXT")
    with pytest.raises(dns.message.Truncated):
        dns.query.udp(query, client.host, 5, client.port, raise_on_truncation=True)
    response, by_tcp = dns.query.udp_with_fallback(query, client.host, 5, client.port)
    assert by_tcp
    assert sorted(data.to_text() for data in response.answer[0]) == texts
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [client.host], client.port
    assert len(resolver.resolve("large.zones.example", "TXT")) == 10


def test_edns(client: DnsClient) -> None:
    plain = client.ask("contoso.example", "MX")
    assert plain.edns == -1
    extended = client.ask("contoso.example", "MX", use_edns=0, want_dnssec=True)
    assert (extended.edns, extended.payload, extended.rcode()) == (0, 1232, dns.rcode.NOERROR)
    assert client.ask("contoso.example", "MX", use_edns=1).rcode() == dns.rcode.BADVERS


def test_any_gives_one_set(client: DnsClient, zones: Zones) -> None:
    zones.records["a.zones.example", "TXT"] = ['"1"', '"2"']
    zones.records["a.zones.example", "A"] = ["192.0.2.1"]
    (rrset,) = client.ask("a.zones.example", "ANY", tcp=True).answer
    assert rrset.rdtype == dns.rdatatype.TXT
    assert client.ask("none.zones.example", "ANY").rcode() == dns.rcode.NXDOMAIN


def test_what_is_not_served_is_refused(client: DnsClient) -> None:
    assert client.ask("contoso.example", "AXFR", tcp=True).rcode() == dns.rcode.REFUSED
    chaos = dns.message.make_query("version.bind", "TXT", rdclass=dns.rdataclass.CH)
    assert client.send(chaos).rcode() == dns.rcode.REFUSED
    notify = dns.message.make_query("contoso.example", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    assert client.send(notify).rcode() == dns.rcode.NOTIMP


@pytest.mark.parametrize(
    "wire", [b"", b"\x00", b"\x12\x34" + bytes(9), b"\x12\x34\x80\x00" + bytes(8), b"\x12\x34\x80\x00" + bytes(30)]
)
def test_what_is_no_query_gets_no_answer(client: DnsClient, edge: DnsEdge, wire: bytes) -> None:
    assert edge.reply(wire, True) is None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(wire, (client.host, client.port))
    assert client.found("mx1.contoso.example", "A") == ["192.0.2.11"]


@pytest.mark.parametrize(
    "wire",
    [
        b"\x12\x34\x01\x00\x00\x01" + bytes(6),  # a question is announced, none comes
        b"\x12\x34\x01\x00" + bytes(8),  # no question at all
        b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\xc0\x0c\x00\x01\x00\x01",  # a name that points to itself
    ],
)
def test_a_malformed_query_is_told_so(client: DnsClient, wire: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(5)
        channel.connect((client.host, client.port))
        channel.send(wire)
        response = dns.message.from_wire(channel.recv(4096))
    assert (response.id, response.rcode()) == (0x1234, dns.rcode.FORMERR)


@given(st.binary(max_size=60), st.sampled_from([b"", dns.message.make_query("a.contoso.example", "A").to_wire()]))
def test_no_octets_bring_it_down(edge: DnsEdge, octets: bytes, start: bytes) -> None:
    for wire in (start + octets, start[: len(octets)] + octets):
        reply = edge.reply(wire, True)
        assert reply is None or reply[2] & 0x80


def test_a_fault_of_its_own_is_a_failed_answer_and_a_line_in_the_log(
    client: DnsClient, zones: Zones, caplog: pytest.LogCaptureFixture
) -> None:
    zones.broken = True
    assert client.ask("a.zones.example", "A").rcode() == dns.rcode.SERVFAIL
    assert "a.zones.example" in caplog.text
    zones.broken = False
    assert client.ask("a.zones.example", "A").rcode() == dns.rcode.NXDOMAIN


def test_one_tcp_connection_carries_many_questions(client: DnsClient) -> None:
    with socket.create_connection((client.host, client.port), 5) as channel:
        wires = [dns.message.make_query(name, "A").to_wire() for name in ("mx1.contoso.example", "x.example")]
        channel.sendall(b"".join(struct.pack("!H", len(wire)) + wire for wire in wires))
        stream = channel.makefile("rb")
        answers = [dns.message.from_wire(stream.read(struct.unpack("!H", stream.read(2))[0])) for _ in wires]
        assert [answer.rcode() for answer in answers] == [dns.rcode.NOERROR, dns.rcode.NXDOMAIN]


def test_many_may_ask_at_once(client: DnsClient) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: client.found("mx1.contoso.example", "A"), range(200)))
    assert answers == [["192.0.2.11"]] * 200


def test_start_and_stop(cloudflare: Cloudflare) -> None:
    first, second = DnsEdge([], World()), DnsEdge([], World())
    port = DnsClient(first.start()).port
    with pytest.raises(OSError, match="in use"):
        second.start(port)
    first.stop()
    client = DnsClient(second.start(port))
    assert client.port == port
    assert client.found("alerts.mailhost.example", "A") == ["127.0.0.1"]
    second.stop()


# ------------------------------------------------------------------------------------------------ silent sources


def test_a_silent_source_fails_its_own_zones_only(client: DnsClient, zones: Zones) -> None:
    zones.silent = True
    assert client.ask("a.zones.example", "A").rcode() == dns.rcode.SERVFAIL
    assert client.ask("nobody.example", "A").rcode() == dns.rcode.SERVFAIL  # for all one knows, one of its zones
    assert client.found("mx1.contoso.example", "A") == ["192.0.2.11"]
    assert client.ask("nothing.contoso.example", "A").rcode() == dns.rcode.NXDOMAIN


def test_before_the_emulator_is_up_its_names_fail(cloudflare: Cloudflare) -> None:
    sources = [CloudflareZones(cloudflare), Route53Zones(lambda: None), CloudFrontNames(lambda: None)]
    edge = DnsEdge(sources, World())
    client = DnsClient(edge.start())
    try:
        for name in ("_mta-sts.northwind.example", "d1.cloudfront.net"):
            assert client.ask(name, "TXT").rcode() == dns.rcode.SERVFAIL
        assert client.found("alerts.mailhost.example", "A") == ["127.0.0.1"]
    finally:
        edge.stop()


# ----------------------------------------------------------------------------------------------- the gate's walk


def test_the_gate_finds_the_authoritative_records(client: DnsClient, deploy: Callable[..., str], zones: Zones) -> None:
    resolver = Resolver.at(f"{client.host}:{client.port}")
    name = "_mta-sts.shop.contoso.example"
    for hint in ("contoso.example", None):
        assert resolver.authoritative_txt(name, hint) == ()
    deploy("contoso.example", name, "TXT", '"v=STSv1; " "id=1;"')
    deploy("contoso.example", "mta-sts.shop.contoso.example", "CNAME", "d1.zones.example")
    zones.records["d1.zones.example", "A"] = ["127.0.0.1"]
    zones.records["d1.zones.example", "AAAA"] = ["::1"]
    for hint in ("contoso.example", None):
        assert resolver.authoritative_txt(name, hint) == ("v=STSv1; id=1;",)
        assert resolver.authoritative_addresses("mta-sts.shop.contoso.example", hint) == ("127.0.0.1", "::1")
