"""The queries of docs/athena over stored reports, by a real SQL engine, held against `mailtls reports summary`.

DuckDB stands in for Athena. The table is read from table.sql: its types and its names. One thing is written otherwise:
Athena's UNNEST of structs gives a column for each member, in the order of the table; DuckDB's does so when asked by
`max_depth`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import parse, report_key

ROOT = Path(__file__).parents[2]
QUERIES = ROOT / "docs" / "athena"
WILD = ROOT / "tests" / "unit" / "tls_rpt" / "wild"
TABLE = (QUERIES / "table.sql").read_text()
NAMES = dict(re.findall(r"'mapping\.(\w+)' = '([\w-]+)'", TABLE))
COLUMNS = TABLE[TABLE.index("(\n") + 2 : TABLE.index("\n)\nPARTITIONED")]
UNNEST = re.compile(r"UNNEST\(([\w.]+)\) AS (\w) \(([\w\s,]+)\)")
DOMAIN = "contoso.example"

Structure = Any
"""Of DuckDB's `json_transform`: a type's name, a list of one structure, or names with their structures."""


def structure(tokens: list[str]) -> Structure:
    """Take one type of Hive's from the front of `tokens`."""
    word = tokens.pop(0)
    if word == "array":
        tokens.pop(0)
        inner = structure(tokens)
        tokens.pop(0)
        return [inner]
    if word == "struct":
        members = {}
        while tokens.pop(0) != ">":  # "<" or "," before each member
            name = tokens.pop(0)
            assert tokens.pop(0) == ":"
            members[name] = structure(tokens)
            if tokens[0] == ">":
                tokens.pop(0)
                break
        return members
    return {"string": "VARCHAR", "bigint": "BIGINT"}[word]


def columns() -> Structure:
    """Of the table, without what comes from the key."""
    text = re.sub(r"^  (\w+) ", r"  \1: ", COLUMNS, flags=re.M)
    return structure(["struct", *re.findall(r"\w+|[<>:,]", f"<{text}>")])


def stored(folder: Path) -> Path:
    """A copy of the reports bucket: each report that senders really wrote, and one by a second sender a day later."""
    details = json.loads((WILD / "microsoft.json").read_bytes())
    details["date-range"] = {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"}
    details["policies"][0]["summary"] = {"total-failure-session-count": 7}
    details["policies"][0]["failure-details"] = [
        {"result-type": "certificate-expired", "failed-session-count": 4},
        {"result-type": "certificate-expired"},
        {"result-type": "validation-failure", "failed-session-count": 0},
        {"result-type": "starttls-not-supported", "failed-session-count": 2, "a-new-member": {"x": 1}},
    ]
    written = [(path.read_bytes(), "google.com") for path in sorted(WILD.glob("*.json"))]
    for body, signer in [*written, (json.dumps(details).encode(), "microsoft.com")]:
        report = parse(body)
        path = folder / report_key(report, DOMAIN, signer)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LedgerEntry(DOMAIN, "m1", report.end_datetime, signer, report).render())
    return folder


def athena(folder: Path) -> duckdb.DuckDBPyConnection:
    """An engine with the table over the files of `folder`. Names are changed as the table's SerDe does it."""
    renamed = "content"
    for name, member in NAMES.items():
        renamed = f"""replace({renamed}, '"{member}":', '"{name}":')"""
    engine = duckdb.connect()
    engine.execute(
        f"CREATE VIEW tls_reports AS SELECT unnest(json_transform({renamed}, '{json.dumps(columns())}')),"  # noqa: S608
        " split_part(filename, '/', -3) AS policy_domain, split_part(filename, '/', -2) AS day"
        f" FROM read_text('{folder}/reports/*/*/*.json')"
    )
    return engine


def answer(engine: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    query = (QUERIES / name).read_text().replace("2026-11-01", "2000-01-01").replace("2026-11-30", "2099-12-31")
    return engine.execute(UNNEST.sub(r"LATERAL (SELECT unnest(\1, max_depth := 2)) AS \2", query)).fetchall()


def summary(folder: Path, by: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", "reports", "summary", "--store", str(folder), "--by", by,
         "--from", "2000-01-01", "--to", "2099-12-31", "--format", "json"],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


def test_sessions_by_day_are_those_of_the_summary(tmp_path: Path) -> None:
    rows = summary(stored(tmp_path), "day")
    found = answer(athena(tmp_path), "sessions-by-day.sql")
    assert found == [(r["group"], r["policy_type"], r["successful_sessions"], r["failed_sessions"]) for r in rows]
    assert len({day for day, *_ in found}) > 1
    assert sum(failed for *_, failed in found) > 0


def test_sessions_by_reporter_are_those_of_the_summary(tmp_path: Path) -> None:
    rows = summary(stored(tmp_path), "reporter")
    found = answer(athena(tmp_path), "sessions-by-reporter.sql")
    said = {(r["group"], r["policy_type"], r["successful_sessions"], r["failed_sessions"]) for r in rows}
    assert set(found) == said
    assert {signer for signer, *_ in found} == {"google.com", "microsoft.com"}


def test_failures_are_those_of_the_summary(tmp_path: Path) -> None:
    rows = summary(stored(tmp_path), "result-type")
    explained = {(r["group"], r["policy_type"], r["failed_sessions"]) for r in rows if r["group"]}
    found = answer(athena(tmp_path), "failures.sql")
    assert set(found) == explained
    assert sum(failed for kind, _, failed in found if kind == "certificate-expired") >= 5


def test_the_table_has_every_member_of_a_stored_report(tmp_path: Path) -> None:
    """But what it leaves out on purpose: the entry's version, and members that nobody knows."""

    def members(value: Any) -> set[str]:
        if isinstance(value, list):
            return {name for each in value for name in members(each)}
        if not isinstance(value, dict):
            return set()
        kept = {name: each for name, each in value.items() if name != "unknown"}
        return set(kept) | {name for each in kept.values() for name in members(each)}

    written = {name for path in stored(tmp_path).rglob("*.json") for name in members(json.loads(path.read_bytes()))}
    assert len(written) > 20
    known = {NAMES.get(name, name) for name in members(columns())} | {"policy_domain", "version"}
    assert written <= known


@pytest.mark.parametrize("name", ["failures.sql", "sessions-by-day.sql", "sessions-by-reporter.sql"])
def test_unnest_names_members_in_the_order_of_the_table(name: str) -> None:
    """Athena goes by the place, so a wrong order gives wrong numbers."""
    policies = columns()["report"]["policies"][0]
    members = {"report.policies": list(policies), "p.failure_details": list(policies["failure_details"][0])}
    used = UNNEST.findall((QUERIES / name).read_text())
    assert used
    for what, _, listed in used:
        assert [each.strip() for each in listed.split(",")] == members[what]
