"""Route 53 records, and the look-up of a zone."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, AwsError, Service
from sandbox.providers.protocol.resource_type import Call, Created, Found, Function, ProviderError, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties, known_items


def _api(cloud: Aws) -> Service:
    return cloud.service("route53", "us-east-1")


def _record_set(inputs: Properties) -> dict[str, Any]:
    record: dict[str, Any] = {"Name": inputs["name"], "Type": inputs["type"]}
    if aliases := inputs.get("aliases"):
        target = aliases[0]
        record["AliasTarget"] = {
            "DNSName": target["name"],
            "HostedZoneId": target["zoneId"],
            "EvaluateTargetHealth": target["evaluateTargetHealth"],
        }
        return record
    record["TTL"] = inputs["ttl"]
    record["ResourceRecords"] = [{"Value": _to_api(value, inputs["type"])} for value in inputs["records"]]
    return record


def _to_api(value: str, kind: str) -> str:
    """The provider puts TXT data in quotes; longer data carries the inner ones itself (`…""…`)."""
    return f'"{value}"' if kind in ("TXT", "SPF") else value


def _from_api(value: str, kind: str) -> str:
    quoted = kind in ("TXT", "SPF") and value.startswith('"') and value.endswith('"')
    return value[1:-1] if quoted else value


def _change(cloud: Aws, zone: str, *changes: tuple[str, dict[str, Any]]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    _api(cloud).change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def _create(call: Call[Aws]) -> Created:
    inputs = call.inputs
    _change(call.cloud, inputs["zoneId"], ("UPSERT" if inputs["allowOverwrite"] else "CREATE", _record_set(inputs)))
    return Created(f"{inputs['zoneId']}_{inputs['name']}_{inputs['type']}", {"fqdn": _fqdn(call, inputs)})


def _fqdn(call: Call[Aws], inputs: Properties) -> str:
    """The full name: the provider accepts one that is relative to the zone."""
    zone = _api(call.cloud).get_hosted_zone(Id=inputs["zoneId"])["HostedZone"]["Name"].rstrip(".")
    name = str(inputs["name"]).rstrip(".").lower()
    return name if name == zone or name.endswith(f".{zone}") else f"{name}.{zone}"


def _read(call: Call[Aws]) -> Found | None:
    zone, name, kind = _parts(call)
    found = _find(call.cloud, zone, name, kind)
    if found is None:
        return None
    seen: Properties = {"zoneId": zone, "type": kind, "name": name, "allowOverwrite": False}
    if target := found.get("AliasTarget"):
        alias = {
            "name": target["DNSName"].rstrip("."),
            "zoneId": target["HostedZoneId"],
            "evaluateTargetHealth": target["EvaluateTargetHealth"],
        }
        seen |= {"aliases": [alias], "ttl": None, "records": None}
    else:
        records = [_from_api(one["Value"], kind) for one in found.get("ResourceRecords") or ()]
        seen |= {"aliases": None, "ttl": found.get("TTL"), "records": records}
    return Found(seen, {"fqdn": found["Name"].rstrip(".").replace("\\052", "*")}, f"{zone}_{name}_{kind}")


def _parts(call: Call[Aws]) -> tuple[str, str, str]:
    """Zone id, name and type. An import's id is `<zone id>_<name>_<type>`, and names may hold `_` themselves."""
    if call.state.get("zoneId"):
        return call.state["zoneId"], call.state["name"], call.state["type"]
    zone, _, rest = call.id.partition("_")
    name, _, kind = rest.rpartition("_")
    if not name:
        raise ProviderError(f"{call.id!r} is no id of a record: <zone id>_<name>_<type>")
    return zone, name, kind


def _find(cloud: Aws, zone: str, name: str, kind: str) -> dict[str, Any] | None:
    zone_name = _api(cloud).get_hosted_zone(Id=zone)["HostedZone"]["Name"].rstrip(".")
    full = name.rstrip(".").lower()
    if full != zone_name and not full.endswith(f".{zone_name}"):
        full = f"{full}.{zone_name}"
    answer = _api(cloud).list_resource_record_sets(
        HostedZoneId=zone, StartRecordName=full, StartRecordType=kind, MaxItems="1"
    )
    for record in answer["ResourceRecordSets"]:
        if record["Name"].rstrip(".").replace("\\052", "*").lower() == full and record["Type"] == kind:
            return dict(record)
    return None


def _update(call: Call[Aws]) -> Properties:
    record = _record_set(call.inputs)
    if "type" in call.changed:  # another type is another record set; both changes are one transaction
        _change(call.cloud, call.inputs["zoneId"], ("DELETE", _record_set(call.state)), ("CREATE", record))
    else:
        _change(call.cloud, call.inputs["zoneId"], ("UPSERT", record))
    return {}


def _delete(call: Call[Aws]) -> None:
    zone, name, kind = _parts(call)
    found = _find(call.cloud, zone, name, kind)  # a deletion must repeat what is there
    if found is not None:
        try:
            _change(call.cloud, zone, ("DELETE", found))
        except AwsError as e:
            if "not found" not in str(e):
                raise


def _check(inputs: Properties) -> Iterator[Problem]:
    if "aliases" in inputs and ("records" in inputs or "ttl" in inputs):
        yield Problem("aliases", "conflicts with records and ttl")
    if "aliases" not in inputs and "records" not in inputs:
        yield Problem("records", "one of records and aliases is required")
    if "records" in inputs and "ttl" not in inputs:
        yield Problem("ttl", "is required with records")
    for value in known_items(inputs.get("records")):
        if inputs.get("type") == "TXT" and isinstance(value, str) and value.startswith('"'):
            yield Problem("records", "the provider adds the outer quotes of TXT data itself")
    name = inputs.get("name")
    if isinstance(name, str) and name != name.strip():
        yield Problem("name", "has blanks around it")


RECORD: ResourceType[Aws] = ResourceType(
    "aws:route53/record:Record",
    acts_on=words("zoneId name type ttl records allowOverwrite aliases.*"),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("zoneId name"),
    defaults={"allowOverwrite": False},
    unordered=words("records"),
    choices={"type": ("A", "AAAA", "CAA", "CNAME", "DS", "MX", "NS", "PTR", "SOA", "SPF", "SRV", "TXT")},
    check=_check,
    seconds=30 * 60,
)


# ------------------------------------------------------------------------------------------------------ zones


def _get_zone(cloud: Aws, arguments: Properties) -> Properties:
    wanted = str(arguments.get("name", "")).rstrip(".").lower()
    private = bool(arguments.get("privateZone", False))
    if zone_id := arguments.get("zoneId"):
        found = [_api(cloud).get_hosted_zone(Id=zone_id)["HostedZone"]]
    else:
        found = [
            zone
            for zone in _api(cloud).pages("list_hosted_zones", "HostedZones")
            if zone["Name"].rstrip(".").lower() == wanted and bool(zone["Config"].get("PrivateZone")) == private
        ]
    if len(found) != 1:
        how_many = "no" if not found else "more than one"
        raise ProviderError(f"{how_many} matching Route 53 hosted zone found for {wanted!r}")
    return _zone(cloud, found[0])


def _zone(cloud: Aws, zone: dict[str, Any]) -> Properties:
    zone_id = zone["Id"].rsplit("/", 1)[-1]
    details = _api(cloud).get_hosted_zone(Id=zone_id)
    servers = (details.get("DelegationSet") or {}).get("NameServers") or []
    linked = zone.get("LinkedService") or {}
    return {
        "arn": f"arn:aws:route53:::hostedzone/{zone_id}",
        "callerReference": zone.get("CallerReference", ""),
        "comment": zone.get("Config", {}).get("Comment", ""),
        "enableAcceleratedRecovery": False,
        "id": zone_id,
        "linkedServiceDescription": linked.get("Description", ""),
        "linkedServicePrincipal": linked.get("ServicePrincipal", ""),
        "name": zone["Name"].rstrip("."),
        "nameServers": servers,
        "primaryNameServer": servers[0] if servers else "",
        "privateZone": bool(zone.get("Config", {}).get("PrivateZone")),
        "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
        "tags": {},
        "vpcId": "",
        "zoneId": zone_id,
    }


GET_ZONE: Function[Aws] = Function(
    "aws:route53/getZone:getZone", arguments=words("name privateZone zoneId"), run=_get_zone
)

TYPES: tuple[ResourceType[Aws], ...] = (RECORD,)
FUNCTIONS: tuple[Function[Aws], ...] = (GET_ZONE,)
