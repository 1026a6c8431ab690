"""The webhook: confirms its subscription at the emulator's SNS and takes what is published there."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from edge_callers import address

from sandbox.cloud.start import Emulator
from sandbox.edges.webhook import MOST_MESSAGES, Webhook

PATIENCE = 20
WRONG_TOKEN = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"
    "&TopicArn=arn:aws:sns:eu-west-1:123456789012:nothing&Token=wrong"
)


@pytest.fixture
def webhook(emulator: Emulator) -> Iterator[Webhook]:
    webhook = Webhook(lambda: emulator.endpoint)
    yield webhook
    webhook.stop()


@pytest.fixture
def url(webhook: Webhook) -> str:
    return webhook.start()


def says(url: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*address(url), timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def confirmed(sns: Any, topic: str) -> bool:
    return bool(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1")


def test_a_subscription_is_confirmed_and_what_is_published_arrives(
    webhook: Webhook, url: str, aws: Callable[..., Any], unique: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    sns = aws("sns")
    topic = sns.create_topic(Name=unique("alerts"), Attributes={"SignatureVersion": "2"})["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{url}/mailtls")
    end = time.monotonic() + PATIENCE
    while not confirmed(sns, topic):
        assert time.monotonic() < end, "nobody confirmed"
        time.sleep(0.02)
    sns.publish(
        TopicArn=topic,
        Subject="s",
        Message="[critical] contoso.example\nWHAT",
        MessageAttributes={"owner": {"DataType": "String", "StringValue": "mail-team"}},
    )
    while not (messages := webhook.messages()):
        assert time.monotonic() < end, "nothing arrived"
        time.sleep(0.02)
    (message,) = messages
    assert message["Message"] == "[critical] contoso.example\nWHAT"
    assert (message["Type"], message["TopicArn"], message["Subject"]) == ("Notification", topic, "s")
    assert message["SignatureVersion"] == "2"  # as the topic says
    assert message["MessageAttributes"]["owner"]["Value"] == "mail-team"
    status, shown = says(url, "GET", "/messages")
    assert (status, json.loads(shown)) == (200, [message])
    assert "[critical] contoso.example\nWHAT" in capsys.readouterr().out


def test_raw_delivery(webhook: Webhook, url: str) -> None:
    headers = {
        "x_amz_sns_message_type": "Notification",
        "x_amz_sns_rawdelivery": "true",
        "x_amz_sns_message_id": "1",
        "x_amz_sns_topic_arn": "arn",
    }
    assert says(url, "POST", "/", "not JSON", **headers)[0] == 200
    assert webhook.messages() == [{"Type": "Notification", "MessageId": "1", "TopicArn": "arn", "Message": "not JSON"}]


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "status"),
    [
        ("POST", "/", "", "{}", 400),
        ("POST", "/", "Notification", "{}", 400),
        ("POST", "/", "Notification", "[]", 400),
        ("POST", "/", "Notification", '{"Message": 1}', 400),
        ("POST", "/", "Notification", "nonsense", 400),
        ("POST", "/", "SubscriptionConfirmation", "{}", 400),
        ("POST", "/", "SubscriptionConfirmation", "[]", 400),
        ("POST", "/", "SubscriptionConfirmation", json.dumps({"SubscribeURL": WRONG_TOKEN}), 500),
        ("POST", "/", "UnsubscribeConfirmation", "{}", 200),
        ("GET", "/", "", "", 404),
        ("DELETE", "/messages", "", "", 404),
    ],
)
def test_what_is_no_message_is_not_kept(
    webhook: Webhook, url: str, method: str, path: str, kind: str, body: str, status: int
) -> None:
    headers = {"x_amz_sns_message_type": kind} if kind else {}
    assert says(url, method, path, body, **headers)[0] == status
    assert webhook.messages() == []


def test_only_so_many_are_kept(webhook: Webhook, url: str) -> None:
    connection = http.client.HTTPConnection(*address(url), timeout=10)
    for number in range(MOST_MESSAGES + 5):
        if number % 90 == 0:  # a connection takes a hundred requests
            connection.close()
        body = json.dumps({"Message": str(number)})
        connection.request("POST", "/", body, {"x-amz-sns-message-type": "Notification"})
        connection.getresponse().read()
    connection.close()
    assert [message["Message"] for message in webhook.messages()] == [str(5 + n) for n in range(MOST_MESSAGES)]
