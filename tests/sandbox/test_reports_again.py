"""`mailtls reports replay` and `reprocess` with the real function behind a real queue: what becomes of each mail."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloud_samples import Unique, by_service, let_in, make_queue
from deployed import Clients, policy_bucket

from mailtls.tls_rpt.contract import OwnDomain, render_domain_list
from sandbox import account
from sandbox.cloud.start import Emulator

WORKER = """
import sys, boto3
from report_lambda import handler

class Context:
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    get_remaining_time_in_millis = staticmethod(lambda: 180_000)

queue, sqs = sys.argv[1], boto3.client("sqs")
while True:
    for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
        record = {"eventSource": "aws:sqs", "messageId": message["MessageId"], "body": message["Body"]}
        if not handler.handle({"Records": [record]}, Context())["batchItemFailures"]:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
"""
SES = (
    "Received: from mail.google.com ([192.0.2.77]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id x for "
    "tlsrpt@reports.mailhost.example; Tue, 01 Dec 2026 03:12:43 +0000 (UTC)\r\n"
    "X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n"
    "Authentication-Results: amazonses.com; dkim=pass header.i=@google.com; dmarc=pass header.from=google.com;\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=google.com; s=1; t=1796094763; "
    "h=from:to:subject:date:message-id; bh=abc=; b=def=\r\n"
)


def mail(day: str, headers: str = SES) -> bytes:
    row = {
        "policy": {"policy-type": "sts", "policy-domain": "contoso.example"},
        "summary": {"total-successful-session-count": 7, "total-failure-session-count": 0},
    }
    report = {
        "organization-name": "Google Inc.",
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "report-id": day,
        "policies": [row],
    }
    top = f"From: noreply@google.com\r\nSubject: {day}\r\nContent-Type: application/tlsrpt+json\r\n\r\n"
    return (headers + top + json.dumps(report)).encode()


@dataclass(frozen=True)
class Pipeline:
    bucket: str
    s3: Any

    def keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ())]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mailtls.cli", "reports", *arguments]
        given = {**os.environ, **environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=given)

    def replay(self, *places: Path) -> tuple[int, list[dict[str, Any]]]:
        done = self.run("replay", *map(str, places), "--into", f"s3://{self.bucket}", "--format", "json")
        assert done.returncode < 2, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def pipeline(aws: Clients, unique: Unique, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The bucket, its queue, and the function in a process of its own."""
    s3, name = aws("s3"), policy_bucket(aws, unique("reports-store-bucket"), [])
    url, arn = make_queue(aws, unique("reports-queue"), VisibilityTimeout="30")
    let_in(aws, url, by_service("s3.amazonaws.com", "sqs:SendMessage", arn, f"arn:aws:s3:::{name}"))
    wanted = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"],
              "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}}  # fmt: skip
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={"QueueConfigurations": [wanted]})
    s3.put_object(Bucket=name, Key="domains/test.json", Body=render_domain_list([OwnDomain("contoso.example")]))
    for variable, value in account.environment(emulator.endpoint).items():
        monkeypatch.setenv(variable, value)
    topic = aws("sns").create_topic(Name=unique("alerts"))["TopicArn"]
    function = {"MAILTLS_BUCKET": name, "MAILTLS_TOPIC_ARN": topic, "MAILTLS_POLICY_BUCKET": name}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, url], env={**os.environ, **function}, stdout=subprocess.DEVNULL
    ) as worker:
        yield Pipeline(name, s3)
        worker.kill()


def test_mails_are_replayed_and_what_became_of_each_is_told(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(mail("2026-11-28"))
    (tmp_path / "box").write_bytes(b"From x\n" + mail("2026-11-29") + b"\n\nFrom y\n" + mail("2026-11-30", ""))
    code, told = pipeline.replay(tmp_path)
    assert code == 0
    assert sorted((line["disposition"], line["told"].partition(":")[0]) for line in told) == [
        ("quarantined", "dkim-missing"), ("stored", ""), ("stored", ""),
    ]  # fmt: skip
    assert len(pipeline.keys("reports/")) == 2
    schema = json.loads(subprocess.run([sys.executable, "-m", "mailtls.cli", "schema", "reports-tail"],
                                       capture_output=True, check=True, timeout=60).stdout)  # fmt: skip
    for line in told:
        jsonschema.validate(line, schema)

    (tmp_path / "empty").write_text("")
    (tmp_path / "c.json").write_bytes(mail("2026-11-27").partition(b"\r\n\r\n")[2])
    (tmp_path / "d.gz").write_bytes(gzip.compress((tmp_path / "c.json").read_bytes()))
    code, told = pipeline.replay(*(tmp_path / name for name in ("a", "empty", "c.json", "d.gz")))
    assert (code, [line["disposition"] for line in told].count("duplicate"), len(told)) == (1, 2, 3)
    assert len(pipeline.keys("reports/")) == 2
    assert len(pipeline.keys("posted/")) == 1  # nobody signed it


def test_nothing_is_replayed_into_a_cloud_that_is_not_on_this_machine(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(mail("2026-11-28"))
    for endpoint in ("https://s3.example", "http://127.0.0.1.s3.example"):
        done = pipeline.run("replay", str(tmp_path), "--into", f"s3://{pipeline.bucket}", AWS_ENDPOINT_URL=endpoint)
        assert done.returncode == 2
        assert "into a sandbox only" in done.stderr
    done = pipeline.run("replay", str(tmp_path), "--into", str(tmp_path))
    assert done.returncode == 2
    assert pipeline.keys("raw/") == []


def test_a_mail_whose_notification_was_lost_is_read_by_the_function_and_counts_once(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Also after a run that was killed between the two steps of a second reading."""
    (tmp_path / "a").write_bytes(mail("2026-11-28"))
    _, (first,) = pipeline.replay(tmp_path / "a")
    where, key = f"s3://{pipeline.bucket}", f"dispositions/{first['mail']}.json"
    entry = pipeline.s3.get_object(Bucket=pipeline.bucket, Key=pipeline.keys("reports/")[0])["Body"].read()

    pipeline.s3.delete_object(Bucket=pipeline.bucket, Key=key)  # killed here: nothing became of it, nobody is told
    done = pipeline.run("reprocess", where, "--mail", first["mail"], "--write")
    assert done.returncode == 0, done.stderr
    with subprocess.Popen(
        [sys.executable, "-m", "mailtls.cli", "reports", "tail", where, "-f", "--every", "1", "--format", "json"],
        stdout=subprocess.PIPE, text=True,
    ) as tail:  # fmt: skip
        assert tail.stdout is not None
        last = next(line for line in map(json.loads, tail.stdout) if line["disposition"] is not None)
        tail.kill()
    assert (last["mail"], last["disposition"]) == (first["mail"], "stored")
    [standing] = pipeline.keys("reports/")
    assert pipeline.s3.get_object(Bucket=pipeline.bucket, Key=standing)["Body"].read() == entry
