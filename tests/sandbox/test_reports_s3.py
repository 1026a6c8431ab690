"""Reports and mails read from a bucket, against the emulator: the same as from a folder with the same objects."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cloud_samples import Unique, by_service, environment_of_role, let_in, make_queue
from deployed import Clients, policy_bucket

from mailtls.cli.reports.bucket_writer import S3Writer
from mailtls.observe.arrivals import Follower
from mailtls.observe.report_bucket import FolderBucket, S3Bucket
from mailtls.observe.report_sources import reports_in
from mailtls.observe.store import StoreTrouble
from mailtls.reports.bucket_layout import disposition_key, to_bytes
from mailtls.tls_rpt.contract import OwnDomain, render_domain_list
from report_lambda.events import RawMail, parse_body
from sandbox import account
from sandbox.cloud.start import Emulator

REPORT = {"organization-name": "Reporter", "date-range": {"start-datetime": "2026-11-30T00:00:00Z"}}
ROW = {"policy": {"policy-type": "sts", "policy-domain": "contoso.example"}, "summary": {}}
STORED = {"disposition": "stored", "signer": "google.com", "stored": ["reports/contoso.example/x"], "duplicates": []}


def objects() -> dict[str, bytes]:
    found = {
        f"some/{number:02}": json.dumps({**REPORT, "report-id": f"r{number}", "policies": [ROW]}).encode()
        for number in range(40)
    }
    return found | {"some/broken": b"{", "raw/m1": b"Subject: x\n\n", disposition_key("m1"): to_bytes(STORED)}


@pytest.fixture
def bucket(aws: Clients, unique: Unique, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command has what docs/iam/reports-repair.json allows, and nothing else."""
    name = policy_bucket(aws, unique("reports-store-bucket"), [])
    for variable, value in environment_of_role(emulator, aws, unique("repair"), "reports-repair").items():
        monkeypatch.setenv(variable, value)
    for key, body in objects().items():
        aws("s3").put_object(Bucket=name, Key=key, Body=body)
    return name


def test_a_bucket_is_read_as_a_folder_is(bucket: str, tmp_path: Path) -> None:
    for key, body in objects().items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    from_s3 = list(reports_in([f"s3://{bucket}/some/"], account.REGION))
    from_disk = list(reports_in([str(tmp_path / "some")]))
    assert [found.place.rpartition("/")[2] for found in from_s3] == [
        found.place.rpartition("/")[2] for found in from_disk
    ]
    assert [e.report for found in from_s3 for e in found.read.entries] == [
        e.report for found in from_disk for e in found.read.entries
    ]
    assert sum(len(found.read.entries) for found in from_s3) == 40
    assert [bool(found.read.refused) for found in from_s3].count(True) == 1
    (arrived,) = Follower(S3Bucket(bucket, account.REGION), 5).look()
    (copied,) = Follower(FolderBucket(tmp_path), 5).look()
    assert (arrived.mail, arrived.became, arrived.policy_domains) == (copied.mail, copied.became, copied.policy_domains)
    assert S3Bucket(bucket, account.REGION).read("none", 10) is None


def test_a_bucket_that_is_not_there_is_trouble(bucket: str) -> None:
    with pytest.raises(StoreTrouble, match="s3:ListBucket on"):
        list(reports_in([f"s3://{bucket}-none/"], account.REGION))


def reports(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailtls.cli", "reports", *arguments, "--region", account.REGION]
    given = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=given)


def versions_of(aws: Clients, bucket: str, prefix: str = "") -> list[str]:
    answer = aws("s3").list_object_versions(Bucket=bucket, Prefix=prefix)
    return [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in answer.get(kind, ())]


def test_a_mail_is_announced_again_and_its_disposition_gone_for_good(bucket: str, aws: Clients) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="domains/test.json", Body=render_domain_list([OwnDomain("contoso.example")]))
    counted = reports("reprocess", f"s3://{bucket}", "--mail", "m1")
    assert counted.returncode == 1, counted.stderr
    assert len(versions_of(aws, bucket, "raw/m1")) == 1
    done = reports("reprocess", f"s3://{bucket}", "--mail", "m1", "--write")
    assert done.returncode == 0, done.stderr
    assert len(versions_of(aws, bucket, "raw/m1")) == 2  # S3 notifies of each new one
    assert versions_of(aws, bucket, "dispositions/") == []
    assert s3.get_object(Bucket=bucket, Key="raw/m1")["Body"].read() == b"Subject: x\n\n"


def test_nothing_of_an_erased_domain_is_left_in_any_version(bucket: str, aws: Clients) -> None:
    s3 = aws("s3")
    for number in range(3):
        s3.put_object(Bucket=bucket, Key="alerts/contoso.example/cause.json", Body=f"{number}".encode())
        s3.put_object(Bucket=bucket, Key=f"reports/contoso.example/2026-11-30/{number}.json", Body=b"{}")
        s3.put_object(Bucket=bucket, Key=f"reports/contoso.example.org/2026-11-30/{number}.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="reports/contoso.example/2026-11-30/2.json")  # a slip of a hand leaves a marker
    done = reports("erase", "contoso.example", f"s3://{bucket}", "--write", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objects"]["stored reports"] == 3
    left = [key for key in versions_of(aws, bucket) if not key.startswith("some/")]
    assert left == [f"reports/contoso.example.org/2026-11-30/{number}.json" for number in range(3)]


def test_what_is_about_several_domains_is_written_anew_and_its_earlier_versions_go(bucket: str, aws: Clients) -> None:
    s3 = aws("s3")
    shared = {"news": [], "over": [], "speaker": "contoso.example"}
    members = [{"policy_domain": name} for name in ("contoso.example", "fabrikam.example")]
    for number in range(2):
        body = json.dumps({**shared, "version": number, "members": members}).encode()
        s3.put_object(Bucket=bucket, Key="hosts/0.json", Body=body)
    done = reports("erase", "contoso.example", f"s3://{bucket}", "--write", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["objects"]["faults shared with others"] == 1
    assert versions_of(aws, bucket, "hosts/") == ["hosts/0.json"]
    left = s3.get_object(Bucket=bucket, Key="hosts/0.json")["Body"].read()
    assert json.loads(left)["members"] == [{"policy_domain": "fabrikam.example"}]
    assert b"contoso.example" not in left
    assert reports("erase", "contoso.example", f"s3://{bucket}").returncode == 0


def test_a_change_that_somebody_else_overtakes_is_made_again(bucket: str, aws: Clients) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="hours/0.json", Body=b"0")

    def step(body: bytes) -> bytes:
        if body == b"0":  # in between, the function counts
            s3.put_object(Bucket=bucket, Key="hours/0.json", Body=b"1")
        return body + b"!"

    S3Writer(S3Bucket(bucket, account.REGION)).change("hours/0.json", step)
    assert s3.get_object(Bucket=bucket, Key="hours/0.json")["Body"].read() == b"1!"
    S3Writer(S3Bucket(bucket, account.REGION)).change("hours/none.json", step)
    assert versions_of(aws, bucket, "hours/") == ["hours/0.json"]


def received(aws: Clients, url: str) -> list[str]:
    """Bodies of what is in the queue, or comes into it in a moment; taken out."""
    sqs = aws("sqs")
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def test_what_is_announced_reaches_the_queue_and_dead_letters_go_back_to_it(
    bucket: str, aws: Clients, unique: Unique, emulator: Emulator
) -> None:
    """The message is one that the function takes. The stand-in does not see which queue a task is to move, so an
    administrator moves here."""
    s3, sqs = aws("s3"), aws("sqs")
    s3.put_object(Bucket=bucket, Key="domains/test.json", Body=render_domain_list([OwnDomain("contoso.example")]))
    dead_url, dead = make_queue(aws, unique("reports-queue-dead-letters"))
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 1})
    url, arn = make_queue(aws, unique("reports-queue"), RedrivePolicy=redrive, VisibilityTimeout="0")
    let_in(aws, url, by_service("s3.amazonaws.com", "sqs:SendMessage", arn, f"arn:aws:s3:::{bucket}"))
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"],
                                     "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}}]
        },
    )  # fmt: skip
    received(aws, url)  # S3's test message
    done = reports("reprocess", f"s3://{bucket}", "--mail", "m1", "--write")
    assert done.returncode == 0, done.stderr
    (told,) = received(aws, url)
    assert parse_body(told) == (RawMail(bucket, "raw/m1"),)

    sqs.send_message(QueueUrl=url, MessageBody=told)
    assert sqs.receive_message(QueueUrl=url)["Messages"]  # fails
    assert not sqs.receive_message(QueueUrl=url).get("Messages")
    administrator = {"AWS_SESSION_TOKEN": "", **account.environment(emulator.endpoint)}
    moved = reports("reprocess", f"s3://{bucket}", "--dead-letters", dead, "--write", **administrator)
    assert moved.returncode == 0, moved.stderr
    assert "are moving back" in moved.stdout
    assert received(aws, url) == [told]
    assert received(aws, dead_url) == []


def test_a_dead_letter_queue_that_is_none_is_trouble(bucket: str, aws: Clients, emulator: Emulator) -> None:
    administrator = {"AWS_SESSION_TOKEN": "", **account.environment(emulator.endpoint)}
    aws("s3").put_object(Bucket=bucket, Key="domains/a.json", Body=render_domain_list([OwnDomain("contoso.example")]))
    arn = f"arn:aws:sqs:{account.REGION}:{account.ACCOUNT_ID}:reports-queue-none"
    done = reports("reprocess", f"s3://{bucket}", "--dead-letters", arn, "--write", **administrator)
    assert done.returncode == 2
    assert "sqs:StartMessageMoveTask on reports-queue-none" in done.stderr
    assert "ResourceNotFound" in done.stderr
    assert "Traceback" not in done.stderr
