"""ACM's daily event about a certificate that nears its end, in the certificate's region."""

import json
from typing import Any

from ministack.core.responses import new_uuid, now_iso, request_scope
from ministack.services import acm, eventbridge

from sandbox.account import ACCOUNT_ID
from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.acm_lifecycle import DAY, LIFETIME, RENEWAL, Certificate
from sandbox.cloud.emulator.patches.cloudfront_samples import issued_certificate


def _announce_ends() -> None:
    replace(eventbridge, "_dispatch_event", lambda stock: stock, takes=("event", "view"))
    CLOCK.when_moved(_announce)


def _announce() -> None:
    """Once a day of the clock, for each certificate that nears its end (ACM User Guide, "EventBridge support")."""
    today = int(CLOCK.now() // DAY)
    for (account, region, arn), certificate in list(acm._certificates._data.items()):
        left = certificate.get("NotAfter", 0) - CLOCK.now()
        if certificate["Status"] == "ISSUED" and left <= RENEWAL and certificate.get("_announced") != today:
            certificate["_announced"] = today
            with request_scope(account, region):
                eventbridge._dispatch_event(_expiry_event(arn, region, certificate, int(left // DAY)))


def _expiry_event(arn: str, region: str, certificate: Certificate, days: int) -> dict[str, Any]:
    return {
        "EventId": new_uuid(),
        "Source": "aws.acm",
        "DetailType": "ACM Certificate Approaching Expiration",
        "Detail": json.dumps({"DaysToExpiry": days, "CommonName": certificate["DomainName"]}),
        "EventBusName": "default",
        "Time": now_iso(),
        "Resources": [arn],
        "Account": ACCOUNT_ID,
        "Region": region,
    }


def _prove_events(probe: Probe) -> None:
    events, queues, name = probe.client("events", "us-east-1"), probe.client("sqs", "us-east-1"), probe.name("expiry")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    queue = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.acm"]}))["RuleArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    queues.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue}])
    arn = issued_certificate(probe, probe.domain())
    probe.move_clock(LIFETIME - 30 * DAY)
    messages = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
    found = [json.loads(message["Body"]) for message in messages]
    told = [event["detail"]["DaysToExpiry"] for event in found if event["resources"] == [arn]]
    probe.holds(told == [29] or told == [30], f"a certificate 30 days from its end is announced once ({told})")


PATCHES = (
    Patch(
        "acm-announces-expiry",
        "No event told of a certificate that nears its end.",
        _announce_ends,
        _prove_events,
    ),
)
