"""What an operator's alert receiver does: confirms the subscription, takes the messages, shows them."""

import http.client
import json
import logging
import threading
from typing import Any
from urllib.parse import urlsplit

from sandbox.edges.connections import Listener
from sandbox.edges.deployed import Endpoint
from sandbox.edges.http_message import Answer, Request, serve_requests

CONFIRM_SECONDS = 10
MOST_MESSAGES = 1000
"""Kept; older ones go."""

LOG = logging.getLogger(__name__)

Message = dict[str, Any]
"""SNS's own: Type, MessageId, TopicArn, Subject, Message, Timestamp, MessageAttributes."""


class Webhook:
    """An HTTP endpoint for SNS: POST anywhere; GET /messages shows what came, as JSON, oldest first.

    endpoint: of the emulator, where subscriptions are confirmed. The signature of a message is not checked: the
    emulator's is no real one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._listener = Listener("webhook", lambda connection: serve_requests(connection, self.answer))
        self._lock = threading.Lock()
        self._messages: list[Message] = []

    def start(self, port: int = 0) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self._listener.start(port)}"

    def stop(self) -> None:
        self._listener.stop()

    def messages(self) -> list[Message]:
        """Notifications, oldest first."""
        with self._lock:
            return list(self._messages)

    def answer(self, request: Request) -> Answer:
        """The answer to any request, whichever way it came in."""
        if request.method == "GET" and request.path == "/messages":
            body = json.dumps(self.messages(), indent=1).encode()
            return Answer(200, (("Content-Type", "application/json"),), body)
        if request.method != "POST":
            return Answer.text(404, "POST is for SNS, GET /messages for people\n")
        match request.header("x-amz-sns-message-type"):
            case "SubscriptionConfirmation":
                return self._confirm(request)
            case "Notification":
                return self._take(request)
            case "UnsubscribeConfirmation":
                return Answer.text(200, "ok\n")
            case _:
                return Answer.text(400, "this takes SNS messages only\n")

    def _confirm(self, request: Request) -> Answer:
        try:
            url = urlsplit(json.loads(request.body)["SubscribeURL"])
        except (ValueError, LookupError, TypeError):
            return Answer.text(400, "this is no SubscriptionConfirmation\n")
        endpoint = urlsplit(self._endpoint() or "")
        # the URL names AWS, or whatever the emulator is called; SNS is on this machine
        connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port, timeout=CONFIRM_SECONDS)
        try:
            connection.request("GET", f"{url.path or '/'}?{url.query}")
            status = connection.getresponse().status
        except (http.client.HTTPException, OSError) as e:
            LOG.warning("a subscription cannot be confirmed: %s", e)
            return Answer.text(500, "the subscription cannot be confirmed\n")
        finally:
            connection.close()
        if status != 200:
            LOG.warning("a subscription cannot be confirmed: SNS says %d", status)
            return Answer.text(500, "SNS refuses the confirmation\n")
        return Answer.text(200, "confirmed\n")

    def _take(self, request: Request) -> Answer:
        try:
            message = _message(request)
        except ValueError:
            return Answer.text(400, "this is no Notification\n")
        with self._lock:
            self._messages.append(message)
            del self._messages[:-MOST_MESSAGES]
        print(message["Message"], flush=True)
        return Answer.text(200, "ok\n")


def _message(request: Request) -> Message:
    """Raises ValueError."""
    if request.header("x-amz-sns-rawdelivery").lower() == "true":
        return {
            "Type": "Notification",
            "MessageId": request.header("x-amz-sns-message-id"),
            "TopicArn": request.header("x-amz-sns-topic-arn"),
            "Message": request.body.decode("utf-8", "replace"),
        }
    data = json.loads(request.body)
    if not isinstance(data, dict) or not isinstance(data.get("Message"), str):
        raise ValueError("no message")
    return data
