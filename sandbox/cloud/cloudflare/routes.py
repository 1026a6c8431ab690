"""The API's paths, and the JSON that it speaks."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sandbox.cloud.cloudflare.account import Account, StoredRecord, Zone
from sandbox.cloud.cloudflare.record import PROXIABLE
from sandbox.cloud.cloudflare.refusal import Refusal, could_not_route, invalid, not_there

NAME_SERVERS = ("ns1.dnshost.example",)
"""Of every zone here; the sandbox's DNS names the same."""
TOKEN_ID = "0" * 31 + "2"
OWNER = {"id": "0" * 31 + "1", "name": "sandbox"}

_Item = TypeVar("_Item")
_ID = "([0-9a-f]{32})"


@dataclass(frozen=True, slots=True)
class Request:
    """path: below the base URL. query: last value of each parameter. body: the JSON object sent, {} when none was."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Paging:
    """How many results a page has, when the client does not say, and at most."""

    default: int
    most: int


ZONES = Paging(20, 50)
RECORDS = Paging(100, 5_000_000)


def answer(account: Account, request: Request) -> dict[str, Any]:
    """The whole envelope of a success. Raises Refusal."""
    for method, pattern, operation in _ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found and method == request.method:
            return operation(account, request, *found.groups())
    if _has_bad_id(request.path):
        raise could_not_route(request.path)
    raise invalid(7000, "No route for that URI")


def failure(refusal: Refusal) -> dict[str, Any]:
    """The envelope of a refusal."""
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.chain:
        error["error_chain"] = [{"code": refusal.chain[0], "message": refusal.chain[1]}]
    return {"result": None, "success": False, "errors": [error], "messages": []}


def _success(result: Any, **more: Any) -> dict[str, Any]:
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def _has_bad_id(path: str) -> bool:
    parts = path.split("/")
    return path.startswith("/zones/") and not all(re.fullmatch(_ID, part) for part in parts[2:5:2])


# ------------------------------------------------------------------------------------------------------ zones


def _list_zones(account: Account, request: Request) -> dict[str, Any]:
    tests: dict[str, Callable[[Zone, str], bool]] = {
        "name": lambda zone, value: zone.name == value.lower(),
        "status": lambda _, value: value == "active",
    }
    return _page(_filtered(account.zones(), request.query, tests), request.query, ZONES, _zone)


def _get_zone(account: Account, request: Request, zone_id: str) -> dict[str, Any]:
    return _success(_zone(account.zone(zone_id)))


def _zone(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": list(NAME_SERVERS),
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": _time(zone.created),
        "modified_on": _time(zone.created),
        "activated_on": _time(zone.created),
        "meta": {},
        "owner": {"id": None, "type": "user", "email": None},
        "account": OWNER,
        "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        "plan": {"id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website"},
    }


# ---------------------------------------------------------------------------------------------------- records


def _list_records(account: Account, request: Request, zone_id: str) -> dict[str, Any]:
    tests: dict[str, Callable[[StoredRecord, str], bool]] = {
        "name": lambda stored, value: stored.record.name == value.lower(),
        "type": lambda stored, value: stored.record.type == value,
        "content": lambda stored, value: stored.record.content == value,
        "proxied": lambda stored, value: str(stored.record.proxied).lower() == value.lower(),
    }
    tests |= {"name.exact": tests["name"], "content.exact": tests["content"]}
    return _page(_filtered(account.listed(zone_id), request.query, tests), request.query, RECORDS, _record)


def _create_record(account: Account, request: Request, zone_id: str) -> dict[str, Any]:
    return _success(_record(account.create(zone_id, request.body)))


def _get_record(account: Account, request: Request, zone_id: str, record_id: str) -> dict[str, Any]:
    return _success(_record(account.stored(zone_id, record_id)))


def _put_record(account: Account, request: Request, zone_id: str, record_id: str) -> dict[str, Any]:
    return _success(_record(account.overwrite(zone_id, record_id, request.body, keep=False)))


def _patch_record(account: Account, request: Request, zone_id: str, record_id: str) -> dict[str, Any]:
    return _success(_record(account.overwrite(zone_id, record_id, request.body, keep=True)))


def _delete_record(account: Account, request: Request, zone_id: str, record_id: str) -> dict[str, Any]:
    account.delete(zone_id, record_id)
    return _success({"id": record_id})


def _record(stored: StoredRecord) -> dict[str, Any]:
    members = {
        "id": stored.id,
        **stored.record.members(),
        "proxiable": stored.record.type in PROXIABLE,
        "settings": {},
        "meta": {},
        "created_on": _time(stored.created),
        "modified_on": _time(stored.modified),
    }
    if stored.commented:
        members["comment_modified_on"] = _time(stored.commented)
    if stored.tagged:
        members["tags_modified_on"] = _time(stored.tagged)
    return members


def _verify_token(_account: Account, _request: Request) -> dict[str, Any]:
    """Who comes this far has the token."""
    said = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return _success({"id": TOKEN_ID, "status": "active"}) | {"messages": [said]}


_ROUTES: tuple[tuple[str, str, Callable[..., dict[str, Any]]], ...] = (
    ("GET", "/user/tokens/verify", _verify_token),
    ("GET", "/zones", _list_zones),
    ("GET", f"/zones/{_ID}", _get_zone),
    ("GET", f"/zones/{_ID}/dns_records", _list_records),
    ("POST", f"/zones/{_ID}/dns_records", _create_record),
    ("GET", f"/zones/{_ID}/dns_records/{_ID}", _get_record),
    ("PUT", f"/zones/{_ID}/dns_records/{_ID}", _put_record),
    ("PATCH", f"/zones/{_ID}/dns_records/{_ID}", _patch_record),
    ("DELETE", f"/zones/{_ID}/dns_records/{_ID}", _delete_record),
)


# ---------------------------------------------------------------------------------------------------- listing


def _filtered(
    items: Sequence[_Item], query: Mapping[str, str], tests: Mapping[str, Callable[[_Item, str], bool]]
) -> list[_Item]:
    wanted = {key: value for key, value in query.items() if key not in ("page", "per_page", "match")}
    if unknown := sorted(wanted.keys() - tests.keys()):
        raise not_there(f"does not filter or sort by {', '.join(unknown)}")
    match = query.get("match", "all")
    if match not in ("all", "any"):
        raise invalid(1004, "match must be any or all")
    enough = all if match == "all" or not wanted else any
    return [item for item in items if enough(tests[key](item, value) for key, value in wanted.items())]


def _page(
    items: Sequence[_Item], query: Mapping[str, str], paging: Paging, show: Callable[[_Item], dict[str, Any]]
) -> dict[str, Any]:
    page, size = _number(query, "page", 1), min(_number(query, "per_page", paging.default), paging.most)
    shown = [show(item) for item in items[(page - 1) * size : page * size]]
    info = {
        "page": page,
        "per_page": size,
        "count": len(shown),
        "total_count": len(items),
        "total_pages": -(-len(items) // size),
    }
    return _success(shown, result_info=info)


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise invalid(1004, f"{name} must be a number from 1 on")
    return int(text)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
