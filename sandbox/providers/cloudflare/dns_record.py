"""Cloudflare DNS records."""

import json
from collections.abc import Iterator
from typing import Any

from sandbox.providers.cloudflare.api import CloudflareApi
from sandbox.providers.protocol.resource_type import Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties

_SETTINGS = {"flattenCname": "flatten_cname", "ipv4Only": "ipv4_only", "ipv6Only": "ipv6_only"}
_SIMPLE = ("name", "type", "content", "ttl", "proxied", "comment", "priority", "tags")
_AUTOMATIC = 1
"""The TTL that means: Cloudflare decides."""


def _body(inputs: Properties) -> dict[str, Any]:
    body = {name: inputs[name] for name in _SIMPLE if name in inputs}
    if "settings" in inputs:
        body["settings"] = {_SETTINGS[name]: value for name, value in inputs["settings"].items()}
    return body


def _outputs(record: dict[str, Any]) -> Properties:
    return {
        "commentModifiedOn": record.get("comment_modified_on") or "",
        "createdOn": record.get("created_on", ""),
        "meta": json.dumps(record.get("meta") or {}),
        "modifiedOn": record.get("modified_on", ""),
        "proxiable": bool(record.get("proxiable", False)),
        "tagsModifiedOn": record.get("tags_modified_on") or "",
    }


def _create(call: Call[CloudflareApi]) -> Created:
    record = call.cloud.call("POST", f"/zones/{call.inputs['zoneId']}/dns_records", _body(call.inputs))
    return Created(record["id"], _outputs(record))


def _place(call: Call[CloudflareApi]) -> tuple[str, str]:
    """Zone and record; an import's id is `<zone id>/<record id>`."""
    if call.state.get("zoneId"):
        return call.state["zoneId"], call.id
    zone, _, record = call.id.partition("/")
    if not record:
        raise ProviderError(f"{call.id!r} is no id of a record to import: <zone id>/<record id>")
    return zone, record


def _read(call: Call[CloudflareApi]) -> Found:
    zone, identity = _place(call)
    record = call.cloud.call("GET", f"/zones/{zone}/dns_records/{identity}")
    seen: Properties = {name: record.get(name) for name in _SIMPLE}
    seen["proxied"] = bool(record.get("proxied", False))
    settings = record.get("settings") or {}
    seen["settings"] = {own: settings[api] for own, api in _SETTINGS.items() if api in settings} or None
    return Found(seen | {"zoneId": zone}, _outputs(record), identity)


def _update(call: Call[CloudflareApi]) -> Properties:
    zone, identity = _place(call)
    return _outputs(call.cloud.call("PUT", f"/zones/{zone}/dns_records/{identity}", _body(call.inputs)))


def _delete(call: Call[CloudflareApi]) -> None:
    zone, identity = _place(call)
    call.cloud.call("DELETE", f"/zones/{zone}/dns_records/{identity}")


def _check(inputs: Properties) -> Iterator[Problem]:
    if "content" not in inputs:
        yield Problem("content", "is required: the stand-in makes no records from `data`")
    ttl = inputs["ttl"]
    if isinstance(ttl, int | float) and ttl != _AUTOMATIC and not 30 <= ttl <= 86400:
        yield Problem("ttl", f"is {ttl}; it must be 1 (automatic) or between 30 and 86400")
    if inputs["type"] in ("MX", "URI") and "priority" not in inputs:
        yield Problem("priority", f"is required for {inputs['type']}")
    if inputs.get("proxied") is True and inputs["type"] not in ("A", "AAAA", "CNAME"):
        yield Problem("proxied", f"cannot be set for {inputs['type']}")


DNS_RECORD: ResourceType[CloudflareApi] = ResourceType(
    "cloudflare:index/dnsRecord:DnsRecord",
    acts_on=words("zoneId settings.*") | frozenset(_SIMPLE),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("zoneId"),
    unknown_after={"modifiedOn": frozenset(_SIMPLE) | {"settings"}},
    defaults={"proxied": False},
    unordered=words("tags"),
    choices={
        "type": (
            "A",
            "AAAA",
            "CAA",
            "CERT",
            "CNAME",
            "DNSKEY",
            "DS",
            "HTTPS",
            "LOC",
            "MX",
            "NAPTR",
            "NS",
            "OPENPGPKEY",
            "PTR",
            "SMIMEA",
            "SRV",
            "SSHFP",
            "SVCB",
            "TLSA",
            "TXT",
            "URI",
        )
    },
    check=_check,
)
