"""Changes of settings that would take away what live domains or their reports need: refused in words, before anything
is registered. The engine would refuse them too, in words that name resources, and in the middle of its work."""

import pulumi

from components.report_intake import RuleSet, RuleSetChoice
from stacks.deployed import Deployed, WayIn, platform_region
from stacks.settings import Kind, Reports, Settings

LIFT = (
    "if it is meant: put the setting back, set mailtls:allow_destroy: true, run pulumi up, make the change, run "
    "pulumi up "
    "again, then set mailtls:allow_destroy to false and run it once more"
)


def refuse(settings: Settings, deployed: Deployed) -> None:
    """Raises pulumi.RunError, one line per fault."""
    faults = _region_faults(settings, deployed)
    if not settings.allow_destroy:
        faults += _kind_faults(settings, deployed)
        if settings.reports is not None and deployed.way_in is not None:
            faults += _way_in_faults(settings.reports, deployed.way_in)
    if faults:
        raise pulumi.RunError("\n".join(faults))
    if settings.reports is not None and deployed.way_in is not None:
        _warn_of_another_address(settings.reports, deployed.way_in)


def _warn_of_another_address(reports: Reports, way_in: WayIn) -> None:
    address = f"{reports.local_part}@{way_in.domain}"
    if address not in way_in.recipients:
        pulumi.log.warn(
            f"mailtls:reports.local_part: {reports.local_part} takes the place of {', '.join(way_in.recipients)}: "
            "senders that "
            "still hold the old address mail there for a day or two, and those reports bounce"
        )


def _region_faults(settings: Settings, deployed: Deployed) -> list[str]:
    if deployed.region is not None and settings.region != deployed.region:
        return [
            f"aws:region: {settings.region}, but this stack is deployed in {deployed.region}: buckets and reports "
            "would be "
            f"left behind there and made anew in {settings.region}; write aws:region: {deployed.region}, or make "
            "another "
            f"stack for {settings.region}"
        ]
    if settings.platform is not None:
        region = platform_region(settings.platform)
        if region is not None and settings.region != region:
            return [
                f"aws:region: {settings.region}, but the platform {settings.platform} is in {region}, and so are the "
                "buckets "
                f"that this stack writes to; write aws:region: {region}"
            ]
    return []


def _kind_faults(settings: Settings, deployed: Deployed) -> list[str]:
    if settings.kind is Kind.DOMAINS and deployed.has_platform:
        return [
            "mailtls:kind: domains, but this stack holds a platform: policy bucket, reports, alerts. Without it every "
            f"policy host would answer with an error; write kind: all or kind: platform; {LIFT}"
        ]
    live = sorted(name for name, domain in deployed.domains.items() if domain.live)
    if settings.kind is Kind.PLATFORM and live:
        return [
            f"mailtls:kind: platform, but this stack holds live domains ({', '.join(live)}), and a platform has "
            "none; write "
            f"kind: all; {LIFT}"
        ]
    return []


def _way_in_faults(reports: Reports, way_in: WayIn) -> list[str]:
    faults = []
    if reports.domain != way_in.domain:
        faults.append(
            f"mailtls:reports.domain: {reports.domain}, but reports come in at {way_in.domain}: those that senders "
            "mail to "
            f"the old address in the next days would be lost; write domain: {way_in.domain}; {LIFT}"
        )
    choice = RuleSetChoice.parse(reports.rule_set)
    kept = choice.kind is RuleSet.OWN if way_in.own else choice.name == way_in.rule_set
    if not kept:
        now = "own" if way_in.own else f"join:{way_in.rule_set}"
        faults.append(
            f"mailtls:reports.rule_set: {reports.rule_set}, but reports come in by {now}: in between none would; write "
            f"rule_set: {now}; {LIFT}"
        )
    return faults
