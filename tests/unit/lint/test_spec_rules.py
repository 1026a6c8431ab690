"""Rules over specs: when each speaks, and when it is silent."""

from pathlib import Path

import pytest

from mailtls.lint import Severity, spec_findings
from mailtls.lint.spec_rules import RULES
from mailtls.spec import load
from mailtls.spec.schema import spec_schema


def found(tmp_path: Path, text: str, published: frozenset[str] | None = None) -> list[str]:
    (tmp_path / "a.yaml").write_text(f"policy_domain: a.example\n{text}\n", "utf-8")
    return [finding.rule for finding in spec_findings(load(tmp_path), published)]


@pytest.mark.parametrize(
    ("mode", "max_age", "rules"),
    [
        ("enforce", "5", ["max-age-under-an-hour", "max-age-short-in-enforce"]),
        ("enforce", "3599", ["max-age-under-an-hour", "max-age-short-in-enforce"]),
        ("enforce", "1h", ["max-age-under-a-day", "max-age-short-in-enforce"]),
        ("enforce", "86399", ["max-age-under-a-day", "max-age-short-in-enforce"]),
        ("enforce", "1d", ["max-age-short-in-enforce"]),
        ("enforce", "604799", ["max-age-short-in-enforce"]),
        ("enforce", "1w", []),
        ("testing", "0", ["max-age-under-an-hour"]),
        ("testing", "12h", ["max-age-under-a-day"]),
        ("testing", "1d", []),
        ("none", "0", []),
    ],
)
def test_a_short_max_age(tmp_path: Path, mode: str, max_age: str, rules: list[str]) -> None:
    assert found(tmp_path, f"mta_sts: {{mode: {mode}, mx: [mx.a.example], max_age: {max_age}}}") == rules


@pytest.mark.parametrize(
    ("mode", "published", "rules"),
    [
        ("enforce", frozenset(), ["first-in-enforce"]),
        ("enforce", frozenset({"b.example"}), ["first-in-enforce"]),
        ("enforce", frozenset({"a.example"}), []),
        ("enforce", None, []),
        ("testing", frozenset(), []),
        ("none", frozenset(), []),
    ],
)
def test_a_new_domain_that_starts_in_enforce(
    tmp_path: Path, mode: str, published: frozenset[str] | None, rules: list[str]
) -> None:
    assert found(tmp_path, f"mta_sts: {{mode: {mode}, mx: [mx.a.example]}}", published) == rules
    assert found(tmp_path, "", published) == []


@pytest.mark.parametrize(
    ("mx", "rules"),
    [
        ("*.mx.microsoft", ["m365-two-label-wildcard"]),
        ("*.MX.Microsoft.", ["m365-two-label-wildcard"]),
        ("*.h-v1.mx.microsoft", []),
        ("a-example.h-v1.mx.microsoft", []),
        ("*.mail.protection.outlook.com", []),
    ],
)
def test_a_wildcard_that_misses_every_host_of_microsoft(tmp_path: Path, mx: str, rules: list[str]) -> None:
    assert found(tmp_path, f'mta_sts: {{mode: testing, mx: ["{mx}"]}}') == rules


def test_a_silenced_warning_is_silent_and_no_other(tmp_path: Path) -> None:
    text = (
        "mta_sts: {mode: enforce, mx: [mx.a.example], max_age: 2d}\nsuppress: {first-in-enforce: moved from elsewhere}"
    )
    assert found(tmp_path, text, frozenset()) == ["max-age-short-in-enforce"]


def test_a_finding_says_where_what_and_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy_specs").mkdir()
    text = "# c\npolicy_domain: a.example\nmta_sts: {mode: testing, mx: [mx.a.example], max_age: 5}\n"
    (tmp_path / "policy_specs" / "a.yaml").write_text(text)
    (finding,) = spec_findings(load(Path("policy_specs")))
    assert str(finding) == (
        "policy_specs/a.yaml:2: max-age-under-an-hour: max_age is 5 seconds, and a big sender takes a day for less "
        "than an hour; write 1d (RFC 8461 section 3.2; what senders do)"
    )


def test_what_a_spec_may_silence_are_the_warnings() -> None:
    """And the one rule that looks at DNS, which the publish gate acts on."""
    silenced = set(spec_schema()["properties"]["suppress"]["properties"])
    assert silenced == {rule.about.id for rule in RULES if rule.about.severity is not Severity.ERROR} | {
        "mx-not-in-policy"
    }
