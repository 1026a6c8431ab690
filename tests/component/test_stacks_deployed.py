"""What the state says is deployed, and what the program makes of it: kept, listed, refused, told."""

import datetime
from typing import Any

import pulumi
import pytest
from sample_outputs import CALLS
from strict_mocks import Recording
from test_stacks_program import PLATFORM_OUTPUTS, deploy, domains_of, specs  # noqa: F401 (a fixture)

from components.dns_zones.zones import Provider
from mailtls.mta_sts.policy import Mode, Policy
from mailtls.tls_rpt.contract import OwnDomain, parse_domain_list, render_domain_list
from stacks.deployed import READ, DeployedDomain, parse
from stacks.still_live import gone


def urn(types: str, name: str) -> str:
    return f"urn:pulumi:test::mailtls::{types}::{name}"


def entry(types: str, resource: str, /, **outputs: Any) -> dict[str, Any]:
    return {urn(types, resource): {"type": types.rpartition("$")[2], "outputs": outputs}}


def live_domain(name: str, mode: str = "enforce", **component: Any) -> dict[str, Any]:
    """A domain as the engine tells of it, in the zone ZF at Route 53."""
    domain = "mailtls:index:PolicyDomain"
    records = f"{domain}$mailtls:index:MailSecurityRecords$aws:route53/record:Record"
    text = f"version: STSv1\r\nmode: {mode}\r\nmx: mx1.mailhost.example\r\nmax_age: 1209600\r\n"
    return {
        **entry(domain, name, **component),
        **entry(
            f"{domain}$mailtls:index:PolicyHost$aws:s3/bucketObjectv2:BucketObjectv2", f"{name}-policy", content=text
        ),
        **entry(records, f"{name}-mta-sts-cname", name=f"mta-sts.{name}", zoneId="ZF", records=["d1.cloudfront.net"]),
        **entry(records, f"{name}-mta-sts-txt", zoneId="ZF", records=["v=STSv1; id=old1;"]),
        **entry(records, f"{name}-tls-rpt-txt", zoneId="ZF", records=["v=TLSRPTv1; rua=mailto:a@example.org;"]),
    }


def listed(*domains: OwnDomain) -> dict[str, Any]:
    content = render_domain_list(domains)
    return entry("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list", content=content, region="eu-west-1")


def deploy_over(monkeypatch: pytest.MonkeyPatch, specs: Any, state: dict[str, Any], **changes: Any) -> Recording:  # noqa: F811
    monkeypatch.setitem(CALLS, READ, lambda args: {"outputs": state})
    return deploy(specs, **changes)


def test_a_stack_before_its_first_up_holds_nothing() -> None:
    assert parse({}).domains == {}
    assert (parse({}).region, parse({}).way_in, parse({}).has_platform) == (None, None, False)


def test_a_domain_is_read_from_what_the_engine_tells() -> None:
    deployed = parse({**live_domain("fabrikam.example"), **listed()})
    domain = deployed.domains["fabrikam.example"]
    assert domain.policy is not None
    assert (domain.policy.mode, domain.policy.max_age) == (Mode.ENFORCE, 1209600)
    assert (domain.policy_id, domain.policy_host) == ("old1", "mta-sts.fabrikam.example")
    assert (domain.rua, domain.provider, domain.zone_id) == (("mailto:a@example.org",), Provider.ROUTE53, "ZF")
    assert domain.live
    assert not parse(live_domain("fabrikam.example", "none")).domains["fabrikam.example"].live
    assert deployed.region == "eu-west-1"


def test_a_live_domain_without_a_spec_is_registered_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
    specs: Any,  # noqa: F811
) -> None:
    before = OwnDomain("fabrikam.example", "enforce", (), "mail-team", None, "specs/fabrikam.yaml")
    state = {**live_domain("fabrikam.example"), **listed(before)}
    with pytest.raises(pulumi.RunError, match=r"fabrikam\.example is live in mode enforce.*it was in specs/fabrikam"):
        deploy_over(monkeypatch, specs, state)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)  # a preview only warns
    recording = deploy_over(monkeypatch, specs, state)
    assert domains_of(recording)["fabrikam.example"] is True
    record = recording.one("aws:route53/record:Record", "fabrikam.example-tls-rpt-txt")
    assert (record.inputs["zoneId"], record.inputs["records"]) == ("ZF", ["v=TLSRPTv1; rua=mailto:a@example.org;"])
    list_object = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list")
    own = {entry.policy_domain: entry for entry in parse_domain_list(list_object.inputs["content"])}
    assert own["fabrikam.example"].mode == "enforce"
    assert own["fabrikam.example"].mx == ("mx1.mailhost.example",)
    assert own["fabrikam.example"].owner == "mail-team"


def test_a_retired_domain_goes_and_leaves_the_list_in_the_run_after(
    monkeypatch: pytest.MonkeyPatch,
    specs: Any,  # noqa: F811
) -> None:
    recording = deploy_over(monkeypatch, specs, {**live_domain("fabrikam.example", "none"), **listed()})
    assert "fabrikam.example" not in domains_of(recording)
    list_object = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list")
    own = {entry.policy_domain: entry.mode for entry in parse_domain_list(list_object.inputs["content"])}
    assert own["fabrikam.example"] == "none"


@pytest.mark.parametrize(("component", "stays"), [({"protected": True}, True), ({"protected": False}, False)])
def test_allow_destroy_lifts_protection_first_and_removes_then(
    monkeypatch: pytest.MonkeyPatch,
    specs: Any,  # noqa: F811
    component: dict[str, Any],
    stays: bool,
) -> None:
    state = {**live_domain("fabrikam.example", **component), **listed()}
    recording = deploy_over(monkeypatch, specs, state, allow_destroy=True)
    assert ("fabrikam.example" in domains_of(recording)) is stays
    assert not any(domains_of(recording).values())


def test_the_ground_of_live_domains_is_protected_and_peoples_settings_are_not(specs: Any) -> None:  # noqa: F811
    recording = deploy(specs)
    free = {resource.type for resource in recording.resources if resource.custom and not resource.protect}
    assert not free & {
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketPolicy:BucketPolicy",
        "aws:kms/key:Key",
        "aws:sqs/queue:Queue",
    }
    assert {"aws:sns/topicSubscription:TopicSubscription", "aws:cloudwatch/metricAlarm:MetricAlarm"} <= free
    assert recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list").protect
    assert recording.one("aws:cloudfront/originAccessControl:OriginAccessControl").protect
    assert not any(resource.protect for resource in deploy(specs, allow_destroy=True).resources)


@pytest.mark.parametrize(("max_age", "told"), [(86400, "1 day,"), (1, "1 day,"), (86401, "2 days,")])
def test_how_long_senders_hold_a_policy_is_told_in_whole_days(max_age: int, told: str) -> None:
    served = f"version: STSv1\r\nmode: testing\r\nmx: mx1.mailhost.example\r\nmax_age: {max_age}\r\n"
    policy = Policy.parse(served.encode())
    text = gone(DeployedDomain("contoso.example", policy), None, None, datetime.date(2026, 3, 1))
    assert f"Senders hold its policy for up to {told} so it stays" in text


IDENTITY = "mailtls:index:ReportPipeline$mailtls:index:ReportIntake$aws:ses/domainIdentity:DomainIdentity"
RULE = "mailtls:index:ReportPipeline$mailtls:index:ReportIntake$aws:ses/receiptRule:ReceiptRule"
PLATFORM = {
    **entry("mailtls:index:PolicyStore$aws:s3/bucket:Bucket", "policy-store-bucket", region="eu-central-1"),
    **entry(IDENTITY, "reports-intake-identity", domain="old.mailhost.example"),
    **entry(RULE, "reports-intake-rule", recipients=["tlsrpt@old.mailhost.example"], ruleSetName="company"),
}


def test_changes_that_take_the_ground_away_register_nothing(
    monkeypatch: pytest.MonkeyPatch,
    specs: Any,  # noqa: F811
) -> None:
    types: list[str] = []
    monkeypatch.setattr("strict_mocks._StrictMonitor._record", lambda _self, request: types.append(request.type))
    with pytest.raises(pulumi.RunError) as refused:
        deploy_over(monkeypatch, specs, PLATFORM)
    region, domain, rule_set = str(refused.value).splitlines()
    assert region.startswith("aws:region: eu-west-1, but this stack is deployed in eu-central-1")
    assert domain.startswith("mailtls:reports.domain: reports.mailhost.example, but reports come in at old.mailhost")
    assert rule_set.startswith("mailtls:reports.rule_set: own, but reports come in by join:company")
    with pytest.raises(pulumi.RunError, match="mailtls:kind: domains, but this stack holds a platform"):
        deploy_over(
            monkeypatch,
            specs,
            {
                **PLATFORM,
                **entry("mailtls:index:PolicyStore$aws:s3/bucket:Bucket", "policy-store-bucket", region="eu-west-1"),
            },
            kind="domains",
            platform="organization/mailtls/platform",
            reports=None,
            subscriptions=None,
        )
    assert types == []


def test_domains_are_deployed_where_their_platform_is(specs: Any) -> None:  # noqa: F811
    elsewhere = {**PLATFORM_OUTPUTS, "topic_arn": "arn:aws:sns:eu-central-1:123456789012:alerts"}
    of_domains = {
        "kind": "domains",
        "platform": "organization/mailtls/platform",
        "reports": None,
        "subscriptions": None,
    }
    with pytest.raises(pulumi.RunError, match=r"aws:region: eu-west-1, but the platform .* is in eu-central-1"):
        deploy(specs, platform_outputs=elsewhere, **of_domains)


def test_what_is_unwise_in_a_spec_is_told_and_deployed(
    monkeypatch: pytest.MonkeyPatch,
    specs: Any,  # noqa: F811
) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_, **__: said.append(text))
    zones = [{"suffix": f"{name}.example", "provider": "route53", "zone_id": f"Z{name[0].upper()}"}
             for name in ("contoso", "fabrikam", "mailhost", "wingtip")]  # fmt: skip
    for name in ("shop.contoso.example", "fabrikam.example"):
        spec = f"policy_domain: {name}\nmta_sts: {{mode: enforce, mx: [mx.contoso.example], max_age: 5}}\n"
        (specs / f"{name}.yaml").write_text(spec)
    state = {**live_domain("fabrikam.example"), **listed()}
    assert "shop.contoso.example" in domains_of(deploy_over(monkeypatch, specs, state, zones=zones))
    rules = {(line.partition(":")[0].rpartition("/")[2], line.split(": ")[1]) for line in said}
    assert rules == {
        ("contoso.yaml", "first-in-enforce"),
        ("old.yaml", "mx-lines-missing-in-none"),
        ("fabrikam.example.yaml", "max-age-short-in-enforce"),
        ("fabrikam.example.yaml", "max-age-under-an-hour"),
        ("shop.contoso.example.yaml", "first-in-enforce"),
        ("shop.contoso.example.yaml", "max-age-short-in-enforce"),
        ("shop.contoso.example.yaml", "max-age-under-an-hour"),
    }


def test_a_wildcard_that_matches_no_host_registers_nothing(specs: Any) -> None:  # noqa: F811
    (specs / "m365.yaml").write_text(
        'policy_domain: m365.contoso.example\nmta_sts: {mode: testing, mx: ["*.mx.microsoft"]}\n'
    )
    with pytest.raises(pulumi.RunError, match=r"m365\.yaml:1: m365-two-label-wildcard: "):
        deploy(specs)
