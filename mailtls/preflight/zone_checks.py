"""What the answers about zones mean: may we write there, and does anybody read what we write?"""

from collections.abc import Iterator

from mailtls.mta_sts.policy import policy_host
from mailtls.names import is_under
from mailtls.preflight.caa import why_amazon_is_forbidden
from mailtls.preflight.check import Check, State
from mailtls.preflight.seen import (
    Delegation,
    Distributions,
    NotAsked,
    NoZone,
    Published,
    Refused,
    Seen,
    SeveralZones,
    TokenSeen,
    ZoneSeen,
)
from mailtls.preflight.wanted import Provider, Wanted, ZoneWanted

EDIT_ZONES = "Zone > DNS > Edit and Zone > Zone > Read on the zones"
_EDIT = "#dns_records:edit"


def token_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    """Cloudflare's token as such; what it may do in a zone is told with the zone."""
    if not wanted.writes_to(Provider.CLOUDFLARE):
        return
    check = "cloudflare-token"
    match seen.token:
        case TokenSeen("active", expires):
            yield Check(check, "", State.OK, f"active, until {expires}" if expires else "active, without an end")
        case TokenSeen(status, _):
            do = f"make a new one with {EDIT_ZONES}; set CLOUDFLARE_API_TOKEN"
            yield Check(check, "", State.PROBLEM, f"the token is {status}", do)
        case Refused(why):
            if any(isinstance(zone, ZoneSeen) and zone.permissions is not None for zone in seen.zones.values()):
                # /user/tokens/verify knows users' tokens only; an account's own works all the same
                yield Check(check, "", State.OK, "not a user's token, and it reads zones: one that an account owns")
            else:
                do = f"set CLOUDFLARE_API_TOKEN to a token with {EDIT_ZONES}"
                yield Check(check, "", State.PROBLEM, why, do)
        case NotAsked(why, do):
            yield Check(check, "", State.NOT_ASKED, why, do)


def zone_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    for zone in wanted.zones:
        found = seen.zones.get(zone.suffix)
        match found:
            case ZoneSeen():
                yield _zone(zone, found)
                yield _delegation(zone, found, seen.delegations.get(zone.suffix))
            case NoZone():
                yield Check("zone", zone.suffix, State.PROBLEM, _no_zone(zone), _where_to_add(zone))
            case SeveralZones(ids):
                told = f"Route 53 has {len(ids)} public zones of that name: {', '.join(ids)}"
                do = "write the zone_id of the one that the internet asks beside the suffix"
                yield Check("zone", zone.suffix, State.PROBLEM, told, do)
            case NotAsked(why, do):
                yield Check("zone", zone.suffix, State.NOT_ASKED, why, do)


def name_checks(wanted: Wanted) -> Iterator[Check]:
    """Names that the stack has no zone for: `pulumi preview` refuses them."""
    domains = (wanted.policy_domains or ()) if wanted.has_domains else ()
    reports = (wanted.reports.domain,) if wanted.reports and wanted.reports.rule_set != "external" else ()
    for name in (*domains, *reports):
        if not any(is_under(name, zone.suffix) for zone in wanted.zones):
            told = (
                f"in no zone of the stack ({', '.join(zone.suffix for zone in wanted.zones[:8]) or 'there are none'})"
            )
            do = "name its zone and who hosts it: mailtls:zones in the stack's file, or --zone"
            yield Check("zone-not-configured", name, State.PROBLEM, told, do)


def _no_zone(zone: ZoneWanted) -> str:
    if zone.provider is Provider.CLOUDFLARE:
        return "Cloudflare shows no such zone to this token"
    return "Route 53 has no such public zone in this account"


def _where_to_add(zone: ZoneWanted) -> str:
    if zone.provider is Provider.CLOUDFLARE:
        return f"correct the suffix, or give the token {EDIT_ZONES}"
    return "correct the suffix, or use the account that has the zone"


def _zone(zone: ZoneWanted, found: ZoneSeen) -> Check:
    check, suffix = "zone", zone.suffix
    if found.private:
        told = f"{found.zone_id} is a private zone, which no sender can see"
        return Check(check, suffix, State.PROBLEM, told, "name the public zone's zone_id")
    if zone.provider is Provider.ROUTE53:
        return Check(check, suffix, State.OK, f"at Route 53, {found.zone_id}")
    if found.kind != "full":
        told = f"at Cloudflare as a {found.kind} zone: its records are kept elsewhere"
        return Check(check, suffix, State.PROBLEM, told, "write the records where the zone is kept, or move it whole")
    if found.status != "active":
        told = f"at Cloudflare, with the status {found.status or 'unknown'}: it does not answer for it yet"
        do = f"at the registrar, name {', '.join(found.name_servers) or 'the name servers that Cloudflare shows'}"
        return Check(check, suffix, State.PROBLEM, told, do)
    if not found.permissions:
        told = "at Cloudflare, which does not say what the token may do there"
        return Check(check, suffix, State.NOT_ASKED, told, f"see that the token has {EDIT_ZONES}")
    if _EDIT not in found.permissions:
        told = f"the token may not edit records there, only {', '.join(found.permissions)}"
        return Check(check, suffix, State.PROBLEM, told, f"give the token {EDIT_ZONES}")
    return Check(check, suffix, State.OK, "at Cloudflare, and the token may edit its records")


def _delegation(zone: ZoneWanted, found: ZoneSeen, seen: Delegation | NotAsked | None) -> Check:
    check, suffix = "delegation", zone.suffix
    if seen is None or isinstance(seen, NotAsked):
        missing = seen or NotAsked("the DNS was not asked")
        return Check(check, suffix, State.NOT_ASKED, missing.why, missing.do)
    assigned = {_server(name) for name in found.name_servers}
    asked = {_server(name) for name in seen.name_servers}
    do = f"at the registrar, name exactly {', '.join(sorted(assigned))}; or write to the zone that is asked"
    if not assigned:
        return Check(check, suffix, State.NOT_ASKED, "the provider does not name the zone's servers")
    if not asked:
        return Check(check, suffix, State.PROBLEM, "nobody asks this zone: it is not delegated", do)
    if asked <= assigned:
        return Check(check, suffix, State.OK, f"the internet asks {', '.join(sorted(asked))}, as it should")
    if seen.addresses and seen.addresses <= seen.assigned_addresses:
        told = f"the internet asks {', '.join(sorted(asked))}: other names, the same servers"
        return Check(check, suffix, State.OK, told)
    astray = ", ".join(sorted(asked - assigned))
    told = f"the internet asks {astray}, and the zone that we write to is served by {', '.join(sorted(assigned))}"
    if asked & assigned:
        told += ": some senders would see our records and some would not"
    else:
        told += ": nobody would see our records"
    return Check(check, suffix, State.PROBLEM, told, do)


def _server(name: str) -> str:
    return name.lower().removesuffix(".")


def caa_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    """One line for all hosts where Amazon may issue, and one for each where it may not."""
    hosts = [f"mta-sts.{domain}" for domain in wanted.policy_domains or ()] if wanted.has_domains else []
    allowed = 0
    for host in hosts:
        found = seen.caa.get(host)
        if found is None or isinstance(found, NotAsked):
            missing = found or NotAsked("the DNS was not asked")
            yield Check("caa", host, State.NOT_ASKED, missing.why, missing.do)
        elif why := why_amazon_is_forbidden(found.values):
            told = f"the CAA record at {found.owner} forbids the certificate: {why}"
            yield Check("caa", host, State.PROBLEM, told, f'add to it, at {found.owner}: 0 issue "amazon.com"')
        else:
            allowed += 1
    if allowed:
        subject = "1 policy host" if allowed == 1 else f"{allowed} policy hosts"
        yield Check("caa", subject, State.OK, "Amazon may issue the certificate")


def record_checks(wanted: Wanted, seen: Seen) -> Iterator[Check]:
    """What a former host left, beside which the program publishes nothing. A host that one of the account's
    distributions answers for is ours, and so are its records."""
    ours = seen.distributions.aliases if isinstance(seen.distributions, Distributions) else None
    free = 0
    for domain in (wanted.policy_domains or ()) if wanted.has_domains else ():
        found = seen.published.get(domain)
        if found is None or isinstance(found, NotAsked):
            missing = found or NotAsked("the DNS was not asked")
            yield Check("old-records", domain, State.NOT_ASKED, missing.why, missing.do)
            continue
        there = _there(domain, found)
        if there and ours is None:
            told = f"{there}: whose these are is not known, since the distributions could not be asked"
            yield Check("old-records", domain, State.NOT_ASKED, told)
        elif there and policy_host(domain) not in (ours or ()):
            told = f"{there}: of a former host, as no distribution of this account answers for {policy_host(domain)}"
            do = "remove it just before the first `pulumi up`, which puts nothing beside it; mailtls init --adopt "
            do += "writes the policy that is served as a spec"
            yield Check("old-records", domain, State.PROBLEM, told, do)
        else:
            free += 1
    if free:
        subject = "1 domain" if free == 1 else f"{free} domains"
        yield Check("old-records", subject, State.OK, "no record of a former host is in the way")


def _there(domain: str, found: Published) -> str:
    names = ((found.mta_sts, f"_mta-sts.{domain}"), (found.tls_rpt, f"_smtp._tls.{domain}"))
    listed = [name for there, name in (*names, (found.policy_host, policy_host(domain))) if there]
    return f"{', '.join(listed)} {'is' if len(listed) == 1 else 'are'} there" if listed else ""
