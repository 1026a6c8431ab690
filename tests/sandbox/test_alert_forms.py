"""An alert through the stand-in's SNS: each subscriber gets its form, and the delivery reads what its queue gets."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloud_samples import Unique, bodies, by_service, let_in, listening_queue, make_queue, soon
from deployed import Clients

from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.alert_json import by_protocol, document
from mailtls.reports.message_layout import Alert
from mailtls.tls_rpt.failures import Severity
from report_lambda import handler
from report_lambda.delivery import handler as delivery
from report_lambda.delivery import notice

NOW = datetime(2026, 12, 1, 3, 12, 44, tzinfo=UTC)
ALERT = Alert(
    "[critical] contoso.example: certificate of mx2.contoso.example expired",
    "[critical] contoso.example: certificate of mx2.contoso.example expired\nWHAT    ü\n",
    Severity.CRITICAL,
    AlertEvent(Status.OPENED, "sessions", "1a2b3c4d5e6f"),
    {"policy_domain": "contoso.example", "severity": "critical", "owner": "mail-team"},
)


@pytest.fixture
def topic(aws: Clients, unique: Unique, monkeypatch: pytest.MonkeyPatch) -> str:
    sns = aws("sns")
    monkeypatch.setattr(handler, "_client", lambda _: sns)
    return str(sns.create_topic(Name=unique("topic"))["TopicArn"])


def publish(topic: str, alert: Alert = ALERT) -> None:
    handler._SnsTopic(topic).publish(alert.subject, by_protocol(alert, NOW), alert.attributes)


def received(aws: Clients, url: str) -> list[str]:
    found: list[str] = []
    assert soon(lambda: found.extend(bodies(aws, url)) or found)
    return found


def test_a_queue_gets_the_document_in_an_envelope(aws: Clients, topic: str, unique: Unique) -> None:
    url = listening_queue(aws, unique("queue"), topic)
    publish(topic)
    [body] = received(aws, url)
    envelope = json.loads(body)
    assert json.loads(envelope["Message"]) == json.loads(json.dumps(document(ALERT, NOW)))
    assert envelope["Subject"] == ALERT.subject


def test_the_deliverys_queue_gets_the_bare_document_of_its_owner(aws: Clients, topic: str, unique: Unique) -> None:
    url, arn = make_queue(aws, unique("queue"))
    let_in(aws, url, by_service("sns.amazonaws.com", "sqs:SendMessage", arn, topic))
    attributes = {
        "RawMessageDelivery": "true",
        "FilterPolicy": json.dumps({"owner": ["mail-team"]}),
        "FilterPolicyScope": "MessageAttributes",
    }
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    publish(topic, dataclasses.replace(ALERT, attributes={**ALERT.attributes, "owner": "brand-team"}))
    publish(topic)
    [body] = received(aws, url)
    assert notice.document(body, NOW) == json.loads(json.dumps(document(ALERT, NOW)))


def test_the_secret_is_read_from_its_parameter(aws: Clients, unique: Unique, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm: Any = aws("ssm")
    name = f"/mailtls/{unique('secret')}"
    ssm.put_parameter(Name=name, Value="https://hooks.example/first\n", Type="SecureString")
    monkeypatch.setattr(delivery, "_client", lambda: ssm)
    assert delivery._secret(name) == "https://hooks.example/first"
    ssm.put_parameter(Name=name, Value="https://hooks.example/second", Type="SecureString", Overwrite=True)
    assert delivery._secret(name) == "https://hooks.example/second"
