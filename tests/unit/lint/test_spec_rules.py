"""Offline rules: when each speaks, and when it is silent."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mailtls.lint import Finding, Severity, set_rules
from mailtls.lint.catalogue import rule_address, rules
from mailtls.lint.fault_rules import ABOUTS as FAULTS
from mailtls.lint.fault_rules import fault_findings
from mailtls.lint.public_suffixes import is_public_suffix
from mailtls.lint.spec_rules import RULES
from mailtls.lint.specs import spec_findings
from mailtls.spec.load import load, survey
from mailtls.spec.model import PolicySpec
from mailtls.spec.schema import spec_schema


def findings(tmp_path: Path, text: str, published: frozenset[str] | None = None) -> tuple[Finding, ...]:
    (tmp_path / "a.yaml").write_text(f"policy_domain: a.example\n{text}\n", "utf-8")
    return spec_findings(load(tmp_path), published)


def found(tmp_path: Path, text: str, published: frozenset[str] | None = None) -> list[str]:
    return [finding.rule for finding in findings(tmp_path, text, published)]


def policy(mode: str = "testing", mx: str = "mx.b.example", more: str = "") -> str:
    return f'mta_sts: {{mode: {mode}, mx: ["{mx}"]{more}}}'


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
        ("enforce", "52w", []),
        ("enforce", "31557599", []),
        ("enforce", "31557600", ["max-age-at-maximum"]),
        ("testing", "0", ["max-age-under-an-hour"]),
        ("testing", "12h", ["max-age-under-a-day"]),
        ("testing", "1d", []),
        ("testing", "1w", []),
        ("testing", "8d", ["max-age-long-while-testing"]),
        ("testing", "31557600", ["max-age-long-while-testing", "max-age-at-maximum"]),
        ("none", "0", []),
        ("none", "52w", []),
        ("none", "31557600", ["max-age-at-maximum"]),
    ],
)
def test_max_age(tmp_path: Path, mode: str, max_age: str, rules: list[str]) -> None:
    assert found(tmp_path, policy(mode, more=f", max_age: {max_age}")) == rules


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
    assert found(tmp_path, policy(mode), published) == rules
    assert found(tmp_path, "", published) == []


@pytest.mark.parametrize(
    ("mx", "rules"),
    [
        ("*.mx.microsoft", ["m365-two-label-wildcard"]),
        ("*.MX.Microsoft.", ["m365-two-label-wildcard"]),
        ("*.h-v1.mx.microsoft", []),
        ("a-example.h-v1.mx.microsoft", []),
        ("*.co.uk", ["wildcard-public-suffix"]),
        ("*.contoso.co.uk", []),
        ("*.b.example", []),
        ("*.a.example", ["wildcard-own-domain"]),
        ("*.mx.a.example", []),  # a zone of its own for mail hosts is what one would make
        ("*.aa.example", []),
        ("*.mail.protection.outlook.com", ["m365-legacy-pattern-only"]),
        ("a-example.mail.protection.outlook.com", ["m365-legacy-pattern-only"]),
        ('a-example.mail.protection.outlook.com", "a-example.h-v1.mx.microsoft', []),
        ("mail.protection.outlook.com.evil.example", []),
    ],
)
def test_mx(tmp_path: Path, mx: str, rules: list[str]) -> None:
    assert found(tmp_path, policy(mx=mx)) == rules


def test_a_wildcard_of_a_parent_of_the_domain_is_its_own_too(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"policy_domain: shop.a.example\n{policy(mx='*.a.example')}\n")
    assert [finding.rule for finding in spec_findings(load(tmp_path))] == ["wildcard-own-domain"]


def test_the_old_hosts_of_microsoft_are_worth_a_note_and_no_warning(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, policy(mx="a-example.mail.protection.outlook.com"))
    assert finding.severity is Severity.INFO
    assert found(tmp_path, policy("none", mx="a-example.mail.protection.outlook.com")) == []


@pytest.mark.parametrize("name", ["com", "microsoft", "xn--p1ai", "co.uk", "com.au"])
def test_a_public_suffix(name: str) -> None:
    assert is_public_suffix(name)


@pytest.mark.parametrize("name", ["contoso.com", "uk.com.example", "co.uk.example", "mail.co.uk"])
def test_no_public_suffix(name: str) -> None:
    assert not is_public_suffix(name)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("mta_sts: {mode: none}", ["mx-lines-missing-in-none"]),
        (policy("none"), []),
        (f"{policy('testing')}\ntls_rpt: false", ["tls-rpt-missing"]),
        (f"{policy('enforce')}\ntls_rpt: false", ["tls-rpt-missing"]),
        (f"{policy('none')}\ntls_rpt: false", []),
        (policy("testing"), []),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:tls@a.example"]}}', ["rua-under-protected-domain"]),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:tls@A.Example?subject=x@b.example"]}}', ["rua-under-protected-domain"]),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:tls@reports.a.example"]}}', []),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:tls@aa.example"]}}', []),
        (f'{policy()}\ntls_rpt: {{rua: ["https://a.example/tls"]}}', []),
        (f'{policy("none")}\ntls_rpt: {{rua: ["mailto:tls@a.example"]}}', []),
        ('tls_rpt: {rua: ["mailto:tls@a.example"]}', []),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:t@b.example", "https://b.example/t"]}}', ["rua-several"]),
        (f'{policy()}\ntls_rpt: {{rua: ["mailto:t@b.example"]}}', []),
        (f"{policy()}\ncontact: me@a.example", ["contact-under-protected-domain"]),
        (f"{policy()}\ncontact: me@b.example", []),
        (f"{policy('none')}\ncontact: me@a.example", []),
        ("contact: me@a.example", []),
    ],
)
def test_reports_and_people(tmp_path: Path, text: str, rules: list[str]) -> None:
    assert found(tmp_path, text) == rules


def test_a_policy_host_that_no_certificate_can_name(tmp_path: Path) -> None:
    for length, expected in ((48, []), (49, ["policy-host-too-long"])):  # mta-sts. and .example make 16
        (tmp_path / "a.yaml").write_text(f"policy_domain: {'a' * length}.example\n{policy()}\n")
        assert [finding.rule for finding in spec_findings(load(tmp_path))] == expected
    (tmp_path / "a.yaml").write_text(f"policy_domain: {'a' * 60}.example\n")
    assert spec_findings(load(tmp_path)) == ()


def write_set(tmp_path: Path, lists: Mapping[str, str]) -> None:
    for domain, mx in lists.items():
        text = f"policy_domain: {domain}\nmta_sts: {{mode: testing, mx: [{mx}]}}\n"
        (tmp_path / f"{domain}.yaml").write_text(text)


def odd_ones(tmp_path: Path, lists: Mapping[str, str]) -> dict[str, str]:
    write_set(tmp_path, lists)
    found = spec_findings(load(tmp_path))
    return {f.policy_domain: f.message for f in found if f.rule == "same-mx-other-policy"}


def test_the_odd_one_among_specs_that_share_hosts_is_named(tmp_path: Path) -> None:
    lists = {f"d{number}.example": "mx1.host.test, mx2.host.test, mx3.host.test" for number in range(5)}
    assert odd_ones(tmp_path, lists | {"b.example": "mx2.host.test, mx1.host.test, mx9.host.test"}) == {
        "b.example": "names MX hosts that d0.example, d1.example, d2.example and 2 more names too, with another list: "
        "here mx3.host.test is missing; only here stands mx9.host.test"
    }


@pytest.mark.parametrize(
    "lists",
    [
        {"c.example": "mx1.host.test, mx2.host.test", "d.example": "mx2.host.test, mx1.host.test"},  # order is none
        {"c.example": "mx1.host.test", "d.example": "mx2.host.test"},  # nothing is shared
        {"c.example": "mx1.host.test", "d.example": '"*.other.test"'},
        # each tenant of a provider has a host of its own
        {"c.example": '"*.mail.protection.outlook.com"', "d.example": "d-example.mail.protection.outlook.com"},
        {"c.example": '"*.mail.protection.outlook.com", mx.c.example', "d.example": '"*.mail.protection.outlook.com"'},
    ],
)
def test_specs_that_need_not_be_alike(tmp_path: Path, lists: Mapping[str, str]) -> None:
    assert odd_ones(tmp_path, lists) == {}


def test_a_wildcard_shares_the_hosts_under_it(tmp_path: Path) -> None:
    lists = {"c.example": "mx1.host.test", "d.example": "mx1.host.test", "e.example": '"*.host.test"'}
    assert odd_ones(tmp_path, lists).keys() == {"e.example"}
    assert odd_ones(tmp_path, lists | {"d.example": '"*.host.test"'}).keys() == {"c.example"}


def test_of_two_alone_the_later_one_is_named(tmp_path: Path) -> None:
    assert odd_ones(tmp_path, {"c.example": "mx1.host.test", "d.example": "mx1.host.test, mx2.host.test"}).keys() == {
        "d.example"
    }


def test_a_domain_on_its_way_out_is_not_compared(tmp_path: Path) -> None:
    write_set(tmp_path, {"c.example": "mx1.host.test"})
    assert odd_ones(tmp_path, {"c.example": "mx1.host.test"}) == {}
    (tmp_path / "d.yaml").write_text("policy_domain: d.example\nmta_sts: {mode: none, mx: [mx1.host.test, b.test]}\n")
    assert spec_findings(load(tmp_path)) == ()


def test_many_lists_around_one_host_are_no_more_work_than_their_number(tmp_path: Path) -> None:
    """Every list differs and all share a host: a comparison of each with each would be millions."""
    entries = "".join(
        f"  d{n}.example: {{mta_sts: {{mode: testing, mx: [mx.host.test, mx{n}.test.test]}}}}\n" for n in range(3000)
    )
    (tmp_path / "all.yaml").write_text(f"policy_domains:\n{entries}")
    specs = load(tmp_path)
    assert _calls(specs) < 2.1 * _calls(specs[:1500])


def _calls(specs: Sequence[PolicySpec]) -> int:
    """Function calls that the set rules make: work counted, not timed."""
    steps = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal steps
        steps += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        for rule in set_rules.RULES:
            list(rule.finds(specs))
    finally:
        sys.setprofile(None)
    return steps


SILENCED = {
    "max-age-under-an-hour": policy(more=", max_age: 5"),
    "max-age-under-a-day": policy(more=", max_age: 5h"),
    "max-age-short-in-enforce": policy("enforce", more=", max_age: 2d"),
    "max-age-long-while-testing": policy(more=", max_age: 3w"),
    "max-age-at-maximum": policy("enforce", more=", max_age: 31557600"),
    "wildcard-own-domain": policy(mx="*.a.example"),
    "m365-legacy-pattern-only": policy(mx="a.mail.protection.outlook.com"),
    "mx-lines-missing-in-none": "mta_sts: {mode: none}",
    "first-in-enforce": policy("enforce"),
    "tls-rpt-missing": f"{policy()}\ntls_rpt: false",
    "rua-under-protected-domain": f'{policy()}\ntls_rpt: {{rua: ["mailto:tls@a.example"]}}',
    "rua-several": 'tls_rpt: {rua: ["mailto:t@b.example", "mailto:u@b.example"]}',
    "contact-under-protected-domain": f"{policy()}\ncontact: me@a.example",
}


@pytest.mark.parametrize("rule", SILENCED)
def test_a_silenced_rule_is_silent(tmp_path: Path, rule: str) -> None:
    published: frozenset[str] = frozenset() if rule == "first-in-enforce" else frozenset({"a.example"})
    assert found(tmp_path, SILENCED[rule], published) == [rule]
    assert found(tmp_path, f"{SILENCED[rule]}\nsuppress: {{{rule}: there is a reason}}", published) == []


def test_a_silenced_rule_silences_no_other(tmp_path: Path) -> None:
    text = f"{policy('enforce', more=', max_age: 2d')}\nsuppress: {{first-in-enforce: moved from elsewhere}}"
    assert found(tmp_path, text, frozenset()) == ["max-age-short-in-enforce"]


def test_the_odd_one_may_say_why(tmp_path: Path) -> None:
    write_set(tmp_path, {"c.example": "mx1.host.test", "d.example": "mx1.host.test, mx2.host.test"})
    with (tmp_path / "d.example.yaml").open("a") as file:
        file.write("suppress: {same-mx-other-policy: it has a host of its own}\n")
    assert spec_findings(load(tmp_path)) == ()


def test_an_error_cannot_be_silenced(tmp_path: Path) -> None:
    write = f"{policy(mx='*.mx.microsoft')}\nsuppress: {{m365-two-label-wildcard: no}}"
    (tmp_path / "a.yaml").write_text(f"policy_domain: a.example\n{write}\n")
    assert [error.rule for error in survey(tmp_path).errors] == ["key-unknown"]


def test_a_spec_that_was_built_elsewhere_silences_no_error_either(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"policy_domain: a.example\n{policy(mx='*.mx.microsoft')}\n")
    (spec,) = load(tmp_path)
    silenced = dataclasses.replace(spec, suppress={"m365-two-label-wildcard": "no"})
    assert [finding.rule for finding in spec_findings([silenced])] == ["m365-two-label-wildcard"]


def test_a_finding_says_where_what_and_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy_specs").mkdir()
    text = "# c\npolicy_domain: a.example\nmta_sts: {mode: testing, mx: [mx.a.example], max_age: 5}\n"
    (tmp_path / "policy_specs" / "a.yaml").write_text(text)
    (finding,) = spec_findings(load(Path("policy_specs")))
    assert str(finding) == (
        "policy_specs/a.yaml:2: max-age-under-an-hour: max_age is 5 seconds, and a big sender takes a day for less "
        'than an hour; write 1d (RFC 8461 section 3.2; docs/rules.md, "What senders do")'
    )


REFUSED = {
    "yaml-invalid": "policy_domain: [a.example",
    "key-unknown": "policy_domain: a.example\nnmx: [b.example]",
    "spec-invalid": "policy_domain: a.example\nmta_sts: {mode: enforced, mx: [b.example]}",
    "policy-domain-invalid": "policy_domain: https://a.example",
    "duplicate-policy-domain": "policy_domains: {a.example: {}, A.example: {}}",
    "mx-required": "policy_domain: a.example\nmta_sts: {mode: enforce}",
    "mx-not-a-hostname": "policy_domain: a.example\nmta_sts: {mode: enforce, mx: [192.0.2.1]}",
    "wildcard-not-leftmost-label": 'policy_domain: a.example\nmta_sts: {mode: enforce, mx: ["m*.b.example"]}',
    "max-age-out-of-range": "policy_domain: a.example\nmta_sts: {mode: enforce, mx: [b.example], max_age: 53w}",
    "rua-not-a-uri": "policy_domain: a.example\ntls_rpt: {rua: [ftp://b.example]}",
    "rua-uri-encoding": 'policy_domain: a.example\ntls_rpt: {rua: ["mailto:a!10m@b.example"]}',
    "suppression-without-reason": 'policy_domain: a.example\nsuppress: {rua-several: ""}',
    "file-not-read": None,
}


@pytest.mark.parametrize("rule", REFUSED)
def test_what_the_loader_refuses_has_the_name_of_its_rule(tmp_path: Path, rule: str) -> None:
    text = REFUSED[rule]
    if text is None:
        (tmp_path / "a.yml").write_text("policy_domain: a.example\n")
    else:
        (tmp_path / "a.yaml").write_text(text + "\n")
    (finding,) = fault_findings(survey(tmp_path).errors)
    assert finding.rule == rule
    assert finding.severity is Severity.ERROR
    assert finding.location is not None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("mta_sts: {mode: testing, mx: [b.example], max_age: 31557601}", "max-age-out-of-range"),
        ("mta_sts: {mode: testing, mx: [b.example], max_age: -1}", "max-age-out-of-range"),
        ('mta_sts: {mode: testing, mx: ["*.*.b.example"]}', "wildcard-not-leftmost-label"),
        ('mta_sts: {mode: testing, mx: ["*"]}', "wildcard-not-leftmost-label"),
        ("mta_sts: {mode: testing, mx: [.b.example]}", "wildcard-not-leftmost-label"),
        ('mta_sts: {mode: testing, mx: ["*.com"]}', "wildcard-public-suffix"),
        ('mta_sts: {mode: testing, mx: ["*.example."]}', "wildcard-public-suffix"),
        ("mta_sts: {mode: testing, mx: [_mx.b.example]}", "mx-not-a-hostname"),
        ("mta_sts: {mode: testing, mx: []}", "mx-required"),
        ('tls_rpt: {rua: ["https://b.example/a;b"]}', "rua-uri-encoding"),
        ("tls_rpt: {rua: [tls@b.example]}", "rua-not-a-uri"),
    ],
)
def test_more_that_the_loader_refuses(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "a.yaml").write_text(f"policy_domain: a.example\n{text}\n", "utf-8")
    assert [error.rule for error in survey(tmp_path).errors] == [rule]


def test_every_fault_of_the_loader_has_a_case_here() -> None:
    assert {about.id for about in FAULTS} == set(REFUSED)


def test_every_rule_says_why_what_to_do_and_where_it_comes_from() -> None:
    for about in rules().values():
        assert about.why.endswith("."), about.id
        assert about.fix.endswith("."), about.id
        assert about.reference, about.id
        assert rule_address(about) or about.reference.startswith("docs/"), about.id


def test_what_a_spec_may_silence_are_the_warnings_and_the_notes() -> None:
    """And the rule that looks at DNS, which the publish gate acts on; and the error that a stated reason answers."""
    silenced = set(spec_schema()["properties"]["suppress"]["properties"])
    offline = {
        about.id for about in rules().values() if about.severity is not Severity.ERROR and "offline" in about.group
    }
    assert offline - {"mute-over"} <= silenced  # a line whose time is over is taken out, not silenced
    others = {about.id for about in rules().values() if about.severity is not Severity.ERROR}
    assert silenced <= others | {"mx-not-in-policy", "enforce-without-evidence"}


def test_a_rule_of_one_spec_has_nothing_to_say_about_a_good_one(tmp_path: Path) -> None:
    assert len(RULES) > 12
    assert findings(tmp_path, policy("enforce", more=", max_age: 2w"), frozenset({"a.example"})) == ()
