"""The document for machines: its schema, one key from the first message to the last, and that it fits into SNS."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from mailtls.reports import alert_event, alert_json, causes
from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.message_layout import Alert
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity

SCHEMA = json.loads((Path(alert_json.__file__).parent / "alert.v1.schema.json").read_text("utf-8"))
NOW = datetime(2026, 12, 1, 3, 12, 44, tzinfo=UTC)
CONTOSO = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"), "mail-team")


def valid(document):
    jsonschema.validate(document, SCHEMA, format_checker=jsonschema.FormatChecker())
    return document


def test_the_first_message_and_the_all_clear_are_one_incident(cloud, mails):
    cloud.receive(mails.fails(1100))
    cloud.tick(timedelta(hours=7))
    cloud.receive(mails.fails(50, signer="mail.ru", report_id="second"))
    cloud.tick(timedelta(hours=7))
    cloud.now += timedelta(days=1)
    for signer in ("google.com", "mail.ru"):
        report = mails.report(mails.policy(500), day="2026-12-01", report_id=f"clean-{signer}")
        cloud.receive(mails.mail(report, signer=signer))
    cloud.tick()
    documents = list(map(valid, cloud.topic.documents))
    assert [one["status"] for one in documents] == ["opened", "repeated", "over"]
    assert len({one["dedup_key"] for one in documents}) == 1
    assert {one["severity"] for one in documents} == {"critical"}


def test_a_document_says_in_values_what_the_text_says_in_words(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(8911, (mails.failure(1100),)))))
    [document], [(subject, text, _)] = cloud.topic.documents, cloud.topic.messages
    valid(document)
    assert document["text"] == text
    assert (document["subject"], document["summary"]) == (subject, text.splitlines()[0])
    assert document["policy_domain"] == "contoso.example"
    assert (document["kind"], document["result_type"], document["host"]) == (
        "sessions",
        "certificate-expired",
        "mx2.contoso.example",
    )
    assert (document["failed_sessions"], document["sessions"]) == (1100, 10011)
    assert (document["first_day"], document["last_day"]) == ("2026-11-30", "2026-11-30")
    assert document["reporters"] == ["google.com"]
    assert document["owners"] == ["mail-team"]
    assert document["sent_at"] == f"{cloud.now:%Y-%m-%dT%H:%M:%SZ}"


def test_a_possible_downgrade_is_a_value_of_its_own(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(558))))
    detail = mails.failure(342, "starttls-not-supported")
    cloud.receive(mails.mail(mails.report(mails.policy(0, (detail,)), report_id="m"), signer="microsoft.com"))
    assert valid(cloud.topic.documents[-1])["possible_downgrade"] is True


def test_domains_that_share_a_fault_share_the_incident_until_the_last_is_over(cloud, mails):
    """Whoever opens and resolves by the key is left with nothing open."""
    host = "mx-b.mailhost.example"
    names = ("contoso.example", "brand01.example", "brand02.example")
    cloud.own(*(OwnDomain(name, "enforce", (host,)) for name in names))
    about = {"policy-string": ["version: STSv1", "mode: enforce", f"mx: {host}", "max_age: 86400"]}
    for name in names:
        policy = mails.policy(5, (mails.failure(200, mx=host),), **about, **{"policy-domain": name})
        cloud.receive(mails.mail(mails.report(policy, report_id=name)))
    cloud.tick()
    cloud.now += timedelta(days=1)
    for name in names:
        clean = mails.policy(500, **about, **{"policy-domain": name})
        cloud.receive(mails.mail(mails.report(clean, day="2026-12-01", report_id=f"clean-{name}")))
    for _ in range(3):
        cloud.tick()
    open_now = set()
    for document in map(valid, cloud.topic.documents):
        if document["status"] == "over":
            open_now.discard(document["dedup_key"])
        else:
            open_now.add(document["dedup_key"])
    assert cloud.topic.documents[0]["status"] == "opened"
    assert open_now == set()


def test_silence_and_certificates_have_documents_too(cloud, mails):
    for day in range(13, 23):
        cloud.receive(mails.mail(mails.report(mails.policy(10), day=f"2026-11-{day}")))
    cloud.tick(datetime.fromisoformat("2026-12-01T08:00:00+00:00") - cloud.now)
    cloud.call(mails.payload("eventbridge_acm_expired"))
    cloud.receive(mails.mail(mails.report(mails.policy(10), day="2026-11-30")))
    cloud.tick(timedelta(days=1))
    told = [(one["kind"], one["status"]) for one in map(valid, cloud.topic.documents)]
    assert told == [("silence", "opened"), ("certificate", "opened"), ("silence", "over")]


def test_the_words_of_the_schema_are_those_of_the_code():
    of = SCHEMA["properties"]
    assert set(of["kind"]["enum"]) == {*causes.CauseKind, "shared-host", "held-back", "digest", "pipeline"}
    assert of["status"]["enum"] == list(alert_event.Status)
    assert of["severity"]["enum"] == list(Severity)
    assert of["schema"]["const"] == SCHEMA["$id"] == alert_json.SCHEMA


@pytest.mark.parametrize("letter", ["a", "\n", '"', "\u00fc", "\U0001f4a5"])
def test_what_is_too_long_for_sns_is_cut_and_says_so(letter):
    text = "[critical] contoso.example: much\n" + letter * 300_000
    event = AlertEvent(Status.OPENED, "sessions", "1a2b")
    message = alert_json.by_protocol(Alert("[critical] contoso.example: much", text, Severity.CRITICAL, event), NOW)
    assert len(message.encode()) <= 256 * 1024
    forms = json.loads(message)
    document = valid(json.loads(forms["default"]))
    assert document["text"] == forms["email"]
    assert forms["email"].endswith(alert_json.CUT)
    assert forms["email"].startswith(text[:1000])
    whole = Alert("s", text[:1000], Severity.CRITICAL, event)
    assert json.loads(alert_json.by_protocol(whole, NOW))["email"] == text[:1000]


def test_links_are_addresses_where_the_settings_give_them(cloud, mails):
    own = dataclasses.replace(
        CONTOSO,
        spec="policy_specs/contoso.example.yaml",
        files_url="https://git.contoso.example/mailtls/blob/main",
        dashboard_url="https://tls.contoso.example",
    )
    cloud.own(own)
    cloud.receive(mails.fails(1100))
    cloud.own(dataclasses.replace(own, runbook_url="https://wiki.contoso.example/mail#tls"))
    cloud.tick(timedelta(hours=7))
    cloud.receive(mails.fails(1100, signer="mail.ru", report_id="again"))
    first, again = (valid(document)["links"] for document in cloud.topic.documents)
    assert first["runbook"] == "https://git.contoso.example/mailtls/blob/main/docs/alerts.md#certificate-expired"
    assert first["spec"] == "https://git.contoso.example/mailtls/blob/main/policy_specs/contoso.example.yaml"
    assert first["dashboard"] == "https://tls.contoso.example/domains/contoso.example/index.html"
    assert first["report"].startswith("s3://reports-bucket/reports/contoso.example/2026-11-30/")
    assert again["runbook"] == "https://wiki.contoso.example/mail#tls"
    for name, address in first.items():
        assert f"{name} {address}" in cloud.topic.messages[0][1]
