"""The topic that people subscribe to: alerts about domains (from the Lambda) and about the pipeline (from alarms)."""

import hashlib
from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.json_text import json_text
from components.policy_documents import allow, deny_without_tls, document
from mailtls.tls_rpt.contract import Attribute

KEY_DELETION_DAYS = 7
"""The shortest that KMS allows: no data lie under this key for longer than a delivery takes."""

SIGNATURE_VERSION = 2
"""SHA256. SNS signs with SHA1 (version 1) where nothing is said. A receiver that checks reads `SignatureVersion`."""


class SubscriptionArgs(TypedDict):
    """One subscriber.

    protocol, endpoint: as SNS has them. An `email` subscriber is pending until a person clicks, and is not told of
    anything before; pulumi cannot see that. A queue, function or stream has to let the topic in by a policy or role of
    its own, which is not made here.
    owner: only alerts about domains of this owner. severity: only alerts of these severities. Either of them also shuts
    out the pipeline's own alarms, since CloudWatch sends no attributes: leave one subscription without both.
    """

    protocol: str
    endpoint: str
    owner: NotRequired[str]
    severity: NotRequired[Sequence[str]]


class AlertTopicArgs(TypedDict):
    """region: of the topic; an alarm may notify topics of its own region only. heard_elsewhere: somebody who is none of
    the subscriptions (alert_delivery.py) gets everything."""

    region: str
    account_id: pulumi.Input[str]
    subscriptions: Sequence[SubscriptionArgs]
    heard_elsewhere: NotRequired[bool]


class AlertTopic(pulumi.ComponentResource):
    """Encrypted with a key of our own: CloudWatch may not use the one that AWS keeps for SNS, and would fall silent."""

    topic_arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlertTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:AlertTopic", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region, account_id = args["region"], args["account_id"]

        key = aws.kms.Key(
            f"{name}-key",
            region=region,
            description="mailtls: encrypts the alert topic",
            enable_key_rotation=True,
            deletion_window_in_days=KEY_DELETION_DAYS,
            policy=key_policy(region, account_id),
            opts=child,
        )
        topic = aws.sns.Topic(
            f"{name}-topic", region=region, kms_master_key_id=key.arn, signature_version=SIGNATURE_VERSION, opts=child
        )
        aws.sns.TopicPolicy(
            f"{name}-policy",
            region=region,
            arn=topic.arn,
            policy=topic_policy(topic.arn, region, account_id),
            opts=child,
        )
        for subscription in args["subscriptions"]:
            wanted = filter_policy(subscription)
            aws.sns.TopicSubscription(
                # by endpoint, not by place in the list: a line put in above must not replace those below it
                f"{name}-{subscription['protocol']}-{_digest(subscription['endpoint'])}",
                region=region,
                topic=topic.arn,
                protocol=subscription["protocol"],
                endpoint=pulumi.Output.secret(subscription["endpoint"]),  # a webhook's path may open it
                filter_policy=json_text(wanted) if wanted else None,
                filter_policy_scope="MessageAttributes" if wanted else None,
                # people come and go by settings, also where all else is protected
                opts=pulumi.ResourceOptions(parent=self, protect=False),
            )
        hears_all = [one for one in args["subscriptions"] if not filter_policy(one)]
        if not hears_all and not args.get("heard_elsewhere"):
            pulumi.log.warn(
                "no subscription without owner and severity: alarms about the pipeline itself (no reports coming in, "
                "dead letters) carry neither and will reach nobody",
                resource=self,
            )

        self.topic_arn = topic.arn
        self.key_arn = key.arn
        self.register_outputs({"topic_arn": self.topic_arn, "key_arn": self.key_arn})


def filter_policy(subscription: SubscriptionArgs) -> dict[str, list[str]]:
    """Values by message attribute; empty: everything."""
    wanted: dict[str, list[str]] = {}
    if owner := subscription.get("owner"):
        wanted[Attribute.OWNER.value] = [owner]
    if severity := subscription.get("severity"):
        wanted[Attribute.SEVERITY.value] = list(severity)
    return wanted


def topic_policy(topic_arn: pulumi.Input[str], region: str, account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """This account's alarms may publish; the Lambda's right to stands in its role."""
    return document(
        allow(
            "AlarmsPublish",
            "sns:Publish",
            topic_arn,
            Principal={"Service": "cloudwatch.amazonaws.com"},
            Condition=_alarms_of(region, account_id),
        ),
        # SNS knows fewer actions in a topic's policy than in a role's: `sns:*` would be refused
        {**deny_without_tls("sns", topic_arn), "Action": "sns:Publish"},
    )


def key_policy(region: str, account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """Resource `*` is the key itself: a key's policy has no other name for it.

    A rule of EventBridge could not be let in like this (its requests to KMS carry no source): none publishes here.
    """
    return document(
        # without it nobody could ever change or delete the key again
        allow(
            "AccountAdministers",
            "kms:*",
            "*",
            Principal={"AWS": pulumi.Output.concat("arn:aws:iam::", account_id, ":root")},
        ),
        allow(
            "AlarmsEncrypt",
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            "*",
            Principal={"Service": "cloudwatch.amazonaws.com"},
            Condition=_alarms_of(region, account_id),
        ),
    )


def _alarms_of(region: str, account_id: pulumi.Input[str]) -> dict[str, object]:
    return {
        "StringEquals": {"aws:SourceAccount": account_id},
        "ArnLike": {"aws:SourceArn": pulumi.Output.concat(f"arn:aws:cloudwatch:{region}:", account_id, ":alarm:*")},
    }


def _digest(text: str) -> str:
    """An endpoint may hold a secret in its path, so it stands in no name."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
