"""One spec as what it publishes: the policy, the records as table, zone file and JSON, and where each value came from.

JSON is described by `rendered.v1.schema.json`.
"""

from collections.abc import Sequence
from typing import Any

from mailtls.mta_sts.policy import WELL_KNOWN_PATH, policy_host
from mailtls.records import PLACEHOLDERS, PlannedRecord, planned_records
from mailtls.render.foreign_text import plain, table_code
from mailtls.render.wrapping import wrapped
from mailtls.spec.model import PolicySpec
from mailtls.spec.origin import Origin

SCHEMA_FILE = "rendered.v1.schema.json"
_STRING = 255
"""Octets of one character-string (RFC 1035 section 3.3.14)."""


def policy_address(policy_domain: str) -> str:
    """Where senders fetch the policy (RFC 8461 section 3.3)."""
    return f"https://{policy_host(policy_domain)}{WELL_KNOWN_PATH}"


def records_table(spec: PolicySpec, width: int) -> str:
    """Name, type, TTL and value, one record below the other where they do not fit side by side."""
    records = planned_records(spec)
    names = max(len(record.name) for record in records)
    values = max(len(record.value) for record in records)
    lines = []
    for record in records:
        head = f"{record.name:<{names}}  {record.ttl:>4}  {record.type:<5}"
        if names + values + 15 <= width:
            lines.append(f"{head}  {record.value}")
        else:
            lines += [f"{record.name}  {record.ttl}  {record.type}", f"    {record.value}"]
    return "\n".join([*lines, *_explained(records, width)]) + "\n"


def records_markdown(spec: PolicySpec) -> str:
    """A table."""
    records = planned_records(spec)
    lines = ["| name | TTL | type | value |", "|---|---|---|---|"]
    lines += [f"| {table_code(r.name)} | {r.ttl} | {r.type} | {table_code(r.value)} |" for r in records]
    used = _used(records)
    lines += ["", *(f"- `{text}`: {PLACEHOLDERS[text]}" for text in used)] if used else []
    return "\n".join(lines) + "\n"


def zone_file(spec: PolicySpec) -> str:
    """A part of a zone file (RFC 1035 section 5). A record with a placeholder is a comment: a server that loads the
    file must not publish it."""
    lines = []
    for record in planned_records(spec):
        if record.type == "TXT":
            value = " ".join(f'"{piece}"' for piece in _pieces(record.value))
        else:
            value = f"{record.value}." if not record.placeholders else record.value
        line = f"{record.name}. {record.ttl} IN {record.type} {value}"
        if record.placeholders:
            lines += [f"; {text}: {PLACEHOLDERS[text]}" for text in record.placeholders]
            line = f"; {line}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def origins_text(found: Sequence[Origin], width: int) -> str:
    """Each value and the place where it was written, or why it is so."""
    keys = max(len(origin.key) for origin in found)
    lines = []
    for origin in found:
        place = place_of(origin)
        head = f"{origin.key:<{keys}}  {plain(origin.value)}"
        if len(head) + 2 + len(place) <= width:
            lines.append(f"{head}  {place}")
        else:
            indent = " " * (keys + 2)
            lines += wrapped(head, width, "", indent)
            lines += wrapped(place, width, indent, indent)
    return "\n".join(lines) + "\n"


def origins_markdown(found: Sequence[Origin]) -> str:
    """A table."""
    lines = ["| key | value | from |", "|---|---|---|"]
    lines += [
        f"| {table_code(origin.key)} | {table_code(origin.value)} | {table_code(place_of(origin))} |"
        for origin in found
    ]
    return "\n".join(lines) + "\n"


def place_of(origin: Origin) -> str:
    """`policy_specs/a.yaml:3`, or `default: follows the mode`."""
    if origin.source is None:
        return plain(f"default: {origin.reason}")
    return plain(f"{origin.source.file}:{origin.source.line}")


def rendered_data(spec: PolicySpec, found: Sequence[Origin]) -> dict[str, Any]:
    """Everything that is known of one spec, as the schema has it."""
    policy = spec.mta_sts and {
        "url": policy_address(spec.policy_domain),
        "content_type": "text/plain",
        "text": spec.mta_sts.policy.render().decode(),
    }
    return {
        "policy_domain": spec.policy_domain,
        "policy": policy,
        "records": [
            {
                "purpose": str(record.purpose),
                "name": record.name,
                "type": record.type,
                "ttl": record.ttl,
                "value": record.value,
                "placeholders": {text: PLACEHOLDERS[text] for text in record.placeholders},
            }
            for record in planned_records(spec)
        ],
        "origins": [
            {
                "key": origin.key,
                "value": origin.value,
                "location": origin.source and {"file": origin.source.file, "line": origin.source.line},
                "reason": origin.reason,
            }
            for origin in found
        ],
    }


def _explained(records: Sequence[PlannedRecord], width: int) -> list[str]:
    used = _used(records)
    if not used:
        return []
    lines = ["", "Known after the deployment:"]
    for text in used:
        lines += wrapped(f"{text}: {PLACEHOLDERS[text]}", width, "  ", "    ")
    return lines


def _used(records: Sequence[PlannedRecord]) -> list[str]:
    return [text for text in PLACEHOLDERS if any(text in record.placeholders for record in records)]


def _pieces(text: str) -> list[str]:
    """Character-strings of a TXT value; what a record of ours holds needs no escape."""
    return [text[start : start + _STRING] for start in range(0, len(text), _STRING)]
