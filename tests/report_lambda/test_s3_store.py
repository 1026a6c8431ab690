"""How S3's and SNS's answers become ours: botocore's own stubber checks each request against the service model."""

import io
from datetime import UTC, datetime

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from report_lambda import handler
from report_lambda.store import Listed, ObjectTooLarge, StoredObject, StoreError

BUCKET = "reports-bucket"
WRITTEN = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def s3(monkeypatch):
    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(handler, "_client", lambda service: client)
    with Stubber(client) as stubber:
        yield stubber, handler._S3Store(BUCKET)
        stubber.assert_no_pending_responses()


def answer(body: bytes):
    return {"Body": StreamingBody(io.BytesIO(body), len(body)), "ContentLength": len(body), "ETag": '"e1"'}


def test_get(s3):
    stubber, store = s3
    stubber.add_response("get_object", answer(b"text"), {"Bucket": BUCKET, "Key": "raw/a"})
    assert store.get("raw/a", 4) == StoredObject(b"text", '"e1"')
    stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    assert store.get("raw/b", 4) is None


def test_an_object_over_the_limit_is_not_read(s3):
    stubber, store = s3
    large = answer(b"12345")
    stubber.add_response("get_object", large)
    with pytest.raises(ObjectTooLarge):
        store.get("raw/a", 4)
    assert large["Body"]._raw_stream.closed


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied", "503"])
def test_every_other_refusal_is_left_to_be_retried(s3, code):
    stubber, store = s3
    for method in ("get_object", "put_object", "put_object", "list_objects_v2", "copy_object"):
        stubber.add_client_error(method, code)
    calls = [
        lambda: store.get("k", 9),
        lambda: store.put_if_absent("k", b"", "text/plain"),
        lambda: store.put_if_match("k", b"", "text/plain", "e"),
        lambda: store.list_objects("k"),
        lambda: store.copy("k", "j"),
    ]
    for call in calls:
        with pytest.raises(StoreError):
            call()


def test_conditional_writes(s3):
    stubber, store = s3
    put = {"Bucket": BUCKET, "Key": "k", "Body": b"v", "ContentType": "text/plain"}
    stubber.add_response("put_object", {}, {**put, "IfNoneMatch": "*"})
    stubber.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stubber.add_response("put_object", {}, {**put, "IfMatch": '"e1"'})
    stubber.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stubber.add_client_error("put_object", "NoSuchKey", http_status_code=404)
    assert store.put_if_absent("k", b"v", "text/plain")
    assert not store.put_if_absent("k", b"v", "text/plain")
    assert store.put_if_match("k", b"v", "text/plain", '"e1"')
    assert not store.put_if_match("k", b"v", "text/plain", '"e1"')
    assert not store.put_if_match("k", b"v", "text/plain", '"e1"')


def test_a_write_in_between_is_no_answer(s3):
    stubber, store = s3
    stubber.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
    with pytest.raises(StoreError):
        store.put_if_absent("k", b"v", "text/plain")


def test_listing_goes_on_to_the_next_page(s3):
    stubber, store = s3
    third = {"Key": "p/3", "ETag": '"a"', "Size": 7, "LastModified": WRITTEN}
    fourth = {"Key": "p/4", "ETag": '"b"', "Size": 8, "LastModified": WRITTEN}
    first = {"Bucket": BUCKET, "Prefix": "p/", "StartAfter": "p/2", "MaxKeys": 3}
    page = {"Contents": [third], "IsTruncated": True, "NextContinuationToken": "t"}
    stubber.add_response("list_objects_v2", page, first)
    last = {"Contents": [fourth], "IsTruncated": False}
    stubber.add_response("list_objects_v2", last, {**first, "MaxKeys": 2, "ContinuationToken": "t"})
    assert store.list_objects("p/", start_after="p/2", limit=3) == [
        Listed("p/3", '"a"', 7, WRITTEN),
        Listed("p/4", '"b"', 8, WRITTEN),
    ]


def test_publish(monkeypatch):
    client = boto3.client("sns", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(handler, "_client", lambda service: client)
    with Stubber(client) as stubber:
        topic = handler._SnsTopic("arn:aws:sns:eu-west-1:123456789012:alerts")
        attributes = {"severity": {"DataType": "String", "StringValue": "critical"}}
        message = {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:alerts", "Subject": "s"}
        message |= {"Message": '{"default": "m"}', "MessageStructure": "json"}  # SNS insists on a default
        stubber.add_response("publish", {"MessageId": "1"}, {**message, "MessageAttributes": attributes})
        stubber.add_client_error("publish", "Throttling")
        topic.publish("s", '{"default": "m"}', {"severity": "critical"})
        with pytest.raises(StoreError):
            topic.publish("s", '{"default": "m"}', {"severity": "critical"})
