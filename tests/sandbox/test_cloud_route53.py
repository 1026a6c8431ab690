"""Route 53 refuses what is no record set, in its own words, and keeps the rest; dnspython is the other judge."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import Clients


@pytest.fixture
def api(aws: Clients) -> Any:
    return aws("route53", "us-east-1")


class Zone:
    """A hosted zone of one test."""

    def __init__(self, api: Any, name: str) -> None:
        self.api, self.name = api, name
        self.id: str = api.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].rsplit("/")[-1]

    def change(self, *changes: tuple[str, str, str, list[str]], ttl: int = 300) -> None:
        """changes: action, label below the zone (`@`: the zone itself), type, values."""
        batch = [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": self.full(label),
                    "Type": kind,
                    "TTL": ttl,
                    "ResourceRecords": [{"Value": value} for value in values],
                },
            }
            for action, label, kind, values in changes
        ]
        self.api.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch={"Changes": batch})

    def full(self, label: str) -> str:
        return self.name if label == "@" else label if label.endswith(".") else f"{label}.{self.name}"

    def records(self) -> dict[tuple[str, str], list[str]]:
        found = self.api.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return {
            (one["Name"].removesuffix(f".{self.name}."), one["Type"]): [r["Value"] for r in one["ResourceRecords"]]
            for one in found
            if one["Type"] not in ("SOA", "NS")
        }


@pytest.fixture
def zone(api: Any, unique: Callable[..., str]) -> Zone:
    return Zone(api, f"{unique('zone')}.example")


def test_a_record_is_made_read_changed_and_removed(zone: Zone) -> None:
    zone.change(("CREATE", "_mta-sts", "TXT", ['"v=STSv1; id=1;"']))
    assert zone.records() == {("_mta-sts", "TXT"): ['"v=STSv1; id=1;"']}
    zone.change(("UPSERT", "_mta-sts", "TXT", ['"v=STSv1; id=2;"', '"other"']))
    assert zone.records() == {("_mta-sts", "TXT"): ['"v=STSv1; id=2;"', '"other"']}
    zone.change(("DELETE", "_mta-sts", "TXT", ['"other"', '"v=STSv1; id=2;"']))
    assert zone.records() == {}


def test_a_zone_is_found_by_listing_and_by_its_id(zone: Zone) -> None:
    listed = [
        one["Id"] for page in zone.api.get_paginator("list_hosted_zones").paginate() for one in page["HostedZones"]
    ]
    assert f"/hostedzone/{zone.id}" in listed
    found = zone.api.get_hosted_zone(Id=zone.id)
    assert found["HostedZone"]["Name"] == f"{zone.name}."
    assert len(found["DelegationSet"]["NameServers"]) == 4


def test_a_zone_with_records_is_not_deleted(zone: Zone) -> None:
    zone.change(("CREATE", "a", "A", ["192.0.2.1"]))
    with pytest.raises(ClientError, match="HostedZoneNotEmpty"):
        zone.api.delete_hosted_zone(Id=zone.id)


REFUSED = [
    (("CREATE", "a", "TXT", ["v=STSv1"]), "InvalidCharacterString (Value should be enclosed in quotation marks)"),
    (("CREATE", "a", "TXT", ['"v=STSv1']), "InvalidCharacterString (Value should be enclosed in quotation marks)"),
    (("CREATE", "a", "TXT", [f'"{"x" * 256}"']), "CharacterStringTooLong (Value is too long)"),
    (("CREATE", "a", "TXT", [" ".join([f'"{"x" * 250}"'] * 16)]), "TXTRDATATooLong"),
    (("CREATE", "other.example.", "A", ["192.0.2.1"]), "RRSet with DNS name other.example. is not permitted in zone"),
    (("CREATE", "@", "CNAME", ["other.example."]), "is not permitted at apex in zone"),
    (("CREATE", "x" * 64, "A", ["192.0.2.1"]), "DomainLabelTooLong"),
    (("CREATE", "a", "A", ["192.0.2.256"]), "FATAL problem"),
    (("CREATE", "a", "MX", ["mx1.contoso.example."]), "FATAL problem"),
    (("DELETE", "a", "A", ["192.0.2.1"]), "but it was not found"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_refused_in_an_empty_zone(zone: Zone, change: tuple[str, str, str, list[str]], words: str) -> None:
    with pytest.raises(ClientError) as refusal:
        zone.change(change)
    error = refusal.value.response["Error"]
    assert error["Code"] == "InvalidChangeBatch"
    assert words in error["Message"]
    assert zone.records() == {}


BESIDE = [
    (("CREATE", "txt", "TXT", ['"again"']), "[name='txt.{zone}.', type='TXT'] but it already exists"),
    (("DELETE", "txt", "TXT", ['"other"']), "but the values provided do not match the current values"),
    (("CREATE", "txt", "CNAME", ["other.example."]), "as it conflicts with other records with the same DNS name"),
    (("UPSERT", "cname", "TXT", ['"beside"']), "because a conflicting RRSet of type CNAME with the same DNS name"),
    (("CREATE", "cname", "A", ["192.0.2.1"]), "because a conflicting RRSet of type CNAME with the same DNS name"),
]


@pytest.mark.parametrize(("change", "words"), BESIDE)
def test_refused_beside_other_records(zone: Zone, change: tuple[str, str, str, list[str]], words: str) -> None:
    zone.change(("CREATE", "txt", "TXT", ['"here"']), ("CREATE", "cname", "CNAME", ["other.example."]))
    before = zone.records()
    with pytest.raises(ClientError) as refusal:
        zone.change(change)
    assert refusal.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert words.format(zone=zone.name) in refusal.value.response["Error"]["Message"]
    assert zone.records() == before


def test_a_batch_is_done_whole_or_not_at_all(zone: Zone) -> None:
    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        zone.change(("CREATE", "good", "A", ["192.0.2.1"]), ("CREATE", "bad", "TXT", ["unquoted"]))
    assert zone.records() == {}


def test_a_type_is_changed_within_one_batch(zone: Zone) -> None:
    zone.change(("CREATE", "mta-sts", "A", ["192.0.2.1"]))
    zone.change(("DELETE", "mta-sts", "A", ["192.0.2.1"]), ("CREATE", "mta-sts", "CNAME", ["edge.example."]))
    assert zone.records() == {("mta-sts", "CNAME"): ["edge.example."]}


def test_long_text_in_several_strings_is_taken(zone: Zone) -> None:
    value = f'"{"x" * 255}" "{"y" * 255}"'
    zone.change(("CREATE", "_smtp._tls", "TXT", [value]))
    assert zone.records() == {("_smtp._tls", "TXT"): [value]}


def test_an_alias_has_no_values_and_a_record_needs_them(zone: Zone) -> None:
    record_set: dict[str, Any] = {"Name": f"a.{zone.name}", "Type": "A"}
    target = {"DNSName": "d1.cloudfront.net", "HostedZoneId": "Z2FDTNDATAQYW2", "EvaluateTargetHealth": False}

    def change(**members: Any) -> None:
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record_set | members}]}
        zone.api.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=batch)

    with pytest.raises(ClientError, match="InvalidInput"):
        change()
    with pytest.raises(ClientError, match="InvalidInput"):
        change(TTL=60, ResourceRecords=[{"Value": "192.0.2.1"}], AliasTarget=target)
    change(AliasTarget=target)
