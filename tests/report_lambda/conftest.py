"""Stand-ins for S3 and SNS that keep their promises.

The store is no mock: it does what S3 does (conditional writes, listings by key), and can be told to fail at any call,
before or after it took effect.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.reports.served import Served
from mailtls.tls_rpt.contract import OwnDomain, domain_list_key, render_domain_list
from report_lambda import handler
from report_lambda.domains import DomainCache
from report_lambda.store import Listed, ObjectTooLarge, StoredObject, StoreError

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import report_mails  # noqa: E402  after the path

BUCKET = "reports-bucket"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
NOW = datetime(2026, 12, 1, 3, 12, 44, tzinfo=UTC)

CONTOSO = OwnDomain(
    "contoso.example",
    "enforce",
    ("mx1.contoso.example", "mx2.contoso.example"),
    "mail-team",
    "hostmaster@fabrikam-it.example",
    "policy_specs/contoso.example.yaml",
)
BRAND = OwnDomain("brand01.example", "testing", ("mx-a.mailhost.example", "mx-b.mailhost.example"))


class Faults:
    """Counts calls; at call number `at` raises, before or after the call took effect."""

    def __init__(self) -> None:
        self.at = 0
        self.after = False
        self.count = 0

    def plan(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.count = at, after, 0

    def guard(self, effect: Callable[[], Any]) -> Any:
        self.count += 1
        if self.count == self.at and not self.after:
            raise StoreError(f"planned, before call {self.at}")
        result = effect()
        if self.count == self.at and self.after:
            raise StoreError(f"planned, after call {self.at}")
        return result


class MemoryStore:
    """S3's semantics for the verbs of ObjectStore, in memory."""

    def __init__(self, faults: Faults, clock: Callable[[], datetime]) -> None:
        self.objects: dict[str, bytes] = {}
        self.written: dict[str, datetime] = {}
        self.reads: list[str] = []
        self._faults = faults
        self._clock = clock

    def get(self, key: str, limit: int) -> StoredObject | None:
        return self._faults.guard(lambda: self._get(key, limit))

    def put_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        return self._faults.guard(lambda: self._put(key, body, key not in self.objects))

    def put_if_match(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        return self._faults.guard(lambda: self._put(key, body, self._etag(key) == etag))

    def list_objects(self, prefix: str, *, start_after: str = "", limit: int = 1000) -> list[Listed]:
        return self._faults.guard(lambda: self._list(prefix, start_after, limit))

    def copy(self, source: str, target: str) -> None:
        self._faults.guard(lambda: self._put(target, self.objects[source], True))

    def under(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))

    def json(self, key: str) -> dict[str, Any]:
        return json.loads(self.objects[key])

    def _get(self, key: str, limit: int) -> StoredObject | None:
        self.reads.append(key)
        if key not in self.objects:
            return None
        if len(self.objects[key]) > limit:
            raise ObjectTooLarge(key, len(self.objects[key]))
        return StoredObject(self.objects[key], self._etag(key))

    def _put(self, key: str, body: bytes, condition: bool) -> bool:
        if condition:
            self.objects[key] = body
            self.written[key] = self._clock()
        return condition

    def _list(self, prefix: str, start_after: str, limit: int) -> list[Listed]:
        keys = [key for key in self.under(prefix) if key > start_after]
        return [
            Listed(key, self._etag(key), len(self.objects[key]), self.written.get(key, NOW)) for key in keys[:limit]
        ]

    def _etag(self, key: str) -> str:
        body = self.objects.get(key)
        return "" if body is None else hashlib.md5(body, usedforsecurity=False).hexdigest()


class MemoryPolicies:
    """What was served, by policy domain: until three days before NOW contoso.example was in testing."""

    def __init__(self) -> None:
        began, promoted = NOW - timedelta(days=200), NOW - timedelta(days=3)
        mx = tuple(map(MxPattern, CONTOSO.mx))
        self.served = {
            "contoso.example": (
                Served(Policy(Mode.ENFORCE, 604800, mx), promoted),
                Served(Policy(Mode.TESTING, 604800, mx), began, promoted),
            )
        }
        self.asked: list[str] = []

    def history(self, policy_domain: str) -> tuple[Served, ...]:
        self.asked.append(policy_domain)
        return self.served.get(policy_domain, ())


class MemoryTopic:
    """Remembers what was published, as mail gets it and for machines; refuses what SNS refuses."""

    def __init__(self, faults: Faults) -> None:
        self.messages: list[tuple[str, str, dict[str, Any]]] = []
        self.documents: list[dict[str, Any]] = []
        self._faults = faults

    def publish(self, subject: str, message: str, attributes: Mapping[str, str | tuple[str, ...]]) -> None:
        assert subject.isascii()
        assert subject.isprintable()
        assert 0 < len(subject) < 100
        assert len(message.encode()) <= 256 * 1024
        assert len(attributes) <= 10
        assert all(attributes.values())
        forms = json.loads(message)
        assert set(forms) == {"default", "email"}
        self._faults.guard(lambda: self._keep(subject, forms, attributes))

    def _keep(self, subject: str, forms: dict[str, str], attributes: Mapping[str, Any]) -> None:
        self.messages.append((subject, forms["email"], dict(attributes)))
        self.documents.append(json.loads(forms["default"]))

    @property
    def subjects(self) -> list[str]:
        return [subject for subject, _, _ in self.messages]

    @property
    def kinds(self) -> list[str]:
        """The bracket of each subject."""
        return [subject.partition("]")[0].lstrip("[") for subject in self.subjects]


class Context:
    """What Lambda tells of an invocation, as far as it is used."""

    def __init__(self, request_id: str, seconds_left: Callable[[], float]) -> None:
        self.aws_request_id = request_id
        self._seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds_left() * 1000)


class Cloud:
    """The bucket, the topic, a clock, and the function that is called with events."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.now = NOW
        self.seconds_left = 180.0
        self.faults = Faults()
        self.store = MemoryStore(self.faults, lambda: self.now)
        self.topic = MemoryTopic(self.faults)
        self.policies = MemoryPolicies()
        self.lines: list[dict[str, Any]] = []
        self._capsys = capsys
        self._mails = 0
        self._requests = 0
        self.own(CONTOSO, BRAND)

    def own(self, *domains: OwnDomain, stack: str = "sandbox") -> None:
        self.store.objects[domain_list_key(stack)] = render_domain_list(domains).encode()

    def call(self, event: dict[str, Any]) -> Any:
        """Invoke the function as AWS would; its output is collected in `lines`."""
        self._requests += 1
        try:
            return handler.handle(event, Context(f"request-{self._requests}", lambda: self.seconds_left))
        finally:
            self.lines += [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]

    def arrive(self, mail: bytes, mail_id: str = "") -> str:
        """SES stores a mail. Returns its id."""
        self._mails += 1
        mail_id = mail_id or f"mail{self._mails}"
        self.store.objects[f"raw/{mail_id}"] = mail
        return mail_id

    def notify(self, *mail_ids: str) -> list[str]:
        """The queue delivers. Returns the ids of the mails that must come again."""
        event = payload("sqs_s3_object_created")
        [record] = event["Records"]
        event["Records"] = [
            {**record, "messageId": mail_id, "body": record["body"].replace("o3vrnil0e2ic28tr", mail_id)}
            for mail_id in mail_ids
        ]
        return [failed["itemIdentifier"] for failed in self.call(event)["batchItemFailures"]]

    def receive(self, mail: bytes) -> dict[str, Any]:
        """A mail arrives and is dealt with. Returns its disposition."""
        mail_id = self.arrive(mail)
        assert self.notify(mail_id) == []
        return self.store.json(f"dispositions/{mail_id}.json")

    def tick(self, after: timedelta = timedelta(hours=1)) -> None:
        """Time passes, then the schedule fires."""
        self.now += after
        self.call({**payload("eventbridge_schedule"), "time": self.now.isoformat()})

    def metric(self, name: str, **dimensions: str) -> int:
        """Sum of a metric over all lines written with exactly these dimensions."""
        total = 0
        for line in self.lines:
            if "_aws" not in line:
                continue
            [directive] = line["_aws"]["CloudWatchMetrics"]
            if directive["Dimensions"] == [list(dimensions)] and all(line[n] == v for n, v in dimensions.items()):
                total += line.get(name, 0)
        return total


def payload(name: str) -> dict[str, Any]:
    """A real payload of an event source, from payloads/<name>.json."""
    return json.loads((HERE / "payloads" / f"{name}.json").read_text())


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cloud]:
    there = Cloud(capsys)
    monkeypatch.setenv("MAILTLS_BUCKET", BUCKET)
    monkeypatch.setenv("MAILTLS_TOPIC_ARN", TOPIC)
    monkeypatch.setenv("MAILTLS_POLICY_BUCKET", "policy-bucket")
    monkeypatch.setattr(handler, "_policies", lambda bucket: there.policies)
    monkeypatch.setattr(handler, "_store", lambda bucket: there.store)
    monkeypatch.setattr(handler, "_topic", lambda arn: there.topic)
    monkeypatch.setattr(handler, "_now", lambda: there.now)
    monkeypatch.setattr(handler, "_domains", DomainCache())
    return there


class Mails:
    """The builders of report_mails.py, and whom their reports are about."""

    policy = staticmethod(report_mails.policy)
    failure = staticmethod(report_mails.failure)
    report = staticmethod(report_mails.tls_report)
    ses_headers = staticmethod(report_mails.ses_headers)
    sender_headers = staticmethod(report_mails.sender_headers)
    mail = staticmethod(report_mails.ses_mail)
    fails = staticmethod(report_mails.failing_mail)
    is_clean = staticmethod(report_mails.clean_mail)
    payload = staticmethod(payload)
    contoso = CONTOSO
    brand = BRAND

    @staticmethod
    def yesterday() -> str:
        """By the real clock, for tests of a real process."""
        return (datetime.now(UTC).date() - timedelta(days=1)).isoformat()


@pytest.fixture(scope="session")
def mails() -> type[Mails]:
    return Mails
