"""What a topic sends: over the sandbox's proxy to web endpoints, and to functions and queues that let the topic in.

Without a proxy only endpoints on this machine are reached. Nothing goes out any other way.
"""

import asyncio
import http.client
import json
import logging
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import lambda_svc, sns

from sandbox.cloud.emulator.outside import OUTSIDE
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may
from sandbox.cloud.emulator.patches.sns_proofs import Receiver
from sandbox.cloud.emulator.probe import Probe

SERVICE = "sns.amazonaws.com"
TRIES = 4
PAUSE_SECONDS = 0.5
"""Between tries, doubled each time; SNS waits 20 seconds."""
TIMEOUT = 15
LOOPBACK = ("127.0.0.1", "::1", "localhost")

LOG = logging.getLogger(__name__)


class NotDelivered(Exception):
    """final: another try would end the same way."""

    def __init__(self, why: str, *, final: bool) -> None:
        super().__init__(why)
        self.final = final


def _deliver_over_the_proxy() -> None:
    replace(
        sns,
        "_fanout",
        lambda _: _fan_out,
        takes=(
            *("topic_arn", "msg_id", "message", "subject", "message_structure", "message_attributes"),
            *("message_group_id", "message_dedup_id"),
        ),
    )
    replace(sns, "_send_subscription_confirmation", lambda _: _ask_to_confirm, takes=("topic_arn", "sub"))


def _fan_out(
    topic_arn: str,
    msg_id: str,
    message: str,
    subject: str,
    message_structure: str = "",
    message_attributes: Mapping[str, Any] | None = None,
    message_group_id: str = "",
    message_dedup_id: str = "",
) -> None:
    """To every confirmed subscription whose filter lets the message through."""
    attributes = dict(message_attributes or {})
    topic = sns._topic_by_arn_any_scope(topic_arn)
    for subscription in list(topic["subscriptions"]) if topic else []:
        protocol, endpoint = subscription["protocol"], subscription["endpoint"]
        text = sns._resolve_message_for_protocol(message, message_structure, protocol)
        if not subscription["confirmed"] or not sns._matches_filter_policy(subscription, attributes, text):
            continue
        raw = subscription["attributes"].get("RawMessageDelivery") == "true"
        envelope = sns._build_envelope(topic_arn, msg_id, text, subject, attributes, raw)
        if not raw:
            envelope = json.dumps(json.loads(envelope) | {"SignatureVersion": _signature_version(topic)})
        if protocol in ("http", "https"):
            headers = _headers("Notification", msg_id, topic_arn) | {
                "x-amz-sns-subscription-arn": subscription["arn"],
                **({"x-amz-sns-rawdelivery": "true"} if raw else {}),
            }
            spawn_background(_try, subscription, envelope, headers, thread_name="sns")
        elif protocol == "sqs":
            sns._deliver_to_sqs(
                endpoint, envelope, raw, text, message_group_id, message_dedup_id, attributes, topic_arn
            )
        elif protocol == "lambda":
            _invoke(endpoint, topic_arn, subscription["arn"], envelope)


def _signature_version(topic: Mapping[str, Any] | None) -> str:
    """SNS's own default is 1 (SHA1)."""
    return str((topic or {}).get("attributes", {}).get("SignatureVersion") or "1")


def _headers(kind: str, message_id: str, topic_arn: str) -> dict[str, str]:
    return {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": kind,
        "x-amz-sns-message-id": message_id,
        "x-amz-sns-topic-arn": topic_arn,
    }


async def _ask_to_confirm(topic_arn: str, sub: Mapping[str, Any]) -> None:
    """The first message to a web endpoint: nothing else is sent until it has visited the URL in it."""
    message_id, token = sns.new_uuid(), sub["token"]
    body = {
        "Type": "SubscriptionConfirmation",
        "MessageId": message_id,
        "TopicArn": topic_arn,
        "Token": token,
        "Message": f"You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription, visit the "
        "SubscribeURL included in this message.",
        "SubscribeURL": f"http://{sns._HOST}:{sns._PORT}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}",
        "Timestamp": sns.time.strftime("%Y-%m-%dT%H:%M:%S.000Z", sns.time.gmtime()),
        "SignatureVersion": _signature_version(sns._topic_by_arn_any_scope(topic_arn)),
        "Signature": "none: this is a sandbox",
        "SigningCertURL": f"https://sns.{get_region()}.amazonaws.com/none.pem",
    }
    headers = _headers("SubscriptionConfirmation", message_id, topic_arn)
    await asyncio.to_thread(_try, sub, json.dumps(body), headers)


def _try(subscription: Mapping[str, Any], body: str, headers: Mapping[str, str]) -> None:
    """Until it is delivered, or there is no point in it any more."""
    for number in range(TRIES):
        if sns._find_subscription(subscription["topic_arn"], subscription["arn"]) is None:
            return
        try:
            post(subscription["endpoint"], body, headers)
            return
        except NotDelivered as e:
            LOG.warning("not delivered to %s: %s", subscription["endpoint"], e)
            if e.final:
                return
        time.sleep(PAUSE_SECONDS * 2**number)


def post(endpoint: str, body: str, headers: Mapping[str, str]) -> None:
    """One try. Redirects are not followed. Raises NotDelivered."""
    url = urlsplit(endpoint)
    connection = _connection(url.scheme, url.hostname or "", url.port or (443 if url.scheme == "https" else 80))
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", path, body.encode(), {"Host": url.netloc.rpartition("@")[2], **headers})
        status = connection.getresponse().status
    except (http.client.HTTPException, OSError) as e:
        raise NotDelivered(f"{type(e).__name__}: {e}", final=False) from e
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotDelivered(f"it answers {status}", final=400 <= status < 500 and status != 429)


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    if host in LOOPBACK:
        at, tunnel = (host, port), None
    elif OUTSIDE.proxy:
        proxy = urlsplit(OUTSIDE.proxy)
        at, tunnel = (proxy.hostname or "", proxy.port or 80), (host, port)
    else:
        raise NotDelivered("it is not on this machine, and there is no proxy", final=True)
    if scheme == "https":
        context = ssl.create_default_context(cafile=OUTSIDE.ca)
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(*at, timeout=TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(*at, timeout=TIMEOUT)
    if tunnel:
        connection.set_tunnel(*tunnel)
    return connection


def _invoke(function_arn: str, topic_arn: str, subscription_arn: str, envelope: str) -> None:
    try:
        arn = parse_arn(function_arn)
    except ArnParseError:
        return
    with request_scope(arn.account_id or get_account_id(), arn.region or get_region()):
        function, config, _ = lambda_svc._get_func_record_for_ref(function_arn)
        source = Source(topic_arn, get_account_id())
        policy = json.dumps(function["policy"]) if function else None
        if not service_may(policy, SERVICE, "lambda:InvokeFunction", function_arn, source):
            LOG.warning("not delivered to %s: its policy does not let %s in", function_arn, topic_arn)
            return
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription_arn,
            "Sns": json.loads(envelope),
        }
        execution = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(execution, {"Records": [record]})


def _prove(probe: Probe) -> None:
    client = probe.client("sns")
    topic = client.create_topic(Name=probe.name("topic"))["TopicArn"]
    with Receiver() as receiver, Receiver() as proxy:
        OUTSIDE.proxy, before = proxy.url, OUTSIDE.proxy
        try:
            client.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://alerts.example/hook")
            tunnel = proxy.next()
        finally:
            OUTSIDE.proxy = before
        probe.holds(tunnel.startswith("CONNECT alerts.example:443"), f"the proxy is asked for the way: {tunnel}")
        client.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{receiver.url}/hook")
        asked = receiver.next()
        client.publish(TopicArn=topic, Message="too early")
        client.confirm_subscription(TopicArn=topic, Token=json.loads(asked)["Token"])
        client.publish(TopicArn=topic, Message="confirmed")
        probe.holds(json.loads(receiver.next())["Message"] == "confirmed", "nothing comes before the confirmation")
    client.delete_topic(TopicArn=topic)


PATCHES: tuple[Patch, ...] = (
    Patch(
        "webhooks-are-reached-over-the-proxy",
        "A topic calls web endpoints on the real internet, once, and functions that do not let it in.",
        _deliver_over_the_proxy,
        _prove,
    ),
)
