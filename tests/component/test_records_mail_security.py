"""A policy domain whole: order, gates, protection, and each half without the other."""

import asyncio
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from strict_mocks import Recording, Registration, assert_well_formed, run

from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.policy_domain import PolicyDomain, PolicyDomainArgs, must_not_be_deleted
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError
from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import policy_id_of
from mailtls.records import Purpose, planned_records
from mailtls.spec import MtaSts, PolicySpec, Source, TlsRpt

DOMAIN = "contoso.example"
POLICY = Policy(Mode.ENFORCE, 604800, (MxPattern("mx1.contoso.example"),))
RUA = "mailto:tlsrpt@reports.mailhost.example"
RECORD = "aws:route53/record:Record"
HOSTING_TYPES = {
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:acm/certificate:Certificate",
    "aws:cloudfront/distribution:Distribution",
}


def domain(
    zone: DnsZone | None = None,
    policy: Policy | None = POLICY,
    rua: tuple[str, ...] | None = (RUA,),
    protect: bool = False,
    policy_domain: str = DOMAIN,
    received_by: list[pulumi.Resource] | None = None,
) -> PolicyDomain:
    args: PolicyDomainArgs = {
        "policy_domain": policy_domain,
        "zone": zone or Route53Zone(DOMAIN, "Z1"),
        "gate": GateSettings(),
        "hosting": {
            "policy_bucket": "policies",
            "policy_bucket_regional_domain_name": "policies.s3.eu-west-1.amazonaws.com",
            "origin_access_control_id": "EACCESS",
            "response_headers_policy_id": "headers",
            "keep_policies": True,
        },
    }
    if policy is not None:
        args["policy"] = policy
    if rua is not None:
        args["rua"] = rua
        args["reports_received_by"] = received_by or []
    return PolicyDomain(policy_domain, args, pulumi.ResourceOptions(protect=protect))


def record(recording: Recording, name: str) -> Registration:
    (found,) = [resource for resource in recording.of(RECORD) if resource.inputs["name"] == name]
    return found


@pytest.fixture(scope="module")
def recording() -> Recording:
    return run(lambda: domain() and None)


def test_components_are_well_formed(recording: Recording) -> None:
    assert_well_formed(recording)


def test_the_id_record_comes_after_all_that_serves_the_policy(recording: Recording) -> None:
    txt = record(recording, "_mta-sts.contoso.example")
    alias = record(recording, "mta-sts.contoso.example")
    for kind in sorted(HOSTING_TYPES):
        assert recording.one(kind).urn in txt.dependencies or recording.comes_after(txt, recording.one(kind))
        assert recording.comes_after(alias, recording.one(kind))
    direct = {recording.by_urn(urn).type for urn in txt.dependencies}
    assert {"aws:s3/bucketObjectv2:BucketObjectv2", "aws:cloudfront/distribution:Distribution", RECORD} <= direct
    assert alias.urn in txt.dependencies


def test_the_id_record_holds_the_id_of_the_objects_version() -> None:
    versions = {"aws:s3/bucketObjectv2:BucketObjectv2": lambda _name, _inputs: {"versionId": "v7"}}
    recording = run(lambda: domain() and None, outputs=versions)
    txt = record(recording, "_mta-sts.contoso.example")
    assert (txt.inputs["records"], txt.inputs["ttl"]) == ([f"v=STSv1; id={policy_id_of('v7')};"], 300)


def test_without_a_version_the_gate_of_this_domain_alone_refuses_and_tells_the_way_out() -> None:
    """An error in an `apply` would end the program for every domain."""
    versions = {"aws:s3/bucketObjectv2:BucketObjectv2": lambda _name, _inputs: {"versionId": ""}}
    recording = run(lambda: domain() and None, outputs=versions)
    txt = record(recording, "_mta-sts.contoso.example")
    place = "s3://policies/contoso.example/.well-known/mta-sts.txt"
    assert txt.inputs["records"] == [f"no policy id: {place} has no version"]
    args = pulumi.ResourceHookArgs(
        urn=txt.urn, id="", name=txt.name, type=txt.type, new_inputs=txt.inputs, old_inputs=None
    )
    for moment in ("before_create", "before_update"):
        with pytest.raises(GateError) as caught:
            asyncio.run(recording.hooks_of(txt, moment)[0](args))
        assert str(caught.value).startswith(f"contoso.example: {place} was written before the bucket's versioning")
        assert f"aws s3 cp {place} mta-sts.txt && aws s3 cp mta-sts.txt {place} " in str(caught.value)
        assert '"pulumi up --refresh"' in str(caught.value)


def test_the_alias_points_to_the_distribution(recording: Recording) -> None:
    alias = record(recording, "mta-sts.contoso.example").inputs
    assert alias["type"] == "CNAME"
    assert alias["records"][0].endswith(".cloudfront.net")


def test_the_gates_stand_before_creating_and_updating_the_id_record(recording: Recording) -> None:
    assert record(recording, "_mta-sts.contoso.example").hooks == {
        "before_create": (
            "version-gate:_mta-sts.contoso.example",
            "first-record:_mta-sts.contoso.example",
            "edge-gate:_mta-sts.contoso.example",
        ),
        "before_update": (
            "version-gate:_mta-sts.contoso.example",
            "still-alone:_mta-sts.contoso.example",
            "edge-gate:_mta-sts.contoso.example",
        ),
    }
    assert record(recording, "_smtp._tls.contoso.example").hooks == {
        "before_create": ("first-record:_smtp._tls.contoso.example",),
        "before_update": ("still-alone:_smtp._tls.contoso.example",),
    }
    assert record(recording, "mta-sts.contoso.example").hooks == {}


def test_hooks_of_several_domains_have_names_of_their_own() -> None:
    # the harness refuses two hooks of one name
    recording = run(lambda: [domain(policy_domain=name) for name in (DOMAIN, "shop.contoso.example")] and None)
    assert len(recording.hooks) == 14


def test_the_reports_record_waits_for_those_who_receive() -> None:
    def program() -> None:
        rule = aws.sqs.Queue("rule")
        domain(received_by=[rule])

    recording = run(program)
    reports = record(recording, "_smtp._tls.contoso.example")
    assert recording.comes_after(reports, recording.one("aws:sqs/queue:Queue"))
    assert (reports.inputs["records"], reports.inputs["ttl"]) == ([f"v=TLSRPTv1; rua={RUA};"], 3600)


def test_at_cloudflare_the_texts_are_quoted() -> None:
    recording = run(lambda: domain(CloudflareZone(DOMAIN, "c1")) and None)
    contents = {entry.inputs["name"]: entry.inputs for entry in recording.of("cloudflare:index/dnsRecord:DnsRecord")}
    assert contents["_smtp._tls.contoso.example"]["content"] == f'"v=TLSRPTv1; rua={RUA};"'
    assert contents["_mta-sts.contoso.example"]["content"].startswith('"v=STSv1; id=')
    assert contents["mta-sts.contoso.example"]["proxied"] is False


def test_with_tls_rpt_only_nothing_is_hosted() -> None:
    recording = run(lambda: domain(policy=None) and None)
    assert {resource.type for resource in recording.resources} & HOSTING_TYPES == set()
    assert [entry.inputs["name"] for entry in recording.of(RECORD)] == ["_smtp._tls.contoso.example"]


def test_with_mta_sts_only_no_reports_are_asked_for() -> None:
    recording = run(lambda: domain(rua=None) and None)
    assert {entry.inputs["name"] for entry in recording.of(RECORD)} >= {"_mta-sts.contoso.example"}
    assert not [entry for entry in recording.of(RECORD) if entry.inputs["name"].startswith("_smtp._tls")]


def test_several_addresses_stand_in_one_record() -> None:
    recording = run(lambda: domain(policy=None, rua=(RUA, "https://reports.example.org/tls")) and None)
    assert recording.one(RECORD).inputs["records"] == [f"v=TLSRPTv1; rua={RUA},https://reports.example.org/tls;"]


@pytest.mark.parametrize("protect", [True, False])
def test_protection_reaches_every_child(protect: bool) -> None:
    recording = run(lambda: domain(protect=protect) and None)
    assert {resource.protect for resource in recording.resources} == {protect}


@pytest.mark.parametrize(
    ("policy", "protected"),
    [
        (None, False),
        (Policy(Mode.NONE, 86400, ()), False),
        (Policy(Mode.TESTING, 86400, (MxPattern("mx1.contoso.example"),)), True),
        (POLICY, True),
    ],
)
def test_only_a_policy_that_asks_something_of_senders_is_kept_from_deletion(policy: Any, protected: bool) -> None:
    assert must_not_be_deleted(policy) is protected


def test_the_records_are_those_that_are_told_beforehand(recording: Recording) -> None:
    """`mailtls render --records` says what will be there: names, types and TTL, and the one value that is known."""
    mta_sts = MtaSts(POLICY.mode, POLICY.mx, POLICY.max_age)
    told = planned_records(PolicySpec(DOMAIN, mta_sts, TlsRpt((RUA,)), None, None, Source("a.yaml", 1)))
    made = {(found.inputs["name"], found.inputs["type"], found.inputs["ttl"]) for found in recording.of(RECORD)}
    known = {(one.name, one.type, one.ttl) for one in told if one.purpose is not Purpose.CERTIFICATE}
    assert known <= made
    (validation,) = made - known
    assert validation[1:] == next((one.type, one.ttl) for one in told if one.purpose is Purpose.CERTIFICATE)
    reports = record(recording, f"_smtp._tls.{DOMAIN}").inputs["records"]
    assert reports == [one.value for one in told if one.purpose is Purpose.REPORTS]
