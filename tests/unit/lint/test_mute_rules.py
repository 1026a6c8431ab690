"""Rules about a mute of alerts."""

import datetime
from pathlib import Path

import pytest

from mailtls.lint.findings import Severity
from mailtls.lint.specs import survey_findings
from mailtls.spec.load import survey

NOW = datetime.datetime(2026, 12, 1, 6, tzinfo=datetime.UTC)


def found(folder: Path, until: str, now: datetime.datetime | None = NOW) -> list[tuple[str, Severity, str]]:
    (folder / "a.yaml").write_text(f"policy_domain: a.example\nalerts: {{mute_until: {until}, reason: work}}\n")
    return [
        (one.rule, one.severity, f"{one.location.line}:{one.location.column}" if one.location else "")
        for one in survey_findings(survey(folder), now=now)
    ]


@pytest.mark.parametrize(
    ("until", "rules"),
    [
        ("2026-12-01T06:01Z", []),
        ("2026-12-31T06:00Z", []),
        ("2026-12-31T06:01Z", [("mute-too-long", Severity.ERROR, "2:10")]),
        ("2026-12-01T06:00Z", [("mute-over", Severity.WARNING, "2:10")]),
        ("2025-12-01T06:00Z", [("mute-over", Severity.WARNING, "2:10")]),
    ],
)
def test_a_mute_ends_within_thirty_days_and_is_taken_out_then(
    tmp_path: Path, until: str, rules: list[tuple[str, Severity, str]]
) -> None:
    assert found(tmp_path, until) == rules


def test_where_nobody_knows_the_time_nothing_is_said(tmp_path: Path) -> None:
    assert found(tmp_path, "2036-12-01T06:00Z", None) == []
