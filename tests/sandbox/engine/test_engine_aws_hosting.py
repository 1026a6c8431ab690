"""Certificates, distributions and Route 53 records through their lives, with the real engine."""

from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pulumi_aws
import pytest
from deployed import Clients
from inline_stack import InlineStack, Program, begin, prove

from sandbox.cloud.emulator.name_server import NameServer

CERTIFICATE_REGION = "us-east-1"


# -------------------------------------------------------------------------------------------------- certificates


@pytest.fixture
def certificates(names: NameServer, unique: Callable[..., str]) -> Program:
    """A certificate and the wait for it. The names that validate it are shown in DNS as soon as they are known."""
    one, two = f"mta-sts.{unique('one')}.example", f"mta-sts.{unique('two')}.example"

    def show(options: list[Any]) -> str:
        for option in options:
            names.add(option.resource_record_name, "CNAME", option.resource_record_value)
        return str(options[0].resource_record_name)

    def program(stage: int) -> None:
        certificate = pulumi_aws.acm.Certificate(
            "certificate",
            domain_name=one if stage < 3 else two,
            validation_method="DNS",
            region=CERTIFICATE_REGION,
            tags={"stage": "one" if stage == 1 else "two"},
        )
        pulumi_aws.acm.CertificateValidation(
            "issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[certificate.domain_validation_options.apply(show)],
            region=CERTIFICATE_REGION,
            opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="30s")),
        )

    return program


def test_certificates(stack: InlineStack, certificates: Program) -> None:
    prove(stack, certificates, updated={"certificate"}, replaced={"certificate", "issued"})


def test_a_certificate_without_its_record_is_not_waited_for_longer_than_told(
    stack: InlineStack, unique: Callable[..., str]
) -> None:
    domain = f"mta-sts.{unique()}.example"

    def program() -> None:
        certificate = pulumi_aws.acm.Certificate(
            "certificate", domain_name=domain, validation_method="DNS", region=CERTIFICATE_REGION
        )
        pulumi_aws.acm.CertificateValidation(
            "issued",
            certificate_arn=certificate.arn,
            region=CERTIFICATE_REGION,
            opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s")),
        )

    said = stack.fails(program)
    assert f"({domain}) to be issued (last state: 'PENDING_VALIDATION', after 1 s)" in said


# -------------------------------------------------------------------------------------------------- distributions


@pytest.fixture
def policy_host(names: NameServer, unique: Callable[..., str], certificates: Program) -> Program:
    """As components make it: access control, headers policy, distribution with a certificate of its own name."""
    domain = f"{unique('host')}.example"

    def show(options: list[Any]) -> str:
        for option in options:
            names.add(option.resource_record_name, "CNAME", option.resource_record_value)
        return ""

    def program(stage: int) -> None:
        changed = stage > 1
        access = pulumi_aws.cloudfront.OriginAccessControl(
            "access",
            name="access-one" if stage == 1 else "access-two",
            description="reads policies",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
        )
        headers = pulumi_aws.cloudfront.ResponseHeadersPolicy(
            "headers",
            comment="one" if stage == 1 else "two",
            security_headers_config={
                "strict_transport_security": {"access_control_max_age_sec": 63072000, "override": True},
                "content_type_options": {"override": True},
                "frame_options": {"frame_option": "DENY", "override": True},
                "referrer_policy": {"referrer_policy": "no-referrer", "override": True},
                "content_security_policy": {"content_security_policy": "default-src 'none'", "override": True},
            },
        )
        certificate = pulumi_aws.acm.Certificate(
            "certificate", domain_name=f"mta-sts.{domain}", validation_method="DNS", region=CERTIFICATE_REGION
        )
        issued = pulumi_aws.acm.CertificateValidation(
            "issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[certificate.domain_validation_options.apply(show)],
            region=CERTIFICATE_REGION,
        )
        bucket = pulumi_aws.s3.Bucket("bucket")
        distribution = pulumi_aws.cloudfront.Distribution(
            "distribution",
            enabled=True,
            comment=f"MTA-STS policy of {domain}" if stage == 1 else "another comment",
            aliases=[f"mta-sts.{domain}"],
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class="PriceClass_200" if changed else "PriceClass_100",
            origins=[
                {
                    "origin_id": "policy",
                    "domain_name": bucket.bucket_regional_domain_name,
                    "origin_path": f"/{domain}",
                    "origin_access_control_id": access.id,
                }
            ],
            default_cache_behavior={
                "target_origin_id": "policy",
                "viewer_protocol_policy": "https-only",
                "allowed_methods": ["GET", "HEAD"],
                "cached_methods": ["GET", "HEAD"],
                "cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                "response_headers_policy_id": headers.id,
                "compress": False,
            },
            custom_error_responses=[{"error_code": code, "error_caching_min_ttl": 0} for code in (403, 404, 500)],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": issued.certificate_arn,
                "ssl_support_method": "sni-only",
                "minimum_protocol_version": "TLSv1.2_2021",
            },
            tags={"stage": "one" if stage == 1 else "two"},
        )
        pulumi.export("domain", distribution.domain_name)
        pulumi.export("zone", distribution.hosted_zone_id)

    return program


def test_policy_hosts(stack: InlineStack, policy_host: Program, aws: Clients) -> None:
    made = begin(stack, policy_host)
    changed = stack.up(lambda: policy_host(2))
    assert changed.operations == dict.fromkeys(("access", "headers", "distribution"), "update")
    assert changed.outputs["domain"].endswith(".cloudfront.net")
    assert changed.outputs["zone"] == "Z2FDTNDATAQYW2"
    stack.assert_settled()
    assert stack.destroy().operations == dict.fromkeys(made, "delete")


def test_a_distribution_that_a_hand_switched_off_is_switched_on_again(
    stack: InlineStack, policy_host: Program, aws: Clients
) -> None:
    stack.up(lambda: policy_host(1))
    api, identity = aws("cloudfront"), stack.state()["distribution"]["id"]
    current = api.get_distribution_config(Id=identity)
    config = current["DistributionConfig"] | {"Enabled": False, "HttpVersion": "http2"}
    api.update_distribution(Id=identity, IfMatch=current["ETag"], DistributionConfig=config)
    assert stack.refresh() == {"distribution": "update"}
    assert stack.up(lambda: policy_host(1)).operations == {"distribution": "update"}
    assert api.get_distribution_config(Id=identity)["DistributionConfig"]["Enabled"] is True
    stack.assert_settled()


# -------------------------------------------------------------------------------------------------------- records


@pytest.fixture
def zone(aws: Clients, unique: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Name and id of an empty zone. A test names it before its stack, which has to be gone first."""
    name = f"{unique('zone')}.example"
    route53 = aws("route53")
    zone_id = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].rsplit("/", 1)[-1]
    yield name, zone_id
    route53.delete_hosted_zone(Id=zone_id)


LONG = "v=TLSRPTv1; rua=mailto:" + "a" * 240 + "@reports.example"


def records(zone: tuple[str, str]) -> Program:
    name, zone_id = zone

    def program(stage: int) -> None:
        owner = name if stage < 3 else f"shop.{name}"
        number = "1" if stage == 1 else "2"
        pulumi_aws.route53.Record(
            "txt",
            zone_id=zone_id,
            name=f"_mta-sts.{owner}",
            type="TXT",
            ttl=300,
            records=[f"v=STSv1; id={number};"],
        )
        pulumi_aws.route53.Record(
            "long",
            zone_id=zone_id,
            name=f"_smtp._tls.{owner}",
            type="TXT",
            ttl=3600 if stage == 1 else 300,
            records=[f'{LONG[:255]}""{LONG[255:]}'],
        )
        pulumi_aws.route53.Record(
            "cname", zone_id=zone_id, name=f"mta-sts.{owner}", type="CNAME", ttl=300, records=[f"d{number}.example.net"]
        )
        pulumi_aws.route53.Record(
            "mx",
            zone_id=zone_id,
            name=f"reports.{owner}",
            type="MX",
            ttl=3600,
            records=[f"{number}0 mx1.example.net", "20 mx2.example.net"],
        )

    return program


def test_records(zone: tuple[str, str], stack: InlineStack) -> None:
    every = {"txt", "long", "cname", "mx"}
    prove(stack, records(zone), updated=every, replaced=every)


def texts(aws: Clients, zone_id: str) -> dict[str, list[str]]:
    sets = aws("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return {one["Name"]: [value["Value"] for value in one["ResourceRecords"]] for one in sets if one["Type"] == "TXT"}


def test_a_long_text_is_two_strings_in_dns(zone: tuple[str, str], stack: InlineStack, aws: Clients) -> None:
    stack.up(lambda: records(zone)(1))
    assert texts(aws, zone[1])[f"_smtp._tls.{zone[0]}."] == [f'"{LONG[:255]}""{LONG[255:]}"']


def test_a_record_that_is_there_is_neither_overwritten_nor_joined(
    zone: tuple[str, str], stack: InlineStack, aws: Clients
) -> None:
    foreign(aws, zone)
    assert "already exists" in stack.fails(lambda: one_record(zone))
    assert texts(aws, zone[1]) == {f"_mta-sts.{zone[0]}.": ['"v=STSv1; id=theirs;"']}
    withdraw(aws, zone)


def test_a_record_that_is_there_can_be_taken_over(zone: tuple[str, str], stack: InlineStack, aws: Clients) -> None:
    foreign(aws, zone)
    adopted = stack.up(lambda: one_record(zone, import_=f"{zone[1]}__mta-sts.{zone[0]}_TXT"))
    assert adopted.operations["txt"] in ("import", "update")
    assert texts(aws, zone[1]) == {f"_mta-sts.{zone[0]}.": ['"v=STSv1; id=ours;"']}
    stack.assert_settled()
    assert stack.up(lambda: one_record(zone)).operations == {}


def test_a_record_that_a_hand_changed_is_put_back(zone: tuple[str, str], stack: InlineStack, aws: Clients) -> None:
    stack.up(lambda: one_record(zone))
    foreign(aws, zone, "UPSERT")
    assert stack.refresh() == {"txt": "update"}
    assert stack.up(lambda: one_record(zone)).operations == {"txt": "update"}
    assert texts(aws, zone[1]) == {f"_mta-sts.{zone[0]}.": ['"v=STSv1; id=ours;"']}
    withdraw(aws, zone)
    assert stack.refresh() == {"txt": "delete"}


def one_record(zone: tuple[str, str], **options: Any) -> None:
    pulumi_aws.route53.Record(
        "txt",
        zone_id=zone[1],
        name=f"_mta-sts.{zone[0]}",
        type="TXT",
        ttl=300,
        records=["v=STSv1; id=ours;"],
        opts=pulumi.ResourceOptions(**options),
    )


def foreign(aws: Clients, zone: tuple[str, str], action: str = "CREATE") -> None:
    record = {"Name": f"_mta-sts.{zone[0]}", "Type": "TXT", "TTL": 60}
    record["ResourceRecords"] = [{"Value": '"v=STSv1; id=theirs;"'}]
    change(aws, zone, action, record)


def withdraw(aws: Clients, zone: tuple[str, str]) -> None:
    sets = aws("route53").list_resource_record_sets(HostedZoneId=zone[1])["ResourceRecordSets"]
    change(aws, zone, "DELETE", next(one for one in sets if one["Type"] == "TXT"))


def change(aws: Clients, zone: tuple[str, str], action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    aws("route53").change_resource_record_sets(HostedZoneId=zone[1], ChangeBatch=batch)


def test_an_alias_takes_no_ttl(zone: tuple[str, str], stack: InlineStack) -> None:
    def program(stage: int, **more: Any) -> None:
        pulumi_aws.route53.Record(
            "alias",
            zone_id=zone[1],
            name=f"mta-sts.{zone[0]}",
            type="A",
            aliases=[
                {
                    "name": "d111111abcdef8.cloudfront.net" if stage == 1 else "d222222abcdef8.cloudfront.net",
                    "zone_id": "Z2FDTNDATAQYW2",
                    "evaluate_target_health": False,
                }
            ],
            **more,
        )

    stack.up(lambda: program(1))
    stack.assert_settled()
    assert stack.up(lambda: program(2)).operations == {"alias": "update"}
    assert "conflicts with records and ttl" in stack.fails(lambda: program(2, ttl=300))


def test_a_zone_is_found_by_its_name(zone: tuple[str, str], stack: InlineStack) -> None:
    def program(name: str) -> None:
        pulumi.export("id", pulumi_aws.route53.get_zone_output(name=name, private_zone=False).zone_id)

    assert stack.up(lambda: program(zone[0])).outputs == {"id": zone[1]}
    assert stack.up(lambda: program(f"{zone[0]}.")).outputs == {"id": zone[1]}
    assert "no matching Route 53 hosted zone found for 'nobody.example'" in stack.fails(
        lambda: program("nobody.example")
    )
