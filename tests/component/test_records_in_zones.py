"""What a record looks like at each provider, and which zone a name falls into."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strict_mocks import Recording, run

from components.dns_zones.character_strings import LIMIT, quoted, unquoted
from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.dns_zones.zones import DnsZones, Provider, ZoneNotConfigured, ZoneSetting

CLOUDFLARE = CloudflareZone("contoso.example", "c1")
ROUTE53 = Route53Zone("contoso.example", "Z1")
RECORD = {CloudflareZone: "cloudflare:index/dnsRecord:DnsRecord", Route53Zone: "aws:route53/record:Record"}
LONG = "v=TLSRPTv1; rua=" + ",".join(f"mailto:tls-reports-{n}@reports.mailhost.example" for n in range(12)) + ";"


def record_inputs(make: Callable[[DnsZone, pulumi.ResourceOptions], object], zone: DnsZone) -> dict[str, Any]:
    recording: Recording = run(lambda: make(zone, pulumi.ResourceOptions()) and None)
    return recording.one(RECORD[type(zone)]).inputs


def txt(value: str) -> Callable[[DnsZone, pulumi.ResourceOptions], object]:
    return lambda zone, opts: zone.txt("r", "_mta-sts.Contoso.example.", value, 300, opts)


@pytest.mark.parametrize(
    ("make", "zone", "expected"),
    [
        (
            txt("v=STSv1; id=1;"),
            CLOUDFLARE,
            {
                "zoneId": "c1",
                "name": "_mta-sts.contoso.example",
                "type": "TXT",
                "ttl": 300,
                "content": '"v=STSv1; id=1;"',
            },
        ),
        (
            txt("v=STSv1; id=1;"),
            ROUTE53,
            {
                "zoneId": "Z1",
                "name": "_mta-sts.contoso.example",
                "type": "TXT",
                "ttl": 300,
                "records": ["v=STSv1; id=1;"],
            },
        ),
        (
            lambda zone, opts: zone.cname("r", "mta-sts.contoso.example", "D1.cloudfront.net.", 300, opts),
            CLOUDFLARE,
            {
                "zoneId": "c1",
                "name": "mta-sts.contoso.example",
                "type": "CNAME",
                "ttl": 300,
                "content": "d1.cloudfront.net",
                "proxied": False,
            },
        ),
        (
            lambda zone, opts: zone.cname("r", "mta-sts.contoso.example", "d1.cloudfront.net.", 300, opts),
            ROUTE53,
            {
                "zoneId": "Z1",
                "name": "mta-sts.contoso.example",
                "type": "CNAME",
                "ttl": 300,
                "records": ["d1.cloudfront.net"],
            },
        ),
        (
            lambda zone, opts: zone.mx("r", "reports.contoso.example", 10, "inbound.example.org", 300, opts),
            CLOUDFLARE,
            {
                "zoneId": "c1",
                "name": "reports.contoso.example",
                "type": "MX",
                "ttl": 300,
                "content": "inbound.example.org",
                "priority": 10,
            },
        ),
        (
            lambda zone, opts: zone.mx("r", "reports.contoso.example", 10, "inbound.example.org", 300, opts),
            ROUTE53,
            {
                "zoneId": "Z1",
                "name": "reports.contoso.example",
                "type": "MX",
                "ttl": 300,
                "records": ["10 inbound.example.org"],
            },
        ),
    ],
)
def test_a_record_as_its_provider_writes_it(make: Any, zone: DnsZone, expected: dict[str, Any]) -> None:
    assert record_inputs(make, zone) == expected


def test_a_long_text_becomes_several_strings() -> None:
    assert len(LONG) > LIMIT
    assert record_inputs(txt(LONG), CLOUDFLARE)["content"] == f'"{LONG[:255]}" "{LONG[255:510]}" "{LONG[510:]}"'
    assert record_inputs(txt(LONG), ROUTE53)["records"] == [f'{LONG[:255]}""{LONG[255:510]}""{LONG[510:]}']


@pytest.mark.parametrize("zone", [CLOUDFLARE, ROUTE53], ids=["cloudflare", "route53"])
@pytest.mark.parametrize("text", ["v=STSv1; id=1;", LONG, 'with "quotes" and \\'])
def test_a_hook_reads_back_what_was_written(zone: DnsZone, text: str) -> None:
    assert zone.txt_values(record_inputs(txt(text), zone)) == (text,)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=700))
def test_character_strings_round_trip_and_none_is_too_long(text: str) -> None:
    pieces = quoted(text)
    assert unquoted(" ".join(pieces)) == unquoted("".join(pieces)) == text
    assert all(len(unquoted(piece)) <= LIMIT for piece in pieces)


def zones(*suffixes: str, provider: Provider = Provider.ROUTE53) -> DnsZones:
    return DnsZones(tuple(ZoneSetting(suffix, provider) for suffix in suffixes))


@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("contoso.example", "contoso.example"),
        ("mail.contoso.example", "contoso.example"),
        ("shop.contoso.example", "shop.contoso.example"),
        ("a.shop.contoso.example", "shop.contoso.example"),
        ("workshop.contoso.example", "contoso.example"),
    ],
)
def test_the_longest_suffix_wins_by_whole_labels(name: str, apex: str) -> None:
    assert zones("contoso.example", "shop.contoso.example").setting_for(name).suffix == apex


def test_a_name_in_no_zone_is_told_with_the_zones_that_there_are() -> None:
    with pytest.raises(ZoneNotConfigured) as caught:
        zones("contoso.example", "a.example").setting_for("evilcontoso.example")
    assert str(caught.value) == (
        "zone-not-configured: evilcontoso.example lies in no zone of the setting mailtls:zones "
        "(suffixes there: a.example, contoso.example)"
    )


@pytest.mark.parametrize(
    ("provider", "function"),
    [(Provider.ROUTE53, "aws:route53/getZone:getZone"), (Provider.CLOUDFLARE, "cloudflare:index/getZone:getZone")],
)
def test_a_zone_is_looked_up_once_for_all_its_names(provider: Provider, function: str) -> None:
    configured = zones("contoso.example", provider=provider)

    def program() -> None:
        for name in ("contoso.example", "shop.contoso.example"):
            configured.zone_for(name).txt(name, name, "text", 300, pulumi.ResourceOptions())

    recording = run(program)
    assert [call for call, _ in recording.calls] == [function]
    assert len(recording.resources) == 2


def test_a_zone_id_in_the_settings_needs_no_look_up() -> None:
    configured = DnsZones((ZoneSetting("contoso.example", Provider.CLOUDFLARE, "c1"),))
    assert run(lambda: configured.zone_for("contoso.example") and None).calls == []


def test_a_zone_that_the_token_cannot_see_is_told() -> None:
    configured = zones("contoso.example", provider=Provider.CLOUDFLARE)

    def program() -> None:
        configured.zone_for("contoso.example").txt("r", "contoso.example", "text", 300, pulumi.ResourceOptions())

    with pytest.raises(Exception, match=r"contoso\.example: Cloudflare shows no such zone to this token"):
        run(program, calls={"cloudflare:index/getZone:getZone": lambda _: {}})
