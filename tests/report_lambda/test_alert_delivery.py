"""Delivery to Slack, Teams and signed webhooks: against a real HTTPS server, with the certificate checked."""

import base64
import datetime
import http.server
import ipaddress
import json
import re
import ssl
import threading
from pathlib import Path

import boto3
import jsonschema
import pytest
from botocore.stub import Stubber
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailtls.reports import alert_json
from report_lambda.delivery import handler, notice, pagerduty, post, signature, slack, teams
from report_lambda.delivery.post import NotDelivered

SCHEMA = json.loads((Path(alert_json.__file__).parent / "alert.v1.schema.json").read_text("utf-8"))
NOW = datetime.datetime(2026, 12, 1, 3, 12, 44, tzinfo=datetime.UTC)
KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NAME = "/mailtls/alerts/secret"
ALARM = {
    "AlarmName": "reports-dead-letters",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:reports-dead-letters",
    "AlarmDescription": "Raw mail could not be dealt with in 5 tries.",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
}


class Receiver:
    """An HTTPS server of this machine. answers: status and headers of each request, the last one for all further."""

    def __init__(self, folder):
        self.got = []
        self.answers = [(204, {})]
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        _make_certificate(self.certificate, key)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.got.append(
                    (self.path, dict(self.headers), self.rfile.read(int(self.headers["content-length"])))
                )
                status, headers = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if status != 204:
                    self.wfile.write(b"x" * 20_000)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}/services/T0/secret-token?a=b"


def _make_certificate(certificate, key_file):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture
def receiver(tmp_path, monkeypatch):
    there = Receiver(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(there.certificate))
    thread = threading.Thread(target=there.server.serve_forever, args=(0.05,))
    thread.start()
    yield there
    there.server.shutdown()
    there.server.server_close()
    thread.join()


@pytest.fixture
def deliver(monkeypatch):
    """Calls the function as the queue does, for one format, with the secret that the parameter holds."""

    def call(form, message, secret, url="", message_id="059f36b4-87a3-44ab-83d2-661975830a7d"):
        client = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        monkeypatch.setattr(handler, "_client", lambda: client)
        monkeypatch.setenv("MAILTLS_DELIVERY_FORMAT", form)
        monkeypatch.setenv("MAILTLS_DELIVERY_SECRET", NAME)
        monkeypatch.setenv("MAILTLS_DELIVERY_URL", url)
        body = message if isinstance(message, str) else json.dumps(message)
        with Stubber(client) as stubber:
            answer = {"Parameter": {"Name": NAME, "Value": f"{secret}\n"}}
            stubber.add_response("get_parameter", answer, {"Name": NAME, "WithDecryption": True})
            handler.handle({"Records": [{"messageId": message_id, "body": body}]}, None)

    return call


@pytest.fixture
def alert(cloud, mails):
    """A real one."""
    cloud.receive(mails.mail(mails.report(mails.policy(8911, (mails.failure(1100),)))))
    [document] = cloud.topic.documents
    return document


def receivers_check():
    """The function that docs/alerts.md gives to receivers."""
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")
    [code] = [part for part in re.findall(r"```python\n(.*?)```", text, re.S) if "def is_ours" in part]
    there = {}
    exec(code, there)  # noqa: S102  a page of ours
    return there["is_ours"]


def test_a_webhook_gets_the_document_and_can_prove_who_sent_it(receiver, deliver, alert, capsys):
    deliver("webhook", alert, KEY, receiver.url, message_id="id-1")
    [(path, headers, body)] = receiver.got
    assert path == "/services/T0/secret-token?a=b"
    assert json.loads(body) == alert
    assert headers["content-type"] == "application/json"
    is_ours = receivers_check()
    assert is_ours(headers, body, KEY)
    assert not is_ours(headers, body.replace(b"1100", b"1101"), KEY)
    assert not is_ours({**headers, "webhook-id": "id-2"}, body, KEY)
    assert not is_ours({**headers, "webhook-timestamp": "1764558764"}, body, KEY)
    assert not is_ours(headers, body, KEY.replace("A", "B"))
    assert headers["webhook-id"] == "id-1"
    assert abs(int(headers["webhook-timestamp"]) - datetime.datetime.now(datetime.UTC).timestamp()) < 60
    assert json.loads(capsys.readouterr().out) == {"event": "delivered", "message": "id-1", "status": 204}


def test_the_signature_is_that_of_the_standards_own_example():
    """https://www.standardwebhooks.com: the reference vector that its libraries are tested with."""
    made = signature.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "correct horse battery staple"])
def test_what_is_no_key_signs_nothing_and_is_not_shown(receiver, deliver, alert, secret):
    with pytest.raises(signature.NoKey) as caught:
        deliver("webhook", alert, secret, receiver.url)
    assert receiver.got == []
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)


def test_slack_gets_blocks_by_an_address_that_is_the_secret(receiver, deliver, alert):
    deliver("slack", alert, receiver.url)
    [(path, headers, body)] = receiver.got
    assert path == "/services/T0/secret-token?a=b"
    assert "webhook-signature" not in headers
    sent = json.loads(body)
    header, *sections = sent["blocks"]
    assert header["text"]["text"] == alert["summary"]
    assert sent["text"] == alert["summary"]
    shown = "\n".join(section["text"]["text"].strip("`\n") for section in sections)
    assert shown.splitlines()[0] == alert["text"].splitlines()[1]
    assert "cause " in shown


def test_teams_gets_a_card_by_an_address_that_is_the_secret(receiver, deliver, alert):
    deliver("teams", alert, receiver.url)
    [(_, _, body)] = receiver.got
    [attachment] = json.loads(body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    lines = [block["inlines"][0]["text"].replace("\u00a0", " ") for block in attachment["content"]["body"]]
    assert lines == alert["text"].splitlines()


def test_pagerduty_opens_and_resolves_one_incident(receiver, deliver, alert):
    deliver("pagerduty", alert, "R0UTINGKEY", receiver.url)
    deliver("pagerduty", {**alert, "status": "over"}, "R0UTINGKEY", receiver.url)
    opened, resolved = (json.loads(body) for _, _, body in receiver.got)
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"] == alert["dedup_key"]
    assert opened["routing_key"] == "R0UTINGKEY"
    told = opened["payload"]
    assert (told["summary"], told["source"], told["severity"]) == (alert["summary"], "contoso.example", "critical")
    assert told["class"] == "certificate-expired"
    assert told["custom_details"]["failed_sessions"] == 1100


def test_nobody_is_called_for_a_digest(receiver, deliver, alert):
    deliver("pagerduty", {**alert, "kind": "digest", "status": "note"}, "R0UTINGKEY", receiver.url)
    assert receiver.got == []
    deliver("slack", {**alert, "kind": "digest", "status": "note"}, receiver.url)
    assert len(receiver.got) == 1


def test_pagerduty_takes_what_is_about_no_domain():
    made = pagerduty.body(notice.document(json.dumps(ALARM), NOW), "K")
    assert made["payload"]["source"] == "mailtls"
    assert made["payload"]["severity"] in {"critical", "error", "warning", "info"}  # the words of its API
    long = {**notice.document("x", NOW), "summary": "s" * 2000}
    assert len(pagerduty.body(long, "K")["payload"]["summary"]) == 1024


@pytest.mark.parametrize(
    "answer", [(400, {}), (404, {}), (429, {}), (500, {}), (301, {"location": "https://a.example"})]
)
def test_any_answer_but_a_yes_brings_the_message_back(receiver, deliver, alert, answer):
    receiver.answers = [answer]
    with pytest.raises(NotDelivered, match=f"127.0.0.1 answered {answer[0]}") as caught:
        deliver("slack", alert, receiver.url)
    assert len(receiver.got) == 1  # no redirect was followed
    assert "secret-token" not in str(caught.value)
    assert len(str(caught.value)) < 2000  # of a longer answer


def test_a_second_try_has_the_same_id_and_a_time_of_its_own(receiver, deliver, alert, monkeypatch):
    receiver.answers = [(503, {}), (204, {})]
    monkeypatch.setattr(handler, "_now", lambda: NOW)
    with pytest.raises(NotDelivered):
        deliver("webhook", alert, KEY, receiver.url)
    monkeypatch.setattr(handler, "_now", lambda: NOW + datetime.timedelta(minutes=5))
    deliver("webhook", alert, KEY, receiver.url)
    first, second = (headers for _, headers, _ in receiver.got)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300


def test_a_certificate_that_nobody_trusts_is_refused(receiver, deliver, alert, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED") as caught:
        deliver("slack", alert, receiver.url)
    assert receiver.got == []
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/secret-token",
        "hooks.example/secret-token",
        "https:///secret-token",
        "https://user:secret-token@hooks.example/",
        "https://hooks.example:secret-token/",
        "https://hooks.example/secret-token\r\nhost: a.example",
        "https://hooks.example/secret-token\u00fc",
        "https://[secret-token/",
        "",
    ],
)
def test_what_is_no_address_is_not_asked_and_not_shown(url):
    with pytest.raises(NotDelivered, match="the address is not https://host/path in ASCII") as caught:
        post.post(url, b"{}", {})
    assert "secret-token" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_is_not_there_brings_the_message_back(receiver, deliver, alert):
    receiver.server.shutdown()
    receiver.server.socket.close()
    with pytest.raises(NotDelivered, match=r"127\.0\.0\.1: ConnectionRefusedError"):
        deliver("slack", alert, receiver.url)


def test_a_server_that_never_answers_is_left(receiver, deliver, alert, monkeypatch):
    monkeypatch.setattr(post, "TIMEOUT", 0.2)
    stuck = threading.Event()
    monkeypatch.setattr(receiver.server.RequestHandlerClass, "do_POST", lambda _: stuck.wait(30))
    try:
        with pytest.raises(NotDelivered, match="TimeoutError"):
            deliver("slack", alert, receiver.url)
    finally:
        stuck.set()


@pytest.mark.parametrize(("state", "status"), [("ALARM", "opened"), ("OK", "over"), ("INSUFFICIENT_DATA", "note")])
def test_an_alarm_of_the_pipeline_is_a_document_too(state, status):
    made = notice.document(json.dumps({**ALARM, "NewStateValue": state}), NOW)
    jsonschema.validate(made, SCHEMA)
    assert made["status"] == status
    assert ALARM["AlarmDescription"] in made["text"]
    assert made["dedup_key"] == notice.document(json.dumps(ALARM), NOW)["dedup_key"]


@pytest.mark.parametrize("message", ["does it reach you?", "", "[1]", '{"a": 1}', '"x"', "null", "\u00fc\n" * 500])
def test_a_text_that_somebody_sends_over_the_topic_arrives(message):
    made = notice.document(message, NOW)
    jsonschema.validate(made, SCHEMA)
    assert made["text"] == message
    assert slack.body(made)["blocks"]
    assert teams.body(made)["attachments"]


LURE = 'SAYS "<https://evil.test|your bank> <!channel> [click](https://evil.test) ``` &lt; :tada:"'


def test_words_of_strangers_are_neither_links_nor_mentions(alert):
    with_lure = {**alert, "text": f"{alert['summary']} <!here>\n{LURE}"}
    sent = slack.body(with_lure)
    for text in (sent["text"], *(block["text"]["text"] for block in sent["blocks"][1:2])):
        assert "<" not in text
    [section] = sent["blocks"][1:2]
    assert section["text"]["text"].count("```") == 2  # ours
    assert "&amp;lt;" in section["text"]["text"]
    blocks = teams.body(with_lure)["attachments"][0]["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}
    assert blocks[1]["inlines"][0]["text"] == LURE


def test_a_text_that_is_too_long_says_that_it_is_cut(alert):
    lines = [f"line {number}" for number in range(4_000)]
    long = slack.body({**alert, "text": "\n".join([alert["summary"], *lines])})
    shown = [block["text"]["text"] for block in long["blocks"][1:]]
    assert shown.index(slack.CUT) == slack.MAX_SECTIONS - 1
    assert len("\n".join(shown[: slack.MAX_SECTIONS - 1])) <= slack.LONGEST_SECTION * (slack.MAX_SECTIONS - 1)
    whole = slack.body({**alert, "text": "\n".join([alert["summary"], *lines[:400]])})
    assert slack.CUT not in json.dumps(whole)
    assert "line 399" in json.dumps(whole)


def test_only_addresses_become_links(alert):
    links = {"report": "s3://bucket/key", "runbook": "https://wiki.example/tls", "spec": "policy_specs/a.yaml"}
    linked = {**alert, "links": links}
    assert slack.body(linked)["blocks"][-1]["text"]["text"] == "<https://wiki.example/tls|runbook>"
    card = teams.body(linked)["attachments"][0]["content"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "runbook", "url": "https://wiki.example/tls"}]
    assert "actions" not in teams.body({**alert, "links": {}})["attachments"][0]["content"]


@pytest.mark.parametrize("line", ["x" * 79, "<&>" * 30, "\u00fc" * 70, "y" * 9000])
def test_what_is_sent_fits_where_it_goes(alert, line):
    """Limits of Slack's and Teams' own pages."""
    long = {**alert, "text": f"{'s' * 400}\n" + f"{line}\n" * 600}
    blocks = slack.body(long)["blocks"]
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks)
    assert len(blocks) <= 50
    assert len(json.dumps(teams.body(long))) <= 28 * 1024
    assert teams.CUT in json.dumps(teams.body(long))
