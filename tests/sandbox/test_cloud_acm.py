"""Certificates are issued by DNS alone, end when they end, and tell of it."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import Clients, distribution_config, issued_certificate, show_validation

from sandbox.cloud.emulator.name_server import NameServer

DAY = 86400
HOUR = 3600


@pytest.fixture
def acm(aws: Clients) -> Any:
    return aws("acm", "us-east-1")


def _request(acm: Any, *domains: str) -> str:
    arn: str = acm.request_certificate(
        DomainName=domains[0], SubjectAlternativeNames=list(domains), ValidationMethod="DNS"
    )["CertificateArn"]
    return arn


def _seen(acm: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def test_a_certificate_waits_for_each_of_its_names(acm: Any, names: NameServer, unique: Callable[..., str]) -> None:
    one, two = f"mta-sts.{unique('one')}.example", f"mta-sts.{unique('two')}.example"
    arn = _request(acm, one, two)
    assert _seen(acm, arn)["Status"] == "PENDING_VALIDATION"
    assert "NotAfter" not in _seen(acm, arn)
    first, second = _seen(acm, arn)["DomainValidationOptions"]
    names.add(first["ResourceRecord"]["Name"], "CNAME", first["ResourceRecord"]["Value"])
    assert [option["ValidationStatus"] for option in _seen(acm, arn)["DomainValidationOptions"]] == [
        "SUCCESS",
        "PENDING_VALIDATION",
    ]
    with pytest.raises(ClientError, match="RequestInProgressException"):
        acm.get_certificate(CertificateArn=arn)
    names.add(second["ResourceRecord"]["Name"], "CNAME", second["ResourceRecord"]["Value"])
    issued = _seen(acm, arn)
    assert issued["Status"] == "ISSUED"
    assert (issued["NotAfter"] - issued["NotBefore"]).days == 198
    assert issued["RenewalEligibility"] == "INELIGIBLE"  # nothing uses it
    assert "BEGIN CERTIFICATE" in acm.get_certificate(CertificateArn=arn)["Certificate"]


def test_a_record_with_another_value_does_not_validate(acm: Any, names: NameServer, unique: Callable[..., str]) -> None:
    arn = _request(acm, f"mta-sts.{unique()}.example")
    record = _seen(acm, arn)["DomainValidationOptions"][0]["ResourceRecord"]
    names.add(record["Name"], "CNAME", f"x{record['Value']}")
    assert _seen(acm, arn)["Status"] == "PENDING_VALIDATION"


def test_certificates_of_a_name_share_their_record(acm: Any, aws: Clients, unique: Callable[..., str]) -> None:
    domain = f"mta-sts.{unique()}.example"
    certificates = [(acm, _request(acm, domain)), (acm, _request(acm, domain, f"*.{domain}"))]
    certificates.append((aws("acm"), _request(aws("acm"), domain)))
    records = [
        tuple(option["ResourceRecord"].values())
        for client, arn in certificates
        for option in _seen(client, arn)["DomainValidationOptions"]
    ]
    assert len(records) == 4
    assert len(set(records)) == 1
    name, kind, value = records[0]
    assert kind == "CNAME"
    assert re.fullmatch(rf"_[0-9a-f]{{32}}\.{re.escape(domain)}\.", name)
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.", value)


def test_certificates_are_seen_in_their_region_only(acm: Any, aws: Clients, unique: Callable[..., str]) -> None:
    arn = _request(acm, f"{unique()}.example")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        _seen(aws("acm", "eu-west-1"), arn)
    listed = aws("acm", "eu-west-1").list_certificates()["CertificateSummaryList"]
    assert arn not in [one["CertificateArn"] for one in listed]


def test_after_72_hours_without_its_record_it_can_never_be_issued(
    acm: Any, names: NameServer, unique: Callable[..., str], move_clock: Callable[[float], None]
) -> None:
    arn = _request(acm, f"{unique()}.example")
    move_clock(71 * HOUR)
    assert _seen(acm, arn)["Status"] == "PENDING_VALIDATION"
    move_clock(72 * HOUR)
    assert _seen(acm, arn)["Status"] == "VALIDATION_TIMED_OUT"
    show_validation(acm, arn, names)
    assert _seen(acm, arn)["Status"] == "VALIDATION_TIMED_OUT"


@pytest.mark.parametrize(
    ("code", "domains"),
    [
        ("LimitExceededException", [f"{number}.example" for number in range(11)]),
        ("ValidationException", ["_mta-sts.contoso.example"]),
        ("ValidationException", ["contoso.example."]),
        ("InvalidDomainValidationOptionsException", [f"{'a' * 60}.example"]),
    ],
)
def test_names_that_acm_refuses(acm: Any, code: str, domains: list[str]) -> None:
    with pytest.raises(ClientError, match=code):
        _request(acm, *domains)


def test_ten_names_and_long_second_names_are_taken(acm: Any, unique: Callable[..., str]) -> None:
    domain = f"{unique()}.example"
    assert _request(acm, domain, f"{'a' * 60}.{domain}", *(f"{number}.{domain}" for number in range(8)))


def _use(aws: Clients, domain: str, certificate: str) -> tuple[Any, str]:
    """A distribution that uses the certificate; CloudFront's client and the distribution's id."""
    cloudfront = aws("cloudfront")
    config = distribution_config(domain, aliases=(domain,), certificate=certificate)
    return cloudfront, cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"]


def test_a_certificate_in_use_cannot_be_deleted(
    acm: Any, aws: Clients, names: NameServer, unique: Callable[..., str]
) -> None:
    domain = f"mta-sts.{unique()}.example"
    arn = issued_certificate(aws, names, domain)
    cloudfront, identity = _use(aws, domain, arn)
    assert _seen(acm, arn)["InUseBy"] == [f"arn:aws:cloudfront::123456789012:distribution/{identity}"]
    with pytest.raises(ClientError, match="ResourceInUseException"):
        acm.delete_certificate(CertificateArn=arn)
    current = cloudfront.get_distribution_config(Id=identity)
    config = current["DistributionConfig"] | {"Enabled": False}
    etag = cloudfront.update_distribution(Id=identity, IfMatch=current["ETag"], DistributionConfig=config)["ETag"]
    cloudfront.delete_distribution(Id=identity, IfMatch=etag)
    acm.delete_certificate(CertificateArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        _seen(acm, arn)


def test_what_is_used_and_keeps_its_record_is_renewed(
    acm: Any, aws: Clients, names: NameServer, unique: Callable[..., str], move_clock: Callable[[float], None]
) -> None:
    domain = f"mta-sts.{unique()}.example"
    arn = issued_certificate(aws, names, domain)
    _use(aws, domain, arn)
    end = _seen(acm, arn)["NotAfter"]
    move_clock(150 * DAY)
    assert _seen(acm, arn)["NotAfter"] == end
    move_clock(154 * DAY)
    renewed = _seen(acm, arn)
    assert renewed["Status"] == "ISSUED"
    assert round((renewed["NotAfter"] - end).total_seconds() / DAY) == 154


def test_without_its_record_a_certificate_is_not_renewed_and_expires(
    acm: Any, aws: Clients, names: NameServer, unique: Callable[..., str], move_clock: Callable[[float], None]
) -> None:
    domain = f"mta-sts.{unique()}.example"
    arn = issued_certificate(aws, names, domain)
    _use(aws, domain, arn)
    end = _seen(acm, arn)["NotAfter"]
    names.remove(_seen(acm, arn)["DomainValidationOptions"][0]["ResourceRecord"]["Name"], "CNAME")
    move_clock(190 * DAY)
    assert _seen(acm, arn)["NotAfter"] == end
    assert _seen(acm, arn)["RenewalSummary"]["RenewalStatus"] == "PENDING_VALIDATION"
    move_clock(199 * DAY)
    assert _seen(acm, arn)["Status"] == "EXPIRED"


def test_each_day_of_the_last_45_is_announced_once_where_the_certificate_is(
    aws: Clients, names: NameServer, unique: Callable[..., str], move_clock: Callable[[float], None]
) -> None:
    events, sqs, name = aws("events", "us-east-1"), aws("sqs", "us-east-1"), unique("expiry")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    domain = f"mta-sts.{unique()}.example"
    arn = issued_certificate(aws, names, domain)
    pattern = {"source": ["aws.acm"], "detail-type": ["ACM Certificate Approaching Expiration"], "resources": [arn]}
    rule = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    noon = DAY / 2 - time.time() % DAY
    end = _seen(aws("acm", "us-east-1"), arn)["NotAfter"].timestamp()

    def told(offset: float) -> list[dict[str, Any]]:
        move_clock(offset)
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"])["detail"] for message in messages]

    assert told(noon + 150 * DAY) == []
    left = int((end - time.time() - noon - 168 * DAY) // DAY)
    assert told(noon + 168 * DAY) == [{"DaysToExpiry": left, "CommonName": domain}]
    assert told(noon + 168 * DAY + HOUR) == []
    assert told(noon + 169 * DAY) == [{"DaysToExpiry": left - 1, "CommonName": domain}]
