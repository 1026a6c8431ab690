"""Each live rule: a look in which it finds something, and the good look in which none does."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sample_looks import (
    DOMAIN,
    MX1,
    MX2,
    POLICY,
    VERSION,
    answer,
    certificate,
    mx,
    page,
    port_25,
    seen,
    tls,
    tls_rpt_txt,
    txt,
)

from mailtls.lint import Severity
from mailtls.lint.live import RULES, live_findings
from mailtls.observed import DnsAnswer, DnsStatus, HttpsLook, Observed, TlsFault, TlsLook
from mailtls.spec.load import load
from mailtls.spec.model import PolicySpec

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741  the three severities
TESTING = POLICY.replace(b"enforce", b"testing")
ID_RECORD = seen().sts.values[0]  # type: ignore[union-attr]


def https(*looks: Any) -> dict[str, Any]:
    return {"https": looks}


def smtp(*looks: Any) -> dict[str, Any]:
    return {"mail_hosts": (mx(MX1, 10, *looks), mx(MX2, 20, port_25()))}


def host_alias(target: str, status: DnsStatus = DnsStatus.ANSWERED, *values: str) -> DnsAnswer:
    return DnsAnswer(f"mta-sts.{DOMAIN}", "A", status, values, (target,))


RUA = "v=TLSRPTv1; rua=mailto:reports@example.org"
PROXIED = (("content-type", "text/plain"), ("cf-ray", "8"))
HTML = (("content-type", "text/html"),)
NO_AAAA = {"host_aaaa": answer(f"mta-sts.{DOMAIN}", "AAAA")}
PROVED_TLSA = answer(f"_25._tcp.{MX1}", "TLSA", "3 1 1 " + "ab" * 32, authenticated=True)
CASES: list[tuple[str, Severity, dict[str, Any]]] = [
    ("dns-no-answer", E, {"sts": DnsAnswer("x", "TXT", DnsStatus.FAILED, failure="SERVFAIL")}),
    ("mta-sts-absent", W, {"sts": txt(), "https": ()}),
    ("mta-sts-absent", W, {"sts": txt("google-site-verification=1")}),
    ("delegation-broken", E, {"sts": DnsAnswer("x", "TXT", DnsStatus.NO_NAME, (), ("_mta-sts.mailhost.example",))}),
    ("sts-record-count", E, {"sts": txt(ID_RECORD, "v=STSv1; id=2;")}),
    ("sts-record-invalid", E, {"sts": txt("v=STSv1; id=with-hyphen;")}),
    ("sts-record-invalid", E, {"sts": txt("V=STSv1; id=1;")}),
    ("sts-other-txt-value", W, {"sts": txt(ID_RECORD, "v=spf1 -all")}),
    ("sts-candidate-beside-ours", E, {"sts": txt(ID_RECORD, "v=STSv1 ; id=2;")}),
    ("tlsrpt-record-absent", W, {"tls_rpt": tls_rpt_txt()}),
    ("tlsrpt-record-absent", I, {"tls_rpt": tls_rpt_txt(), "sts": txt(), "https": ()}),
    ("tlsrpt-record-count", E, {"tls_rpt": tls_rpt_txt(RUA, f"{RUA};")}),
    ("tlsrpt-record-invalid", E, {"tls_rpt": tls_rpt_txt("v=TLSRPTv1; rua=a@x.example")}),
    ("dns-answers-differ", W, {"mx_authoritative": answer(DOMAIN, "MX", f"10 {MX1}")}),
    ("dns-answers-differ", W, {"sts_authoritative": DnsAnswer("x", "TXT", DnsStatus.FAILED, failure="refused")}),
    ("answered-by-wildcard", I, {"wildcard": answer(f"x.{DOMAIN}", "A", "192.0.2.1")}),
    ("policy-unreachable", E, {"host_a": answer("x", "A"), **NO_AAAA, **https()}),
    ("policy-unreachable", E, https(page(None, None, tls=None, failure="Connection refused"))),
    ("policy-not-seen", W, {**https(), "unasked": (f"mta-sts.{DOMAIN}: 10.0.0.1 is private",)}),
    ("policy-host-cert-invalid", E, https(page(None, None, tls=tls(TlsFault.EXPIRED)))),
    ("policy-host-cert-expiry", W, https(page(tls=tls(days_left=60, lifetime=200)))),
    ("policy-host-cert-expiry", E, https(page(tls=tls(days_left=16, lifetime=200)))),
    ("policy-host-old-tls", I, https(page(tls=tls(old_versions=("TLSv1.1",))))),
    ("policy-redirect", E, https(page(None, 301, headers=(("location", "https://www.contoso.example/"),)))),
    ("policy-blocked-for-bots", E, https(page(None, 403, headers=HTML))),
    ("policy-blocked-for-bots", E, https(page(b"<title>Just a moment...</title>", headers=HTML))),
    ("policy-status", E, https(page(None, 404, headers=HTML))),
    ("policy-too-large", E, https(page(None, 200, failure="the body is larger than 65536 octets"))),
    ("policy-cut-off", E, https(page(None, 200, failure="no whole answer within 10 s"))),
    ("policy-content-type", E, https(page(headers=(("content-type", "application/octet-stream"),)))),
    ("policy-max-age-short", W, https(page(POLICY.replace(b"604800", b"0")))),
    ("policy-max-age-short", W, https(page(POLICY.replace(b"604800", b"86399")))),
    ("policy-read-differently", W, https(page(POLICY + b"mode: testing\r\n"))),
    ("policy-read-differently", W, https(page(POLICY + b"max_age: 60\r\n"))),
    ("policy-read-differently", W, https(page(POLICY + b"version: STSv2\r\n"))),
    ("policy-read-differently", W, https(page(POLICY + b"nmx: mx3.contoso.example\r\n"))),
    ("policy-read-differently", W, https(page(POLICY + b"Mode: testing\r\n"))),
    ("policy-read-differently", W, https(page(POLICY + "note: grün\r\n".encode()))),
    ("policy-invalid", E, https(page(POLICY.replace(b"mx:", b"nmx:")))),
    ("policy-host-addresses-differ", E, https(page(), page(TESTING, address="2001:db8::1"))),
    ("sts-id-stale", E, {"sts": txt("v=STSv1; id=romi7sgoelveski5pqnzjnft;")}),
    ("policy-host-no-ipv6", I, NO_AAAA),
    ("policy-slow", W, https(page(seconds=7.0))),
    ("dangling-cname", E, {"host_a": host_alias("d111.cloudfront.net", DnsStatus.NO_NAME), **NO_AAAA, **https()}),
    ("dangling-cname", E, https(page(None, None, tls=tls(TlsFault.WRONG_NAME)))),
    ("caa-forbids-issuer", E, {"caa": answer(DOMAIN, "CAA", '0 issue "letsencrypt.org"')}),
    ("mx-not-in-policy", E, {"mail_hosts": (mx(), mx("mx3.contoso.example", 5))}),
    ("mx-not-in-policy", W, {"mail_hosts": (mx("mx3.contoso.example", 5),), **https(page(TESTING))}),
    ("policy-mx-unused", I, {"mail_hosts": (mx(),)}),
    ("null-mx-with-policy", I, {"mx": answer(DOMAIN, "MX", "0 ."), "mail_hosts": ()}),
    ("implicit-mx", I, {"mx": answer(DOMAIN, "MX"), "mail_hosts": (mx(DOMAIN, None),)}),
    ("mx-without-address", W, {"mail_hosts": (mx(a=answer(MX1, "A"), aaaa=answer(MX1, "AAAA")),)}),
    ("mx-is-alias", I, {"mail_hosts": (mx(a=answer(MX1, "A", "192.0.2.25", aliases=("www.contoso.example",))),)}),
    ("mx-unreachable", W, smtp(port_25(None, unreachable=True, failure="timed out"))),
    ("mx-unreachable", W, smtp(port_25(None, failure="it greets with 554 'your address is listed'"))),
    ("mx-starttls-missing", E, smtp(port_25(False))),
    ("mx-starttls-missing", E, smtp(port_25(True, failure="it offers STARTTLS and answers it with 454"))),
    ("mx-starttls-missing", W, {**smtp(port_25(False)), **https(page(TESTING))}),
    ("mx-cert-expiry", E, smtp(port_25(tls=tls(TlsFault.EXPIRED)))),
    ("mx-cert-expiry", W, smtp(port_25(tls=tls(days_left=1.9, lifetime=6)))),
    ("mx-cert-expiry", E, smtp(port_25(tls=tls(days_left=0.4, lifetime=6)))),
    ("mx-cert-name", E, smtp(port_25(tls=tls(TlsFault.WRONG_NAME)))),
    ("mx-cert-untrusted", E, smtp(port_25(tls=tls(TlsFault.UNTRUSTED)))),
    ("mx-tls-failed", E, smtp(port_25(tls=tls(TlsFault.TOO_OLD)))),
    ("mx-old-tls", I, smtp(port_25(tls=tls(old_versions=("TLSv1",))))),
    ("dane-mismatch", W, {"mail_hosts": (mx(MX1, 10, port_25(False), tlsa=PROVED_TLSA),)}),
    ("tlsa-without-dnssec", I, {"mail_hosts": (mx(tlsa=answer(f"_25._tcp.{MX1}", "TLSA", "3 1 1 ab")),)}),
    ("dmarc-not-bimi-ready", I, {"dmarc": answer(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none")}),
    ("bimi-record-invalid", I, {"bimi": answer("x", "TXT", "v=BIMI1; l=http://contoso.example/logo.svg")}),
]  # fmt: skip
WITH_SPEC = {"policy-bytes-differ", "mta-sts-cname-proxied"}


def rules_of(observed: Observed, spec: PolicySpec | None = None) -> dict[str, Severity]:
    return {finding.rule: finding.severity for finding in live_findings(observed, spec)}


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert rules_of(seen()) == {}


@pytest.mark.parametrize(("rule", "severity", "changes"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_rule_finds_what_it_is_for(rule: str, severity: Severity, changes: dict[str, Any]) -> None:
    assert rules_of(seen(**changes)).get(rule) == severity


def test_a_policy_host_that_no_sender_asks_is_no_error() -> None:
    old = https(page(tls=tls(days_left=1, lifetime=90), seconds=30))
    assert set(rules_of(seen(sts=txt(), **old))) == {"mta-sts-absent"}


def test_a_host_that_nobody_answers_for_is_not_held_against_the_policy() -> None:
    failed = DnsAnswer(DOMAIN, "A", DnsStatus.FAILED, failure="SERVFAIL")
    own = mx(DOMAIN, None, a=failed, aaaa=failed)
    found = rules_of(seen(mx=answer(DOMAIN, "MX"), mail_hosts=(own,)))
    assert "mx-without-address" in found
    assert not {"mx-not-in-policy", "policy-mx-unused"} & set(found)


@pytest.mark.parametrize("body", [POLICY.replace(b"604800", b"86400"), TESTING.replace(b"604800", b"60")])
def test_a_policy_that_is_kept_for_a_day_or_refuses_nothing_is_not_too_short(body: bytes) -> None:
    assert "policy-max-age-short" not in rules_of(seen(**https(page(body))))


def test_a_policy_with_thousands_of_hosts_is_one_finding() -> None:
    many = POLICY + b"".join(b"mx: h%d.contoso.example\r\n" % number for number in range(2000))
    (found,) = [one for one in live_findings(seen(**https(page(many)))) if one.rule == "policy-mx-unused"]
    assert found.message.startswith("2000 mx of the policy match no live MX: h0.contoso.example, ")
    assert len(found.message) < 200


def test_an_answer_that_came_packed_says_so() -> None:
    packed = page(b"\x1f\x8b\x08", headers=(("content-type", "text/plain"), ("content-encoding", "gzip")))
    (found,) = live_findings(seen(**https(packed)))
    assert "packed as 'gzip'" in found.message


def test_servers_that_gave_no_answer_are_not_waited_for() -> None:
    failed = DnsAnswer(DOMAIN, "MX", DnsStatus.FAILED, failure="timed out")
    (found,) = live_findings(seen(mx_authoritative=failed))
    assert found.fix is not None
    assert "TTL" not in found.fix


def test_an_authority_that_goes_by_an_older_name_may_issue() -> None:
    of_digicert = page(tls=TlsLook("TLSv1.3", certificate(issuer="DigiCert Inc")))
    caa = answer(DOMAIN, "CAA", '0 issue "symantec.com"')
    assert rules_of(seen(caa=caa, **https(of_digicert))) == {}


def test_every_rule_is_tried() -> None:
    assert {rule.about.id for rule in RULES} == {case[0] for case in CASES} | WITH_SPEC


@pytest.fixture
def spec(tmp_path: Path) -> PolicySpec:
    text = f"policy_domain: {DOMAIN}\nmta_sts: {{mode: enforce, mx: [{MX1}, {MX2}], max_age: 7d}}\n"
    (tmp_path / "contoso.example.yaml").write_text(text)
    return load(tmp_path)[0]


def test_a_domain_that_is_as_its_spec_has_it(spec: PolicySpec) -> None:
    assert rules_of(seen(), spec) == {}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("policy-bytes-differ", https(page(TESTING))),
        ("policy-bytes-differ", https(page(POLICY.replace(b"\r\n", b"\n")))),
        ("mta-sts-absent", {"sts": txt(), "https": ()}),
        (
            "mta-sts-cname-proxied",
            {"host_a": answer("x", "A", "192.0.2.1"), **https(page(headers=PROXIED))},
        ),
        ("caa-forbids-issuer", {"caa": answer(DOMAIN, "CAA", '0 issue "letsencrypt.org"'), "https": ()}),
    ],
)  # fmt: skip
def test_what_differs_from_the_spec_is_an_error(spec: PolicySpec, rule: str, changes: dict[str, Any]) -> None:
    assert rules_of(seen(**changes), spec)[rule] is E


def test_a_finding_says_where_its_spec_is(spec: PolicySpec) -> None:
    (finding,) = [f for f in live_findings(seen(**https(page(TESTING))), spec) if f.rule == "policy-bytes-differ"]
    assert finding.location == spec.source
    assert "mode testing, and the spec says enforce" in finding.message


def test_a_warning_is_silenced_with_its_reason_and_an_error_is_not(spec: PolicySpec) -> None:
    quiet = dataclasses.replace(spec, suppress={"policy-slow": "known", "policy-redirect": "known"})
    assert "policy-slow" not in rules_of(seen(**https(page(seconds=9.0))), quiet)
    assert "policy-redirect" in rules_of(seen(**https(page(None, 301))), quiet)


def test_the_worst_comes_first() -> None:
    looks = seen(**https(page(None, 404)), dmarc=answer("x", "TXT"), tls_rpt=tls_rpt_txt())
    severities = [finding.severity for finding in live_findings(looks)]
    assert severities == sorted(severities, key=list(Severity).index)


@pytest.mark.parametrize(
    "fine",
    [
        page(POLICY + b"mx: mx3.contoso.example\r\ncolour: blue\r\ncontact: a\r\n"),
        page(POLICY.replace(b"\r\n", b"\n")),
        page(
            POLICY + "note: grün\r\n".encode(),
            headers=(("content-type", "Text/Plain; charset=UTF-8"), ("x-amz-version-id", VERSION)),
        ),
    ],
)
def test_what_all_read_alike_is_no_finding(fine: HttpsLook) -> None:
    assert "policy-read-differently" not in rules_of(seen(**https(fine)))


def test_a_policy_full_of_misspelled_fields_is_told_within_bounds() -> None:
    fields = "".join(f"mx{n}: a.example\r\n" for n in range(3000))
    found = live_findings(seen(**https(page(POLICY + fields.encode()))))
    assert 0 < sum(f.rule == "policy-read-differently" for f in found) <= 20


def test_no_port_25_at_all_is_said_once() -> None:
    shut = port_25(None, unreachable=True, failure="timed out")
    looks = seen(mail_hosts=(mx(MX1, 10, shut, shut), mx(MX2, 20, shut)))
    (finding,) = [f for f in live_findings(looks) if f.rule == "mx-unreachable"]
    assert "from here" in finding.message


def test_addresses_of_a_host_with_the_same_fault_are_one_finding() -> None:
    addresses = [f"192.0.2.{n}" for n in range(1, 6)]
    expired = [port_25(address=each, tls=tls(TlsFault.EXPIRED, days_left=-1)) for each in addresses]
    found = [f.message for f in live_findings(seen(**smtp(*expired))) if f.rule == "mx-cert-expiry"]
    assert found == [f"{MX1} at all its 5 addresses: the certificate has expired, on 2026-11-29"]
    some = [f.message for f in live_findings(seen(**smtp(*expired[:2], port_25()))) if f.rule == "mx-cert-expiry"]
    assert some == [f"{MX1} at 192.0.2.1, 192.0.2.2: the certificate has expired, on 2026-11-29"]


@pytest.mark.parametrize("lifetime", [6, 47, 100, 198, 398])
def test_expiry_is_measured_by_the_certificates_own_lifetime(lifetime: int) -> None:
    third, twelfth = lifetime / 3, lifetime / 12
    for left, severity in ((third + 0.1, None), (third - 0.1, W), (twelfth + 0.1, W), (twelfth - 0.1, E)):
        found = rules_of(seen(**https(page(tls=tls(days_left=left, lifetime=lifetime)))))
        assert found.get("policy-host-cert-expiry") == severity, left
