"""Route 53: record sets that AWS refuses are refused, with its words (ChangeResourceRecordSets, InvalidChangeBatch)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import dns.exception
import dns.rdata
import dns.rdataclass
from ministack.services import route53

from sandbox.cloud.emulator.patch import Patch, Probe, replace

LONGEST_STRING = 255
LONGEST_TEXT = 4000
LONGEST_LABEL = 63
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TEXT_TYPES = ("TXT", "SPF")

RecordSet = dict[str, Any]
Change = tuple[str, RecordSet]
"""Action and record set."""
Answer = tuple[int, dict[str, Any], bytes]


def _check_changes() -> None:
    replace(route53, "_change_resource_record_sets", _checked, takes=("zone_id", "body"))


def _checked(stock: Callable[[str, bytes], Answer]) -> Callable[[str, bytes], Answer]:
    def change_resource_record_sets(zone_id: str, body: bytes) -> Answer:
        zone, changes = route53._zones.get(zone_id), list(_changes(body))
        if zone is not None:
            for change in changes:
                if (wrong := _unmade(*change)) is not None:
                    return _refusal("InvalidInput", wrong)
            found = list(_faults(zone["name"], list(route53._records[zone_id]), changes))
            if found:
                return _refusal("InvalidChangeBatch", f"[{', '.join(found)}]")
        return stock(zone_id, body)

    return change_resource_record_sets


def _refusal(code: str, message: str) -> Answer:
    answer: Answer = route53._error_response(code, message)
    return answer


def _changes(body: bytes) -> Iterator[Change]:
    """Those changes of a batch that are well-formed; the stock handler refuses the others."""
    root = route53._parse_body(body)
    batch = route53._find(root, "ChangeBatch") if root is not None else None
    listed = route53._find(batch, "Changes") if batch is not None else None
    for change in route53._findall(listed, "Change") if listed is not None else ():
        record_set = route53._find(change, "ResourceRecordSet")
        if record_set is not None:
            yield route53._text(change, "Action"), route53._parse_record_set(record_set)


def _unmade(action: str, record_set: RecordSet) -> str | None:
    """A record set that is neither an alias nor has both a TTL and values."""
    has = ("AliasTarget" in record_set, "TTL" in record_set and bool(record_set.get("ResourceRecords")))
    if sum(has) == 1:
        return None
    found = "more than one" if all(has) else "none"
    return (
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or"
        f" TrafficPolicyInstanceId], but found {found} in Change with [Action={action}, Name={record_set['Name']},"
        f" Type={record_set['Type']}, SetIdentifier={record_set.get('SetIdentifier', 'null')}]"
    )


# ---------------------------------------------------------------------------------------------------- the faults


def _faults(zone: str, existing: list[RecordSet], changes: list[Change]) -> Iterator[str]:
    """Every fault of a batch, in Route 53's words. The batch is done in order, so later changes see earlier ones."""
    current = {_key(one): one for one in existing}
    for action, wanted in changes:
        key, what = _key(wanted), f"[name='{wanted['Name']}', type='{wanted['Type']}']"
        if not _is_within(wanted["Name"], zone):
            yield f"RRSet with DNS name {wanted['Name']} is not permitted in zone {zone}"
        elif action == "DELETE":
            if key not in current:
                yield f"Tried to delete resource record set {what} but it was not found"
            elif route53._rs_values(current.pop(key)) != route53._rs_values(wanted):
                yield (
                    f"Tried to delete resource record set {what}"
                    " but the values provided do not match the current values"
                )
        elif action == "CREATE" and key in current:
            yield f"Tried to create resource record set {what} but it already exists"
        else:
            current[key] = wanted
    for _action, wanted in changes:
        if _action != "DELETE":
            yield from _place_faults(zone, wanted, list(current.values()))
            yield from _value_faults(wanted)


def _key(record_set: RecordSet) -> tuple[str, str, str]:
    return record_set["Name"].lower(), record_set["Type"], record_set.get("SetIdentifier", "")


def _is_within(name: str, zone: str) -> bool:
    return name.lower() == zone.lower() or name.lower().endswith("." + zone.lower())


def _place_faults(zone: str, wanted: RecordSet, current: list[RecordSet]) -> Iterator[str]:
    name, kind = wanted["Name"], wanted["Type"]
    if any(len(label) > LONGEST_LABEL for label in name.split(".")):
        yield f"FATAL problem: DomainLabelTooLong (Domain label is too long) encountered with '{name}'"
    if kind == "CNAME" and name.lower() == zone.lower():
        yield f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
        return
    beside = {one["Type"] for one in current if one["Name"].lower() == name.lower()} - {kind}
    if kind == "CNAME" and beside:
        yield (
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records"
            f" with the same DNS name in zone {zone}"
        )
    elif "CNAME" in beside:
        yield (
            f"RRSet of type {kind} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME"
            f" with the same DNS name already exists in zone {zone}"
        )


def _value_faults(wanted: RecordSet) -> Iterator[str]:
    kind = wanted["Type"]
    for value in wanted.get("ResourceRecords") or ():
        problem = _text_problem(value) if kind in _TEXT_TYPES else _data_problem(kind, value)
        if problem is not None:
            yield f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"


def _text_problem(value: str) -> str | None:
    if not re.fullmatch(rf"{_STRING.pattern}(?:\s*{_STRING.pattern})*\s*", value):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    strings = [re.sub(r"\\(\d{3}|.)", "x", text) for text in _STRING.findall(value)]
    if any(len(text) > LONGEST_STRING for text in strings):
        return "CharacterStringTooLong (Value is too long)"
    if len(value) > LONGEST_TEXT:
        return "TXTRDATATooLong (Value exceeds 4000 characters)"
    return None


def _data_problem(kind: str, value: str) -> str | None:
    """dnspython judges the presentation form of all other types. The words after the code are its own."""
    try:
        dns.rdata.from_text(dns.rdataclass.IN, kind, value)
    except (dns.exception.DNSException, ValueError) as e:
        return f"Unparseable{kind}Record ({e})"
    return None


# ----------------------------------------------------------------------------------------------------- the proof


def _prove(probe: Probe) -> None:
    api, zone = probe.client("route53", "us-east-1"), probe.domain()
    identity = api.create_hosted_zone(Name=zone, CallerReference=zone)["HostedZone"]["Id"]

    def change(action: str, name: str, kind: str, *values: str) -> None:
        record_set = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": one} for one in values]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record_set}]}
        api.change_resource_record_sets(HostedZoneId=identity, ChangeBatch=batch)

    def refused(*arguments: str) -> str:
        return probe.refused("InvalidChangeBatch", lambda: change(*arguments))

    text = f"_mta-sts.{zone}"
    probe.holds("quotation marks" in refused("UPSERT", text, "TXT", "v=STSv1; id=1;"), "TXT must be quoted")
    probe.holds("too long" in refused("UPSERT", text, "TXT", f'"{"x" * 256}"'), "a string holds 255 characters")
    probe.holds("not permitted in zone" in refused("CREATE", "other.example", "A", "192.0.2.1"), "names are the zone's")
    probe.holds("at apex" in refused("CREATE", zone, "CNAME", "other.example."), "there is no CNAME at the apex")
    change("CREATE", text, "TXT", '"v=STSv1; id=1;"')
    probe.holds("conflicts" in refused("CREATE", text, "CNAME", "other.example."), "a CNAME stands alone")
    probe.holds("already exists" in refused("CREATE", text, "TXT", '"other"'), "CREATE makes a new set")
    probe.holds("do not match" in refused("DELETE", text, "TXT", '"other"'), "DELETE repeats the values")
    change("CREATE", f"mta-sts.{zone}", "CNAME", "other.example.")
    probe.holds(
        "conflicting" in refused("CREATE", f"mta-sts.{zone}", "A", "192.0.2.1"), "nothing stands beside a CNAME"
    )
    refused("CREATE", f"mail.{zone}", "MX", "other.example.")


PATCHES = (
    Patch(
        "route53-checks-records",
        "Unquoted and over-long TXT values, names outside the zone, a CNAME at the apex or beside other records, and"
        " values that are no data of their type were taken.",
        _check_changes,
        _prove,
    ),
)
