"""A change beside what is live: MX records and the served policy decide with the specs."""

import datetime
from typing import Any

import pytest
from sample_looks import DOMAIN, ID, MX1, MX2, NOW, POLICY, mx, page, seen, txt

from mailtls.changes import Change, Served, WaitFor, waits
from mailtls.lint.live_change_rules import live_change_findings
from mailtls.lint.transition_rules import transition_findings
from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.observed import DnsAnswer, DnsStatus
from mailtls.render.change_rows import live_text
from mailtls.spec import MtaSts, PolicySpec, Source, TlsRpt

WEEK = 7 * 86400
MX3 = "mx3.contoso.example"
SERVED = MtaSts(Mode.ENFORCE, (MxPattern(MX1), MxPattern(MX2)), WEEK)
"""What the sample domain serves."""


def spec(mta_sts: MtaSts | None, **suppress: str) -> PolicySpec:
    reasons = {rule.replace("_", "-"): reason for rule, reason in suppress.items()}
    return PolicySpec(DOMAIN, mta_sts, TlsRpt(), None, None, Source("a.yaml", 1), reasons)


def policy(mode: str, *hosts: str) -> MtaSts:
    return MtaSts(Mode(mode), tuple(map(MxPattern, hosts)), WEEK)


def found(base: MtaSts | None, head: PolicySpec, **live: Any) -> list[tuple[str, str]]:
    change = Change(DOMAIN, spec(base), head, live=seen(**live))
    return [(finding.rule, str(finding.severity)) for finding in live_change_findings([change], NOW)]


def test_a_change_that_fits_what_is_live_is_clean() -> None:
    assert found(SERVED, spec(policy("enforce", MX1, MX2, MX3))) == []


@pytest.mark.parametrize(("mode", "severity"), [("enforce", "error"), ("testing", "warning")])
def test_an_mx_record_that_the_new_policy_does_not_allow(mode: str, severity: str) -> None:
    stranger = (mx(), mx(MX2, 20), mx("mx.fabrikam.example", 30))
    assert found(SERVED, spec(policy(mode, MX1, MX2)), mail_hosts=stranger) == [("mx-not-in-policy", severity)]
    assert found(SERVED, spec(policy(mode, MX1))) == [("mx-removed-too-early", severity)]
    assert found(SERVED, spec(policy(mode, MX1), mx_not_in_policy="mx2 is a spam trap")) == []
    assert found(SERVED, spec(policy("none", MX1))) == []
    assert found(SERVED, spec(None)) == []


def test_an_mx_record_that_comes_before_its_policy_warns_with_the_day() -> None:
    early = (mx(), mx(MX2, 20), mx(MX3, 30))
    change = Change(DOMAIN, spec(SERVED), spec(policy("enforce", MX1, MX2, MX3)), live=seen(mail_hosts=early))
    (finding,) = live_change_findings([change], NOW)
    assert finding.rule == "mx-not-in-policy"
    assert f"until {NOW + datetime.timedelta(weeks=1):%Y-%m-%d %H:%M} UTC" in finding.message


def test_a_served_policy_that_is_not_the_bases_is_told_and_counts() -> None:
    base, head = policy("testing", MX1, MX2), policy("testing", MX1, MX2, MX3)
    change = Change(DOMAIN, spec(base), spec(head), live=seen())
    (finding,) = live_change_findings([change], NOW)
    assert finding.rule == "policy-bytes-differ"
    assert finding.message == "what senders find now is not what the base says: mode enforce and not testing"
    (wait, *_) = waits(change, NOW)
    assert (wait.what, wait.hosts) == (WaitFor.MX, (MX3,)), "the base alone would ask for no wait"
    assert waits(Change(DOMAIN, spec(base), spec(head)), NOW) == ()


@pytest.mark.parametrize(
    "live",
    [
        {"sts": txt()},
        {"sts": txt("v=STSv1; id=a;", "v=STSv1; id=b;")},
        {"https": (page(None, None, failure="refused"),)},
        {"https": (page(b"version: STSv2\r\n"),)},
    ],
    ids=["no record", "two records", "no host", "no policy"],
)
def test_what_no_sender_can_use_is_not_served(live: dict[str, Any]) -> None:
    assert Change(DOMAIN, spec(SERVED), spec(SERVED), live=seen()).served == SERVED
    assert Change(DOMAIN, spec(SERVED), spec(SERVED), live=seen(**live)).served is None


def test_a_host_that_no_mx_record_names_may_go_though_it_came_this_week() -> None:
    """Offline nobody knows, and so it warns."""
    earlier = (Served(policy("enforce", MX1, MX2), until=NOW - datetime.timedelta(days=2)),)
    base, head = spec(policy("enforce", MX1, MX2, MX3)), spec(policy("enforce", MX1, MX2))
    since = NOW - datetime.timedelta(days=2)
    offline = Change(DOMAIN, base, head, since, earlier)
    assert [f.rule for f in transition_findings([offline], NOW)] == ["mx-removed-too-early"]
    looked_at = Change(DOMAIN, base, head, since, earlier, seen())
    assert transition_findings([looked_at], NOW) == ()
    named = Change(DOMAIN, base, head, since, earlier, seen(mail_hosts=(mx(), mx(MX3, 20))))
    assert "mx-removed-too-early" in [f.rule for f in live_change_findings([named], NOW)]


def test_no_answer_is_never_taken_for_a_clean_one() -> None:
    silent = DnsAnswer(DOMAIN, "MX", DnsStatus.FAILED, failure="no answer within 5 s")
    assert found(SERVED, spec(policy("enforce", MX1, MX2)), mx=silent, mail_hosts=()) == [("dns-no-answer", "warning")]


def test_enforce_that_a_former_host_serves_already_is_not_the_first() -> None:
    new = Change(DOMAIN, None, spec(SERVED))
    assert [f.rule for f in transition_findings([new], NOW)] == ["enforce-without-testing"]
    moved = Change(DOMAIN, None, spec(SERVED), live=seen())
    assert transition_findings([moved], NOW) == ()
    body = POLICY.replace(b"enforce", b"testing")
    tried = Change(DOMAIN, None, spec(SERVED), live=seen(https=(page(body),)))
    assert [f.rule for f in transition_findings([tried], NOW)] == ["enforce-without-testing"]


@pytest.mark.parametrize(
    ("live", "text"),
    [
        ({}, f"MX {MX1}, {MX2}; id {ID}, senders find the policy of the base"),
        ({"sts": txt()}, f"MX {MX1}, {MX2}; no policy is announced"),
        ({"mail_hosts": ()}, "no MX takes mail; id "),
        ({"https": ()}, "and senders can fetch no policy"),
        ({"sts": DnsAnswer("x", "TXT", DnsStatus.FAILED)}, "whether a policy is announced is unknown"),
        ({"mx": DnsAnswer("x", "MX", DnsStatus.FAILED)}, "MX unknown, DNS gave no answer; "),
        (
            {"https": (page(POLICY.replace(b"604800", b"86400")),)},
            "senders find mode enforce, max_age 1d, mx mx1.contoso",
        ),
    ],
)
def test_what_is_live_in_one_line(live: dict[str, Any], text: str) -> None:
    assert text in live_text(Change(DOMAIN, spec(SERVED), spec(SERVED), live=seen(**live)))
