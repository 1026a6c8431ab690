"""What this stack holds by its last checkpoint, as values: its domains, its region, its way in for reports.

The engine answers by itself (its function `readStackResourceOutputs`), of this stack as of any other, in a preview as
in an `up`; so where and how the state is kept stays its own affair. Before the first `up` the answer is empty.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.dns_zones.zones import Provider
from components.policy_domain import must_not_be_deleted
from mailtls.mta_sts import MtaStsError
from mailtls.mta_sts.policy import Policy
from mailtls.mta_sts.record import Record as MtaStsRecord
from mailtls.tls_rpt.contract import DomainListError, OwnDomain, parse_domain_list
from mailtls.tls_rpt.record import Record as TlsRptRecord
from mailtls.tls_rpt.record import RecordError as TlsRptRecordError

READ = "pulumi:pulumi:readStackResourceOutputs"
READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
TRIES = 20
PAUSE = 0.25
"""Seconds. While `up` runs, a checkpoint in a file is now and then caught half written; the next moment it is whole."""

DOMAIN = "mailtls:index:PolicyDomain"
_STACK = "pulumi:pulumi:Stack"
_ZONE_OF: dict[str, tuple[Provider, DnsZone]] = {
    "cloudflare:index/dnsRecord:DnsRecord": (Provider.CLOUDFLARE, CloudflareZone("", "")),
    "aws:route53/record:Record": (Provider.ROUTE53, Route53Zone("", "")),
}
_ARN_REGION = re.compile(r"arn:[^:]*:[^:]*:([a-z0-9-]+):")


@dataclass(frozen=True, slots=True)
class DeployedDomain:
    """One policy domain as the state has it.

    policy: what its object holds. policy_id: what `_mta-sts` says. policy_host: what `mta-sts` is the name of.
    rua: what `_smtp._tls` says. Each None, or (), when it is not there.
    provider, zone_id: where its records are; None without records.
    protected: whether the engine refuses to delete it.
    """

    policy_domain: str
    policy: Policy | None = None
    policy_id: str | None = None
    policy_host: str | None = None
    rua: tuple[str, ...] = ()
    provider: Provider | None = None
    zone_id: str | None = None
    protected: bool = True

    @property
    def live(self) -> bool:
        """Whether senders may hold a policy of it that asks something of its hosts."""
        return must_not_be_deleted(self.policy)


@dataclass(frozen=True, slots=True)
class WayIn:
    """Where mailed reports come in. rule_set: the receipt rule set's name; own: whether it is this stack's."""

    domain: str
    recipients: tuple[str, ...]
    rule_set: str
    own: bool


@dataclass(frozen=True, slots=True)
class Deployed:
    """One stack as its last checkpoint has it.

    domains: by name. listed: the list that the Lambda reads, by policy domain. region: of its buckets or their objects;
    None when there are none. way_in: None when there is none, or others keep it. outputs: what it exported.
    """

    domains: Mapping[str, DeployedDomain] = field(default_factory=dict)
    listed: Mapping[str, OwnDomain] = field(default_factory=dict)
    region: str | None = None
    has_platform: bool = False
    way_in: WayIn | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)


def read_deployed() -> Deployed:
    """The stack that is being deployed. Raises pulumi.RunError when the engine cannot say."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    return parse(_asked(READ, {"stackName": stack}, stack)["outputs"])


def platform_region(platform: str) -> str | None:
    """The region of the platform `platform` (a stack's full name), by its outputs; None when they do not tell, or
    cannot be read: who refers to the platform tells that."""
    try:
        outputs = _asked(READ_OUTPUTS, {"name": platform}, platform)["outputs"]
    except pulumi.RunError:
        return None
    found = _ARN_REGION.match(str(outputs.get("topic_arn")))
    return found[1] if found else None


def parse(resources: Mapping[str, Mapping[str, Any]]) -> Deployed:
    """`resources`: the engine's answer, URN -> {type, outputs}."""
    top = {_name(urn): entry for urn, entry in resources.items() if "$" not in _types(urn)}
    below = {_name(urn): entry for urn, entry in resources.items() if "$" in _types(urn)}
    domains = [_domain(_name(urn), entry, below) for urn, entry in resources.items() if _types(urn) == DOMAIN]
    domain_list = top.get("domain-list", {}).get("outputs", {})
    policy_bucket = below.get("policy-store-bucket", {}).get("outputs", {})
    root: Mapping[str, Any] = next((entry["outputs"] for entry in resources.values() if entry["type"] == _STACK), {})
    return Deployed(
        domains={domain.policy_domain: domain for domain in domains},
        listed=_listed(domain_list.get("content")),
        region=policy_bucket.get("region") or domain_list.get("region"),
        has_platform=bool(policy_bucket),
        way_in=_way_in(below),
        outputs=root,
    )


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _types(urn: str) -> str:
    """The chain of types in a URN: those of the ancestors, `$` between, its own last."""
    return urn.split("::")[2]


def _domain(name: str, component: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> DeployedDomain:
    records = {kind: resources.get(f"{name}-{kind}") for kind in ("mta-sts-txt", "mta-sts-cname", "tls-rpt-txt")}
    provider, zone_id = next((_zone(record) for record in records.values() if record), (None, None))
    alias = records["mta-sts-cname"]
    return DeployedDomain(
        policy_domain=name,
        policy=_policy(resources.get(f"{name}-policy")),
        policy_id=_policy_id(records["mta-sts-txt"]),
        policy_host=str(alias["outputs"]["name"]) if alias else None,
        rua=_rua(records["tls-rpt-txt"]),
        provider=provider,
        zone_id=zone_id,
        protected=component["outputs"].get("protected", True),
    )


def _policy(found: Mapping[str, Any] | None) -> Policy | None:
    """None also for a text that is no policy: then no sender holds it."""
    try:
        return Policy.parse(str(found["outputs"]["content"]).encode()) if found else None
    except MtaStsError:
        return None


def _policy_id(record: Mapping[str, Any] | None) -> str | None:
    for text in _texts(record):
        try:
            return MtaStsRecord.parse(text).policy_id
        except MtaStsError:
            continue
    return None


def _rua(record: Mapping[str, Any] | None) -> tuple[str, ...]:
    for text in _texts(record):
        try:
            return tuple(TlsRptRecord.parse(text).rua)
        except TlsRptRecordError:
            continue
    return ()


def _texts(record: Mapping[str, Any] | None) -> tuple[str, ...]:
    if record is None or record["type"] not in _ZONE_OF:
        return ()
    return _ZONE_OF[record["type"]][1].txt_values(record["outputs"])


def _zone(record: Mapping[str, Any]) -> tuple[Provider | None, str | None]:
    if record["type"] not in _ZONE_OF:
        return None, None
    return _ZONE_OF[record["type"]][0], str(record["outputs"]["zoneId"])


def _listed(text: str | None) -> dict[str, OwnDomain]:
    try:
        return {own.policy_domain: own for own in parse_domain_list(text)} if text else {}
    except DomainListError:
        return {}  # of another version of this program: the new list is written without it


def _way_in(resources: Mapping[str, Mapping[str, Any]]) -> WayIn | None:
    identity, rule = resources.get("reports-intake-identity"), resources.get("reports-intake-rule")
    if identity is None or rule is None:
        return None
    return WayIn(
        domain=str(identity["outputs"]["domain"]),
        recipients=tuple(rule["outputs"].get("recipients") or ()),
        rule_set=str(rule["outputs"]["ruleSetName"]),
        own="reports-intake-rule-set" in resources,
    )


def _asked(function: str, arguments: dict[str, Any], stack: str) -> dict[str, Any]:
    """The engine's answer. Raises pulumi.RunError."""
    for tries_left in reversed(range(TRIES)):
        try:
            answer: dict[str, Any] = pulumi.runtime.invoke(function, arguments).value
            return answer
        except Exception as e:  # the SDK raises nothing narrower for what the engine answers
            if not tries_left or "checkpoint" not in str(e):
                raise pulumi.RunError(
                    f"{stack}: what is deployed there cannot be read, and without it nothing can be changed safely: {e}"
                ) from e
            time.sleep(PAUSE)
    raise AssertionError("unreachable")
