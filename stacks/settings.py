"""The stack's settings: `stacks/Pulumi.<stack>.yaml`, read and checked whole before anything is registered.

A fault names its setting and says what to write; all faults are told at once.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import pulumi
from pulumi.runtime import config as stack_config

from components.dns_zones.zones import DnsZones, Provider, ZoneNotConfigured, ZoneSetting
from components.publish_gates.settings import GateSettings
from components.report_intake import RuleSetChoice
from components.report_store import LEDGER_DAYS, QUARANTINE_DAYS, RAW_DAYS, Lifetimes
from mailtls import names
from mailtls.observe.dns import Resolver
from mailtls.reports.alert_limits import AlertLimits, InvalidLimits
from stacks.setting_reader import Fields, SettingFaults

REPOSITORY = Path(__file__).resolve().parent.parent
LONGEST_GATE = 180
"""Seconds. A gate holds a slot of the engine, and a CI job has an end."""
LONGEST_KEPT = 3_650
"""Days."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST_URL = 200
"""Characters. An alarm's text holds 1,024 in all."""

_LOCAL_PART = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~/%+@-]*)?")
_PARAMETER = re.compile(r"/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
"""Also what a policy of IAM takes without escapes."""
_WEBHOOK = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~/?%+@&=:,;!$'()*-]*)?")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


class Kind(StrEnum):
    """What a stack holds. `platform`: the policy bucket, reports, alerts; `domains`: domains; `all`: both."""

    ALL = "all"
    PLATFORM = "platform"
    DOMAINS = "domains"


USED_BY = {
    "policy_specs": (Kind.ALL, Kind.DOMAINS),
    "platform": (Kind.DOMAINS,),
    "reports": (Kind.ALL, Kind.PLATFORM),
    "subscriptions": (Kind.ALL, Kind.PLATFORM),
    "alerts": (Kind.ALL, Kind.PLATFORM),
    "per_domain_metrics": (Kind.ALL, Kind.PLATFORM),
    "cloudwatch_dashboard": (Kind.ALL, Kind.PLATFORM),
    "athena": (Kind.ALL, Kind.PLATFORM),
    "controller_hours": (Kind.ALL, Kind.PLATFORM),
    "retention": (Kind.ALL, Kind.PLATFORM),
    "digest": (Kind.ALL, Kind.PLATFORM),
    "links": (Kind.ALL, Kind.DOMAINS),
}
"""Settings that not every kind has a use for. Taken in silence, they would look as if they did something."""

SEVERITIES = ("critical", "warning", "info", "digest")
"""What a subscription may filter by. `digest` is the weekly message, which is no alert."""
DELIVERED = ("slack", "teams", "pagerduty", "webhook")
"""Subscribers that a function of ours brings alerts to (components/alert_delivery.py)."""
PROTOCOLS = ("https", "email", "email-json", *DELIVERED)
"""The first three need nothing but their own consent. A queue, function or stream has to let the topic in by a policy
or role of its own, which nobody makes here; whoever makes it subscribes to the topic there."""


@dataclass(frozen=True, slots=True)
class Reports:
    """The way in for reports: mail to `local_part@domain`.

    rule_set: `own`, `join:<name>` or `external`. activate: make our own set the active one. https: also by HTTPS POST.
    """

    domain: str
    local_part: str
    rule_set: str
    activate: bool
    https: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who hears of alerts: all of them, or those of one owner and of some severities.

    endpoint: "" for slack and teams, whose address is the secret, and where pagerduty has its usual one.
    secret: name of the SSM parameter; None but for DELIVERED.
    """

    protocol: str
    endpoint: str
    owner: str | None
    severity: tuple[str, ...]
    secret: str | None = None

    @property
    def hears_all(self) -> bool:
        """The alarms of the pipeline among it, which have neither owner nor severity?"""
        return self.owner is None and not self.severity


@dataclass(frozen=True, slots=True)
class Links:
    """Where alerts lead, without a slash at the end. dashboard: the site that `mailtls reports dashboard` wrote.
    runbook: a team's own page, in place of docs/alerts.md."""

    dashboard: str | None
    runbook: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the program is told.

    policy_specs: relative to the repository's root; None for kind platform. platform: the stack's full name; None but
    for kind domains. reports: None for kind domains. files_url: where people read the repository's files, without a
    slash at the end. controller_hours: after so many without a run of the controller an alarm tells of it; None: no
    such alarm. retention: days, by kind. digest: when the weekly message is due, as the function reads it; None: never.
    """

    kind: Kind
    region: str
    policy_specs: Path | None
    platform: str | None
    zones: DnsZones
    reports: Reports | None
    subscriptions: tuple[Subscription, ...]
    alerts: AlertLimits
    gate: GateSettings
    per_domain_metrics: bool
    cloudwatch_dashboard: bool
    athena: bool
    controller_hours: int | None
    retention: Lifetimes
    digest: str | None
    files_url: str | None
    links: Links
    allow_destroy: bool


def read_settings() -> Settings:
    """The settings of the stack that is being deployed. Raises pulumi.RunError, one line per fault."""
    try:
        return parse(stack_config.CONFIG.get(), os.environ, REPOSITORY)
    except SettingFaults as e:
        raise pulumi.RunError(str(e)) from e


def parse(config: Mapping[str, str], environment: Mapping[str, str], repository: Path) -> Settings:
    """`config`: the engine's map of `namespace:key` to text (structured values as JSON). Raises SettingFaults."""
    fields = Fields.of_stack(config, "mailtls")
    kind = fields.choice("kind", Kind, Kind.ALL)
    region = config.get("aws:region", "")
    if not _REGION.fullmatch(region):
        fields.fault("aws:region", "name the platform's region, such as eu-west-1")
    for key, kinds in USED_BY.items():
        if kind not in kinds:
            fields.unused(key, f"kind {kind} has no use for it, only {' and '.join(kinds)}; leave it out")
    zones = DnsZones(_zones(fields))
    settings = Settings(
        kind=kind,
        region=region,
        policy_specs=_policy_specs(fields, kind, repository),
        platform=_platform(fields, kind),
        zones=zones,
        reports=_reports(fields, kind, zones),
        subscriptions=_subscriptions(fields),
        alerts=_alerts(fields),
        gate=_gate(fields, environment),
        per_domain_metrics=fields.flag("per_domain_metrics"),
        cloudwatch_dashboard=fields.flag("cloudwatch_dashboard"),
        athena=fields.flag("athena"),
        controller_hours=_controller_hours(fields),
        retention=_retention(fields),
        digest=_digest(fields),
        files_url=_address(fields, "files_url"),
        links=_links(fields),
        allow_destroy=fields.flag("allow_destroy"),
    )
    fields.done()
    return settings


def _policy_specs(fields: Fields, kind: Kind, repository: Path) -> Path | None:
    if kind not in USED_BY["policy_specs"]:
        return None
    folder = fields.text("policy_specs", required=True)
    if folder is None:
        return None
    if not (repository / folder).exists():
        fields.fault("policy_specs", f"there is no {folder} in the repository; name a folder or file of specs")
    return Path(folder)


def _platform(fields: Fields, kind: Kind) -> str | None:
    if kind not in USED_BY["platform"]:
        return None
    stack = fields.text("platform", required=True)
    if stack is not None and stack.count("/") != 2:
        fields.fault("platform", f"{stack!r}: name the stack in full, such as organization/mailtls/platform")
    return stack


def _zones(fields: Fields) -> tuple[ZoneSetting, ...]:
    zones: list[ZoneSetting] = []
    for entry in fields.entries("zones"):
        suffix = _name(entry, "suffix")
        provider = entry.choice("provider", Provider, None)
        zone_id = entry.text("zone_id")
        if suffix in {zone.suffix for zone in zones}:
            entry.fault("suffix", f"{suffix} is there twice; leave one")
        zones.append(ZoneSetting(suffix, provider, zone_id))
    return tuple(zones)


def _reports(fields: Fields, kind: Kind, zones: DnsZones) -> Reports | None:
    if kind not in USED_BY["reports"]:
        return None
    entry = fields.entry("reports", required=True)
    if entry is None:
        return None
    domain = _name(entry, "domain")
    try:
        if domain:
            zones.setting_for(domain)
    except ZoneNotConfigured as e:
        entry.fault("domain", str(e))
    local_part = entry.text("local_part") or "tlsrpt"
    if not _LOCAL_PART.fullmatch(local_part):
        entry.fault("local_part", f"{local_part!r}: lower-case letters, digits, and . _ - between them")
    rule_set = entry.text("rule_set", required=True)
    activate = entry.flag("activate")
    try:
        if rule_set is not None:
            RuleSetChoice.parse(rule_set).check(activate=activate)
    except pulumi.RunError as e:
        key, _, text = str(e).partition(": ")
        entry.fault(key.removeprefix("reports."), text)
    return Reports(domain, local_part, rule_set or "", activate, entry.flag("https"))


def _subscriptions(fields: Fields) -> tuple[Subscription, ...]:
    return tuple(_subscription(entry) for entry in fields.entries("subscriptions"))


def _subscription(entry: Fields) -> Subscription:
    protocol = entry.word("protocol", PROTOCOLS, "subscribe others to the stack's output topic_arn by yourself")
    owner, severity = entry.text("owner"), entry.words("severity", SEVERITIES)
    if protocol not in DELIVERED:
        entry.unused("secret", f"{protocol} has no use for it, only {', '.join(DELIVERED)}; leave it out")
        return Subscription(protocol, entry.text("endpoint", required=True) or "", owner, severity)
    secret = entry.text("secret", required=True) or ""
    if secret and not (len(secret) <= LONGEST_URL and _PARAMETER.fullmatch(secret)):
        # not shown: it may be the secret itself
        entry.fault("secret", "write the name of an SSM parameter from its first slash, such as /mailtls/chat")
    if protocol in ("slack", "teams"):
        entry.unused("endpoint", f"the address for {protocol} is what the parameter `secret` holds; leave it out")
        return Subscription(protocol, "", owner, severity, secret)
    endpoint = entry.text("endpoint", required=protocol == "webhook") or ""
    if endpoint and not _WEBHOOK.fullmatch(endpoint):
        entry.fault("endpoint", "write https://host/path, without user, blanks and #")
    return Subscription(protocol, endpoint, owner, severity, secret)


def _alerts(fields: Fields) -> AlertLimits:
    entry = fields.entry("alerts") or Fields.empty(fields, "alerts")
    usual = AlertLimits()
    try:
        return AlertLimits(
            critical_sessions=int(entry.number("critical_sessions", usual.critical_sessions)),
            critical_share=entry.number("critical_share", usual.critical_share),
            critical_reporters=int(entry.number("critical_reporters", usual.critical_reporters)),
            per_hour=int(entry.number("per_hour", usual.per_hour)),
        )
    except InvalidLimits as e:
        key, _, text = str(e).partition(": ")
        entry.fault(key, text)
        return usual


def _links(fields: Fields) -> Links:
    entry = fields.entry("links") or Fields.empty(fields, "links")
    return Links(_address(entry, "dashboard"), _address(entry, "runbook"))


def _address(fields: Fields, key: str) -> str | None:
    """An address that others are added to, without a slash at its end."""
    url = (fields.text(key) or "").rstrip("/")
    if url and not (len(url) <= LONGEST_URL and _ADDRESS.fullmatch(url)):
        fields.fault(key, f"{url!r}: write https://host/path, without ? and #, at most {LONGEST_URL} characters")
        return None
    return url or None


def _gate(fields: Fields, environment: Mapping[str, str]) -> GateSettings:
    entry = fields.entry("gate") or Fields.empty(fields, "gate")
    limit = entry.number("timeout", LONGEST_GATE)
    if not 0 < limit <= LONGEST_GATE:
        entry.fault("timeout", f"{limit:g}: seconds, more than 0 and at most {LONGEST_GATE}")
    endpoint = entry.text("resolver") or environment.get("MAILTLS_RESOLVER")
    resolver = Resolver()
    try:
        resolver = Resolver.at(endpoint) if endpoint else resolver
    except ValueError as e:
        entry.fault("resolver", str(e))
    proxy = entry.text("proxy") or environment.get("MAILTLS_PROXY") or None
    if proxy is not None and not _is_proxy(proxy):
        entry.fault("proxy", f"{proxy!r}: write http://host:port")
    return GateSettings(limit, resolver, proxy, standing_look=entry.flag("standing_look", default=True))


def _controller_hours(fields: Fields) -> int | None:
    """An alarm looks back seven days at most."""
    hours = fields.number("controller_hours", 0)
    if hours == 0:
        return None
    if not (isinstance(hours, int) and 2 <= hours <= 168):
        fields.fault("controller_hours", f"{hours}: whole hours from 2 to 168; 0 or left out: no alarm")
        return None
    return hours


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname and parts.port) and parts.username is None
    except ValueError:  # a port that is none
        return False


def _name(entry: Fields, key: str) -> str:
    """A domain name as A-labels; a fault gives the empty string."""
    text = entry.text(key, required=True)
    try:
        return names.host_name(text) if text else ""
    except names.InvalidName as e:
        entry.fault(key, str(e))
        return ""


def _retention(fields: Fields) -> Lifetimes:
    """Whole days. The least ones keep what others need: a dead letter lives 14 days and its mail has to be there; the
    controller and the dashboard look 90 days back, and a disposition outlives its mail."""
    entry = fields.entry("retention") or Fields.empty(fields, "retention")
    raw = _days(entry, "raw_days", RAW_DAYS, 14)
    quarantine = _days(entry, "quarantine_days", QUARANTINE_DAYS, 14)
    return {
        "raw_days": raw,
        "quarantine_days": quarantine,
        "ledger_days": _days(entry, "ledger_days", LEDGER_DAYS, max(90, raw)),
    }


def _days(fields: Fields, key: str, usual: int, least: int) -> int:
    days = fields.number(key, usual)
    if isinstance(days, int) and least <= days <= LONGEST_KEPT:
        return days
    fields.fault(key, f"{days:g}: whole days from {least} to {LONGEST_KEPT}; left out: {usual}")
    return usual


def _digest(fields: Fields) -> str | None:
    entry = fields.entry("digest")
    if entry is None:
        return None
    weekday = entry.word("weekday", WEEKDAYS, "UTC")
    hour = entry.number("hour", 7)
    if not (isinstance(hour, int) and 0 <= hour <= 23):
        entry.fault("hour", f"{hour:g}: a whole hour from 0 to 23, UTC; left out: 7")
        return None
    return f"{WEEKDAYS.index(weekday) + 1}T{hour:02}" if weekday in WEEKDAYS else None
