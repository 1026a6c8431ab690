"""The look-up of a Cloudflare zone, by id or by a filter."""

from typing import Any

from sandbox.providers.cloudflare.api import CloudflareApi
from sandbox.providers.protocol.resource_type import Function, ProviderError, words
from sandbox.providers.protocol.wire import Properties

_FILTER = words("name status match order direction")


def _get_zone(api: CloudflareApi, arguments: Properties) -> Properties:
    if zone_id := arguments.get("zoneId"):
        return _result(api.call("GET", f"/zones/{zone_id}"), arguments)
    wanted = {key: value for key, value in (arguments.get("filter") or {}).items() if value is not None}
    if unknown := sorted(set(wanted) - _FILTER):
        raise ProviderError(f"the stand-in does not filter zones by {', '.join(unknown)}")
    if "match" not in wanted:
        raise ProviderError("a filter of zones needs match: all or any")
    found = api.pages("/zones", **wanted)
    if len(found) != 1:
        raise ProviderError(f"failed to find exactly one result: {len(found)} zones match {wanted}")
    return _result(found[0], arguments)


def _result(zone: dict[str, Any], arguments: Properties) -> Properties:
    return {
        "account": zone.get("account") or {"id": "", "name": ""},
        "activatedOn": zone.get("activated_on") or "",
        "cnameSuffix": zone.get("cname_suffix") or "",
        "createdOn": zone.get("created_on") or "",
        "developmentMode": zone.get("development_mode", 0),
        "filter": arguments.get("filter"),
        "id": zone["id"],
        "meta": None,
        "modifiedOn": zone.get("modified_on") or "",
        "name": zone["name"],
        "nameServers": zone.get("name_servers") or [],
        "originalDnshost": zone.get("original_dnshost") or "",
        "originalNameServers": zone.get("original_name_servers") or [],
        "originalRegistrar": zone.get("original_registrar") or "",
        "owner": None,
        "paused": bool(zone.get("paused", False)),
        "permissions": zone.get("permissions") or [],
        "plan": None,
        "status": zone.get("status", "active"),
        "tenant": None,
        "tenantUnit": None,
        "type": zone.get("type", "full"),
        "vanityNameServers": zone.get("vanity_name_servers") or [],
        "verificationKey": zone.get("verification_key") or "",
        "zoneId": zone["id"],
    }


GET_ZONE: Function[CloudflareApi] = Function(
    "cloudflare:index/getZone:getZone", arguments=words("filter zoneId"), run=_get_zone
)
