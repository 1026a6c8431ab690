"""Every line that is written, held against the embedded metric format's specification."""

import json
from datetime import UTC, datetime

import pytest

from mailtls.tls_rpt.contract import (
    FAILED_SESSIONS,
    FAILURES,
    MAILS_QUARANTINED,
    MAILS_RECEIVED,
    METRICS,
    Dimension,
    OwnDomain,
    QuarantineReason,
)
from mailtls.tls_rpt.report import PolicyType, ResultType
from report_lambda.metrics import CLOSED, LARGEST, Tally

NOW = datetime(2026, 12, 1, 3, 12, 44, tzinfo=UTC)


def check_embedded_metric_format(line: str) -> None:
    """CloudWatch guide, "Specification: Embedded metric format": structure and limits."""
    assert line.isascii()
    assert "\n" not in line
    assert len(line) <= 256 * 1024
    members = json.loads(line)
    assert isinstance(members["_aws"]["Timestamp"], int)
    for directive in members["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"].strip()
        assert 0 < len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            for name in dimensions:
                assert name.isascii()
                assert not name.startswith(":")
                assert isinstance(members[name], str)
                assert 0 < len(members[name].strip()) <= 1024
        for metric in directive["Metrics"]:
            assert metric["Unit"] == "Count"
            assert isinstance(members[metric["Name"]], int)
            assert 0 <= members[metric["Name"]] <= 2**360
            assert metric["Name"] in {known.name for known in METRICS}


def test_each_line_is_in_the_format_and_has_only_dimensions_of_the_table(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(10**30, (mails.failure(), mails.failure(3, "made-up-type"))))))
    cloud.receive(mails.mail(text="spam"))
    cloud.tick()
    lines = [line for line in cloud.lines if "_aws" in line]
    assert lines
    allowed = {(metric.name, dimensions) for metric in METRICS for dimensions in metric.dimensions}
    for line in lines:
        check_embedded_metric_format(json.dumps(line))
        [directive] = line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            assert (metric["Name"], tuple(Dimension(name) for name in directive["Dimensions"][0])) in allowed
    assert "made-up-type" not in json.dumps(lines)
    assert cloud.metric("Failures", ResultType="other") == 3


def test_counts_of_a_report(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(100, (mails.failure(12), mails.failure(2, "tlsa-invalid"))))))
    assert cloud.metric("SuccessfulSessions", PolicyType="sts") == 100
    assert cloud.metric("FailedSessions", PolicyType="sts") == 14
    assert cloud.metric("Failures", ResultType="certificate-expired") == 12
    assert cloud.metric("Failures", ResultType="tlsa-invalid") == 2
    assert cloud.metric("AlertsSent", Severity="critical") == 1
    assert cloud.metric("AlertsSent", Severity="warning") == 1


def test_stamped_at_ingestion_not_with_the_day_of_the_report(cloud, mails):
    cloud.receive(mails.mail(mails.report(day="2026-11-20")))
    stamps = {line["_aws"]["Timestamp"] for line in cloud.lines if "_aws" in line}
    assert stamps == {int(cloud.now.timestamp() * 1000)}


def test_per_domain_metrics_are_off_until_they_are_switched_on(cloud, mails, monkeypatch):
    cloud.receive(mails.mail(mails.report()))
    [told] = [line for line in cloud.lines if "PolicyDomain" in line]
    assert "_aws" not in told
    assert (told["PolicyDomain"], told["PolicyType"], told["SuccessfulSessions"]) == ("contoso.example", "sts", 100)

    monkeypatch.setenv("MAILTLS_PER_DOMAIN_METRICS", "true")
    cloud.receive(mails.mail(mails.report(day="2026-11-29")))
    [line] = [line for line in cloud.lines if "PolicyDomain" in line and "_aws" in line]
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["PolicyDomain", "PolicyType"]]
    assert (line["PolicyDomain"], line["SuccessfulSessions"]) == ("contoso.example", 100)


def test_a_dimension_takes_members_of_its_enumeration_only():
    tally = Tally(per_domain=False)
    with pytest.raises(KeyError):
        tally.add(MAILS_QUARANTINED, 1, ResultType.OTHER)
    assert set(CLOSED) == set(Dimension) - {Dimension.POLICY_DOMAIN}


def test_counts_with_the_same_dimensions_share_a_line():
    tally = Tally(per_domain=True)
    own = OwnDomain("xn--bcher-kva.example")
    tally.add(MAILS_RECEIVED)
    tally.add(MAILS_RECEIVED)
    tally.add(MAILS_QUARANTINED, 1, QuarantineReason.VIRUS)
    tally.add(FAILED_SESSIONS, 10**40, PolicyType.STS, own=own)
    tally.add(FAILURES, 5, ResultType.OTHER)
    lines = [json.loads(line) for line in tally.lines(NOW, mail="m1")]
    assert [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines] == [
        [[]],
        [["PolicyDomain", "PolicyType"]],
        [["PolicyType"]],
        [["Reason"]],
        [["ResultType"]],
    ]
    assert (lines[0]["MailsReceived"], lines[0]["MailsQuarantined"], lines[0]["mail"]) == (2, 1, "m1")
    assert lines[2]["FailedSessions"] == LARGEST
