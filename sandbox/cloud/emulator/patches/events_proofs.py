"""What proofs need of EventBridge: a rule whose target is a queue, and what has come to the queue."""

import json
from typing import Any

from sandbox import account
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.probe import Probe

SOURCE = "proof"


def rule_and_queue(probe: Probe, region: str = account.REGION, **rule: Any) -> tuple[str, str, str, str]:
    """The rule's name and ARN, the queue's ARN and URL; the queue lets nobody in yet."""
    events, sqs, name = probe.client("events", region), probe.client("sqs", region), probe.name("rule")
    arn = events.put_rule(Name=name, **(rule or {"EventPattern": json.dumps({"source": [SOURCE]})}))["RuleArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    return name, arn, queue, url


def target_policy(probe: Probe, url: str, queue: str, rule: str, region: str = account.REGION) -> None:
    """Lets the rule, and no other, send to the queue."""
    allowed = statement(
        "sqs:SendMessage",
        queue,
        Principal={"Service": "events.amazonaws.com"},
        Condition={"ArnEquals": {"aws:SourceArn": rule}},
    )
    probe.client("sqs", region).set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(allowed)})


def put_event(probe: Probe, region: str = account.REGION) -> None:
    entry = {"Source": SOURCE, "DetailType": "Proof", "Detail": "{}"}
    probe.client("events", region).put_events(Entries=[entry])


def received(probe: Probe, url: str, region: str = account.REGION) -> list[dict[str, Any]]:
    """The events in the queue."""
    answer = probe.client("sqs", region).receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]
