"""The outside world's zone files: readable, harmless, and in step with the example specs."""

import ipaddress
import stat
from pathlib import Path

import dkim
import dns.name
import dns.zone
import pytest
import yaml

from sandbox.demo.specs import Expected, read
from sandbox.edges.zones import Record
from sandbox.local_cloud import hosted_zones
from sandbox.place import REPOSITORY
from sandbox.world.senders import DOMAINS, make_senders
from sandbox.world.world import FOLDER, BadZoneFile, World

FILES = sorted(FOLDER.glob("*.zone"))
SPECS = read(REPOSITORY / "policy_specs" / "sandbox")
HARMLESS = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "127.0.0.1/32", "2001:db8::/32")]


def find(world: World, name: str, type: str) -> list[str]:
    """The data of the records, from the deepest zone that holds the name."""
    owner = dns.name.from_text(name)
    apex = max((apex for apex in world.apexes() if owner.is_subdomain(apex)), key=len)
    return [record.text for record in world.at(apex, owner) or () if record.type == type]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder with a root and one zone."""
    start = "@ 300 SOA ns. h. 1 1 1 1 1\n  300 NS ns.\n"
    (tmp_path / "root.zone").write_text("$ORIGIN .\n" + start)
    (tmp_path / "a.zone").write_text("$ORIGIN a.example.\n" + start + 'x.y 60 TXT "one" "two; three"\n')
    return tmp_path


# ------------------------------------------------------------------------------------------------- the files


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_named_for_its_zone_and_says_what_it_is(path: Path) -> None:
    zone = dns.zone.from_file(str(path), relativize=False)
    assert zone.origin == (dns.name.root if path.stem == "root" else dns.name.from_text(path.stem))
    assert path.read_text().startswith("; ")
    assert [data.to_text() for data in zone.find_rdataset("@", "NS")] == _name_servers(path.stem)


def _name_servers(zone: str) -> list[str]:
    """Where the provider serves it: the emulator gives every zone at Route 53 the same four."""
    if zone in hosted_zones()["route53"]:
        return ["ns-1.awsdns-1.com.", "ns-2.awsdns-2.net.", "ns-3.awsdns-3.org.", "ns-4.awsdns-4.co.uk."]
    return ["ns1.dnshost.example."]


def test_every_name_server_has_the_sandboxs_address() -> None:
    world = World()
    servers = {server for path in FILES for server in _name_servers(path.stem)}
    assert {server: find(world, server, "A") for server in servers} == {server: ["127.0.0.1"] for server in servers}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_address_is_anybodys(path: Path) -> None:
    for _, _, data in dns.zone.from_file(str(path), relativize=False).iterate_rdatas():
        if hasattr(data, "address"):
            address = ipaddress.ip_address(data.address)
            assert any(address in network for network in HARMLESS), address


def test_every_hosted_zone_has_a_file_for_what_its_owner_has_by_hand() -> None:
    settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
    zones = [zone["suffix"] for zone in settings["config"]["mailtls:zones"]]
    assert zones
    assert {f"{zone}.zone" for zone in zones} <= {path.name for path in FILES}


@pytest.mark.parametrize("expected", SPECS.values(), ids=list(SPECS))
def test_each_example_domain_has_the_mx_hosts_that_its_spec_names(world: World, expected: Expected) -> None:
    hosts = [text.split()[1].rstrip(".") for text in find(world, expected.policy_domain, "MX")]
    assert hosts
    for host in hosts:
        assert find(world, host, "A"), host
        assert expected.mode in (None, "none") or any(matches(pattern, host) for pattern in expected.mx), host
    for pattern in expected.mx:
        assert any(matches(pattern, host) for host in hosts), pattern


def matches(pattern: str, host: str) -> bool:
    """RFC 8461 section 4.1: a wildcard stands for the left-most label."""
    return host == pattern or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def test_nothing_that_is_deployed_is_in_a_file(world: World) -> None:
    for domain in SPECS:
        for name in (f"_mta-sts.{domain}", f"mta-sts.{domain}", f"_smtp._tls.{domain}"):
            assert find(world, name, "TXT") == find(world, name, "CNAME") == []
    assert find(world, "reports.mailhost.example", "MX") == []


def test_the_deployed_ways_out_lead_to_this_machine(world: World) -> None:
    assert find(world, "alerts.mailhost.example", "A") == ["127.0.0.1"]
    assert find(world, "inbound-smtp.eu-west-1.amazonaws.com", "A") == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "records"),
    [("good", 1), ("badcert", 1), ("redirect", 1), ("html", 1), ("twotxt", 2), ("notxt", 0), ("nohost", 1)],
)
def test_the_judges_find_what_they_are_to_refuse(world: World, host: str, records: int) -> None:
    texts = find(world, f"_mta-sts.{host}.outside.example", "TXT")
    assert len([text for text in texts if text.startswith('"v=STSv1; id=')]) == len(texts) == records
    assert find(world, f"mta-sts.{host}.outside.example", "A") == ([] if host == "nohost" else ["127.0.0.1"])


# ------------------------------------------------------------------------------------------- records and names


def test_names_between_a_record_and_its_apex_exist(small: Path) -> None:
    world, apex = World(small), dns.name.from_text("a.example")
    assert world.at(apex, dns.name.from_text("X.Y.a.example")) == (Record("TXT", 60, '"one" "two; three"'),)
    assert world.at(apex, dns.name.from_text("y.a.example")) == ()
    assert world.at(apex, dns.name.from_text("z.a.example")) is None


def test_a_record_made_at_run_time_joins_those_of_the_file(small: Path) -> None:
    world, apex, name = World(small), dns.name.from_text("a.example"), dns.name.from_text("x.y.a.example")
    world.add("x.y.a.example", "TXT", '"three"', 30)
    assert world.at(apex, name) == (Record("TXT", 60, '"one" "two; three"'), Record("TXT", 30, '"three"'))
    world.add("p.q.a.example.", "MX", "10 mx.a.example", 30)
    assert world.at(apex, dns.name.from_text("p.q.a.example")) == (Record("MX", 30, "10 mx.a.example."),)
    assert world.at(apex, dns.name.from_text("q.a.example")) == ()


def test_a_record_made_at_run_time_goes_to_the_deepest_zone(small: Path) -> None:
    (small / "x.zone").write_text((small / "a.zone").read_text().replace("a.example", "x.a.example"))
    world = World(small)
    world.add("n.x.a.example", "A", "192.0.2.1")
    assert find(world, "n.x.a.example", "A") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("name", "type", "text"), [("b.example", "A", "192.0.2.1"), ("a.example", "A", "here"), ("a.example", "X", "1")]
)
def test_a_record_that_fits_nowhere_is_an_error(small: Path, name: str, type: str, text: str) -> None:
    with pytest.raises(BadZoneFile, match=name):
        World(small).add(name, type, text)


@pytest.mark.parametrize("text", ["$ORIGIN b.example.\nx A here\n", "$ORIGIN b.example.\nx 60 A 192.0.2.1\n", ""])
def test_a_bad_file_is_an_error_that_names_it(small: Path, text: str) -> None:
    (small / "b.zone").write_text(text)
    with pytest.raises(BadZoneFile, match=r"b\.zone"):
        World(small)


def test_a_world_has_a_root(small: Path) -> None:
    (small / "root.zone").unlink()
    with pytest.raises(BadZoneFile, match="root"):
        World(small)


# ---------------------------------------------------------------------------------------------------- senders

MAIL = b"From: tls-reports@reporter.example\r\nTo: tlsrpt@reports.mailhost.example\r\nSubject: x\r\n\r\nbody\r\n"


def test_every_sender_signs_so_that_dkimpy_verifies_with_the_published_key(tmp_path: Path) -> None:
    world = World()
    senders = make_senders(tmp_path, world)
    assert tuple(senders) == DOMAINS

    def published(name: bytes, timeout: int = 5) -> bytes | None:
        (text,) = find(world, name.decode(), "TXT")
        strings = text.strip('"').split('" "')
        assert all(len(string) <= 255 for string in strings)
        return "".join(strings).encode()

    for domain, sender in senders.items():
        assert stat.S_IMODE(sender.key.stat().st_mode) == 0o600
        signature = dkim.sign(MAIL, sender.selector.encode(), sender.domain.encode(), sender.key.read_bytes())
        assert f"d={domain}".encode() in signature
        assert dkim.verify(signature + MAIL, dnsfunc=published)
        assert not dkim.verify(signature + MAIL + b"more\r\n", dnsfunc=published)


def test_keys_are_new_at_every_start(tmp_path: Path) -> None:
    first = make_senders(tmp_path, World())[DOMAINS[0]].key.read_bytes()
    assert make_senders(tmp_path, World())[DOMAINS[0]].key.read_bytes() != first


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_sender_may_send_from_this_machine(world: World, domain: str) -> None:
    assert find(world, domain, "TXT") == ['"v=spf1 ip4:127.0.0.1 ip6:::1 -all"']
