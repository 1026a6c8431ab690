"""One subscriber that SNS cannot reach by itself: Slack, Teams, PagerDuty, or a webhook with signed messages.

    topic -> queue (+ dead letters) -> function (`report_lambda/delivery/`) -> HTTPS

Each has a queue of its own: one that is down holds up no other, and is tried again for hours. The secret is a parameter
of SSM that a person writes: its name is here, its value never is, so it stands in no state and in no log.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.alert_topic import SubscriptionArgs, filter_policy
from components.json_text import json_text
from components.lambda_function import python_function, write_logs
from components.physical_names import physical_name
from components.policy_documents import allow, deny_without_tls, document
from components.queue_with_dead_letters import queue_with_dead_letters

HANDLER = "report_lambda.delivery.handler.handle"
MEMORY_MB = 256
FUNCTION_TIMEOUT = 45
"""Seconds: reading the secret and one POST, each at its slowest."""
PAUSE = 300
"""Seconds between two tries; six times the function's time at least, as the Lambda guide asks for."""
TRIES = 72
"""Six hours, in which a chat comes back or somebody notices."""
RETENTION = 86_400
DEAD_LETTER_RETENTION = 14 * 86_400
CONCURRENCY = 2
"""The least that the event source takes. Slack takes about one message a second."""
LOG_DAYS = 90


class AlertDeliveryArgs(TypedDict):
    """
    region: of the topic. code: the archive made of report_lambda/delivery/MANIFEST.
    form: `slack`, `teams`, `pagerduty` or `webhook`. secret: name of an SSM parameter (SecureString), from its first
    slash: of Slack and Teams the address of the incoming webhook, of PagerDuty the integration's key, of a webhook the
    key to sign with. url: of a webhook, or of PagerDuty's events in another region than the US.
    owner, severity: as of any subscription (alert_topic.SubscriptionArgs).
    """

    region: str
    account_id: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    code: pulumi.Archive
    form: str
    secret: str
    url: NotRequired[str]
    owner: NotRequired[str]
    severity: NotRequired[Sequence[str]]


class AlertDelivery(pulumi.ComponentResource):
    """dead_letter_queue_arn: where messages lie that nobody took in six hours; an alarm tells of the first."""

    dead_letter_queue_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlertDeliveryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:AlertDelivery", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._name, self._args = name, args

        queue, dead_letters = queue_with_dead_letters(
            name,
            {
                "region": args["region"],
                "visibility_timeout": PAUSE,
                "retention": RETENTION,
                "dead_letter_retention": DEAD_LETTER_RETENTION,
                "tries": TRIES,
            },
            self._child,
        )
        function = self._function(queue)
        aws.lambda_.EventSourceMapping(
            f"{name}-alerts",
            region=args["region"],
            event_source_arn=queue.arn,
            function_name=function.name,
            batch_size=1,  # what one fails does not come again with what others have sent
            scaling_config={"maximum_concurrency": CONCURRENCY},
            opts=self._child,
        )
        self._subscribe(queue)
        self._watch(dead_letters)
        self.dead_letter_queue_arn = dead_letters.arn
        self.register_outputs({"dead_letter_queue_arn": self.dead_letter_queue_arn})

    def _function(self, queue: aws.sqs.Queue) -> aws.lambda_.Function:
        form = self._args["form"]
        return python_function(
            self._name,
            {
                "region": self._args["region"],
                "description": f"alerts to {form}",
                "may": f"the function that brings alerts to {form}",
                "policy": lambda log_group_arn: role_policy(self._args, queue.arn, log_group_arn),
                "code": self._args["code"],
                "handler": HANDLER,
                "memory_mb": MEMORY_MB,
                "timeout": FUNCTION_TIMEOUT,
                "log_days": LOG_DAYS,
                "environment": environment(self._args),
            },
            self,
        )

    def _subscribe(self, queue: aws.sqs.Queue) -> None:
        region, topic = self._args["region"], self._args["topic_arn"]
        policy = aws.sqs.QueuePolicy(
            f"{self._name}-policy",
            region=region,
            queue_url=queue.url,
            policy=queue_policy(queue.arn, topic),
            opts=self._child,
        )
        wanted = filter_policy(_as_subscription(self._args))
        aws.sns.TopicSubscription(
            f"{self._name}-subscription",
            region=region,
            topic=topic,
            protocol="sqs",
            endpoint=queue.arn,
            raw_message_delivery=True,
            filter_policy=json_text(wanted) if wanted else None,
            filter_policy_scope="MessageAttributes" if wanted else None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _watch(self, dead_letters: aws.sqs.Queue) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-undelivered",
            region=self._args["region"],
            alarm_description=pulumi.Output.concat(
                f"Alerts could not be brought to {self._args['form']} for {TRIES * PAUSE // 3600} hours and wait "
                f"in the dead-letter queue, for {DEAD_LETTER_RETENTION // 86_400} days at most. Others got them. DO "
                f"1 Read why: aws logs tail --since 6h /aws/lambda/{physical_name(self._name)} 2 A secret that is "
                f"gone or wrong? Write the parameter {self._args['secret']} anew. 3 Send them again: aws sqs "
                "start-message-move-task --source-arn ",
                dead_letters.arn,
            ),
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": dead_letters.name},
            statistic="Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            period=300,
            evaluation_periods=1,
            treat_missing_data="notBreaching",  # SQS stops measuring a queue that nobody has used for hours
            alarm_actions=[self._args["topic_arn"]],
            opts=self._child,
        )


def environment(args: AlertDeliveryArgs) -> dict[str, pulumi.Input[str]]:
    """No secret in it but its name. A webhook's path may open it, so the address is kept encrypted in the state."""
    variables: dict[str, pulumi.Input[str]] = {
        "MAILTLS_DELIVERY_FORMAT": args["form"],
        "MAILTLS_DELIVERY_SECRET": args["secret"],
    }
    if url := args.get("url"):
        variables["MAILTLS_DELIVERY_URL"] = pulumi.Output.secret(url)
    return variables


def role_policy(
    args: AlertDeliveryArgs, queue_arn: pulumi.Input[str], log_group_arn: pulumi.Input[str]
) -> pulumi.Output[str]:
    """Nothing of reports, policies or the topic. A parameter under the key `aws/ssm` needs no right to the key; another
    key's policy has to let the role in."""
    parameter = pulumi.Output.concat(
        f"arn:aws:ssm:{args['region']}:", args["account_id"], f":parameter{args['secret']}"
    )
    return document(
        allow("ReadSecret", "ssm:GetParameter", parameter),
        allow("TakeMessages", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue_arn),
        write_logs(log_group_arn),
    )


def queue_policy(queue_arn: pulumi.Input[str], topic_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """The one topic may send."""
    return document(
        allow(
            "TopicSends",
            "sqs:SendMessage",
            queue_arn,
            Principal={"Service": "sns.amazonaws.com"},
            Condition={"ArnEquals": {"aws:SourceArn": topic_arn}},
        ),
        deny_without_tls("sqs", queue_arn),
    )


def _as_subscription(args: AlertDeliveryArgs) -> SubscriptionArgs:
    subscription: SubscriptionArgs = {"protocol": "sqs", "endpoint": ""}
    if owner := args.get("owner"):
        subscription["owner"] = owner
    if severity := args.get("severity"):
        subscription["severity"] = severity
    return subscription
