"""Which of our domains a row of a report is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_strategies import domain_lists, names, reports

from mailtls.tls_rpt.attribution import Attribution, attribute
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.report import PolicyResult, PolicyType, Report, parse

CONTOSO = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "*.mailhost.example"))
BRAND = OwnDomain("brand01.example", "testing", ("mx.brand01.example", "*.mailhost.example"))
PLAIN = OwnDomain("plain.example")  # TLS-RPT only: nothing is known about its MX
OURS = (CONTOSO, BRAND, PLAIN)
EMPTY = parse(b'{"date-range": {"start-datetime": "2026-11-30T00:00:00Z"}, "policies": []}')


def row(policy_domain: str, policy_type: PolicyType = PolicyType.STS) -> PolicyResult:
    return PolicyResult(policy_type, str(policy_type), policy_domain=policy_domain)


def about(report: Report, announced: str = "", ours: tuple[OwnDomain, ...] = OURS) -> Attribution:
    by_name = {own.policy_domain: own for own in ours}
    return attribute(report, by_name.get, ours, announced)


def with_rows(*rows: PolicyResult) -> Report:
    return Report("Reporter", EMPTY.start_datetime, EMPTY.end_datetime, None, "id", rows)


NAMELESS = row("", PolicyType.NO_POLICY_FOUND)
TLSA = PolicyType.TLSA
_ = None
BOTH = "brand01.example contoso.example"


@pytest.mark.parametrize(
    ("rows", "announced", "domains"),
    [
        ([row("contoso.example")], "", ["contoso.example"]),
        ([row("contoso.example"), row("brand01.example")], "", ["contoso.example", "brand01.example"]),
        # the body counts, not the header (RFC 8460 section 5.6)
        ([row("contoso.example")], "brand01.example", ["contoso.example"]),
        ([row("elsewhere.example")], "contoso.example", [_]),
        ([row("sub.contoso.example")], "", [_]),  # the parent's policy is not the subdomain's (RFC 8461 section 3.4)
        # rows without a name
        ([NAMELESS], "contoso.example", ["contoso.example"]),
        ([NAMELESS, row("contoso.example")], "brand01.example", ["contoso.example", "contoso.example"]),
        ([NAMELESS], "", [_]),
        ([NAMELESS], "elsewhere.example", [_]),
        ([NAMELESS, row("contoso.example"), row("brand01.example")], "", [_, "contoso.example", "brand01.example"]),
        ([NAMELESS, row("contoso.example"), row("elsewhere.example")], "", [_, "contoso.example", _]),
        ([NAMELESS, row("elsewhere.example")], "contoso.example", [_, _]),
        # DANE: the name may be the MX host's (section 1.1)
        ([row("contoso.example", TLSA)], "", ["contoso.example"]),
        ([row("contoso.example"), row("mx1.contoso.example", TLSA)], "", ["contoso.example", "contoso.example"]),
        ([row("contoso.example"), row("a.mailhost.example", TLSA)], "", ["contoso.example", "contoso.example"]),
        ([row("brand01.example"), row("a.mailhost.example", TLSA)], "", ["brand01.example", "brand01.example"]),
        ([row("mx1.contoso.example", TLSA)], "", ["contoso.example"]),  # one domain of ours lists that host
        ([row("a.mailhost.example", TLSA)], "contoso.example", ["contoso.example"]),
        ([row("a.mailhost.example", TLSA)], "", [BOTH]),  # two do: it is true of each
        ([row("a.mailhost.example", TLSA), NAMELESS], "brand01.example", ["brand01.example", "brand01.example"]),
        ([row("a.b.mailhost.example", TLSA)], "contoso.example", [_]),  # a wildcard is one label
        ([row("mx.elsewhere.example", TLSA)], "contoso.example", [_]),
        ([row("mx.elsewhere.example", TLSA)], "plain.example", ["plain.example"]),
        ([row("plain.example"), row("mx.elsewhere.example", TLSA)], "", ["plain.example", "plain.example"]),
        ([row("contoso.example"), row("mx.brand01.example", TLSA)], "", ["contoso.example", "brand01.example"]),
        ([row("mx1.contoso.example")], "", [_]),  # only DANE names hosts
        (
            [row("contoso.example"), row("brand01.example"), row("a.mailhost.example", TLSA)],
            "",
            ["contoso.example", "brand01.example", BOTH],
        ),
    ],
)  # fmt: skip
def test_each_row_goes_to_its_domain_or_to_none(
    rows: list[PolicyResult], announced: str, domains: list[str | None]
) -> None:
    # rows are told apart by a count that nothing else looks at
    numbered = [PolicyResult(r.policy_type, r.policy_type_text, (), r.policy_domain, (), n) for n, r in enumerate(rows)]
    found = about(with_rows(*numbered), announced)
    placed: dict[int | None, list[str]] = {}
    for own, part in found.parts:
        for policy in part.policies:
            placed.setdefault(policy.total_successful_session_count, []).append(own.policy_domain)
    assert [" ".join(placed.get(number, [])) or None for number in range(len(rows))] == domains
    assert any("TLS-Report-Domain" not in note for note in found.notes) is (None in domains)


def test_a_report_without_rows_is_about_the_domain_that_it_was_sent_for() -> None:
    assert about(EMPTY, "contoso.example").parts == ((CONTOSO, EMPTY),)
    assert about(EMPTY, "elsewhere.example").parts == ()
    assert about(EMPTY).parts == ()


def test_notes_say_what_was_left_out_once() -> None:
    rows = [row("contoso.example"), row("elsewhere.example"), row("elsewhere.example", TLSA), NAMELESS]
    assert about(with_rows(*rows)).notes == (
        "about elsewhere.example, which is not ours",
        "a policy that names no domain in a report about several: counted for none",
    )


def test_a_header_that_the_report_does_not_bear_out_is_noted() -> None:
    """RFC 8460 section 5.6: the body counts; the difference is worth a note."""
    said = ("the mail's TLS-Report-Domain is brand01.example, which its report does not name",)
    assert about(with_rows(row("contoso.example")), "brand01.example").notes == said
    assert about(with_rows(row("contoso.example"), NAMELESS), "brand01.example").notes == said
    assert about(with_rows(row("contoso.example")), "contoso.example").notes == ()
    assert about(with_rows(row("mx1.contoso.example", TLSA)), "contoso.example").notes == ()
    assert about(with_rows(NAMELESS), "contoso.example").notes == ()


def test_rows_about_a_shared_host_take_a_bounded_number_of_places() -> None:
    shared = [row("a.mailhost.example", TLSA)] * 5
    found = attribute(with_rows(*shared), lambda name: None, OURS, room=3)
    assert [len(part.policies) for _, part in found.parts] == [3, 3]
    assert found.shared == 3
    assert found.notes == ("about a.mailhost.example, an MX host of many of our domains, too often",)


def test_what_the_look_up_raises_comes_out() -> None:
    """The Lambda then leaves the mail in the queue: a list that cannot be read makes no domain foreign."""

    def broken(name: str) -> OwnDomain | None:
        raise LookupError(name)

    with pytest.raises(LookupError, match=r"contoso\.example"):
        attribute(with_rows(row("contoso.example")), broken, OURS)
    with pytest.raises(LookupError, match=r"brand01\.example"):
        attribute(with_rows(NAMELESS), broken, OURS, "brand01.example")


@given(reports, domain_lists, st.just("") | names)
def test_only_a_dane_row_stands_in_several_parts_and_the_rest_is_as_it_was(
    report: Report, ours: list[OwnDomain], announced: str
) -> None:
    own = OwnDomain(report.policies[0].policy_domain) if report.policies else OwnDomain("contoso.example")
    found = about(report, announced, (own, *(o for o in ours if o.policy_domain != own.policy_domain)))
    left = list(report.policies)
    shared: list[PolicyResult] = []
    for domain, part in found.parts:
        assert domain.policy_domain
        for policy in part.policies:
            if policy in left:
                left.remove(policy)
                shared += [policy] if policy.policy_type is TLSA else []
            else:
                assert policy in shared
        assert (part.day, part.report_id, part.unknown) == (report.day, report.report_id, report.unknown)
    assert any("TLS-Report-Domain" not in note for note in found.notes) is bool(left)
