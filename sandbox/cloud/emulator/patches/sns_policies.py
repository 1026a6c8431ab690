"""A topic's policy: read when it is stored, and with the actions that SNS knows there."""

from typing import Any

from ministack.services import sns

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_documents import Kind, actions, fault
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.probe import Probe

ACTIONS = frozenset(
    f"sns:{name}"
    for name in (
        *("addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic"),
        *("listtagsforresource", "publish", "putdataprotectionpolicy", "receive", "removepermission"),
        *("settopicattributes", "subscribe"),
    )
)
"""Fewer than in a role's policy, and no wildcards."""
POLICY_BYTES = 30 * 1024


def _check() -> None:
    def create(old: Any) -> Any:
        def call(params: dict[str, Any]) -> Any:
            arn = f"arn:aws:sns:{sns.get_region()}:{sns.get_account_id()}:{sns._p(params, 'Name')}"
            why = _fault(_entry(params, "Policy"), arn)
            return _invalid(why) if why else old(params)

        return call

    def change(old: Any) -> Any:
        def call(params: dict[str, Any]) -> Any:
            if sns._p(params, "AttributeName") == "Policy":
                why = _fault(sns._p(params, "AttributeValue"), sns._p(params, "TopicArn"))
                if why:
                    return _invalid(why)
            return old(params)

        return call

    replace(sns, "_create_topic", create, takes=("params",))
    replace(sns, "_set_topic_attributes", change, takes=("params",))


def _entry(params: dict[str, Any], wanted: str) -> str | None:
    """A value of `Attributes.entry.N`."""
    number = 1
    while key := sns._p(params, f"Attributes.entry.{number}.key"):
        if key == wanted:
            return str(sns._p(params, f"Attributes.entry.{number}.value"))
        number += 1
    return None


def _fault(text: str | None, topic_arn: str) -> str | None:
    if text is None:
        return None
    if len(text.encode()) > POLICY_BYTES:
        return "Policy length exceeds 30720"
    if why := fault(text, Kind.RESOURCE):
        return f"Policy Error: {why}"
    if not actions(text) <= ACTIONS:
        return "Policy statement action out of service scope!"
    if topic_arn not in text:
        return "Policy Error: the resource of a topic's policy must be the topic"
    return None


def _invalid(why: str) -> Any:
    return sns._error("InvalidParameter", f"Invalid parameter: {why}", 400)


def _prove(probe: Probe) -> None:
    client, name = probe.client("sns"), probe.name("topic")
    topic = client.create_topic(Name=name)["TopicArn"]
    good = statement("sns:Publish", topic, Principal={"Service": "cloudwatch.amazonaws.com"})
    for bad in (
        "{",
        document({**good, "Action": "sns:*"}),
        document({**good, "Action": "sns:Unsubscribe"}),
        document({**good, "Principal": {"Service": "cloudwatch"}}),
        document({**good, "Resource": f"{topic}-of-somebody-else"}).replace(topic, "arn:aws:sns:eu-west-1:1:x"),
    ):
        probe.refused(
            "InvalidParameter",
            client.set_topic_attributes,
            TopicArn=topic,
            AttributeName="Policy",
            AttributeValue=bad,
        )
        probe.refused("InvalidParameter", client.create_topic, Name=f"{name}-2", Attributes={"Policy": bad})
    client.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document(good))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "topics-take-well-formed-policies",
        "A topic takes any text as its policy, also with actions that SNS does not know there, as `sns:*`.",
        _check,
        _prove,
    ),
)
