"""As much of CloudWatch Logs Insights as our dashboard uses; anything else is refused.

After the guide, "CloudWatch Logs Insights language query syntax". A line that is JSON has its members as fields.
"""

import json
import re
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
_PRESENT = re.compile(r"ispresent\((\w+)\)")
_EQUAL = re.compile(r'(\w+) = "([^"]*)"')
_SUM = re.compile(r"sum\((\w+)\) as (\w+)")
_COUNT = re.compile(r"count\(\*\) as (\w+)")
_NAME = re.compile(r"@?\w+")


class NotUnderstood(ValueError):
    """A query, or a part of one, that Logs Insights may take and this does not."""


def query(text: str, groups: dict[str, list[str]]) -> list[Row]:
    """groups: lines of each log group, the oldest first. A missing group is a mistake, as it is for AWS."""
    source, *commands = text.split(" | ")
    named = re.fullmatch(r"SOURCE '([^']+)'", source)
    if named is None:
        raise NotUnderstood(source)
    rows: list[Row] = [
        {"@timestamp": number, **json.loads(line)} for number, line in enumerate(groups[named[1]]) if line[:1] == "{"
    ]
    for command in commands:
        word, _, rest = command.partition(" ")
        if word not in _COMMANDS:
            raise NotUnderstood(command)
        rows = _COMMANDS[word](rest, rows)
    return rows


def _filter(text: str, rows: list[Row]) -> list[Row]:
    terms = [_term(term) for term in text.split(" or ")]
    return [row for row in rows if any(term(row) for term in terms)]


def _term(text: str) -> Callable[[Row], bool]:
    if found := _PRESENT.fullmatch(text):
        return lambda row: row.get(found[1]) is not None
    if found := _EQUAL.fullmatch(text):
        return lambda row: row.get(found[1]) == found[2]
    raise NotUnderstood(text)


def _stats(text: str, rows: list[Row]) -> list[Row]:
    wanted, _, by = text.partition(" by ")
    names = by.split(", ")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(_name(name)) for name in names), []).append(row)
    columns = [_column(part) for part in wanted.split(", ")]
    return [
        {**dict(zip(names, key, strict=True)), **{name: total(group) for name, total in columns}}
        for key, group in groups.items()
    ]


def _column(text: str) -> tuple[str, Callable[[list[Row]], int]]:
    if found := _SUM.fullmatch(text):
        return found[2], lambda rows: sum(row.get(found[1], 0) for row in rows)
    if found := _COUNT.fullmatch(text):
        return found[1], len
    raise NotUnderstood(text)


def _fields(text: str, rows: list[Row]) -> list[Row]:
    names = [_name(name) for name in text.split(", ")]
    return [{name: row.get(name) for name in names} for row in rows]


def _sort(text: str, rows: list[Row]) -> list[Row]:
    name, _, order = text.partition(" ")
    if order != "desc":
        raise NotUnderstood(f"sort {text}")
    return sorted(rows, key=lambda row: row[_name(name)], reverse=True)


def _limit(text: str, rows: list[Row]) -> list[Row]:
    return rows[: int(text)]


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise NotUnderstood(text)
    return text


_COMMANDS = {"filter": _filter, "stats": _stats, "fields": _fields, "sort": _sort, "limit": _limit}
