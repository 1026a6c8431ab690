"""What SNS refuses from those who publish and subscribe, and what a subscription is before it is confirmed."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import sns

from sandbox import account
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_proofs import document, role_for_proofs, session_client, statement
from sandbox.cloud.emulator.patches.kms_use import caller_refused
from sandbox.cloud.emulator.probe import Probe

SUBJECT_CHARACTERS = 100
LARGEST_FILTER = 5
_MAIL = ("email", "email-json")
_WEB = ("http", "https")
_PROTOCOLS = frozenset({*_MAIL, *_WEB, "sqs", "lambda", "sms", "application", "firehose"})


# --------------------------------------------------------------------------------------------------- publish


def _publish_as_aws() -> None:
    def made(old: Any) -> Any:
        def call(params: dict[str, Any]) -> Any:
            if refusal := next(_publish_refusals(params), None):
                return sns._error(refusal[0], refusal[1], 400)
            return old(params)

        return call

    replace(sns, "_publish", made, takes=("params",))


def _publish_refusals(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Error codes and messages."""
    subject, message = sns._p(params, "Subject"), sns._p(params, "Message")
    if not message:
        yield "InvalidParameter", "Invalid parameter: Empty message"
    if subject and (len(subject) >= SUBJECT_CHARACTERS or any(ord(one) < 32 or ord(one) == 127 for one in subject)):
        yield "InvalidParameter", "Invalid parameter: Subject"
    if sns._p(params, "MessageStructure") == "json" and not _has_default(message):
        yield "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body"
    for name, attribute in sns._parse_message_attributes(params).items():
        if not attribute.get("StringValue") and not attribute.get("BinaryValue"):
            yield (
                "ParameterValueInvalid",
                f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
                f"type '{attribute.get('DataType')}'.",
            )
    topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
    if topic is not None and (key := topic["attributes"].get("KmsMasterKeyId")):
        refused = caller_refused(key)
        if refused is not None:
            yield refused.code, refused.message


def _has_default(message: str) -> bool:
    try:
        found = json.loads(message)
    except ValueError:
        return False
    return isinstance(found, dict) and "default" in found


def _prove_publish(probe: Probe) -> None:
    client, kms = probe.client("sns"), probe.client("kms")
    key = kms.create_key()["KeyMetadata"]
    plain = client.create_topic(Name=probe.name("plain"))["TopicArn"]
    locked = client.create_topic(Name=probe.name("locked"), Attributes={"KmsMasterKeyId": key["Arn"]})["TopicArn"]

    def refused(code: str, **message: Any) -> None:
        probe.refused(code, client.publish, **{"TopicArn": plain, "Message": "text", **message})

    refused("InvalidParameter", Message="m" * 262_145)
    refused("InvalidParameter", Subject="s" * 100)
    refused("InvalidParameter", Subject="two\nlines")
    refused("InvalidParameter", MessageStructure="json")
    refused("ParameterValueInvalid", MessageAttributes={"owner": {"DataType": "String", "StringValue": ""}})
    may_publish = statement("sns:Publish", [plain, locked])
    without = session_client(probe, role_for_proofs(probe, may_publish), "sns")
    without.publish(TopicArn=plain, Message="in the clear")
    probe.refused("KMSAccessDenied", without.publish, TopicArn=locked, Message="encrypted")
    rights = statement(["kms:GenerateDataKey", "kms:Decrypt"], key["Arn"])
    with_key = session_client(probe, role_for_proofs(probe, may_publish, rights), "sns")
    with_key.publish(TopicArn=locked, Message="encrypted")
    ours = statement("kms:PutKeyPolicy", "*", Principal={"AWS": account.ACCOUNT_ID})
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=document(ours))
    probe.refused("KMSAccessDenied", with_key.publish, TopicArn=locked, Message="the key lets nobody")
    kms.disable_key(KeyId=key["KeyId"])
    refused("KMSDisabled", TopicArn=locked)


# ------------------------------------------------------------------------------------------------- subscribe


def _subscribe_as_aws() -> None:
    def subscribe(old: Any) -> Any:
        def call(params: dict[str, Any]) -> Any:
            if why := next(_subscribe_faults(params), None):
                return sns._error("InvalidParameter", f"Invalid parameter: {why}", 400)
            known = _subscription(params) is not None
            answer = old(params)
            return _subscribed(params, new=not known) if answer[0] == 200 else answer

        return call

    def change(old: Any) -> Any:
        def call(params: dict[str, Any]) -> Any:
            if sns._p(params, "AttributeName") == "FilterPolicy":
                why = next(_filter_faults(sns._p(params, "AttributeValue")), None)
                if why:
                    return sns._error("InvalidParameter", f"Invalid parameter: {why}", 400)
            return old(params)

        return call

    replace(sns, "_subscribe", subscribe, takes=("params",))
    replace(sns, "_set_subscription_attributes", change, takes=("params",))


def _subscribe_faults(params: Mapping[str, Any]) -> Iterator[str]:
    protocol, endpoint = sns._p(params, "Protocol"), sns._p(params, "Endpoint")
    if protocol not in _PROTOCOLS:
        yield f"Protocol {protocol}"
    if protocol in _WEB and not re.fullmatch(rf"{protocol}://[^\s/]+.*", endpoint):
        yield "Endpoint must match the specified protocol"
    if protocol in _MAIL and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", endpoint):
        yield "Email address"
    number = 1
    while key := sns._p(params, f"Attributes.entry.{number}.key"):
        if key == "FilterPolicy":
            yield from _filter_faults(sns._p(params, f"Attributes.entry.{number}.value"))
        number += 1


def _filter_faults(text: str) -> Iterator[str]:
    try:
        policy = json.loads(text or "{}")
    except ValueError:
        yield "FilterPolicy: failed to parse JSON"
        return
    if not isinstance(policy, dict) or not all(isinstance(one, list | dict) and one for one in policy.values()):
        yield "FilterPolicy: each attribute must be an object or an array with at least one value"
    elif len(policy) > LARGEST_FILTER:
        yield f"FilterPolicy: at most {LARGEST_FILTER} attributes"


def _subscription(params: Mapping[str, Any]) -> dict[str, Any] | None:
    topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
    wanted = (sns._p(params, "Protocol"), sns._p(params, "Endpoint"))
    there = topic["subscriptions"] if topic else ()
    return next((one for one in there if (one["protocol"], one["endpoint"]) == wanted), None)


def _subscribed(params: Mapping[str, Any], *, new: bool) -> Any:
    """The answer, and for mail what the stock emulator forgets: a person has to click first."""
    there = _subscription(params)
    assert there is not None  # noqa: S101 it has just been made
    if new and there["protocol"] in _MAIL:
        there.update(confirmed=False, token=sns.new_uuid())
        there["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        sns._refresh_subscription_counts(sns._topic_by_arn_any_scope(there["topic_arn"]))
    told = there["confirmed"] or sns._p(params, "ReturnSubscriptionArn") == "true"
    arn = there["arn"] if told else "pending confirmation"
    return sns._xml(
        200, "SubscribeResponse", f"<SubscribeResult><SubscriptionArn>{arn}</SubscriptionArn></SubscribeResult>"
    )


def _prove_subscribe(probe: Probe) -> None:
    client = probe.client("sns")
    topic = client.create_topic(Name=probe.name("topic"))["TopicArn"]

    def refused(protocol: str, endpoint: str, **attributes: str) -> None:
        given = {"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes}
        probe.refused("InvalidParameter", client.subscribe, **given)

    refused("pigeon", "coop")
    refused("https", "http://127.0.0.1:9/hook")
    refused("email", "somebody")
    refused("email", "somebody@example.com", FilterPolicy='{"owner": "mail-team"}')
    given = {"TopicArn": topic, "Protocol": "email", "Endpoint": "somebody@example.com"}
    probe.holds(client.subscribe(**given)["SubscriptionArn"] == "pending confirmation", "mail waits for a click")
    arn = client.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"]
    attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    probe.holds(attributes["PendingConfirmation"] == "true", "and its ARN is told to whoever asks for it")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "publishing-needs-a-message-and-the-key",
        "A topic takes an empty message, a subject of any length with line breaks, attributes without a value, and on "
        "an encrypted topic publishers that may not use its key, or a key that is disabled.",
        _publish_as_aws,
        _prove_publish,
    ),
    Patch(
        "subscriptions-are-pending",
        "A mail subscription is confirmed at once, and the ARN of a pending one is never told; any endpoint and any "
        "filter is taken.",
        _subscribe_as_aws,
        _prove_subscribe,
    ),
)
