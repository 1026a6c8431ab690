import base64
import gzip
import io
import json
import zipfile
from typing import Any

import pytest
from sample_looks import DOMAIN
from sample_rollout import entry, policy, row

from mailtls.tls_rpt.report import PolicyType
from mailtls.totals.once import Once
from mailtls.totals.report_files import Read, read


def body(*policies: dict[str, Any], domain: str = "contoso.example") -> dict[str, Any]:
    usual = {
        "policy": {"policy-type": "sts", "policy-string": ["version: STSv1"], "policy-domain": domain},
        "summary": {"total-successful-session-count": 5, "total-failure-session-count": 0},
    }
    return {
        "organization-name": "Reporter",
        "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
        "report-id": "r1",
        "policies": list(policies) or [usual],
    }


REPORT = json.dumps(body()).encode()


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.json", data)
    return out.getvalue()


def mail(attached: bytes, kind: str = "application/tlsrpt+gzip") -> bytes:
    top = "From: a@b.example\nTLS-Report-Domain: contoso.example\nMIME-Version: 1.0\n"
    top += 'Content-Type: multipart/report; report-type=tlsrpt; boundary="xx"\n\n'
    text = "--xx\nContent-Type: text/plain\n\nhello\n--xx\n"
    part = f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\n"
    return (top + text + part).encode() + base64.encodebytes(attached) + b"--xx--\n"


def told(found: Read) -> list[tuple[str, int | None]]:
    return [(refused.reason, refused.line) for refused in found.refused]


@pytest.mark.parametrize(
    "data",
    [REPORT, gzip.compress(REPORT), zipped(REPORT), zipped(gzip.compress(REPORT)), mail(gzip.compress(REPORT))],
    ids=["json", "gzip", "zip", "gzip in zip", "mail"],
)
def test_a_report_is_known_by_what_is_in_the_file(data: bytes) -> None:
    found = read(data, "a file")
    (one,) = found.entries
    assert (one.policy_domain, one.signer, one.mail, one.report.report_id) == (DOMAIN, "", "a file", "r1")
    assert found.refused == ()


def test_an_object_of_the_ledger_is_read_as_it_was_stored() -> None:
    stored = entry(1, row(policy(), 5))
    assert read(stored.render(), "x").entries == (stored,)
    assert told(read(b'{"version":2}', "x"))[0][1] == 1


def test_the_fault_of_a_json_file_has_its_line() -> None:
    data = json.dumps(body(), indent=1).encode().replace(b'"report-id": "r1"', b'"report-id": r1')
    ((reason, line),) = told(read(data, "x"))
    assert "not JSON" in reason
    assert line == data[: data.index(b": r1")].count(b"\n") + 1


def test_the_fault_of_a_mail_has_the_line_where_the_attachment_begins() -> None:
    data = mail(gzip.compress(REPORT)[:40])
    ((reason, line),) = told(read(data, "x"))
    assert "ends early" in reason
    assert data.split(b"\n")[(line or 0) - 1].startswith(b"H4sI")
    ((reason, line),) = told(read(mail(gzip.compress(b'{"policies": 1}')), "x"))
    assert reason == "no policies: no report"
    assert data.split(b"\n")[(line or 0) - 1].startswith(b"H4sI")


def test_a_mail_that_is_no_report_was_not_meant_as_one() -> None:
    (refused,) = read(b"Subject: hello\nContent-Type: text/plain\n\nworld\n", "x").refused
    assert (refused.meant, refused.line) == (False, 2)


def test_a_bomb_is_refused() -> None:
    found = read(gzip.compress(b"{" + b" " * 30_000_000), "x")
    assert found.entries == ()
    assert "inflates to more" in found.refused[0].reason


def test_one_broken_member_does_not_hide_its_neighbour() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("bad.json", b"{}")
        archive.writestr("good.json", REPORT)
    found = read(out.getvalue(), "x")
    assert len(found.entries) == 1
    assert [reason for reason, _ in told(found)] == ["no policies: no report"]


def test_a_dane_row_belongs_to_the_one_domain_beside_it() -> None:
    dane = {"policy": {"policy-type": "tlsa", "policy-domain": "mx1.contoso.example"}, "summary": {}}
    found = read(json.dumps(body(*body()["policies"], dane)).encode(), "x")
    (one,) = found.entries
    assert [of.policy_type for of in one.report.policies] == [PolicyType.STS, PolicyType.TLSA]
    (alone,) = read(json.dumps(body(dane)).encode(), "x").entries
    assert alone.policy_domain == "mx1.contoso.example"


def test_a_report_about_two_domains_is_two_entries() -> None:
    two = body(*body()["policies"], *body(domain="fabrikam.example")["policies"])
    found = read(json.dumps(two).encode(), "x")
    assert [one.policy_domain for one in found.entries] == [DOMAIN, "fabrikam.example"]


def test_a_report_that_names_no_domain_is_refused() -> None:
    found = read(json.dumps(body({"policy": {"policy-type": "sts"}, "summary": {}})).encode(), "x")
    assert told(found) == [("a report that names no domain", 1)]


def test_the_same_report_is_new_once() -> None:
    once = Once()
    first, again, other = entry(1, row(policy(), 5)), entry(1, row(policy(), 5)), entry(2, row(policy(), 5))
    assert [once.is_new(one) for one in (first, again, other)] == [True, False, True]
