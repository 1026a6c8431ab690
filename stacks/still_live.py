"""Domains that are live and that no spec asks for any more: they stay as they are deployed, and the user is told.

Senders hold an `enforce` policy for weeks, so its records, its policy and its place on the list of our domains must not
go before it has been retired. A spec goes missing in many ways (deleted, renamed to a name that is not read, another
domain written into it, its `mta_sts` taken out, its zone moved), and none of them says "retire".
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pulumi

from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.dns_zones.zones import Provider, ZoneNotConfigured
from mailtls.mta_sts.policy import Policy
from mailtls.spec.model import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.tls_rpt.contract import OwnDomain
from stacks.deployed import Deployed, DeployedDomain
from stacks.settings import Settings

DAY = 86400


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the program registers. zones: of domains whose records stay where they are, whatever the settings say.
    told: what the user has to hear, one text per domain. failing: whether `up` ends with an error for it."""

    specs: tuple[PolicySpec, ...]
    zones: dict[str, DnsZone]
    told: tuple[str, ...] = ()
    failing: bool = False


def keep_what_is_live(
    specs: tuple[PolicySpec, ...], deployed: Deployed, settings: Settings, today: datetime.date
) -> Wanted:
    """`specs`, and beside them every live domain as it is deployed that they leave out or move.

    With `allow_destroy` leaving out is what was asked for. Protection lies in the state, so one more run is needed
    there to lift it.
    """
    by_name = {spec.policy_domain: spec for spec in specs}
    zones: dict[str, DnsZone] = {}
    told: list[str] = []
    for name, domain in sorted(deployed.domains.items()):
        if not domain.live or (settings.allow_destroy and not domain.protected):
            continue
        spec, listed = by_name.get(name), deployed.listed.get(name)
        if spec is None or spec.mta_sts is None:
            by_name[name] = as_deployed(domain, listed, spec, deployed)
            told.append(lifted(name) if settings.allow_destroy else gone(domain, listed, spec, today))
            zones[name] = zone_of(domain, settings)
        elif not settings.allow_destroy and has_moved(domain, settings):
            told.append(moved(domain, spec, settings))
            zones[name] = zone_of(domain, settings)
    wanted = tuple(by_name[name] for name in sorted(by_name))
    return Wanted(wanted, zones, tuple(told), failing=bool(told) and not settings.allow_destroy)


def own_domains(wanted: Iterable[PolicySpec], deployed: Deployed) -> list[OwnDomain]:
    """What the Lambda is told is ours: what is wanted, and what is deployed still. A domain that this run takes away
    leaves the list in the next one: its records go last, and may be refused."""
    listed = {spec.policy_domain: own_domain(spec) for spec in wanted}
    for name, domain in deployed.domains.items():
        if name not in listed:
            before = deployed.listed.get(name, OwnDomain(name))
            mode = domain.policy.mode.value if domain.policy else None
            mx = tuple(map(str, domain.policy.mx)) if domain.policy else ()
            listed[name] = replace(before, mode=mode, mx=mx)
    return list(listed.values())


def own_domain(spec: PolicySpec) -> OwnDomain:
    mode = spec.mta_sts.mode.value if spec.mta_sts else None
    mx = tuple(str(pattern) for pattern in spec.mta_sts.mx) if spec.mta_sts else ()
    until, reason = (spec.mute.until, spec.mute.reason) if spec.mute else (None, None)
    return OwnDomain(
        spec.policy_domain,
        mode,
        mx,
        spec.owner,
        spec.contact,
        spec.source.file,
        mute_until=until,
        mute_reason=reason,
    )


def as_deployed(
    domain: DeployedDomain, listed: OwnDomain | None, spec: PolicySpec | None, deployed: Deployed
) -> PolicySpec:
    """The spec that gives just what is deployed; where there is one without `mta_sts`, with the rest of it."""
    policy = _policy_of(domain)
    mta_sts = MtaSts(policy.mode, policy.mx, policy.max_age)
    if spec is not None:
        return replace(spec, mta_sts=mta_sts)
    # the platform's own address stays the platform's own: it may get another one
    own = tuple(filter(None, (deployed.outputs.get("rua"), deployed.outputs.get("rua_https"))))
    rua = () if domain.rua == own else domain.rua
    listed = listed or OwnDomain(domain.policy_domain)
    return PolicySpec(
        domain.policy_domain,
        mta_sts,
        TlsRpt(rua) if domain.rua else None,
        listed.owner,
        listed.contact,
        Source(listed.spec or "", 1),
    )


def has_moved(domain: DeployedDomain, settings: Settings) -> bool:
    """Whether the settings have its records in another zone than the one they are in."""
    try:
        setting = settings.zones.setting_for(domain.policy_domain)
    except ZoneNotConfigured:  # told as a fault of the spec
        return False
    if domain.provider is None:
        return False
    if setting.provider is not domain.provider:
        return True
    zone_id = _zone_id(settings.zones.zone_for(domain.policy_domain))
    return zone_id is not None and zone_id != domain.zone_id


def zone_of(domain: DeployedDomain, settings: Settings) -> DnsZone:
    """The zone that its records are in. Its apex is a hint for a walk that goes on below it."""
    try:
        apex = settings.zones.setting_for(domain.policy_domain).suffix
    except ZoneNotConfigured:
        apex = domain.policy_domain
    kind = CloudflareZone if domain.provider is Provider.CLOUDFLARE else Route53Zone
    return kind(apex, domain.zone_id or "")


def gone(domain: DeployedDomain, listed: OwnDomain | None, spec: PolicySpec | None, today: datetime.date) -> str:
    """What happened, and the safe ways out."""
    name, policy = domain.policy_domain, _policy_of(domain)
    if spec is not None:
        happened = (
            f"{spec.source.file}:{spec.source.line}: {name} is live in mode {policy.mode}, but its spec has no mta_sts"
        )
    else:
        file = f" (it was in {listed.spec})" if listed and listed.spec else ""
        happened = f"{name} is live in mode {policy.mode}, but no spec names it any more{file}"
    days = -(-policy.max_age // DAY)
    until = today + datetime.timedelta(days=days)
    return (
        f"{happened}. Senders hold its policy for up to {days} {'day' if days == 1 else 'days'}, so it stays as it is "
        "deployed: its policy, its records, its place "
        "on the list of our domains. To keep it, put back what was taken out. To retire it, put it back with "
        "mode: none and the same mx lines, run pulumi up, and take it out when every sender has forgotten the old "
        "policy: "
        f"if that is done today, on {until} (its max_age; if a longer one was served before, that counts from then)."
    )


def moved(domain: DeployedDomain, spec: PolicySpec, settings: Settings) -> str:
    """What the settings would do, and how to do it."""
    setting = settings.zones.setting_for(domain.policy_domain)
    return (
        f"{spec.source.file}:{spec.source.line}: the records of {domain.policy_domain} are in zone {domain.zone_id} "
        f"({domain.provider}), but mailtls:zones has its suffix {setting.suffix} in another one "
        f"({setting.provider}). They "
        "stay where they are, since to move them is to delete them there. To keep them, put mailtls:zones back. To "
        "move "
        "them, when the new zone is ready to be delegated to: set mailtls:allow_destroy: true, run pulumi up, change "
        "the "
        "name servers at once, and set it to false again. Senders go on with the policy that they hold meanwhile."
    )


def lifted(name: str) -> str:
    return f"{name}: this run lifts its protection, since mailtls:allow_destroy is true; the next pulumi up removes it."


def tell(wanted: Wanted, *, preview: bool) -> None:
    """Call it when everything is registered. In an `up` raises pulumi.RunError for what the user has to mend: by then
    all else is under way, and the engine finishes it. A preview only warns, since `pulumi up` would stop there."""
    if not wanted.told:
        return
    text = "\n".join(wanted.told)
    if wanted.failing and not preview:
        raise pulumi.RunError(f"{text}\nEverything else is deployed; nothing was deleted in this run.")
    pulumi.log.warn(text)


def _policy_of(domain: DeployedDomain) -> Policy:
    if domain.policy is None:
        raise ValueError(f"{domain.policy_domain} has no policy, so it is not live")
    return domain.policy


def _zone_id(zone: DnsZone) -> str | None:
    """None while the look-up is under way."""
    found = zone.zone_id if isinstance(zone, (CloudflareZone, Route53Zone)) else None
    return found if isinstance(found, str) else None
