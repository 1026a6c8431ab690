"""Cloudflare records through their lives, with the real CLI and SDK against the local API."""

import pytest
from engine_program import Program

from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.cloudflare.account import id_of_zone
from sandbox.providers.cloudflare.api import CloudflareApi

ZONE = "contoso.example"

# Stage 1 as it begins, 2 with updates, 3 with replacements; `taken` imports the record of that id. It does without the
# Cloudflare SDK, which takes seconds to import.
PROGRAM = """
import pulumi

config = pulumi.Config()
stage = config.require_int("stage")
name = "contoso.example" if stage < 3 else "fabrikam.example"
arguments = {"filter": {"name": name, "match": "all"}}
zone = pulumi.runtime.invoke("cloudflare:index/getZone:getZone", arguments).value


def record(resource, label, type, content, opts=None, **more):
    inputs = {"zoneId": zone["zoneId"], "name": label + name, "type": type, "content": content, "ttl": 300, **more}
    pulumi.CustomResource("cloudflare:index/dnsRecord:DnsRecord", resource, inputs, opts)


number = 1 if stage == 1 else 2
taken = config.get("taken")
adopt = pulumi.ResourceOptions(import_=f"ZONE_ID/{taken}" if taken else None)
record("txt", "_mta-sts.", "TXT", f'"v=STSv1; id={number};"', adopt)
record("long", "_smtp._tls.", "TXT", '"' + "a" * 255 + '" "' + "b" * number + '"')
record("cname", "mta-sts.", "CNAME", f"d{number}.example.net", proxied=False)
record("mx", "reports.", "MX", "mx1.example.net", priority=number * 10)
""".replace("ZONE_ID", id_of_zone(ZONE))

WITH_SDK = """
import pulumi
import pulumi_cloudflare as cloudflare

zone = cloudflare.get_zone_output(filter={"name": "contoso.example", "match": "all"})
record = cloudflare.DnsRecord(
    "txt", zone_id=zone.zone_id, name="_mta-sts.contoso.example", type="TXT", content='"v=STSv1; id=1;"', ttl=300
)
pulumi.export("id", record.id)
"""


@pytest.fixture
def by_hand(cloudflare: Cloudflare) -> CloudflareApi:
    """What somebody does past the program."""
    return CloudflareApi({})


def contents(cloudflare: Cloudflare, zone: str = ZONE) -> dict[str, str]:
    return {f"{record.type} {record.name}": record.content for record in cloudflare.records(zone)}


def test_records(program: Program, cloudflare: Cloudflare) -> None:
    program.write(PROGRAM)
    assert "+ 5 created" in program.up("-c", "stage=1")
    program.no_changes()
    assert contents(cloudflare) == {
        "TXT _mta-sts.contoso.example": '"v=STSv1; id=1;"',
        "TXT _smtp._tls.contoso.example": '"' + "a" * 255 + '" "b"',
        "CNAME mta-sts.contoso.example": "d1.example.net",
        "MX reports.contoso.example": "mx1.example.net",
    }
    assert "~ 4 updated" in program.up("-c", "stage=2")
    program.no_changes()
    assert "+-4 replaced" in program.up("-c", "stage=3")
    assert contents(cloudflare) == {}
    assert contents(cloudflare, "fabrikam.example")["TXT _mta-sts.fabrikam.example"] == '"v=STSv1; id=2;"'
    program.destroy()
    assert cloudflare.leftovers() == []


def test_the_sdk_finds_the_stand_in(program: Program, cloudflare: Cloudflare) -> None:
    program.write(WITH_SDK).up()
    assert contents(cloudflare) == {"TXT _mta-sts.contoso.example": '"v=STSv1; id=1;"'}
    program.no_changes()


def test_a_record_that_is_there_can_be_taken_over(
    program: Program, cloudflare: Cloudflare, by_hand: CloudflareApi
) -> None:
    body = {"type": "TXT", "name": f"_mta-sts.{ZONE}", "content": '"v=STSv1; id=theirs;"', "ttl": 60}
    taken = by_hand.call("POST", f"/zones/{id_of_zone(ZONE)}/dns_records", body)["id"]
    program.write(PROGRAM)
    program.up("-c", "stage=1", "-c", f"taken={taken}")
    assert contents(cloudflare)[f"TXT _mta-sts.{ZONE}"] == '"v=STSv1; id=1;"'
    assert len(cloudflare.records(ZONE)) == 4
    program.no_changes()


def test_what_a_hand_changed_is_put_back(program: Program, cloudflare: Cloudflare, by_hand: CloudflareApi) -> None:
    program.write(PROGRAM).up("-c", "stage=1")
    path = f"/zones/{id_of_zone(ZONE)}/dns_records"
    for record in by_hand.pages(path):
        if record["type"] == "TXT":
            by_hand.call("DELETE", f"{path}/{record['id']}")
        elif record["type"] == "CNAME":
            by_hand.call("PATCH", f"{path}/{record['id']}", {"proxied": True})
    said = program.up("--refresh", "-c", "stage=1")
    assert "+ 2 created" in said
    assert "~ 1 updated" in said
    assert len(cloudflare.records(ZONE)) == 4
    program.no_changes()


def test_a_zone_that_the_token_does_not_see_is_an_error(program: Program, cloudflare: Cloudflare) -> None:
    program.write(PROGRAM.replace('"name": name, ', '"name": "nobody.example", '))
    assert "failed to find exactly one result: 0 zones match" in program.fails("-c", "stage=1")


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"CLOUDFLARE_API_TOKEN": ""}, "no Cloudflare credentials"),
        ({"CLOUDFLARE_API_TOKEN": "wrong"}, "403"),
        ({"CLOUDFLARE_BASE_URL": "https://api.cloudflare.com/client/v4"}, "it talks to this machine only"),
        ({"CLOUDFLARE_BASE_URL": ""}, "it talks to this machine only"),
    ],
)
def test_a_wrong_environment_is_an_error(
    program: Program,
    cloudflare: Cloudflare,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    reason: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    asking = 'pulumi.runtime.invoke("cloudflare:index/getZone:getZone", {"zoneId": "1"})'
    said = program.write(f"import pulumi\n{asking}\n").fails()
    assert reason in said
