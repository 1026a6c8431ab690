"""Rules over a change against its base: each speaks where it must, and is silent where it must be."""

import dataclasses
import datetime
from collections.abc import Mapping

import pytest

from mailtls.changes import Change, Served
from mailtls.lint import Finding, Severity
from mailtls.lint.catalogue import rules
from mailtls.lint.transition_rules import ABOUTS, RULES, transition_findings
from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.spec import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.spec.controller import Adopted, Controller

NOW = datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.UTC)
DAY, WEEK = 86400, 7 * 86400


def ago(**span: float) -> datetime.datetime:
    return NOW - datetime.timedelta(**span)


def policy(mode: str, *mx: str, max_age: int = WEEK) -> MtaSts:
    return MtaSts(Mode(mode), tuple(map(MxPattern, mx or ("mx1.a.example",))), max_age)


def spec(mta_sts: MtaSts | None, suppress: Mapping[str, str] | None = None) -> PolicySpec:
    return PolicySpec("a.example", mta_sts, TlsRpt(), None, None, Source("specs/a.yaml", 3), suppress or {})


def found(
    base: PolicySpec | None,
    head: PolicySpec | None,
    since: datetime.datetime | None = None,
    earlier: tuple[Served, ...] = (),
) -> list[Finding]:
    return [*transition_findings([Change("a.example", base, head, since, earlier)], NOW)]


def ids(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.severity)) for finding in findings]


@pytest.mark.parametrize("head", [None, spec(None)], ids=["spec gone", "mta_sts gone"])
@pytest.mark.parametrize(("mode", "speaks"), [("enforce", True), ("testing", True), ("none", False)])
def test_spec_removed_while_live(head: PolicySpec | None, mode: str, speaks: bool) -> None:
    assert ids(found(spec(policy(mode)), head)) == ([("spec-removed-while-live", "error")] if speaks else [])


def test_a_spec_that_only_asked_for_reports_may_go() -> None:
    assert found(spec(None), None) == []


def test_a_retiring_spec_stays_while_an_earlier_policy_is_held() -> None:
    earlier = (Served(policy("enforce", max_age=2 * WEEK), until=ago(days=10)),)
    (finding,) = found(spec(policy("none", max_age=DAY)), None, since=ago(days=10), earlier=earlier)
    assert finding.rule == "spec-removed-while-live"
    assert "until 2026-12-02 12:00 UTC" in finding.message, "ten days ago and two weeks"
    assert (
        found(spec(policy("none", max_age=DAY)), None, ago(days=15), (Served(earlier[0].mta_sts, ago(days=15)),)) == []
    )


def test_a_retiring_spec_stays_while_what_a_former_host_served_is_held() -> None:
    adopted = Controller(adopted=Adopted(4 * WEEK, ago(days=7)))
    (finding,) = found(dataclasses.replace(spec(policy("none")), controller=adopted), None)
    assert "until 2026-12-19 12:00 UTC" in finding.message
    forgotten = Controller(adopted=Adopted(4 * WEEK, ago(days=29)))
    assert found(dataclasses.replace(spec(policy("none")), controller=forgotten), None) == []


def test_mx_removed_too_early_names_the_day() -> None:
    base, head = spec(policy("enforce", "mx1.a.example", "mx2.a.example")), spec(policy("enforce", "mx1.a.example"))
    (finding,) = found(base, head, since=ago(days=2))
    assert (finding.rule, finding.severity) == ("mx-removed-too-early", Severity.ERROR)
    assert "mx2.a.example leaves the policy" in finding.message
    assert "until 2026-12-03 12:00 UTC (an estimate" in finding.message, "two days ago and a week"
    assert found(base, head, since=ago(days=8)) == []
    assert found(base, head, since=None) == [], "without a history there is no date"


def test_mx_removed_while_an_earlier_policy_lacks_the_other_host() -> None:
    base, head = spec(policy("enforce", "mx1.a.example", "mx2.a.example")), spec(policy("enforce", "mx2.a.example"))
    earlier = (Served(policy("enforce", "mx1.a.example", max_age=4 * WEEK), until=ago(days=14)),)
    (finding,) = found(base, head, since=ago(days=14), earlier=earlier)
    assert "until 2026-12-12 12:00 UTC" in finding.message, "two weeks ago and four weeks"
    named = (Served(policy("enforce", "mx2.a.example", max_age=4 * WEEK), until=ago(days=14)),)
    assert found(base, head, since=ago(days=14), earlier=named) == []
    tried = (Served(policy("testing", "mx1.a.example", max_age=4 * WEEK), until=ago(days=14)),)
    assert found(base, head, since=ago(days=14), earlier=tried) == []


def test_a_host_that_came_this_week_may_go_again_with_a_look_at_mx() -> None:
    base, head = spec(policy("enforce", "mx1.a.example", "mx2.a.example")), spec(policy("enforce", "mx1.a.example"))
    earlier = (Served(policy("enforce", "mx1.a.example"), until=ago(days=2)),)
    (finding,) = found(base, head, since=ago(days=2), earlier=earlier)
    assert (finding.rule, finding.severity) == ("mx-removed-too-early", Severity.WARNING)
    assert "mx2.a.example leaves a policy that is served since 2026-11-26 only" in finding.message
    assert found(base, head, since=ago(days=8), earlier=earlier) == []


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (policy("enforce", "mx1.a.example"), policy("enforce", "*.a.example")),
        (policy("enforce", "mx1.a.example"), policy("enforce", "mx1.a.example", "mx2.a.example")),
    ],
)
def test_mx_that_is_still_allowed_is_not_removed(base: MtaSts, head: MtaSts) -> None:
    assert found(spec(base), spec(head), since=ago(days=1)) == []


def test_mx_set_replaced_says_it_alone() -> None:
    base, head = spec(policy("enforce", "mx1.a.example", "mx2.a.example")), spec(policy("enforce", "mx.b.example"))
    assert ids(found(base, head, since=ago(days=1))) == [("mx-set-replaced", "error")]
    both = spec(policy("enforce", "mx1.a.example", "mx2.a.example", "mx.b.example"))
    assert found(base, both, since=ago(days=1)) == []


def test_where_nobody_enforces_mx_changes_are_untidy_and_no_more() -> None:
    base = spec(policy("testing", "mx1.a.example", "mx2.a.example"))
    assert ids(found(base, spec(policy("testing", "mx.b.example")))) == [("mx-set-replaced", "info")]
    assert ids(found(base, spec(policy("testing", "mx1.a.example")), since=ago(days=1))) == [
        ("mx-removed-too-early", "info")
    ]
    enforced = (Served(policy("enforce"), until=ago(days=3)),)
    assert ids(found(base, spec(policy("testing", "mx.b.example")), ago(days=3), enforced)) == [
        ("mx-set-replaced", "error")
    ], "it was lowered three days ago and is held for a week"


@pytest.mark.parametrize("base", [None, spec(None), spec(policy("none"))], ids=["new", "TLS-RPT only", "none"])
def test_enforce_without_testing(base: PolicySpec | None) -> None:
    assert ids(found(base, spec(policy("enforce")))) == [("enforce-without-testing", "error")]
    assert found(base, spec(policy("testing"))) == []
    moved = {"first-in-enforce": "moved here from a host that served enforce"}
    assert found(base, spec(policy("enforce"), moved)) == []


def test_enforce_without_evidence_wants_a_reason_of_the_same_change() -> None:
    reason = {"enforce-without-evidence": "two weeks of reports, none failed"}
    testing, enforce = policy("testing", max_age=DAY), policy("enforce")
    assert ids(found(spec(testing), spec(enforce))) == [("enforce-without-evidence", "error")]
    assert found(spec(testing), spec(enforce, reason)) == []
    (stale,) = found(spec(testing, reason), spec(enforce, reason))
    assert "stood there before this change" in stale.message
    assert found(spec(testing, reason), spec(enforce, {"enforce-without-evidence": "clean again since 1 Nov"})) == []
    assert found(spec(enforce), spec(policy("enforce", max_age=2 * DAY))) == []


@pytest.mark.parametrize(
    ("base", "after", "since", "speaks"),
    [
        (policy("enforce"), 4 * WEEK, 5, True),
        (policy("enforce"), 4 * WEEK, 15, False),
        (policy("enforce", max_age=DAY), WEEK, 5, False),
        (policy("enforce", max_age=4 * WEEK), 2 * WEEK, 5, False),
        (policy("testing", max_age=DAY), 4 * WEEK, 60, True),
        (policy("testing", max_age=DAY), WEEK, 60, False),
    ],
)
def test_max_age_jump(base: MtaSts, after: int, since: int, speaks: bool) -> None:
    reasons = {"enforce-without-evidence": "clean for two weeks"}
    head = policy("enforce", max_age=after)
    expected = [("max-age-jump", "warning")] if speaks else []
    assert ids(found(spec(base), spec(head, reasons), since=ago(days=since))) == expected
    answered = reasons | {"max-age-jump": "the former host served the same"}
    assert found(spec(base), spec(head, answered), since=ago(days=since)) == []


def test_enforce_is_not_new_because_its_hosts_are() -> None:
    head = spec(policy("enforce", "mx1.a.example", "mx2.a.example", max_age=4 * WEEK))
    base = spec(policy("enforce", "mx1.a.example", "mx2.a.example"))
    enforced = Served(policy("enforce"), until=ago(days=3), since=ago(days=90))
    tried = Served(policy("testing"), until=ago(days=3), since=ago(days=90))
    assert found(base, head, ago(days=3), (enforced,)) == []
    assert ids(found(base, head, ago(days=3), (tried, enforced))) == [("max-age-jump", "warning")]


def test_mode_lowered_counts_what_was_served_before() -> None:
    earlier = (Served(policy("enforce", max_age=4 * WEEK), until=ago(days=7)),)
    (finding,) = found(spec(policy("enforce")), spec(policy("testing")), ago(days=7), earlier)
    assert "until 2026-12-19 12:00 UTC" in finding.message, "a week ago and four weeks, not today and one"


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("enforce", "testing", "warning"),
        ("enforce", "none", "warning"),
        ("testing", "none", "info"),
        ("none", "testing", None),
        ("enforce", "enforce", None),
    ],
)
def test_mode_lowered(before: str, after: str, severity: str | None) -> None:
    expected = [("mode-lowered", severity)] if severity else []
    assert ids(found(spec(policy(before)), spec(policy(after, max_age=DAY)))) == expected
    assert found(spec(policy(before)), spec(policy(after, max_age=DAY), {"mode-lowered": "sold"})) == []


def test_a_finding_points_at_the_spec_and_says_what_to_do() -> None:
    (finding,) = found(None, spec(policy("enforce")))
    assert finding.location == Source("specs/a.yaml", 3)
    assert finding.reference == "RFC 8461 section 5"
    assert finding.fix.startswith("write mode: testing")


def test_the_catalogue_has_every_transition_rule() -> None:
    assert {about.id for about in ABOUTS} == {rule.about.id for rule in RULES} | {"history-unavailable"}
    assert all(rules()[about.id] is about for about in ABOUTS)
