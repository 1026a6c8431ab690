"""One DNS record as Cloudflare keeps it, read from what a client sent.

Sources: Cloudflare's API reference (DNS Records for a Zone), its pages "DNS record types" and "Cannot add DNS records
with the same name", and error bodies that users of clients have published.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.name

from sandbox.cloud.cloudflare.character_strings import stored
from sandbox.cloud.cloudflare.refusal import invalid, not_there

AUTOMATIC = 1
"""The TTL that means: Cloudflare decides (300 seconds)."""
SHORTEST_TTL, LONGEST_TTL = 60, 86400
"""Seconds. 30 is for Enterprise zones, which these are not."""
ADDRESSES = frozenset({"A", "AAAA"})
PROXIABLE = ADDRESSES | {"CNAME"}
TYPES = PROXIABLE | {"MX", "TXT"}
LONGEST_COMMENT = 100

_MEMBERS = frozenset({"name", "type", "content", "ttl", "priority", "proxied", "comment", "tags", "settings", "data"})


@dataclass(frozen=True, slots=True)
class Record:
    """
    name: in full, lower-case A-labels, no final dot. content: as the API shows it; names in it without final dot.
    ttl: seconds, or 1 (automatic). priority: of an MX record, else None.
    proxied: Cloudflare answers with its own addresses and never shows `content`.
    """

    name: str
    type: str
    content: str
    ttl: int = AUTOMATIC
    priority: int | None = None
    proxied: bool = False
    comment: str | None = None
    tags: tuple[str, ...] = ()

    def members(self) -> dict[str, Any]:
        """The record in a request's or an answer's JSON."""
        members: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "content": self.content,
            "ttl": self.ttl,
            "proxied": self.proxied,
            "comment": self.comment,
            "tags": list(self.tags),
        }
        return members if self.priority is None else members | {"priority": self.priority}

    def is_same_as(self, other: "Record") -> bool:
        """Whether the two would be one record in DNS."""
        return (self.name, self.type, self.content) == (other.name, other.type, other.content)


def read_record(body: Mapping[str, Any], zone: str) -> Record:
    """The record that a client asks for in `zone`. Raises Refusal."""
    kind, proxied = body.get("type"), body.get("proxied") or False
    if unknown := sorted(body.keys() - _MEMBERS):
        raise not_there(f"knows no member {', '.join(unknown)} of a record")
    if not isinstance(kind, str) or kind not in TYPES:
        raise not_there(f"keeps records of the types {', '.join(sorted(TYPES))}, not {kind!r}")
    if body.get("data"):
        raise not_there("makes no records from `data`; send `content`")
    if not isinstance(proxied, bool):
        raise invalid(9207, "Request body is invalid.")
    if proxied and kind not in PROXIABLE:
        raise invalid(9004, "This record type cannot be proxied.")
    _check_settings(body.get("settings") or {})
    name = _name(body.get("name"), zone)
    content = _content(kind, body.get("content"))
    if kind == "CNAME" and content == name:
        raise invalid(9039, "CNAME content cannot reference itself.")
    return Record(
        name=name,
        type=kind,
        content=content,
        ttl=AUTOMATIC if proxied else _ttl(body.get("ttl", AUTOMATIC)),
        priority=_priority(body.get("priority")) if kind == "MX" else None,
        proxied=proxied,
        comment=_comment(body.get("comment")),
        tags=_tags(body.get("tags") or []),
    )


def _name(name: Any, zone: str) -> str:
    """The full name. A name that does not end in the zone's is taken as relative to it, as the real API does."""
    if not isinstance(name, str) or not name:
        raise invalid(9000, "DNS name is invalid.")
    short = _domain_name(name, 9000, "DNS name is invalid.") if name != "@" else zone
    full = short if short == zone or short.endswith(f".{zone}") else f"{short}.{zone}"
    if "*" in full:
        raise not_there("keeps no wildcard records")
    return _domain_name(full, 9000, "DNS name is invalid.")


def _domain_name(name: str, code: int, message: str) -> str:
    try:
        text = dns.name.from_text(name.lower()).to_text(omit_final_dot=True)
    except (dns.exception.DNSException, UnicodeError) as e:
        raise invalid(code, message) from e
    if not text or text == "." or any(octet in text for octet in ' \\"/:@'):
        raise invalid(code, message)
    return text


def _content(kind: str, content: Any) -> str:
    if not isinstance(content, str):
        raise invalid(9000, f"Content for {kind} record is missing.")
    match kind:
        case "TXT":
            return stored(content)
        case "A":
            return _address(content, ipaddress.IPv4Address, 9005, "Content for A record must be a valid IPv4 address.")
        case "AAAA":
            return _address(
                content, ipaddress.IPv6Address, 9006, "Content for AAAA record must be a valid IPv6 address."
            )
        case "CNAME":
            return _target(content, 9007, "Content for CNAME record is invalid.")
        case _:
            return _target(content, 9009, "Content for MX record must be a hostname.")


def _address(
    content: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address], code: int, message: str
) -> str:
    """In its canonical notation (RFC 5952), which is what Cloudflare keeps."""
    try:
        return str(kind(content))
    except ValueError as e:
        raise invalid(code, message) from e


def _target(content: str, code: int, message: str) -> str:
    target = _domain_name(content, code, message)
    if target.rpartition(".")[2].isdigit():  # an IPv4 address
        raise invalid(code, message)
    return target


def _ttl(ttl: Any) -> int:
    seconds = _whole(ttl)
    if seconds is None or (seconds != AUTOMATIC and not SHORTEST_TTL <= seconds <= LONGEST_TTL):
        raise invalid(
            9021, f"Invalid TTL. Must be between {SHORTEST_TTL} and {LONGEST_TTL:,} seconds, or 1 for automatic."
        )
    return seconds


def _priority(priority: Any) -> int:
    if priority is None:
        raise invalid(9100, "priority is a required field.")
    number = _whole(priority)
    if number is None or not 0 <= number <= 65535:
        raise invalid(9008, "Invalid priority, priority must be set and be between 0 and 65535")
    return number


def _whole(number: Any) -> int | None:
    """300 and 300.0, but not 300.5, "300" or true."""
    if isinstance(number, bool) or not isinstance(number, int | float) or number != number // 1:
        return None
    return int(number)


def _comment(comment: Any) -> str | None:
    if comment in (None, ""):
        return None
    if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT:
        raise invalid(9000, f"A comment has at most {LONGEST_COMMENT} characters.")
    return comment


def _tags(tags: Any) -> tuple[str, ...]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise invalid(9207, "Request body is invalid.")
    return tuple(sorted(tags))


def _check_settings(settings: Any) -> None:
    if not isinstance(settings, dict) or any(settings.values()):
        raise not_there("has no record settings (flatten_cname, ipv4_only, ipv6_only)")
