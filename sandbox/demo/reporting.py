"""Chapter 4: reports come in by mail, through the deployed MX; the ledger, the metrics and the alert are held against
what was sent."""

import email.utils
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dkim

from sandbox import account
from sandbox.demo.sample_mails import Counted, SampleMail, samples
from sandbox.demo.scene import OUTSIDERS, Scene, asking
from sandbox.demo.story import DemoError, expect
from sandbox.outsiders.submission import Internet, Signer, crlf
from sandbox.outsiders.tls_rpt_reporter import Reporter, Sessions
from sandbox.place import REPOSITORY

REPORTER = "reporter.example"
SELECTOR = "sandbox"
SESSIONS = (("contoso.example", 40, ()), ("northwind.example", 25, (("starttls-not-supported", "mx2", 3),)))
"""What the reporter's site saw: domain, sessions that went well, failures as (result type, MX, sessions)."""
PATIENCE = 60


@dataclass(slots=True)
class Sent:
    """What went out, and what must be found of it. `mails`: raw mails. `ledger`: entries. `reasons`: in quarantine."""

    mails: int = 0
    duplicates: int = 0
    ledger: Counter[Counted] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def report(scene: Scene) -> None:
    story = scene.story
    story.chapter(4, "Reports come in: a real TLS-RPT sender, and mails in the shapes that are seen in the wild")
    bucket = Bucket(scene.deployment.outputs()["reports_bucket"], scene.endpoints.aws)
    sent = Sent()
    with story.step("tlsrpt-reporter collects a day of sessions and mails its reports"):
        _real_reporter(scene, sent)
    mails, recipient = samples(), rua(scene, "contoso.example").removeprefix("mailto:")
    with story.step(f"{len(mails)} sample mails go through the MX"):
        for number, mail in enumerate(mails):
            submit(scene, f"sample-{number}", mail, recipient)
            _expect_of(sent, mail)
    with story.step("the pipeline works"):
        wait_until_dealt_with(bucket, sent.mails + 1)
    _judge_ledger(scene, bucket, sent)
    _judge_quarantine(scene, bucket, sent)
    _judge_metrics(scene, sent)
    _judge_alert(scene)
    _draw(scene, sent)


def _real_reporter(scene: Scene, sent: Sent) -> None:
    days = []
    for domain, successful, failures in SESSIONS:
        policy = tuple(line for line in scene.fetch(f"mta-sts.{domain}").splitlines() if line)
        failed = tuple((result, f"{host}.{domain}", count) for result, host, count in failures)
        days.append(Sessions(domain, rua(scene, domain), policy, successful, failed))
        sent.ledger[Counted(domain, successful, sum(count for _, _, count in failed))] += 1
    sendmail = [sys.executable, str(OUTSIDERS / "submission.py")]
    sendmail += ["--dns", scene.endpoints.dns, "--smtp", scene.endpoints.smtp, "--ca", scene.endpoints.ca]
    sendmail += ["--key", str(sender_key(scene, REPORTER)), "--selector", SELECTOR, "--domain", REPORTER]
    reporter = Reporter(scene.judges, "Reporter Example", f"tls@{REPORTER}", f"tls-reports@{REPORTER}", tuple(sendmail))
    sent.mails += reporter.report_day(days, scene.place.logs / "tlsrpt-reporter")


def rua(scene: Scene, domain: str) -> str:
    """As a sender reads it: from the deployed record."""
    values = scene.txt(f"_smtp._tls.{domain}")
    expect(len(values) == 1, f"one TXT record at _smtp._tls.{domain} is expected: {values}")
    return values[0].partition("rua=")[2].split(",")[0].rstrip("; ")


def internet(scene: Scene) -> Internet:
    return Internet(scene.endpoints.dns, scene.endpoints.smtp, Path(scene.endpoints.ca))


def sender_key(scene: Scene, domain: str) -> Path:
    return Path(scene.endpoints.keys) / f"{domain}.pem"


def submit(scene: Scene, label: str, mail: SampleMail, recipient: str) -> None:
    """Send it through the recipient's MX. label: goes into its Message-ID."""
    head = (
        f"From: TLS reports <tls-reports@{mail.sender}>\r\nTo: <{recipient}>\r\n"
        f"Subject: Report Domain: example Submitter: {mail.sender} Report-ID: <{label}@{mail.sender}>\r\n"
        f"Date: {email.utils.formatdate()}\r\nMessage-ID: <{label}@{mail.sender}>\r\nMIME-Version: 1.0\r\n"
    )
    data = crlf(head.encode() + mail.body)
    if mail.signer is not None:
        data = _signed(scene, mail, data)
    if mail.tampered:
        data = data.replace(b"aggregate", b"aggravate", 1)
    internet(scene).submit(data, f"bounce@{mail.sender}", recipient)


def _signed(scene: Scene, mail: SampleMail, data: bytes) -> bytes:
    signer = mail.signer or mail.sender
    key = sender_key(scene, signer)
    if not mail.length_tag:
        return Signer(signer, SELECTOR, key).sign(data)
    signature: bytes = dkim.sign(
        data, SELECTOR.encode(), signer.encode(), key.read_bytes(), include_headers=[b"from"], length=True
    )
    return signature + data


def _expect_of(sent: Sent, mail: SampleMail) -> None:
    sent.mails += 1
    if mail.reason is not None:
        sent.reasons[mail.reason] += 1
    elif all(sent.ledger[entry] for entry in mail.expected):
        sent.duplicates += len(mail.expected)
    else:
        sent.ledger.update(mail.expected)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The reports bucket, read as an administrator would."""

    name: str
    aws: str

    def keys(self, prefix: str) -> list[str]:
        with asking(f"{prefix} of {self.name}"):
            listing = account.client("s3", self.aws).get_paginator("list_objects_v2")
            pages = listing.paginate(Bucket=self.name, Prefix=prefix)
            return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def json(self, key: str) -> dict[str, Any]:
        with asking(f"{key} of {self.name}"):
            body = account.client("s3", self.aws).get_object(Bucket=self.name, Key=key)["Body"].read()
        value: dict[str, Any] = json.loads(body)
        return value


def wait_until_dealt_with(bucket: Bucket, mails: int) -> None:
    """Until so many raw mails are stored and each has its disposition. SES's own test object is one of them."""
    end = time.monotonic() + PATIENCE
    while True:
        raw, dealt = bucket.keys("raw/"), bucket.keys("dispositions/")
        if len(raw) == len(dealt) == mails:
            return
        expect(time.monotonic() < end, f"{mails} mails are due, {len(raw)} stored, {len(dealt)} dealt with")
        time.sleep(0.2)


def _judge_ledger(scene: Scene, bucket: Bucket, sent: Sent) -> None:
    found: Counter[Counted] = Counter()
    for key in bucket.keys("reports/"):
        entry = bucket.json(key)
        summaries = [policy["summary"] for policy in entry["report"]["policies"]]
        found[
            Counted(
                entry["policy_domain"],
                sum(one.get("total-successful-session-count", 0) for one in summaries),
                sum(one.get("total-failure-session-count", 0) for one in summaries),
            )
        ] += 1
    expect(found == sent.ledger, f"the ledger says {found - sent.ledger}, what was sent {sent.ledger - found}")
    dispositions = Counter(bucket.json(key)["disposition"] for key in bucket.keys("dispositions/"))
    scene.story.proved(
        "the ledger equals what was sent, duplicates counted once",
        f"{sum(found.values())} entries from {sent.mails} mails: " + _counts(dispositions),
    )
    scene.story.facts["ledger"] = {"entries": sum(found.values()), "mails": sent.mails, "dispositions": dispositions}


def _judge_quarantine(scene: Scene, bucket: Bucket, sent: Sent) -> None:
    kept = [key for key in bucket.keys("quarantine/") if key.endswith(".json")]
    reasons = Counter(bucket.json(key)["reason"] for key in kept)
    expect(reasons == sent.reasons, f"quarantine holds {_counts(reasons)}, expected {_counts(sent.reasons)}")
    for key in kept:
        told = bucket.json(key)
        scene.story.say(f"{told['reason']:16} {told['detail']}")
    scene.story.proved("what cannot be trusted or read is kept apart, with its reason beside it", _counts(reasons))


def _judge_metrics(scene: Scene, sent: Sent) -> None:
    def total(metric: str, **dimensions: str) -> int:
        now = datetime.now(UTC)
        with asking(f"the metric {metric}"):
            answer = account.client("cloudwatch", scene.endpoints.aws).get_metric_statistics(
                Namespace="MailTLS",
                MetricName=metric,
                Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(minutes=1),
                Period=60,
                Statistics=["Sum"],
            )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))

    sessions = {
        "SuccessfulSessions": sum(one.successful * times for one, times in sent.ledger.items()),
        "FailedSessions": sum(one.failed * times for one, times in sent.ledger.items()),
    }
    counters = {
        "MailsReceived": sent.mails,
        "MailsQuarantined": sum(sent.reasons.values()),
        "ReportsStored": sum(sent.ledger.values()),
        "ReportsDuplicate": sent.duplicates,
    }

    def look() -> dict[str, int]:
        return {
            **{metric: total(metric) for metric in counters},
            **{name: sum(total(name, PolicyType=kind) for kind in ("sts", "tlsa")) for name in sessions},
            **{reason: total("MailsQuarantined", Reason=reason) for reason in sent.reasons},
        }

    expected = counters | sessions | sent.reasons
    end = time.monotonic() + PATIENCE
    while (seen := look()) != expected:  # logs reach CloudWatch a moment later
        expect(time.monotonic() < end, f"CloudWatch says {seen}, expected {expected}")
        time.sleep(0.2)
    scene.story.proved("metrics read back from CloudWatch agree", _counts(counters | sessions))
    scene.story.facts["metrics"] = counters | sessions


def _judge_alert(scene: Scene) -> None:
    end = time.monotonic() + PATIENCE
    while not (alerts := [text for text in alert_texts(scene) if "[critical] contoso.example" in text]):
        expect(time.monotonic() < end, "no alert about contoso.example reached the webhook")
        time.sleep(0.2)
    scene.story.quote(alerts[0])
    scene.story.proved("the alert reached the subscriber of the topic", alerts[0].splitlines()[0])
    scene.story.facts["alert"] = alerts[0]


def _draw(scene: Scene, sent: Sent) -> None:
    """The dashboard, from the ledger in the bucket. It has to show a number that was sent."""
    outputs, site = scene.deployment.outputs(), scene.place.folder / "dashboard"
    shutil.rmtree(site, ignore_errors=True)
    store = f"s3://{outputs['policy_bucket']},{outputs['reports_bucket']}"
    command = [sys.executable, "-m", "mailtls.cli", "reports", "dashboard", str(site), "--store", store]
    with scene.story.step("mailtls reports dashboard draws what was reported, as a static site"):
        done = subprocess.run(
            command, env={**os.environ, **scene.endpoints.pulumi_env}, capture_output=True, text=True, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    expect(done.returncode == 0, f"mailtls reports dashboard: exit code {done.returncode}: {done.stderr}")
    domain = "fabrikam.example"
    sessions = sum(one.successful * times for one, times in sent.ledger.items() if one.policy_domain == domain)
    page = (site / "domains" / domain / "index.html").read_text()
    expect(f"{sessions:,}" in page, f"the page of {domain} does not show its {sessions:,} sessions")
    scene.story.proved("the dashboard shows what was sent", f"open {(site / 'index.html').relative_to(REPOSITORY)}")
    scene.story.facts["dashboard"] = {"page": str(site / "index.html"), "sessions": sessions}


def alert_texts(scene: Scene) -> list[str]:
    """The alerts among them: over https a JSON document. The pipeline's alarms are one of another shape."""
    documents = [json.loads(one["Message"]) for one in messages(scene)]
    return [document["text"] for document in documents if document.get("schema") == "urn:mailtls:alert:v1"]


def messages(scene: Scene) -> list[dict[str, Any]]:
    """What the webhook got of SNS, oldest first."""
    url = f"{scene.endpoints.webhook}/messages"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found
    except OSError as e:
        raise DemoError(f"{url} does not answer: {e}") from e


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
