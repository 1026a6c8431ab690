"""Topics of the stand-in: the handshake, delivery over the sandbox's proxy, filters, encryption, refusals."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import (
    Unique,
    allow,
    as_role,
    bodies,
    by_service,
    document,
    listening_queue,
    make_function,
    make_role,
    metric_sum,
    soon,
)
from deployed import Clients

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.start import Emulator, start_emulator
from sandbox.edges.certificates import Authority
from sandbox.edges.connections import Listener
from sandbox.edges.faults import Faults
from sandbox.edges.http_message import Answer, Request, serve_requests
from sandbox.edges.https import ALERTS_HOST, HttpsEdge
from sandbox.edges.proxy import Proxy
from sandbox.edges.webhook import Webhook


@pytest.fixture
def sns(aws: Clients) -> Any:
    return aws("sns")


@pytest.fixture
def topic(sns: Any, unique: Unique) -> str:
    return str(sns.create_topic(Name=unique("topic"))["TopicArn"])


# ---------------------------------------------------------------------------------------------------- web endpoints


class Site:
    """A web endpoint that answers as it is told and remembers what came."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.came: list[Request] = []
        self._listener = Listener("site", lambda connection: serve_requests(connection, self.answer))

    def __enter__(self) -> "Site":
        self.url = f"http://{self._listener.start(0)}"
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.stop()

    def answer(self, request: Request) -> Answer:
        self.came.append(request)
        return Answer.text(self.status, "")

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.came if one.header("x-amz-sns-message-type") == kind]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as there:
        yield there


def test_nothing_comes_before_the_confirmation(sns: Any, topic: str, site: Site) -> None:
    given = {"TopicArn": topic, "Protocol": "http", "Endpoint": f"{site.url}/hook?secret=1"}
    assert sns.subscribe(**given)["SubscriptionArn"] == "pending confirmation"
    assert soon(lambda: site.came)
    [asked] = site.bodies("SubscriptionConfirmation")
    assert site.came[0].path == "/hook"
    assert asked["TopicArn"] == topic
    assert f"Token={asked['Token']}" in asked["SubscribeURL"]
    sns.publish(TopicArn=topic, Message="too early")
    with pytest.raises(ClientError, match="Invalid token"):
        sns.confirm_subscription(TopicArn=topic, Token="guessed")
    arn = sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="now", Subject="Subject")
    assert soon(lambda: site.bodies("Notification"))
    [message] = site.bodies("Notification")
    assert (message["Message"], message["Subject"]) == ("now", "Subject")
    request = site.came[-1]
    assert request.header("x-amz-sns-topic-arn") == topic
    assert request.header("x-amz-sns-subscription-arn") == arn
    assert request.header("x-amz-sns-message-id") == message["MessageId"]
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"


def subscribed(sns: Any, topic: str, site: Site, **attributes: str) -> None:
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{site.url}/", Attributes=attributes)
    assert soon(lambda: site.came)
    [asked] = site.bodies("SubscriptionConfirmation")
    sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    site.came.clear()


def test_raw_delivery(sns: Any, topic: str, site: Site) -> None:
    subscribed(sns, topic, site, RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="just this")
    assert soon(lambda: site.came)
    assert site.came[0].body == b"just this"
    assert site.came[0].header("x-amz-sns-rawdelivery") == "true"


@pytest.mark.parametrize(("status", "again"), [(500, True), (429, True), (404, False), (302, True)])
def test_what_is_tried_again(sns: Any, topic: str, site: Site, status: int, again: bool) -> None:
    subscribed(sns, topic, site)
    site.status = status
    sns.publish(TopicArn=topic, Message="text")
    assert soon(lambda: len(site.came) >= 2, 30 if again else 2) == again


def test_without_a_proxy_nothing_leaves_this_machine(sns: Any, topic: str, site: Site) -> None:
    """Another address stands for the internet: it is not one of those by which this machine is called."""
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:
        elsewhere.settimeout(0)
        url = f"http://127.0.0.2:{elsewhere.getsockname()[1]}"
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{url}/hook")
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{site.url}/hook")
        assert soon(lambda: site.came)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


# ----------------------------------------------------------------------------------------------------- over the proxy


@pytest.fixture(scope="module")
def webhook_and_endpoint(names: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Webhook, str]]:
    """The sandbox's webhook behind its HTTPS edge and proxy, and an emulator that knows no other way out."""
    folder = tmp_path_factory.mktemp("outside")
    started: list[Emulator] = []

    def endpoint() -> str | None:
        return started[0].endpoint if started else None

    authority = Authority(folder / "authority")
    webhook = Webhook(endpoint)
    edge = HttpsEdge(authority, Faults(), endpoint, webhook)
    proxy = Proxy(edge.start())
    started.append(start_emulator(names.address, proxy.start(), authority.ca, folder / "emulator.log"))
    yield webhook, started[0].endpoint
    started[0].stop()
    proxy.stop()
    edge.stop()


def test_the_operators_webhook_is_reached_over_the_proxy(
    webhook_and_endpoint: tuple[Webhook, str], unique: Unique
) -> None:
    webhook, endpoint = webhook_and_endpoint
    sns = account.client("sns", endpoint)
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    given = {"TopicArn": topic, "Protocol": "https", "Endpoint": f"https://{ALERTS_HOST}/mailtls"}
    arn = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]

    def confirmed() -> bool:
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return bool(attributes["PendingConfirmation"] == "false")

    assert soon(confirmed)
    attributes = {"severity": {"DataType": "String", "StringValue": "critical"}}
    sns.publish(TopicArn=topic, Subject="[critical]", Message="DO 1 Renew.", MessageAttributes=attributes)
    assert soon(lambda: any(one["TopicArn"] == topic for one in webhook.messages()))
    (message,) = [one for one in webhook.messages() if one["TopicArn"] == topic]
    assert (message["Subject"], message["Message"]) == ("[critical]", "DO 1 Renew.")
    assert message["MessageAttributes"]["severity"]["Value"] == "critical"


def test_a_host_with_another_certificate_is_not_trusted(
    webhook_and_endpoint: tuple[Webhook, str], unique: Unique
) -> None:
    """The edge shows `*.cloudfront.net` to names that it does not know."""
    _, endpoint = webhook_and_endpoint
    sns = account.client("sns", endpoint)
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    given = {"TopicArn": topic, "Protocol": "https", "Endpoint": "https://nobody.example/mailtls"}
    arn = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "true"
    assert not soon(
        lambda: sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false", 1
    )


# -------------------------------------------------------------------------------------------------- subscriptions


@pytest.mark.parametrize("protocol", ["email", "email-json"])
def test_mail_waits_for_a_person(sns: Any, topic: str, protocol: str) -> None:
    given = {"TopicArn": topic, "Protocol": protocol, "Endpoint": "hostmaster@contoso.example"}
    assert sns.subscribe(**given)["SubscriptionArn"] == "pending confirmation"
    arn = sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "true"
    counted = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (counted["SubscriptionsPending"], counted["SubscriptionsConfirmed"]) == ("1", "0")


@pytest.mark.parametrize(
    ("policy", "attributes", "passes"),
    [
        ({"owner": ["mail-team"]}, {"owner": "mail-team"}, True),
        ({"owner": ["mail-team"]}, {"owner": "brand-team"}, False),
        ({"owner": ["mail-team"]}, {}, False),
        ({"owner": ["mail-team"], "severity": ["critical"]}, {"owner": "mail-team", "severity": "critical"}, True),
        ({"owner": ["mail-team"], "severity": ["critical"]}, {"owner": "mail-team", "severity": "warning"}, False),
        ({"severity": ["critical", "warning"]}, {"owner": "brand-team", "severity": "warning"}, True),
    ],
)
def test_filters(
    aws: Clients, sns: Any, topic: str, policy: dict[str, Any], attributes: dict[str, str], passes: bool
) -> None:
    url = listening_queue(aws, topic.rsplit(":")[-1], topic)
    [subscription] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    sns.set_subscription_attributes(
        SubscriptionArn=subscription["SubscriptionArn"], AttributeName="FilterPolicy", AttributeValue=json.dumps(policy)
    )
    values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sns.publish(TopicArn=topic, Message="text", MessageAttributes=values)
    assert bool(bodies(aws, url)) == passes


@pytest.mark.parametrize(
    ("protocol", "endpoint", "attributes"),
    [
        ("pigeon", "coop", {}),
        ("https", "http://127.0.0.1/hook", {}),
        ("http", "https://127.0.0.1/hook", {}),
        ("https", "alerts.mailhost.example", {}),
        ("email", "hostmaster", {}),
        ("sqs", "queue", {}),
        ("email", "a@contoso.example", {"FilterPolicy": "{"}),
        ("email", "a@contoso.example", {"FilterPolicy": '{"owner": "mail-team"}'}),
        ("email", "a@contoso.example", {"FilterPolicy": json.dumps({f"a{n}": ["x"] for n in range(6)})}),
    ],
)
def test_subscriptions_that_are_refused(
    sns: Any, topic: str, protocol: str, endpoint: str, attributes: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match="InvalidParameter"):
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_function_needs_a_permission(aws: Clients, sns: Any, topic: str, unique: Unique) -> None:
    name = unique("function")
    function = make_function(aws, name, make_role(aws, name), "def handle(event, context): pass")
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function)
    permission = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    aws("lambda").add_permission(**permission, StatementId="one", SourceArn=f"{topic}-of-somebody-else")
    sns.publish(TopicArn=topic, Message="text")
    aws("lambda").add_permission(**permission, StatementId="two", SourceArn=topic)
    sns.publish(TopicArn=topic, Message="text")
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) == 1)


# ------------------------------------------------------------------------------------------------------- publishing


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"Message": ""}, "InvalidParameter"),
        ({"Message": "m" * 262_145}, "InvalidParameter"),
        ({"Message": "ü" * 131_073}, "InvalidParameter"),
        ({"Subject": "s" * 100}, "InvalidParameter"),
        ({"Subject": "two\nlines"}, "InvalidParameter"),
        ({"Subject": "a\x1bbell"}, "InvalidParameter"),
        ({"MessageStructure": "json"}, "InvalidParameter"),
        ({"MessageAttributes": {"owner": {"DataType": "String", "StringValue": ""}}}, "ParameterValueInvalid"),
    ],
)
def test_messages_that_are_refused(sns: Any, topic: str, message: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        sns.publish(**{"TopicArn": topic, "Message": "text", **message})
    assert refused.value.response["Error"]["Code"] == code


def test_messages_that_just_fit(sns: Any, topic: str) -> None:
    sns.publish(TopicArn=topic, Message="m" * 262_144)
    sns.publish(TopicArn=topic, Message="text", Subject="ü" * 99)


ROOT = {"AWS": f"arn:aws:iam::{account.ACCOUNT_ID}:root"}
USE = ["kms:GenerateDataKey", "kms:Decrypt"]


@pytest.mark.parametrize(
    ("role_may", "key_policy", "published"),
    [
        (USE, allow("kms:*", "*", Principal=ROOT), True),
        (USE[:1], allow("kms:*", "*", Principal=ROOT), False),
        (USE[1:], allow("kms:*", "*", Principal=ROOT), False),
        ([], allow("kms:*", "*", Principal=ROOT), False),
        (USE, allow("kms:PutKeyPolicy", "*", Principal=ROOT), False),
    ],
)
def test_publishers_need_the_key(
    aws: Clients,
    emulator: Emulator,
    sns: Any,
    unique: Unique,
    role_may: list[str],
    key_policy: dict[str, Any],
    published: bool,
) -> None:
    name = unique("encrypted")
    key = aws("kms").create_key(Policy=document(key_policy))["KeyMetadata"]["Arn"]
    topic = sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key})["TopicArn"]
    url = listening_queue(aws, name, topic)
    rights = [allow("sns:Publish", topic), *([allow(role_may, key)] if role_may else [])]
    client = as_role(emulator, aws, make_role(aws, name, *rights), "sns")
    if published:
        client.publish(TopicArn=topic, Message="text")
    else:
        with pytest.raises(ClientError) as refused:
            client.publish(TopicArn=topic, Message="text")
        assert refused.value.response["Error"]["Code"] == "KMSAccessDenied"
    assert bool(bodies(aws, url)) == published


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda kms, key: kms.disable_key(KeyId=key), "KMSDisabled"),
        (lambda kms, key: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7), "KMSInvalidState"),
    ],
)
def test_a_key_that_cannot_be_used(
    aws: Clients, sns: Any, unique: Unique, spoil: Callable[[Any, str], object], code: str
) -> None:
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    topic = sns.create_topic(Name=unique("spoilt"), Attributes={"KmsMasterKeyId": key})["TopicArn"]
    sns.publish(TopicArn=topic, Message="text")
    spoil(aws("kms"), key)
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Message="text")
    assert refused.value.response["Error"]["Code"] == code
    gone = sns.create_topic(Name=unique("spoilt"), Attributes={"KmsMasterKeyId": "no-such-key"})["TopicArn"]
    with pytest.raises(ClientError, match="KMSNotFound"):
        sns.publish(TopicArn=gone, Message="text")


def test_the_topics_policy_counts(aws: Clients, emulator: Emulator, sns: Any, topic: str, unique: Unique) -> None:
    """The program's: alarms publish, and nobody does without TLS."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    without_tls = allow("sns:Publish", topic, Effect="Deny", Principal="*", Condition=condition)
    alarms = by_service("cloudwatch.amazonaws.com", "sns:Publish", topic, "arn:aws:cloudwatch:*:*:alarm:*")
    name = unique("publisher")
    able = as_role(emulator, aws, make_role(aws, name, allow("sns:Publish", topic)), "sns")
    unable = as_role(emulator, aws, make_role(aws, f"{name}-2", allow("sns:Publish", f"{topic}-2")), "sns")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(alarms, without_tls))
    able.publish(TopicArn=topic, Message="text")
    with pytest.raises(ClientError, match="AuthorizationError"):
        unable.publish(TopicArn=topic, Message="text")
    sns.set_topic_attributes(
        TopicArn=topic,
        AttributeName="Policy",
        AttributeValue=document(alarms, {**without_tls, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
    )
    with pytest.raises(ClientError, match="AuthorizationError"):
        able.publish(TopicArn=topic, Message="text")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Action": "sns:*"}, "action out of service scope"),
        ({"Action": "sns:Unsubscribe"}, "action out of service scope"),
        ({"Action": "sqs:SendMessage"}, "action out of service scope"),
        ({"Action": "Publish"}, "vendor"),
        ({"Principal": {"Service": "cloudwatch"}}, "Invalid principal"),
        ({"Condition": {"ArnIs": {"aws:SourceArn": "x"}}}, "Invalid Condition type"),
        ({"Resource": "arn:aws:sns:eu-west-1:123456789012:another"}, "must be the topic"),
    ],
)
def test_policies_that_are_refused(sns: Any, topic: str, change: dict[str, Any], told: str) -> None:
    policy = document(by_service("cloudwatch.amazonaws.com", "sns:Publish", topic, "arn:aws:cloudwatch:x") | change)
    with pytest.raises(ClientError, match=told) as refused:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"
