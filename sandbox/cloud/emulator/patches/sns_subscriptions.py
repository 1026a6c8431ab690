"""SNS: a subscriber over HTTP(S) is reached through the local internet, and its ARN is told before it has confirmed."""

import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from ministack.services import sns

from sandbox.cloud.emulator.outside import OUTSIDE
from sandbox.cloud.emulator.patch import Patch, Probe, ProofFailed, replace

LOOPBACK = ("127.0.0.1", "::1")
SECONDS = 15
"""SNS gives a subscriber this long to answer."""
CONFIRMED_BY_A_PERSON = ("email", "email-json")

Answer = tuple[int, dict[str, str], bytes]


def _post_through_the_local_internet() -> None:
    replace(sns, "_http_post_sync", _posted, takes=("endpoint", "payload", "sns_message_type"))


def _posted(_stock: Callable[[str, str, str], int]) -> Callable[[str, str, str], int]:
    def http_post_sync(endpoint: str, payload: str, sns_message_type: str) -> int:
        headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": sns_message_type}
        request = urllib.request.Request(endpoint, data=payload.encode(), method="POST", headers=headers)  # noqa: S310
        with _opener(endpoint).open(request, timeout=SECONDS) as response:
            status: int = response.status
            return status

    return http_post_sync


def _opener(endpoint: str) -> urllib.request.OpenerDirector:
    """Directly to this machine, through the sandbox's proxy to every other name; never to the real internet."""
    if urllib.parse.urlsplit(endpoint).hostname in LOOPBACK:
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))
    if OUTSIDE.proxy is None:
        raise urllib.error.URLError(f"{endpoint} is not on this machine, and there is no proxy of the sandbox's")
    trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=OUTSIDE.ca))
    return urllib.request.build_opener(urllib.request.ProxyHandler({"https": OUTSIDE.proxy}), trust)


def _deliver(probe: Probe) -> None:
    received: list[str] = []

    class Subscriber(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append(body["Type"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the proof looks at `received`."""

    with HTTPServer(("127.0.0.1", 0), Subscriber) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        topic = probe.client("sns").create_topic(Name=probe.name("topic"))["TopicArn"]
        probe.client("sns").subscribe(
            TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_port}/alerts"
        )
        end = time.monotonic() + 5
        while not received and time.monotonic() < end:
            time.sleep(0.01)
        server.shutdown()
    probe.holds(received == ["SubscriptionConfirmation"], "a subscriber on this machine is asked to confirm")
    try:
        _opener("https://alerts.example.com/")
    except urllib.error.URLError:
        return
    if OUTSIDE.proxy is None:
        raise ProofFailed("without a proxy a message would leave this machine")


# ---------------------------------------------------------------------------------------------- subscribing


def _tell_arns() -> None:
    replace(sns, "_subscribe", _subscribed, takes=("params",))


def _subscribed(stock: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def subscribe(params: Any) -> Answer:
        status, headers, body = stock(params)
        subscription = _find(sns._p(params, "TopicArn"), sns._p(params, "Protocol"), sns._p(params, "Endpoint"))
        if status != 200 or subscription is None:
            return status, headers, body
        if subscription["protocol"] in CONFIRMED_BY_A_PERSON and subscription["token"] is None:
            _leave_pending(subscription)
        wants_arn = sns._p(params, "ReturnSubscriptionArn") == "true"
        told = subscription["arn"] if wants_arn or subscription["confirmed"] else "pending confirmation"
        answer: Answer = sns._xml(
            200, "SubscribeResponse", f"<SubscribeResult><SubscriptionArn>{told}</SubscriptionArn></SubscribeResult>"
        )
        return answer

    return subscribe


def _find(topic_arn: str, protocol: str, endpoint: str) -> dict[str, Any] | None:
    topic = sns._topics.get(topic_arn)
    for subscription in topic["subscriptions"] if topic else ():
        if (subscription["protocol"], subscription["endpoint"]) == (protocol, endpoint):
            found: dict[str, Any] = subscription
            return found
    return None


def _leave_pending(subscription: dict[str, Any]) -> None:
    """Nobody here clicks the link in a mail, so such a subscription waits for ever, as it does until a person acts."""
    subscription.update(confirmed=False, token="clicked-by-nobody")  # noqa: S106 not a secret
    subscription["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")


def _arns_are_told(probe: Probe) -> None:
    api = probe.client("sns")
    topic = api.create_topic(Name=probe.name("topic"))["TopicArn"]
    where = {"TopicArn": topic, "Protocol": "email", "Endpoint": "team@example.com"}
    arn = api.subscribe(**where, ReturnSubscriptionArn=True)["SubscriptionArn"]
    probe.holds(arn.startswith(f"{topic}:"), "ReturnSubscriptionArn gives the ARN of a pending subscription")
    attributes = api.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    probe.holds(attributes["PendingConfirmation"] == "true", "a subscription by mail waits for a person")
    again = api.subscribe(**where)["SubscriptionArn"]
    probe.holds(again == "pending confirmation", "without it a pending subscription has no ARN yet")


PATCHES = (
    Patch(
        "sns-stays-on-this-machine",
        "A message to an HTTPS subscriber goes out to the real internet, past the local DNS and certificates.",
        _post_through_the_local_internet,
        _deliver,
    ),
    Patch(
        "sns-waits-for-confirmation",
        "A subscription by mail counts as confirmed at once, and ReturnSubscriptionArn is ignored.",
        _tell_arns,
        _arns_are_told,
    ),
)
