"""What AWS hands over, from one real payload per source."""

import json
from datetime import UTC, datetime

import pytest

from report_lambda.events import (
    CertificateEvent,
    QueueBatch,
    RawMail,
    Tick,
    UnknownEvent,
    parse_body,
    parse_event,
)


def body_with(event_name="ObjectCreated:Put", key="raw/abc", version="2.1"):
    record = {
        "eventVersion": version,
        "eventName": event_name,
        "s3": {"bucket": {"name": "reports-bucket"}, "object": {"key": key}},
    }
    return json.dumps({"Records": [record]})


def test_a_queue_message_announces_a_raw_mail(mails):
    batch = parse_event(mails.payload("sqs_s3_object_created"))
    assert isinstance(batch, QueueBatch)
    [queued] = batch.messages
    assert queued.message_id == "059f36b4-87a3-44ab-83d2-661975830a7d"
    [mail] = parse_body(queued.body)
    assert mail == RawMail("reports-bucket", "raw/o3vrnil0e2ic28tr")
    assert mail.mail_id == "o3vrnil0e2ic28tr"


def test_the_test_message_of_s3_is_a_success(cloud, mails):
    assert cloud.call(mails.payload("sqs_s3_test_event")) == {"batchItemFailures": []}


def test_keys_arrive_form_url_encoded():
    assert parse_body(body_with(key="raw/a+b%2Bc%3D")) == (RawMail("reports-bucket", "raw/a b+c="),)


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2", "2.9"])
def test_event_versions_of_the_second_kind_are_read(version):
    assert len(parse_body(body_with(version=version))) == 1


def test_our_own_writes_and_removals_are_no_mail():
    assert parse_body(body_with(key="reports/contoso.example/2026-11-30/ab.json")) == ()
    assert parse_body(body_with(event_name="ObjectRemoved:Delete")) == ()


@pytest.mark.parametrize("body", ["", "[]", "7", "{}", '{"Records": [{}]}', '{"Records": 7}', "not json"])
def test_a_body_that_is_no_notification_is_refused(body):
    with pytest.raises(UnknownEvent):
        parse_body(body)


def test_an_unreadable_message_goes_the_way_of_the_dead_letters(cloud, mails):
    event = mails.payload("sqs_s3_object_created")
    event["Records"][0]["body"] = "not json"
    assert cloud.call(event) == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}


def test_an_object_of_another_bucket_is_refused(cloud, mails):
    event = mails.payload("sqs_s3_object_created")
    event["Records"][0]["body"] = event["Records"][0]["body"].replace("reports-bucket", "other-bucket")
    assert len(cloud.call(event)["batchItemFailures"]) == 1


def test_the_schedule():
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": "2026-12-01T08:00:00Z"}
    assert parse_event(event) == Tick(datetime(2026, 12, 1, 8, tzinfo=UTC))


def test_acm_events(mails):
    approaching = parse_event(mails.payload("eventbridge_acm_approaching_expiration"))
    assert isinstance(approaching, CertificateEvent)
    assert (approaching.common_name, approaching.days_left, approaching.expired) == (
        "mta-sts.contoso.example",
        30,
        False,
    )
    expired = parse_event(mails.payload("eventbridge_acm_expired"))
    assert isinstance(expired, CertificateEvent)
    assert (expired.days_left, expired.expired) == (0, True)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification"},
        {"source": "aws.acm", "detail-type": "ACM Certificate Available"},
        {"source": "aws.acm", "detail-type": "ACM Certificate Expired", "time": "yesterday"},
        {"source": "aws.events", "time": 7},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Records": [{}]},
    ],
)
def test_an_event_that_nobody_subscribed_to_fails_the_invocation(cloud, event):
    with pytest.raises(UnknownEvent):
        cloud.call(event)
