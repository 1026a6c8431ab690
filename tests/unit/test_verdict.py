"""What a sender does, for each way in which a domain can be set up."""

from typing import Any

import pytest
from sample_looks import DOMAIN, MX1, MX2, POLICY, answer, mx, page, port_25, seen, tls, txt

from mailtls.observed import DnsAnswer, DnsStatus, TlsFault
from mailtls.verdict import Delivery, Outcome, Protection, Verdict, judge

TESTING = POLICY.replace(b"enforce", b"testing")
NONE = POLICY.replace(b"enforce", b"none")


def verdict(**changes: Any) -> Verdict:
    return judge(seen(**changes))


def outcomes(found: Verdict) -> list[Outcome]:
    return [step.outcome for step in found.steps]


@pytest.mark.parametrize(
    ("changes", "protection"),
    [
        ({}, Protection.ENFORCED),
        ({"https": (page(TESTING),)}, Protection.TESTING),
        ({"https": (page(NONE),)}, Protection.SWITCHED_OFF),
        ({"https": (page(None, 404),)}, Protection.OFF),
        ({"https": (page(None, None, tls=tls(TlsFault.EXPIRED)),)}, Protection.OFF),
        ({"https": (page(b"<html>"),)}, Protection.OFF),
        ({"sts": txt("v=STSv1; id=a;", "v=STSv1; id=b;")}, Protection.OFF),
        ({"sts": txt("v=STSv1; id=!;")}, Protection.OFF),
        ({"sts": txt("v=stsv1; id=a;")}, Protection.OFF),
        ({"sts": txt()}, Protection.ABSENT),
        ({"sts": txt("v=spf1 -all")}, Protection.ABSENT),
        ({"sts": DnsAnswer("x", "TXT", DnsStatus.FAILED, failure="SERVFAIL")}, Protection.UNKNOWN),
        ({"https": (), "unasked": (f"mta-sts.{DOMAIN}: 10.0.0.1 is private",)}, Protection.UNKNOWN),
        ({"mx": answer(DOMAIN, "MX", "0 ."), "mail_hosts": ()}, Protection.NO_MAIL),
    ],
)
def test_what_holds_for_the_domain(changes: dict[str, Any], protection: Protection) -> None:
    assert verdict(**changes).protection is protection


FAILED = DnsAnswer(DOMAIN, "A", DnsStatus.FAILED, failure="SERVFAIL")


@pytest.mark.parametrize(
    "changes",
    [
        {"mx": DnsAnswer(DOMAIN, "MX", DnsStatus.FAILED, failure="SERVFAIL"), "mail_hosts": ()},
        {"mx": answer(DOMAIN, "MX"), "mail_hosts": (mx(DOMAIN, None, a=FAILED, aaaa=FAILED),)},
    ],
)
def test_no_answer_to_where_the_mail_goes_is_neither_no_mail_nor_a_refusal(changes: dict[str, Any]) -> None:
    found = verdict(**changes)
    assert (found.protection, found.fates) == (Protection.UNKNOWN, ())
    assert "the mail waits" in " ".join(found.steps[0].saw)


def test_a_host_without_an_address_takes_no_mail() -> None:
    nowhere = mx(MX1, 10, a=answer(MX1, "A"), aaaa=answer(MX1, "AAAA"))
    found = verdict(mail_hosts=(nowhere, mx(MX2, 20)))
    assert [fate.honouring for fate in found.fates] == [Delivery.UNREACHABLE, Delivery.UNSEEN]
    assert found.fates[0].other is Delivery.UNREACHABLE


def test_nine_steps_and_a_host_that_was_not_looked_at() -> None:
    found = verdict()
    assert [step.number for step in found.steps] == list(range(1, 10))
    assert outcomes(found) == [Outcome.OK] * 8 + [Outcome.UNKNOWN]
    assert {fate.honouring for fate in found.fates} == {Delivery.UNSEEN}


def test_a_host_that_passes_is_protected() -> None:
    found = verdict(mail_hosts=(mx(MX1, 10, port_25()), mx(MX2, 20, port_25())))
    assert {fate.honouring for fate in found.fates} == {Delivery.PROTECTED}
    assert outcomes(found)[8] is Outcome.OK


@pytest.mark.parametrize(("body", "fate"), [(POLICY, Delivery.REFUSED), (TESTING, Delivery.REPORTED)])
def test_a_host_that_the_policy_does_not_name(body: bytes, fate: Delivery) -> None:
    found = verdict(https=(page(body),), mail_hosts=(mx(), mx("mx3.contoso.example", 30)))
    assert [one.honouring for one in found.fates][1] is fate
    assert "does not name" in found.fates[1].why
    assert not found.loses_mail


@pytest.mark.parametrize(
    ("look", "other"),
    [
        (port_25(False), Delivery.CLEAR),
        (port_25(tls=tls(TlsFault.EXPIRED)), Delivery.OPPORTUNISTIC),
        (port_25(tls=tls(TlsFault.WRONG_NAME)), Delivery.OPPORTUNISTIC),
    ],
)
def test_enforce_refuses_a_host_whose_tls_fails(look: Any, other: Delivery) -> None:
    found = verdict(mail_hosts=(mx(MX1, 10, look),))
    assert found.fates[0].honouring is Delivery.REFUSED
    assert found.fates[0].other is other
    assert found.loses_mail
    assert "NO host" in found.headline


def test_senders_go_on_to_the_next_address_of_a_host() -> None:
    """RFC 5321 section 5.1."""
    good, bad = port_25(), port_25(False, address="192.0.2.26")
    found = verdict(mail_hosts=(mx(MX1, 10, good, bad),))
    assert found.fates[0].honouring is Delivery.PARTLY
    assert found.fates[0].why == "no STARTTLS, at 1 of 2 addresses"
    assert not found.loses_mail
    assert f"refuse addresses of {MX1}" in found.headline
    both = verdict(mail_hosts=(mx(MX1, 10, bad, bad),))
    assert (both.fates[0].honouring, both.loses_mail) == (Delivery.REFUSED, True)
    hidden = verdict(mail_hosts=(mx(MX1, 10, port_25(None, failure="it closed the connection"), bad),))
    assert hidden.fates[0].honouring is Delivery.REFUSED


def test_a_host_that_the_policy_does_not_name_is_refused_at_all_its_addresses() -> None:
    bad = port_25(False, address="192.0.2.26")
    found = verdict(mail_hosts=(mx("mx3.contoso.example", 5, port_25(), bad),))
    assert found.fates[0].honouring is Delivery.REFUSED


def test_without_a_policy_both_senders_do_the_same() -> None:
    found = verdict(sts=txt(), mail_hosts=(mx(MX1, 10, port_25(False)),))
    assert (found.fates[0].honouring, found.fates[0].other) == (Delivery.CLEAR, Delivery.CLEAR)


@pytest.mark.parametrize("failure", ["it greets with 554 'listed'", "it closed the connection"])
def test_a_server_that_turns_us_away_tells_nothing_about_its_tls(failure: str) -> None:
    """Many do so to addresses that send no mail; a sender is not turned away for that."""
    away = port_25(None, failure=failure)
    found = verdict(mail_hosts=(mx(MX1, 10, away), mx(MX2, 20, port_25())))
    assert [fate.honouring for fate in found.fates] == [Delivery.HIDDEN, Delivery.PROTECTED]
    assert not verdict(mail_hosts=(mx(MX1, 10, away),)).loses_mail
    assert any(failure in words for words in found.steps[8].saw)


def test_no_port_25_from_here_is_no_finding_about_the_host() -> None:
    shut = port_25(None, unreachable=True, failure="timed out")
    found = verdict(mail_hosts=(mx(MX1, 10, shut),))
    assert found.fates[0].honouring is Delivery.HIDDEN
    assert outcomes(found)[8] is Outcome.UNKNOWN
    half = verdict(mail_hosts=(mx(MX1, 10, shut), mx(MX2, 20, port_25())))
    assert half.fates[0].honouring is Delivery.UNREACHABLE


def test_what_was_not_asked_is_not_known() -> None:
    found = verdict(sts=None, https=(), host_a=None, host_aaaa=None)
    assert found.protection is Protection.UNKNOWN
    assert outcomes(found)[1] is Outcome.UNKNOWN
    assert outcomes(found)[3] is Outcome.UNKNOWN
