"""The look in every run: what is published already, against a DNS on loopback. Nothing changes, so no hook runs."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime.settings import SETTINGS
from strict_mocks import run

from components.dns_zones.cloudflare import CloudflareZone
from components.policy_domain import PolicyDomain, PolicyDomainArgs
from components.publish_gates import standing_look
from components.publish_gates.foreign_records import ForeignRecordGate
from components.publish_gates.settings import GateSettings
from components.publish_gates.standing_look import findings, look_at_what_is_published
from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import policy_id_of
from mailtls.observe.dns import Resolver

DOMAIN = "contoso.example"
STS, RPT = f"_mta-sts.{DOMAIN}", f"_smtp._tls.{DOMAIN}"
RUA = "mailto:tls@mailhost.example"
OURS = f"v=STSv1; id={policy_id_of('v1')};"
VERSION = {"aws:s3/bucketObjectv2:BucketObjectv2": lambda _name, _inputs: {"versionId": "v1"}}


@pytest.fixture
def settings(dns_server: Any) -> GateSettings:
    """Everything as it should be."""
    dns_server.zones.add(f"{DOMAIN}.")
    publish(dns_server, STS, OURS)
    publish(dns_server, RPT, f"v=TLSRPTv1; rua={RUA};")
    dns_server.records[f"{DOMAIN}.", "MX"] = ["10 mx1.contoso.example."]
    return GateSettings(20, Resolver("127.0.0.1", dns_server.port, timeout=1))


def publish(dns_server: Any, name: str, *values: str) -> None:
    dns_server.records[f"{name}.", "TXT"] = [f'"{value}"' for value in values]


def domain(name: str, settings: GateSettings, mode: Mode, allowed: str | None) -> PolicyDomain:
    args: PolicyDomainArgs = {
        "policy_domain": name,
        "zone": CloudflareZone(name, "c1"),
        "gate": settings,
        "hosting": {
            "policy_bucket": "policies",
            "policy_bucket_regional_domain_name": "policies.s3.eu-west-1.amazonaws.com",
            "origin_access_control_id": "EACCESS",
            "response_headers_policy_id": "headers",
            "keep_policies": True,
        },
        "policy": Policy(mode, 86400, (MxPattern("mx1.contoso.example"),)),
        "rua": (RUA,),
    }
    if allowed is not None:
        args["mx_not_in_policy_allowed"] = allowed
    return PolicyDomain(name, args)


def look(
    settings: GateSettings,
    display: Any,
    *,
    names: tuple[str, ...] = (DOMAIN,),
    mode: Mode = Mode.ENFORCE,
    allowed: str | None = None,
    preview: bool = False,
) -> None:
    def program() -> pulumi.Output[None]:
        SETTINGS.engine = display
        domains = [domain(name, settings, mode, allowed) for name in names]
        return look_at_what_is_published([one.published for one in domains], settings)

    run(program, outputs=VERSION, preview=preview)


def test_a_run_without_change_has_nothing_to_say_when_all_is_well(settings: GateSettings, display: Any) -> None:
    look(settings, display)
    assert display.lines == []


@pytest.mark.parametrize("second", ["v=STSv1; id=2020;", "v=STSv1 ; id=2020;", "v=STSv1"])
def test_a_second_record_beside_ours_is_a_warning(
    dns_server: Any, settings: GateSettings, display: Any, second: str
) -> None:
    publish(dns_server, STS, OURS, second)
    look(settings, display)
    (text,) = display.warnings
    assert text.startswith(f"{STS}: '{second}' stands there, and this stack's state does not know it")
    assert "remove it (docs/break-glass.md, " in text


def test_so_it_is_at_the_reports_name(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, RPT, f"v=TLSRPTv1; rua={RUA};", "v=TLSRPTv1; rua=mailto:b@fabrikam.example;")
    look(settings, display)
    (text,) = display.warnings
    assert text.startswith(f"{RPT}: 'v=TLSRPTv1; rua=mailto:b@fabrikam.example;' stands there")


def test_a_record_in_the_place_of_ours_is_told_as_that(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, STS, "v=STSv1; id=20261201T031000Z;")
    look(settings, display)
    (text,) = display.warnings
    assert text == (
        f"{STS}: 'v=STSv1; id=20261201T031000Z;' stands there instead of ours; \"pulumi up --refresh\" puts ours back"
    )


def test_an_mx_that_the_policy_leaves_out_is_a_warning(dns_server: Any, settings: GateSettings, display: Any) -> None:
    dns_server.records[f"{DOMAIN}.", "MX"] = ["10 mx1.contoso.example.", "20 mx3.contoso.example."]
    look(settings, display)
    (text,) = display.warnings
    assert "DNS lists mx3.contoso.example" in text
    assert "Add it to mta_sts.mx" in text


def test_a_reason_turns_it_into_a_line_with_the_reason(dns_server: Any, settings: GateSettings, display: Any) -> None:
    dns_server.records[f"{DOMAIN}.", "MX"] = ["10 mx1.contoso.example.", "20 mx3.contoso.example."]
    look(settings, display, allowed="takes no mail")
    assert display.warnings == []
    (text,) = display.notes
    assert text.endswith("allowed: takes no mail")


def test_mode_none_asks_nothing_of_the_mx(dns_server: Any, settings: GateSettings, display: Any) -> None:
    dns_server.records[f"{DOMAIN}.", "MX"] = ["10 elsewhere.mailhost.example."]
    look(settings, display, mode=Mode.NONE)
    assert display.lines == []


def test_in_a_preview_the_id_may_be_unknown_and_ours_is_not_called_foreign(
    dns_server: Any, settings: GateSettings, display: Any
) -> None:
    look(settings, display, preview=True)
    assert display.lines == []
    publish(dns_server, STS, OURS, "v=STSv1; id=2020;")
    look(settings, display, preview=True)
    (text,) = display.warnings
    assert "'v=STSv1; id=2020;'" in text


def test_before_its_creation_any_record_is_in_the_way(settings: GateSettings) -> None:
    gate = ForeignRecordGate(STS, "v=STSv1", CloudflareZone(DOMAIN, "c1"), settings)
    gate.new = True
    (text,) = findings(gate, None, ("v=STSv1; id=2020;",))
    assert text.endswith('until then "pulumi up" writes none of ours')
    assert findings(gate, None, ()) == []
    assert findings(gate, OURS, (OURS,)) == []


def test_what_a_preview_is_about_to_change_is_no_finding(settings: GateSettings) -> None:
    gate = ForeignRecordGate(STS, "v=STSv1", CloudflareZone(DOMAIN, "c1"), settings)
    gate.old = (OURS,)
    assert findings(gate, None, (OURS,)) == []
    assert findings(gate, "v=STSv1; id=new;", (OURS,)) == []
    (text,) = findings(gate, None, (OURS, "v=STSv1; id=2020;"))
    assert "'v=STSv1; id=2020;'" in text
    assert policy_id_of("v1") not in text


def test_a_dns_that_does_not_answer_is_one_line_for_all_and_no_more_is_asked(
    settings: GateSettings, display: Any
) -> None:
    names = tuple(f"d{number}.fabrikam.example" for number in range(40))
    look(settings, display, names=names)
    (text,) = display.warnings
    assert text.startswith("40 of 40 domains were not looked at in DNS (_mta-sts.d")


def test_one_zone_that_does_not_answer_hides_no_other(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, STS, OURS, "v=STSv1; id=2020;")
    look(settings, display, names=("fabrikam.example", DOMAIN))
    assert len(display.warnings) == 2
    assert any("v=STSv1; id=2020;" in text for text in display.warnings)
    assert any(text.startswith("1 of 2 domains were not looked at") for text in display.warnings)


def test_no_more_domains_are_asked_about_at_a_time_than_the_pool_has_room_for(
    dns_server: Any, settings: GateSettings, display: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tuple(f"d{number}.contoso.example" for number in range(30))
    dns_server.zones |= {f"{name}." for name in names}
    at_once: list[int] = []
    running: set[str] = set()
    ask = standing_look._StandingLook._ask

    def counted(self: Any, published: Any, *rest: Any) -> Any:
        running.add(published.policy_domain)
        at_once.append(len(running))
        try:
            return ask(self, published, *rest)
        finally:
            running.discard(published.policy_domain)

    monkeypatch.setattr(standing_look._StandingLook, "_ask", counted)
    look(settings, display, names=names, mode=Mode.NONE)
    assert len(at_once) == 30
    assert max(at_once) <= standing_look.LOOKS_AT_ONCE


def test_the_setting_switches_it_off(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, STS, OURS, "v=STSv1; id=2020;")
    look(GateSettings(20, settings.resolver, standing_look=False), display)
    assert display.lines == []
    assert dns_server.questions == []
