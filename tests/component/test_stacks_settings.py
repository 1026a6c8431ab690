"""Settings: what is read, and what is told when they are wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.dns_zones.zones import Provider
from mailtls.reports.alert_limits import AlertLimits
from report_lambda.digests import Weekly
from stacks.setting_reader import SettingFaults
from stacks.settings import REPOSITORY, Kind, Links, Settings, Subscription, parse

GOOD: dict[str, Any] = {
    "mailtls:policy_specs": "specs",
    "mailtls:zones": [
        {"suffix": "Contoso.Example.", "provider": "cloudflare"},
        {"suffix": "bücher.example", "provider": "route53", "zone_id": "Z1"},
        {"suffix": "mailhost.example", "provider": "route53"},
    ],
    "mailtls:reports": {"domain": "reports.mailhost.example", "rule_set": "own", "activate": True},
    "aws:region": "eu-west-1",
}


def read(tmp_path: Path, environment: dict[str, str] | None = None, **changes: Any) -> Settings:
    """`changes`: settings in place of GOOD's, None to leave one out; `aws_region` for aws:region."""
    (tmp_path / "specs").mkdir(exist_ok=True)
    named = {"aws:region" if key == "aws_region" else f"mailtls:{key}": value for key, value in changes.items()}
    values = {key: value for key, value in {**GOOD, **named}.items() if value is not None}
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return parse(config, environment or {}, tmp_path)


def test_a_good_stack_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.kind is Kind.ALL
    assert settings.policy_specs == Path("specs")
    assert [zone.suffix for zone in settings.zones.settings] == [
        "contoso.example",
        "xn--bcher-kva.example",
        "mailhost.example",
    ]
    assert settings.zones.setting_for("shop.contoso.example").provider is Provider.CLOUDFLARE
    assert settings.reports is not None
    assert settings.reports.local_part == "tlsrpt"
    assert (settings.gate.timeout, settings.gate.resolver.address, settings.gate.proxy) == (180, None, None)
    assert (settings.allow_destroy, settings.per_domain_metrics) == (False, False)


def test_resolver_and_proxy_come_from_the_settings_or_else_from_the_environment(tmp_path: Path) -> None:
    environment = {"MAILTLS_RESOLVER": "127.0.0.1:5300", "MAILTLS_PROXY": "http://127.0.0.1:8118"}
    from_environment = read(tmp_path, environment).gate
    assert (from_environment.resolver.port, from_environment.proxy) == (5300, "http://127.0.0.1:8118")
    own = {"timeout": 60, "resolver": "192.0.2.1", "proxy": "http://192.0.2.2:3128"}
    from_settings = read(tmp_path, environment, gate=own).gate
    assert (from_settings.timeout, from_settings.proxy) == (60, "http://192.0.2.2:3128")
    assert (from_settings.resolver.address, from_settings.resolver.port) == ("192.0.2.1", 53)


def test_every_run_looks_unless_the_settings_say_no(tmp_path: Path) -> None:
    assert read(tmp_path).gate.standing_look
    assert not read(tmp_path, gate={"standing_look": False}).gate.standing_look


def test_what_wakes_somebody_is_a_setting(tmp_path: Path) -> None:
    assert read(tmp_path).alerts == AlertLimits()
    chosen = {"critical_sessions": 500, "critical_share": 2.5, "critical_reporters": 2, "per_hour": 12}
    assert read(tmp_path, alerts=chosen).alerts == AlertLimits(500, 2.5, 2, 12)
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, alerts={"per_hour": 0})
    assert caught.value.faults == ("mailtls:alerts.per_hour: 0: from 1 to 10,000",)
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, alerts={"critical": 5})
    assert "mailtls:alerts.critical" in caught.value.faults[0]


@pytest.mark.parametrize(("hours", "read_as"), [(None, None), (0, None), (2, 2), (26, 26), (168, 168)])
def test_the_controllers_heartbeat_is_watched_where_a_setting_says_so(
    tmp_path: Path, hours: int | None, read_as: int | None
) -> None:
    assert read(tmp_path, controller_hours=hours).controller_hours == read_as


@pytest.mark.parametrize("hours", [1, 169, 2.5, -4])
def test_hours_that_no_alarm_can_look_back_are_a_fault(tmp_path: Path, hours: float) -> None:
    with pytest.raises(SettingFaults, match="from 2 to 168"):
        read(tmp_path, controller_hours=hours)


@pytest.mark.parametrize(("digest", "read_as"), [(None, None), ({"weekday": "monday"}, "1T07"),
                                                  ({"weekday": "sunday", "hour": 0}, "7T00")])  # fmt: skip
def test_when_the_weekly_message_is_due(tmp_path: Path, digest: dict[str, object] | None, read_as: str | None) -> None:
    assert read(tmp_path, digest=digest).digest == read_as
    assert read_as is None or Weekly.parse(read_as) is not None


@pytest.mark.parametrize("digest", [{}, {"weekday": "mon"}, {"weekday": "monday", "hour": 24}, {"weekday": 1}])
def test_a_week_without_that_moment_is_a_fault(tmp_path: Path, digest: dict[str, object]) -> None:
    with pytest.raises(SettingFaults, match="mailtls:digest"):
        read(tmp_path, digest=digest)


def test_how_long_things_are_kept(tmp_path: Path) -> None:
    assert read(tmp_path).retention == {"raw_days": 90, "quarantine_days": 90, "ledger_days": 400}
    changed = read(tmp_path, retention={"raw_days": 30, "ledger_days": 800}).retention
    assert changed == {"raw_days": 30, "quarantine_days": 90, "ledger_days": 800}


@pytest.mark.parametrize(
    ("retention", "fault"),
    [
        ({"raw_days": 13}, "retention.raw_days: 13: whole days from 14 to 3650"),
        ({"quarantine_days": 1.5}, "retention.quarantine_days: 1.5: whole days from 14"),
        ({"raw_days": 200, "ledger_days": 199}, "retention.ledger_days: 199: whole days from 200"),
        ({"ledger_days": 89}, "retention.ledger_days: 89: whole days from 90"),
        ({"mail_days": 90}, "retention.mail_days: there is no such setting"),
    ],
)
def test_what_others_rely_on_is_kept(tmp_path: Path, retention: dict[str, object], fault: str) -> None:
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, retention=retention)
    assert any(fault in one for one in caught.value.faults)


OF_A_PLATFORM = {
    "reports",
    "subscriptions",
    "alerts",
    "per_domain_metrics",
    "cloudwatch_dashboard",
    "athena",
    "controller_hours",
    "retention",
    "digest",
}
UNUSED = {"all": {"platform"}, "platform": {"platform", "policy_specs"}, "domains": OF_A_PLATFORM}


@pytest.mark.parametrize("kind", UNUSED)
def test_what_the_kind_has_no_use_for_is_a_fault(tmp_path: Path, kind: str) -> None:
    everything = {
        "platform": "organization/mailtls/platform",
        "subscriptions": [{"protocol": "email", "endpoint": "mail-team@contoso.example"}],
        "alerts": {},
        "per_domain_metrics": False,
        "cloudwatch_dashboard": True,
        "athena": True,
        "controller_hours": 26,
        "retention": {},
        "digest": {"weekday": "monday"},
    }
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, kind=kind, **everything)
    assert {fault.partition(": ")[0] for fault in caught.value.faults} == {f"mailtls:{key}" for key in UNUSED[kind]}
    assert all(f"kind {kind} has no use for it" in fault for fault in caught.value.faults)
    used = read(tmp_path, kind=kind, **{**everything, **dict.fromkeys(UNUSED[kind])})
    assert used.kind == kind


@pytest.mark.parametrize("protocol", ["https", "email", "email-json"])
def test_subscribers_that_need_no_rights_of_their_own(tmp_path: Path, protocol: str) -> None:
    (subscription,) = read(tmp_path, subscriptions=[{"protocol": protocol, "endpoint": "e"}]).subscriptions
    assert subscription.protocol == protocol


@pytest.mark.parametrize("protocol", ["sqs", "lambda", "firehose", "sms", "http"])
def test_other_subscribers_are_sent_to_the_topic(tmp_path: Path, protocol: str) -> None:
    with pytest.raises(SettingFaults, match=rf"subscriptions\[0\]\.protocol: '{protocol}' is none of .*topic_arn"):
        read(tmp_path, subscriptions=[{"protocol": protocol, "endpoint": "e"}])


def test_kind_domains_needs_a_platform_and_no_reports(tmp_path: Path) -> None:
    settings = read(tmp_path, kind="domains", platform="organization/mailtls/platform", reports=None)
    assert settings.platform == "organization/mailtls/platform"
    assert settings.reports is None


def test_kind_platform_needs_no_specs(tmp_path: Path) -> None:
    assert read(tmp_path, kind="platform", policy_specs=None).policy_specs is None


def test_the_stack_file_of_the_sandbox_is_right() -> None:
    import yaml

    config = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]
    read_as = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    assert parse(read_as, {}, REPOSITORY).reports is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"aws_region": None}, "aws:region: name the platform's region, such as eu-west-1"),
        ({"kind": "platfrom"}, "mailtls:kind: 'platfrom' is none of all, platform, domains; did you mean platform?"),
        ({"policy_specs": None}, "mailtls:policy_specs: is missing"),
        ({"policy_specs": "none/here"}, "mailtls:policy_specs: there is no none/here in the repository"),
        ({"kind": "domains", "reports": None}, "mailtls:platform: is missing"),
        (
            {"kind": "domains", "reports": None, "platform": "platform"},
            "name the stack in full, such as organization/mailtls/platform",
        ),
        ({"reports": None}, "mailtls:reports: is missing"),
        ({"zones": [{"suffix": "a b", "provider": "route53"}]}, "mailtls:zones[0].suffix:"),
        ({"zones": [{"provider": "route53"}]}, "mailtls:zones[0].suffix: is missing"),
        ({"zones": [{"suffix": "mailhost.example", "provider": "cloudfare"}]}, "did you mean cloudflare?"),
        (
            {"zones": [{"suffix": "mailhost.example", "provider": "route53"}] * 2},
            "zones[1].suffix: mailhost.example is",
        ),
        (
            {"zones": [{"suffix": "mailhost.example", "provider": "route53", "id": "Z"}]},
            "mailtls:zones[0].id: there is",
        ),
        ({"zones": "contoso.example"}, "mailtls:zones: a list of maps is expected"),
        ({"zones": []}, "mailtls:reports.domain: zone-not-configured: reports.mailhost.example lies in no zone"),
        (
            {"reports": {"domain": "reports.mailhost.example", "rule_set": "own"}},
            "mailtls:reports.rule_set: own, but activate is false",
        ),
        ({"reports": {"domain": "reports.mailhost.example", "rule_set": "join"}}, '"join" is none of own, join:<name'),
        (
            {"reports": {"domain": "reports.mailhost.example", "rule_set": "join:x", "activate": True}},
            "mailtls:reports.activate: true goes with rule_set: own only; take it out",
        ),
        ({"reports": {**GOOD["mailtls:reports"], "local_part": "TLS Reports"}}, "mailtls:reports.local_part: 'TLS Rep"),
        ({"subscriptions": [{"protocol": "https"}]}, "mailtls:subscriptions[0].endpoint: is missing"),
        ({"subscriptions": [{"protocol": "htps", "endpoint": "e"}]}, "did you mean https?"),
        (
            {"subscriptions": [{"protocol": "https", "endpoint": "e", "severity": ["critcal"]}]},
            "did you mean critical?",
        ),
        ({"gate": {"timeout": 600}}, "mailtls:gate.timeout: 600: seconds, more than 0 and at most 180"),
        ({"gate": {"standing_look": "no"}}, 'mailtls:gate.standing_look: write true or false, not "no"'),
        ({"gate": {"timeout": "soon"}}, 'mailtls:gate.timeout: a number is expected, not "soon"'),
        ({"gate": {"resolver": "dns.example"}}, "mailtls:gate.resolver: 'dns.example' is not an address"),
        ({"gate": {"proxy": "127.0.0.1:8118"}}, "mailtls:gate.proxy: '127.0.0.1:8118': write http://host:port"),
        ({"allow_destroy": "yes"}, 'mailtls:allow_destroy: write true or false, not "yes"'),
        ({"allow_destory": True}, "mailtls:allow_destory: there is no such setting; did you mean allow_destroy?"),
    ],
)
def test_a_fault_names_its_setting_and_what_to_write(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, **changes)
    assert fault in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, kind="al", aws_region=None, gate={"timeout": 0})
    assert len(caught.value.faults) == 3


def test_files_are_read_at_an_address_or_at_none(tmp_path: Path) -> None:
    assert read(tmp_path).files_url is None
    address = "https://git.contoso.example/mail/mailtls/blob/main"
    assert read(tmp_path, files_url=f"{address}/").files_url == address


@pytest.mark.parametrize(
    "address", ["git.contoso.example", "http://git.contoso.example", "https://a.example/b?c", "https://a.example/b c"]
)
def test_an_address_that_no_mail_program_makes_a_link_of_is_a_fault(tmp_path: Path, address: str) -> None:
    with pytest.raises(SettingFaults, match=r"mailtls:files_url: .* write https://host/path"):
        read(tmp_path, files_url=address)


def test_links_are_addresses_that_are_added_to(tmp_path: Path) -> None:
    assert read(tmp_path).links == Links(None, None)
    links = {"dashboard": "https://tls.contoso.example/", "runbook": "https://wiki.contoso.example/mail"}
    assert read(tmp_path, links=links).links == Links(
        "https://tls.contoso.example", "https://wiki.contoso.example/mail"
    )
    with pytest.raises(SettingFaults, match=r"mailtls:links\.dashboard: .* write https://host/path"):
        read(tmp_path, links={"dashboard": "http://tls.contoso.example"})
    with pytest.raises(SettingFaults, match=r"mailtls:links\.dashbord: there is no such .* mean dashboard"):
        read(tmp_path, links={"dashbord": "https://tls.contoso.example"})


def test_chats_and_signed_webhooks_have_their_secret_by_name(tmp_path: Path) -> None:
    slack = {"protocol": "slack", "secret": "/mailtls/alerts/slack", "owner": "mail-team"}
    webhook = {"protocol": "webhook", "endpoint": "https://a.example/b?c=d", "secret": "/mailtls/key"}
    pagerduty = {"protocol": "pagerduty", "secret": "/mailtls/pagerduty"}
    europe = {**pagerduty, "endpoint": "https://events.eu.pagerduty.com/v2/enqueue"}
    assert read(tmp_path, subscriptions=[pagerduty, europe]).subscriptions == (
        Subscription("pagerduty", "", None, (), "/mailtls/pagerduty"),
        Subscription("pagerduty", "https://events.eu.pagerduty.com/v2/enqueue", None, (), "/mailtls/pagerduty"),
    )
    assert read(tmp_path, subscriptions=[slack, webhook]).subscriptions == (
        Subscription("slack", "", "mail-team", (), "/mailtls/alerts/slack"),
        Subscription("webhook", "https://a.example/b?c=d", None, (), "/mailtls/key"),
    )


@pytest.mark.parametrize(
    ("subscription", "fault"),
    [
        ({"protocol": "slack"}, "mailtls:subscriptions[0].secret: is missing"),
        (
            {"protocol": "slack", "secret": "/a", "endpoint": "https://hooks.example/x"},
            "endpoint: the address for slack",
        ),
        ({"protocol": "teams", "secret": "https://hooks.example/token"}, "secret: write the name of an SSM parameter"),
        ({"protocol": "webhook", "secret": "/a"}, "mailtls:subscriptions[0].endpoint: is missing"),
        ({"protocol": "webhook", "secret": "/a", "endpoint": "http://a.example"}, "endpoint: write https://host/path"),
        (
            {"protocol": "webhook", "secret": "/a", "endpoint": "https://u:p@a.example"},
            "endpoint: write https://host/path",
        ),
        ({"protocol": "email", "secret": "/a", "endpoint": "a@b.example"}, "secret: email has no use for it"),
        ({"protocol": "slak", "secret": "/a"}, "did you mean slack?"),
    ],
)
def test_a_fault_of_a_delivery_is_told_and_no_secret_shown(
    tmp_path: Path, subscription: dict[str, str], fault: str
) -> None:
    with pytest.raises(SettingFaults) as caught:
        read(tmp_path, subscriptions=[subscription])
    assert fault in str(caught.value)
    assert "token" not in str(caught.value)
