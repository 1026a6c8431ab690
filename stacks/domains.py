"""The domains of one stack: specs in, policy hosts and records out."""

import contextlib
import dataclasses
import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.dns_zones.zone import DnsZone
from components.dns_zones.zones import ZoneNotConfigured
from components.policy_domain import Hosting, PolicyDomain, PolicyDomainArgs, must_not_be_deleted
from components.policy_host import PolicyEdge
from components.publish_gates.standing_look import look_at_what_is_published
from mailtls.lint import Severity
from mailtls.lint.specs import spec_findings
from mailtls.spec.errors import SpecErrors
from mailtls.spec.load import load
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.contract import domain_list_key, render_domain_list
from stacks.deployed import Deployed, DeployedDomain
from stacks.platform_stack import Platform
from stacks.settings import REPOSITORY, Settings
from stacks.still_live import Wanted, own_domains

MOST_DOMAINS = 100
"""Per stack: CloudFront takes 100 distributions per origin access control, and state grows with the stack."""
MX_NOT_IN_POLICY = "mx-not-in-policy"
"""The rule that a spec's `suppress` silences with a reason: a live MX that an enforce policy leaves out."""


@dataclass(frozen=True, slots=True)
class Domains:
    """What the stack tells of its domains: id and host of each one that publishes a policy; None while none is."""

    policy_ids: dict[str, pulumi.Output[str | None]]
    policy_hosts: dict[str, pulumi.Output[str | None]]


def load_specs(settings: Settings) -> tuple[PolicySpec, ...]:
    """The specs, loaded and checked. Raises pulumi.RunError, one line per fault, before anything is registered."""
    if settings.policy_specs is None:
        return ()
    try:
        with contextlib.chdir(REPOSITORY):  # the program runs in stacks/, but paths in errors are for people
            specs = load(settings.policy_specs)
    except SpecErrors as e:
        raise pulumi.RunError(f"the specs cannot be deployed:\n{e}") from e
    faults = [fault for spec in specs for fault in _faults(spec, settings)]
    now = datetime.datetime.now(datetime.UTC)
    faults += [str(finding) for finding in spec_findings(specs, now=now) if finding.severity is Severity.ERROR]
    if len(specs) > MOST_DOMAINS:
        faults.append(f"{settings.policy_specs}: {len(specs)} domains; a stack holds {MOST_DOMAINS}, make another one")
    if faults:
        raise pulumi.RunError("the specs cannot be deployed:\n" + "\n".join(faults))
    return specs


def warn_of_specs(specs: tuple[PolicySpec, ...], deployed: Deployed) -> None:
    """Say what is allowed in the specs and still unwise. A domain is new until its record has a policy id."""
    published = frozenset(name for name, domain in deployed.domains.items() if domain.policy_id is not None)
    for finding in spec_findings(specs, published, now=datetime.datetime.now(datetime.UTC)):
        if finding.severity is Severity.WARNING:
            pulumi.log.warn(str(finding))


def look_up_zones(settings: Settings, specs: tuple[PolicySpec, ...]) -> None:
    """Find every zone that will be needed, before anything is registered. Raises LookUpFailed, one line per zone."""
    reports = [settings.reports.domain] if settings.reports is not None else []
    settings.zones.find([*reports, *(spec.policy_domain for spec in specs)])


def deploy_domains(settings: Settings, wanted: Wanted, platform: Platform, deployed: Deployed) -> Domains:
    """Register every wanted domain, and tell the platform's Lambda which ones are ours."""
    stack = pulumi.get_stack()
    keep = pulumi.ResourceOptions(protect=not settings.allow_destroy)
    edge = PolicyEdge("policy-edge", {"stack": stack}, keep)
    hosting: Hosting = {
        "policy_bucket": platform.policy_bucket,
        "policy_bucket_regional_domain_name": platform.policy_bucket_regional_domain_name,
        "origin_access_control_id": edge.origin_access_control_id,
        "response_headers_policy_id": edge.response_headers_policy_id,
        "keep_policies": not settings.allow_destroy,
    }
    listed = render_domain_list(
        dataclasses.replace(
            own,
            files_url=settings.files_url,
            dashboard_url=settings.links.dashboard,
            runbook_url=settings.links.runbook,
        )
        for own in own_domains(wanted.specs, deployed)
    )
    domain_list = aws.s3.BucketObjectv2(
        "domain-list",
        bucket=platform.reports_bucket,
        key=domain_list_key(stack),
        content=listed,
        # the provider never reads the text: only by this does a refresh see that another one is there
        etag=hashlib.md5(listed.encode("utf-8"), usedforsecurity=False).hexdigest(),
        content_type="application/json",
        opts=keep,
    )
    # reports about a domain that is not on the list yet would be taken for somebody else's
    route: list[pulumi.Resource] = [*platform.route, domain_list]
    domains = {
        spec.policy_domain: _deploy(
            spec,
            wanted.zones.get(spec.policy_domain) or settings.zones.zone_for(spec.policy_domain),
            settings,
            platform,
            hosting,
            route,
        )
        for spec in wanted.specs
    }
    look_at_what_is_published([domain.published for domain in domains.values()], settings.gate)
    return _published(domains, deployed)


def _published(domains: Mapping[str, PolicyDomain], deployed: Deployed) -> Domains:
    """What the records say: the new values where this run wrote them, else those that stay."""
    ids, hosts = {}, {}
    for name, domain in domains.items():
        before = deployed.domains.get(name, DeployedDomain(name))
        if domain.policy_id is not None:
            ids[name] = _told(domain.policy_id, before.policy_id)
        if domain.policy_host is not None:
            hosts[name] = _told(domain.policy_host, before.policy_host)
    return Domains(ids, hosts)


def _told(now: pulumi.Output[str], before: str | None) -> pulumi.Output[str | None]:
    """The new value, or the one before when its record was refused."""
    return now.apply(_or_none).recover(lambda _: before)


def _or_none(value: str) -> str | None:
    return value


def _deploy(
    spec: PolicySpec,
    zone: DnsZone,
    settings: Settings,
    platform: Platform,
    hosting: Hosting,
    route: list[pulumi.Resource],
) -> PolicyDomain:
    args: PolicyDomainArgs = {
        "policy_domain": spec.policy_domain,
        "zone": zone,
        "gate": settings.gate,
        "hosting": hosting,
    }
    policy = spec.mta_sts.policy if spec.mta_sts else None
    if policy is not None:
        args["policy"] = policy
    if spec.tls_rpt is not None:
        args["rua"] = spec.tls_rpt.rua or platform.ruas
        args["reports_received_by"] = () if spec.tls_rpt.rua else route
    if (reason := spec.suppress.get(MX_NOT_IN_POLICY)) is not None:
        args["mx_not_in_policy_allowed"] = reason
    protect = must_not_be_deleted(policy) and not settings.allow_destroy
    return PolicyDomain(spec.policy_domain, args, pulumi.ResourceOptions(protect=protect))


def _faults(spec: PolicySpec, settings: Settings) -> list[str]:
    """What these settings cannot do for this spec."""
    try:
        settings.zones.setting_for(spec.policy_domain)
    except ZoneNotConfigured as e:
        return [f"{spec.source.file}:{spec.source.line}: {e}"]
    return []
