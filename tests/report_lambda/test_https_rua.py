"""Reports by HTTPS POST: what is stored, what is refused before it is read, and that nothing follows from one alone."""

import base64
import gzip
import json
import re
import subprocess
import sys
from datetime import date

import pytest

from mailtls.mta_sts.policy import Policy
from mailtls.rollout.evidence import evidence_of
from mailtls.tls_rpt.contract import POSTED_MAIL, Prefix
from mailtls.tls_rpt.ledger import LedgerEntry
from report_lambda.https_rua import handler

PREFIX = f"{Prefix.RAW}{POSTED_MAIL}"


class ClientError(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


@pytest.fixture
def bucket(monkeypatch):
    """What the function has put; S3 may be told to fail."""
    objects, faults = {}, []

    def put(key, body):
        if faults:
            raise faults.pop()
        if key in objects:
            return False
        objects[key] = body
        return True

    monkeypatch.setenv("MAILTLS_KEY_PREFIX", PREFIX)
    monkeypatch.setattr(handler, "_put", put)
    monkeypatch.setattr(handler, "_aws_errors", lambda: (ClientError,))
    monkeypatch.setattr(handler, "_this_hour", handler.Hour())
    monkeypatch.setattr(handler, "SHARE", 1)
    objects["faults"] = faults
    yield objects
    objects.clear()


def post(body=b"{}", *, method="POST", path="/v1/tlsrpt", media_type="application/tlsrpt+json", plain=False,
         source="192.0.2.1", **headers):  # fmt: skip
    event = {
        "rawPath": path,
        "requestContext": {"http": {"method": method, "sourceIp": source}},
        "headers": {"content-type": media_type, "content-length": str(len(body)), **headers},
        "isBase64Encoded": not plain,
    }
    if body:
        event["body"] = body.decode() if plain else base64.b64encode(body).decode()
    return handler.handle(event, None)


def stored(bucket):
    return {key: body for key, body in bucket.items() if key != "faults"}


@pytest.mark.parametrize("media_type", sorted(handler.TYPES | handler.ALSO))
def test_a_report_is_stored_as_it_came(bucket, mails, media_type):
    body = gzip.compress(json.dumps(mails.report()).encode())
    assert post(body, media_type=media_type)["statusCode"] == 200
    [(key, kept)] = stored(bucket).items()
    assert key.startswith("raw/https-")
    assert kept == body


def test_text_comes_as_text_and_a_charset_is_no_other_type(bucket, mails):
    body = json.dumps(mails.report()).encode()
    assert post(body, plain=True, media_type="application/TLSRPT+json; charset=utf-8")["statusCode"] == 200
    assert list(stored(bucket).values()) == [body]


def test_the_same_report_again_is_stored_once_and_answered_the_same(bucket, mails):
    body = json.dumps(mails.report()).encode()
    assert [post(body)["statusCode"] for _ in range(3)] == [200, 200, 200]
    assert len(stored(bucket)) == 1


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        (404, {"path": "/"}),
        (404, {"path": "/v1/tlsrpt/../x"}),
        (405, {"method": "GET"}),
        (405, {"method": "PUT"}),
        (415, {"media_type": "text/html"}),
        (415, {"media_type": ""}),
        (413, {"content-length": str(10**30)}),
        (413, {"content-length": "-1"}),
        (413, {"body": b"{" * (handler.MAX_BYTES + 1), "content-length": "10"}),  # it lies
        (400, {"body": b""}),
        (400, {"body": b"<html>"}),
        (400, {"body": b"%PDF-1.7"}),
    ],
)
def test_what_never_will_be_a_report_is_refused_and_not_stored(bucket, status, asked):
    answer = post(**asked)
    assert answer["statusCode"] == status
    assert answer["body"].endswith("\n")
    assert stored(bucket) == {}


def test_a_body_that_is_no_base64_is_refused(bucket):
    event = {"rawPath": "/v1/tlsrpt", "requestContext": {"http": {"method": "POST"}}, "body": "!!!",
             "isBase64Encoded": True, "headers": {"content-type": "application/tlsrpt+json"}}  # fmt: skip
    assert handler.handle(event, None)["statusCode"] == 400


def test_one_copy_stores_no_more_than_its_share_of_an_hour(bucket, monkeypatch):
    monkeypatch.setattr(handler, "MAX_BYTES_OF_HOUR", 100)
    answers = [post(b"{" + bytes([number]) * 29)["statusCode"] for number in range(65, 70)]
    assert answers == [200, 200, 200, 429, 429]
    assert len(stored(bucket)) == 3
    assert post(b"{" + b"x" * 99)["headers"]["retry-after"] == "3600"


def test_nor_more_reports_than_a_copy_may(bucket, monkeypatch):
    monkeypatch.setattr(handler, "MAX_REPORTS_OF_HOUR", 2)
    answers = [post(b"{%d}" % number)["statusCode"] for number in (1, 1, 2, 3)]
    assert answers == [200, 200, 200, 429]


def test_one_source_does_not_fill_the_hour_of_all(bucket, monkeypatch):
    monkeypatch.setattr(handler, "MAX_REPORTS_OF_HOUR", 4)
    monkeypatch.setattr(handler, "SHARE", 2)
    sources = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    answers = [post(b"{%d}" % number, source=source)["statusCode"] for number, source in enumerate(sources)]
    assert answers == [200, 200, 429, 200, 200, 429]  # the same /64; then all have had their part


def test_the_next_hour_has_its_own_part(bucket, monkeypatch):
    monkeypatch.setattr(handler, "MAX_REPORTS_OF_HOUR", 1)
    assert [post(b"{1}")["statusCode"], post(b"{2}")["statusCode"]] == [200, 429]
    monkeypatch.setattr(handler.time, "strftime", lambda *_: "another hour")
    assert post(b"{2}")["statusCode"] == 200


def test_a_store_that_fails_asks_for_it_again(bucket):
    bucket["faults"].append(ClientError("SlowDown"))
    answer = post()
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "3600")
    assert post()["statusCode"] == 200


# ------------------------------------------------------------------------------------------------- behind the queue


def arrive(cloud, report, number=0):
    name = f"https-{number:040x}"
    cloud.store.objects[f"raw/{name}"] = gzip.compress(json.dumps(report).encode())
    assert cloud.notify(name) == []
    return cloud.store.json(f"dispositions/{name}.json")


def test_it_is_counted_beside_the_ledger_and_wakes_nobody(cloud, mails):
    disposition = arrive(cloud, mails.report(mails.policy(10, (mails.failure(90_000),))))
    assert disposition["disposition"] == "stored"
    [key] = cloud.store.under("posted/")
    assert disposition["stored"] == [key]
    assert key.startswith("posted/contoso.example/2026-11-30/")
    entry = LedgerEntry.parse(cloud.store.objects[key])
    assert (entry.signer, entry.is_posted) == ("", True)
    assert cloud.store.under("reports/") == []
    for _ in range(30):
        cloud.tick()
    assert cloud.topic.messages == []
    assert cloud.store.under("alerts/") == cloud.store.under("reporters/") == []
    assert cloud.metric("ReportsUnauthenticated") == 1
    assert cloud.metric("FailedSessions", PolicyType="sts") == cloud.metric("ReportsStored") == 0


def test_it_ends_no_alert_and_takes_no_mails_place(cloud, mails):
    cloud.receive(mails.fails(500))
    assert cloud.topic.kinds == ["critical"]
    clean = {**mails.report(mails.policy(9000), day="2026-12-01"), "organization-name": "Google Inc."}
    arrive(cloud, clean)
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]
    # a stranger knows the id that Google's report will have
    assert cloud.receive(mails.mail(clean))["disposition"] == "stored"
    assert cloud.metric("ReportsStored") == 2
    cloud.tick()
    assert "over" in cloud.topic.kinds


def test_the_same_report_twice_is_one_and_another_content_does_not_replace_it(cloud, mails):
    arrive(cloud, mails.report(mails.policy(10)), 1)
    assert arrive(cloud, mails.report(mails.policy(10)), 2)["disposition"] == "duplicate"
    other = arrive(cloud, mails.report(mails.policy(99)), 3)
    assert other["disposition"] == "duplicate"
    assert "other content" in other["notes"][-1]
    assert len(cloud.store.under("posted/")) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "unreadable"),
        (b"\x1f\x8bnot gzip", "unreadable"),
        (gzip.compress(b"no json"), "unreadable"),
        (gzip.compress(gzip.compress(b"{}")), "unreadable"),
        (gzip.compress(b"0" * (30 << 20)), "too-large"),
        (b'{"policies": []}', "unreadable"),
    ],
    ids=["cut", "no gzip", "no json", "gzip twice", "bomb", "no report"],
)
def test_what_cannot_be_read_is_kept_apart_with_its_reason(cloud, body, reason):
    cloud.store.objects["raw/https-1"] = body
    assert cloud.notify("https-1") == []
    disposition = cloud.store.json("dispositions/https-1.json")
    assert (disposition["disposition"], disposition["reason"]) == ("quarantined", reason)


def test_a_report_about_a_domain_that_is_not_ours_is_kept_apart(cloud, mails):
    report = mails.report(mails.policy(**{"policy-domain": "elsewhere.example"}))
    assert arrive(cloud, report)["reason"] == "foreign-domain"


def copied(cloud, place):
    for key, body in cloud.store.objects.items():
        path = place / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return place


def test_it_is_shown_as_unproven_and_shows_nothing_for_a_promotion(cloud, mails, tmp_path):
    testing = mails.policy(50, mode="testing")
    cloud.receive(mails.mail(mails.report(testing, day="2026-10-01")))
    arrive(cloud, mails.report(mails.policy(7_000, mode="testing"), day="2026-10-02"))
    place = copied(cloud, tmp_path)

    command = [sys.executable, "-m", "mailtls.cli", "reports", "summary", "--store", str(place), "--by", "reporter",
               "--from", "2026-10-01", "--to", "2026-10-02", "--format", "json"]  # fmt: skip

    def rows(*more):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=True, timeout=60)
        counted = {row["group"]: row["successful_sessions"] for row in json.loads(done.stdout)["rows"]}
        return counted, done.stderr

    counted, told = rows()
    assert counted == {"google.com": 50}
    assert told == "mailtls: 1 report came by HTTPS, proves nothing and is not counted; --unproven counts it\n"
    assert rows("--unproven") == ({"google.com": 50, "Google Inc. (unproven)": 7_000}, "")

    site = tmp_path / "site"
    command = [sys.executable, "-m", "mailtls.cli", "reports", "dashboard", str(site), "--store", str(place),
               "--from", "2026-10-01", "--to", "2026-10-02"]  # fmt: skip
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    page = (site / "domains" / "contoso.example" / "index.html").read_text()
    assert re.search(r"By HTTPS, unproven</dt><dd>1 report, in no number here", page)
    assert "7,000" not in page
    assert "7,000" not in (site / "reporters.html").read_text()
    single = "".join(path.read_text() for path in site.glob("domains/contoso.example/reports-*.html"))
    assert re.search(r"Google Inc\.(</[a-z]+>)? \(unproven\): report", single)
    assert "posted/contoso.example/2026-10-02/" in single

    policy = Policy.parse(b"version: STSv1\nmode: testing\nmx: mx1.contoso.example\nmx: mx2.contoso.example\n"
                          b"max_age: 604800\n")  # fmt: skip
    entries = [LedgerEntry.parse(cloud.store.objects[key]) for key in cloud.store.under("reports/")]
    assert sum(day.clean for day in evidence_of(entries, policy, date(2026, 9, 1)).days) == 50


def test_a_domain_that_only_posts_tell_of_is_shown(cloud, mails, tmp_path):
    arrive(cloud, mails.report(mails.policy(7), day="2026-10-02"))
    place = copied(cloud, tmp_path)
    (place / "reports").mkdir()  # by which a copy of the bucket is known
    command = [sys.executable, "-m", "mailtls.cli", "reports", "summary", "--store", str(place),
               "--from", "2026-10-01", "--to", "2026-10-02", "--format", "json", "--unproven"]  # fmt: skip
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    assert [row["group"] for row in said["rows"]] == ["contoso.example"]
