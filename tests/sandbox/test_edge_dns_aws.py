"""What the DNS edge gives out of the AWS account: zones at Route 53, and CloudFront's own names."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import dns.name
import dns.rcode
import pytest
from cloud_samples import soon
from edge_callers import DnsClient

from sandbox.cloud.start import Emulator
from sandbox.edges.dns import DnsEdge
from sandbox.edges.zones import CloudFrontNames, Record, Route53Zones
from sandbox.world.world import World


@pytest.fixture(scope="module")
def emulated(emulator: Emulator) -> Iterator[DnsClient]:
    """An edge over what the emulator has, and the outside world."""

    def endpoint() -> str:
        return emulator.endpoint

    edge = DnsEdge([Route53Zones(endpoint), CloudFrontNames(endpoint)], World())
    yield DnsClient(edge.start())
    edge.stop()


class HostedZone:
    """A zone at Route 53."""

    def __init__(self, route53: Any, name: str) -> None:
        self.name = name
        self._route53 = route53
        self._id: str = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]

    def change(self, action: str, name: str, type: str, *values: str, **alias: Any) -> None:
        record: dict[str, Any] = {"Name": name, "Type": type}
        if values:
            record |= {"TTL": 60, "ResourceRecords": [{"Value": value} for value in values]}
        changes = [{"Action": action, "ResourceRecordSet": record | alias}]
        self._route53.change_resource_record_sets(HostedZoneId=self._id, ChangeBatch={"Changes": changes})


@pytest.fixture(scope="module")
def hosted(aws: Callable[..., Any], emulated: DnsClient) -> HostedZone:
    """A zone that the edge did not know at its start."""
    assert emulated.found("northwind.example", "MX")
    zone = HostedZone(aws("route53", "us-east-1"), "hosted.example")
    # the edge takes its list of zones for granted for a second
    assert soon(lambda: emulated.found("hosted.example", "NS"))
    return zone


def test_route_53_records_show_at_once(emulated: DnsClient, hosted: HostedZone) -> None:
    name = "_mta-sts.hosted.example"
    assert emulated.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN
    hosted.change("CREATE", name, "TXT", '"v=STSv1; id=1;"')
    for number in range(2, 6):
        hosted.change("UPSERT", name, "TXT", f'"v=STSv1; id={number};"')
        assert emulated.found(name, "TXT", recursive=False) == [f'"v=STSv1; id={number};"']
    hosted.change("DELETE", name, "TXT", '"v=STSv1; id=5;"')
    assert emulated.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN


def test_route_53_names(emulated: DnsClient, hosted: HostedZone) -> None:
    hosted.change("CREATE", "_smtp._tls.a.hosted.example", "TXT", f'"{"x" * 255}" "yz"')
    hosted.change("CREATE", "*.wild.hosted.example", "A", "192.0.2.1", "192.0.2.2")
    hosted.change("CREATE", "c.hosted.example", "CNAME", "mx1.contoso.example")
    (data,) = emulated.ask("_SMTP._tls.a.hosted.example", "TXT").answer[0]
    assert data.strings == (b"x" * 255, b"yz")
    assert emulated.ask("_tls.a.hosted.example", "TXT").rcode() == dns.rcode.NOERROR
    assert emulated.ask("a.hosted.example", "TXT").rcode() == dns.rcode.NOERROR
    assert emulated.ask("b.hosted.example", "TXT").rcode() == dns.rcode.NXDOMAIN
    assert emulated.found("any.wild.hosted.example", "A") == ["192.0.2.1", "192.0.2.2"]
    assert emulated.found("c.hosted.example", "A") == ["mx1.contoso.example.", "192.0.2.11"]
    assert emulated.found("hosted.example", "NS") == ["ns1.dnshost.example."]  # not Route 53's own


def test_route_53_writes_octets_in_octal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in its API reference ("DNS domain name format"); the emulator writes the star as it is."""

    class Documented:
        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self) -> list[dict[str, Any]]:
            zone = {"Name": "a.example.", "Id": "/hostedzone/Z", "Config": {"PrivateZone": False}}
            private = {"Name": "b.example.", "Id": "/hostedzone/Y", "Config": {"PrivateZone": True}}
            return [{"HostedZones": [zone]}, {"HostedZones": [private]}]

        def list_resource_record_sets(self, **_: str) -> dict[str, Any]:
            values = [{"Value": "192.0.2.1"}]
            return {
                "ResourceRecordSets": [{"Name": "\\052.a.example.", "Type": "A", "TTL": 60, "ResourceRecords": values}]
            }

    monkeypatch.setattr("sandbox.account.client", lambda *_: Documented())
    source = Route53Zones(lambda: "http://127.0.0.1:1")
    assert [apex.to_text() for apex in source.apexes()] == ["a.example."]
    (apex,) = source.apexes()
    assert source.at(apex, dns.name.from_text("*.a.example")) == (Record("A", 60, "192.0.2.1"),)
    assert source.at(apex, dns.name.from_text("x.a.example")) is None


def distribution(reference: str, ipv6: bool) -> dict[str, Any]:
    """A configuration without alternate names, with CloudFront's own certificate."""
    return {
        "CallerReference": reference,
        "Comment": reference,
        "Enabled": True,
        "IsIPV6Enabled": ipv6,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "o",
                    "DomainName": "origin.contoso.example",
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                    },
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        },
    }


@pytest.mark.parametrize("ipv6", [True, False])
def test_a_distributions_name_lives_with_it(
    emulated: DnsClient, aws: Callable[..., Any], hosted: HostedZone, unique: Callable[..., str], ipv6: bool
) -> None:
    cloudfront = aws("cloudfront", "us-east-1")
    config = distribution(unique(), ipv6)
    made = cloudfront.create_distribution(DistributionConfig=config)
    name, identity = made["Distribution"]["DomainName"], made["Distribution"]["Id"]
    v6 = ["::1"] if ipv6 else []
    assert (emulated.found(name, "A"), emulated.found(name, "AAAA")) == (["127.0.0.1"], v6)

    alias = {"DNSName": name, "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}
    host = f"{unique('alias')}.hosted.example"
    hosted.change("CREATE", host, "A", AliasTarget=alias)
    assert emulated.found(host, "A", recursive=False) == ["127.0.0.1"]
    assert emulated.found(host, "AAAA") == []

    kept = cloudfront.get_distribution_config(Id=identity)
    disabled = kept["DistributionConfig"] | {"Enabled": False}
    etag = cloudfront.update_distribution(Id=identity, IfMatch=kept["ETag"], DistributionConfig=disabled)["ETag"]
    assert emulated.ask(name, "A").rcode() == dns.rcode.NXDOMAIN
    assert emulated.found(host, "A") == []
    cloudfront.delete_distribution(Id=identity, IfMatch=etag)
    assert emulated.ask(name, "A").rcode() == dns.rcode.NXDOMAIN
    assert emulated.ask("cloudfront.net", "A").rcode() == dns.rcode.NOERROR


def test_an_emulator_that_does_not_answer_fails_its_names() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    edge = DnsEdge([Route53Zones(lambda: f"http://127.0.0.1:{port}")], World())
    client = DnsClient(edge.start())
    try:
        assert client.ask("northwind.example", "MX").rcode() == dns.rcode.SERVFAIL
    finally:
        edge.stop()
