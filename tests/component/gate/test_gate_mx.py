"""A policy against the MX hosts that are live, as the hook finds them in a DNS on loopback."""

import asyncio
from typing import Any

import pulumi
import pytest

from components.publish_gates.mx import MxGate, judge
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError
from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.observe.dns import MailHosts, MailRoute, Resolver

DOMAIN = "contoso.example"
ARGS = pulumi.ResourceHookArgs(urn="urn:policy", id="", name="policy", type="object")


@pytest.fixture
def settings(dns_server: Any) -> GateSettings:
    dns_server.zones.add(f"{DOMAIN}.")
    return GateSettings(20, Resolver("127.0.0.1", dns_server.port, timeout=1))


def policy(mode: Mode, *mx: str) -> Policy:
    return Policy(mode, 86400, tuple(map(MxPattern, mx)))


def publish(dns_server: Any, *exchanges: str) -> None:
    dns_server.records[f"{DOMAIN}.", "MX"] = list(exchanges)


def look(settings: GateSettings, told: Policy, allowed: str | None = None) -> None:
    gate = MxGate(DOMAIN, told, DOMAIN, settings, allowed)
    asyncio.run(gate.hook(ARGS))
    assert gate.looked


@pytest.mark.parametrize(
    ("exchanges", "mx"),
    [
        (("10 mx1.contoso.example.", "20 mx2.contoso.example."), ("mx1.contoso.example", "mx2.contoso.example")),
        (("10 MX1.Contoso.Example.",), ("mx1.contoso.example",)),
        (("10 a.mail.mailhost.example.",), ("*.mail.mailhost.example",)),
    ],
)
def test_a_policy_that_names_every_live_mx_goes_live(
    dns_server: Any, settings: GateSettings, display: Any, exchanges: tuple[str, ...], mx: tuple[str, ...]
) -> None:
    publish(dns_server, *exchanges)
    look(settings, policy(Mode.ENFORCE, *mx))
    assert display.lines == []


def test_a_typing_error_in_mx_does_not_go_live_in_enforce(dns_server: Any, settings: GateSettings) -> None:
    publish(dns_server, "10 mx1.contoso.example.", "20 mx2.contoso.example.")
    with pytest.raises(GateError) as caught:
        look(settings, policy(Mode.ENFORCE, "mx1.contoso.example", "mx2.contosso.example"))
    assert str(caught.value) == (
        "contoso.example: DNS lists mx2.contoso.example, the policy names mx1.contoso.example, mx2.contosso.example: "
        "senders that enforce deliver nothing there; in mx, mx2.contosso.example matches no live MX. Nothing was "
        "published and what is served stays. Does it take mail? Add it to mta_sts.mx, or correct the typing error "
        "there. Does it not? Remove the MX record. Is it left out on purpose? Say why: suppress: {mx-not-in-policy: "
        '"the reason"}. mode: testing is never held back'
    )


def test_a_wildcard_stands_for_one_label(dns_server: Any, settings: GateSettings) -> None:
    publish(dns_server, "10 t.h-v1.mx.mailhost.example.")
    with pytest.raises(GateError, match=r"no live MX is in the policy: .*senders that enforce hold all mail"):
        look(settings, policy(Mode.ENFORCE, "*.mx.mailhost.example"))


def test_a_reason_lets_a_host_be_left_out_and_is_told(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, "10 mx1.contoso.example.", "90 trap.contoso.example.")
    look(settings, policy(Mode.ENFORCE, "mx1.contoso.example"), "a trap for spam, takes no mail")
    (text,) = display.notes
    assert "DNS lists trap.contoso.example" in text
    assert text.endswith("allowed: a trap for spam, takes no mail")
    assert display.warnings == []


def test_no_reason_lets_all_hosts_be_left_out(dns_server: Any, settings: GateSettings) -> None:
    publish(dns_server, "10 mx1.contoso.example.")
    with pytest.raises(GateError, match="no live MX is in the policy"):
        look(settings, policy(Mode.ENFORCE, "mx1.mailhost.example"), "because")


def test_in_testing_the_same_is_a_warning(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, "10 mx1.contoso.example.", "20 mx2.contoso.example.")
    look(settings, policy(Mode.TESTING, "mx1.contoso.example"))
    (text,) = display.warnings
    assert "DNS lists mx2.contoso.example" in text
    assert "(mode is testing: reported, not held)" in text


def test_a_pattern_for_an_mx_that_is_still_to_come_is_right(
    dns_server: Any, settings: GateSettings, display: Any
) -> None:
    """Policy first, MX later (RFC 8461 section 8.1 has the same order for id and file)."""
    publish(dns_server, "10 mx1.contoso.example.")
    look(settings, policy(Mode.ENFORCE, "mx1.contoso.example", "mx2.contoso.example"))
    (text,) = display.notes
    assert "mx2.contoso.example matches no live MX" in text


def test_without_an_mx_record_the_domain_itself_is_the_mx(dns_server: Any, settings: GateSettings) -> None:
    dns_server.records[f"{DOMAIN}.", "A"] = ["192.0.2.1"]
    look(settings, policy(Mode.ENFORCE, DOMAIN))
    with pytest.raises(GateError, match="mail for it goes without an MX record, so to its own address"):
        look(settings, policy(Mode.ENFORCE, "mx1.contoso.example"))


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [(("0 .",), "nowhere: its MX record is the null MX"), ((), "nowhere: it has neither MX record nor address")],
)
def test_a_domain_that_takes_no_mail_needs_no_policy_and_none_is_refused(
    dns_server: Any, settings: GateSettings, display: Any, exchanges: tuple[str, ...], told: str
) -> None:
    publish(dns_server, *exchanges) if exchanges else None
    look(settings, policy(Mode.ENFORCE, "mx1.contoso.example"))
    (text,) = display.warnings
    assert told in text


@pytest.mark.parametrize("mode", [Mode.TESTING, Mode.NONE])
def test_the_way_back_is_held_up_by_no_dns(settings: GateSettings, display: Any, mode: Mode) -> None:
    gate = MxGate("fabrikam.example", policy(mode, "mx1.fabrikam.example"), "fabrikam.example", settings)
    asyncio.run(gate.hook(ARGS))
    assert len(display.warnings) == (1 if mode is Mode.TESTING else 0)


def test_in_enforce_an_unknown_mx_is_not_taken_for_a_good_one(settings: GateSettings) -> None:
    impatient = GateSettings(0.3, settings.resolver)
    gate = MxGate("fabrikam.example", policy(Mode.ENFORCE, "mx1.fabrikam.example"), "fabrikam.example", impatient)
    with pytest.raises(GateError, match=r"still not known which MX hosts are live: .*mode: testing does not wait"):
        asyncio.run(gate.hook(ARGS))


def test_what_refuses_enforce_is_a_warning_in_a_run_without_change() -> None:
    live = MailHosts(MailRoute.MX, ("mx2.contoso.example",))
    verdict = judge(DOMAIN, policy(Mode.ENFORCE, "mx1.contoso.example"), live, None)
    assert verdict.refused is not None
    (text,) = verdict.warnings
    assert text.startswith(verdict.refused)
