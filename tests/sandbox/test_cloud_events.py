"""Rules of the stand-in: schedules by its clock, targets with leave, events across regions."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import (
    Unique,
    allow,
    bodies,
    by_service,
    document,
    let_in,
    make_function,
    make_queue,
    make_role,
    metric_sum,
    soon,
)
from deployed import Clients

from sandbox import account

SERVICE = "events.amazonaws.com"
DEFAULT_BUS = f"arn:aws:events:{account.REGION}:{account.ACCOUNT_ID}:event-bus/default"


def make_rule(aws: Clients, name: str, region: str = account.REGION, **more: Any) -> str:
    """Its ARN. It waits for events whose source is its own name, so that rules of other tests do not meet."""
    given = more or {"EventPattern": json.dumps({"source": [name]})}
    return str(aws("events", region).put_rule(Name=name, **given)["RuleArn"])


def aim(aws: Clients, rule: str, arn: str, region: str = account.REGION, **more: Any) -> None:
    aws("events", region).put_targets(Rule=rule, Targets=[{"Id": "one", "Arn": arn, **more}])


def aimed_queue(aws: Clients, name: str, rule: str) -> str:
    """The URL of a queue that the rule sends to."""
    url, arn = make_queue(aws, name)
    let_in(aws, url, by_service(SERVICE, "sqs:SendMessage", arn, rule))
    aim(aws, name, arn)
    return url


def put_event(aws: Clients, source: str, region: str = account.REGION, **members: Any) -> None:
    entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps({"days": 12}), **members}
    assert aws("events", region).put_events(Entries=[entry])["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("schedule", "not_yet", "then"), [("rate(1 hour)", 3500, 3700), ("rate(2 days)", 172_000, 173_000)]
)
def test_a_schedule_fires_by_the_clock(
    aws: Clients, unique: Unique, move_clock: Callable[[float], None], schedule: str, not_yet: float, then: float
) -> None:
    name = unique("schedule")
    rule = make_rule(aws, name, ScheduleExpression=schedule)
    url = aimed_queue(aws, name, rule)
    move_clock(not_yet)
    assert bodies(aws, url) == []
    move_clock(then)
    [event] = [json.loads(body) for body in bodies(aws, url)]
    assert event["source"] == "aws.events"
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == [rule]
    move_clock(then + 60)
    assert bodies(aws, url) == []
    move_clock(2 * then)
    assert len(bodies(aws, url)) == 1
    aws("events").disable_rule(Name=name)
    move_clock(4 * then)
    assert bodies(aws, url) == []


def test_after_the_clock_was_moved_back_a_schedule_goes_on(
    aws: Clients, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    name = unique("schedule")
    url = aimed_queue(aws, name, make_rule(aws, name, ScheduleExpression="rate(1 hour)"))
    move_clock(100_000)
    assert len(bodies(aws, url)) == 1
    move_clock(0)
    move_clock(3700)
    assert len(bodies(aws, url)) == 1


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ({"source": ["SOURCE"]}, True),
        ({"source": ["aws.acm"]}, False),
        ({"detail-type": ["Test", "Other"], "region": [account.REGION]}, True),
        ({"source": ["SOURCE"], "region": [account.CERTIFICATE_REGION]}, False),
        ({"detail": {"days": [{"numeric": ["<", 30]}]}}, True),
        ({"detail": {"days": [{"numeric": ["<", 10]}]}}, False),
    ],
)
def test_patterns(aws: Clients, unique: Unique, pattern: dict[str, Any], matches: bool) -> None:
    name = unique("pattern")
    text = json.dumps(pattern).replace("SOURCE", name)
    url = aimed_queue(aws, name, make_rule(aws, name, EventPattern=text))
    put_event(aws, name)
    assert bool(bodies(aws, url)) == matches


@pytest.mark.parametrize(
    ("permission", "runs"),
    [
        ({"Principal": SERVICE, "SourceArn": "RULE"}, True),
        ({"Principal": SERVICE}, True),
        ({"Principal": SERVICE, "SourceArn": "RULE-of-somebody-else"}, False),
        ({"Principal": SERVICE, "SourceAccount": "999999999999"}, False),
        ({"Principal": "sns.amazonaws.com", "SourceArn": "RULE"}, False),
        ({"Principal": SERVICE, "SourceArn": "RULE", "Action": "lambda:GetFunction"}, False),
        (None, False),
    ],
)
def test_a_function_needs_a_permission(
    aws: Clients, unique: Unique, permission: dict[str, str] | None, runs: bool
) -> None:
    name = unique("permission")
    rule = make_rule(aws, name)
    function = make_function(aws, name, make_role(aws, name), "def handle(event, context): pass")
    if permission is not None:
        given = {"Action": "lambda:InvokeFunction"} | {
            key: value.replace("RULE", rule) for key, value in permission.items()
        }
        aws("lambda").add_permission(FunctionName=name, StatementId="one", **given)
    aim(aws, name, function)
    put_event(aws, name)
    assert metric_sum(aws, "AWS/Events", "FailedInvocations", RuleName=name) == (not runs)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) == runs)


def test_a_function_that_fails_is_tried_three_times(aws: Clients, unique: Unique) -> None:
    name = unique("fails")
    rule = make_rule(aws, name)
    function = make_function(aws, name, make_role(aws, name), "def handle(event, context): 1 / 0")
    permission = {"Action": "lambda:InvokeFunction", "Principal": SERVICE, "SourceArn": rule}
    aws("lambda").add_permission(FunctionName=name, StatementId="one", **permission)
    aim(aws, name, function)
    put_event(aws, name)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Errors", FunctionName=name) == 3)


def test_queues_and_topics_need_leave(aws: Clients, unique: Unique) -> None:
    name, sns = unique("leave"), aws("sns")
    rule = make_rule(aws, name)
    topic = sns.create_topic(Name=name)["TopicArn"]
    locked = sns.create_topic(Name=f"{name}-locked")["TopicArn"]
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    sns.set_topic_attributes(TopicArn=locked, AttributeName="KmsMasterKeyId", AttributeValue=key)
    url, arn = make_queue(aws, name)
    targets = [{"Id": str(number), "Arn": one} for number, one in enumerate((arn, topic, locked))]
    aws("events").put_targets(Rule=name, Targets=targets)
    for one in (topic, locked):
        strangers = by_service(SERVICE, "sns:Publish", one, f"{rule}-of-somebody-else")
        sns.set_topic_attributes(TopicArn=one, AttributeName="Policy", AttributeValue=document(strangers))
    put_event(aws, name)
    assert metric_sum(aws, "AWS/Events", "FailedInvocations", RuleName=name) == 3
    let_in(aws, url, by_service(SERVICE, "sqs:SendMessage", arn, rule))
    for one in (topic, locked):
        ours = by_service(SERVICE, "sns:Publish", one, rule)
        sns.set_topic_attributes(TopicArn=one, AttributeName="Policy", AttributeValue=document(ours))
    put_event(aws, name)
    assert metric_sum(aws, "AWS/Events", "FailedInvocations", RuleName=name) == 4
    assert metric_sum(aws, "AWS/Events", "Invocations", RuleName=name) == 2
    assert len(bodies(aws, url)) == 1


# ------------------------------------------------------------------------------------------------ across regions


def forwarding_role(aws: Clients, name: str, rule: str, *rights: dict[str, Any]) -> str:
    """As the program makes it."""
    condition = {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}, "ArnEquals": {"aws:SourceArn": rule}}
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole", "Condition": condition}
    arn: str = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    if rights:
        aws("iam").put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(*rights))
    return arn


@pytest.mark.parametrize(
    ("rights", "arrives"),
    [
        ([allow("events:PutEvents", DEFAULT_BUS)], True),
        ([allow("events:PutEvents", DEFAULT_BUS.replace("default", "other"))], False),
        ([allow("events:PutRule", DEFAULT_BUS)], False),
        ([allow("events:PutEvents", "*"), allow("events:*", DEFAULT_BUS, Effect="Deny")], False),
        ([], False),
    ],
)
def test_events_cross_regions_with_a_role(
    aws: Clients, unique: Unique, rights: list[dict[str, Any]], arrives: bool
) -> None:
    here, name = account.CERTIFICATE_REGION, unique("forward")
    pattern = json.dumps({"source": [name], "region": [here]})
    url = aimed_queue(aws, name, make_rule(aws, name, EventPattern=pattern))
    rule = make_rule(aws, name, here, EventPattern=pattern)
    aim(aws, name, DEFAULT_BUS, here, RoleArn=forwarding_role(aws, name, rule, *rights))
    put_event(aws, name, here, Resources=["arn:aws:acm:us-east-1:123456789012:certificate/1"])
    events = [json.loads(body) for body in bodies(aws, url)]
    assert [(event["region"], event["detail"], len(event["resources"])) for event in events] == (
        [(here, {"days": 12}, 1)] if arrives else []
    )


def test_an_event_crosses_regions_once(aws: Clients, unique: Unique) -> None:
    name, here = unique("hop"), account.CERTIFICATE_REGION
    third = DEFAULT_BUS.replace(account.REGION, "eu-central-1")
    for region, bus in ((here, DEFAULT_BUS), (account.REGION, third)):
        rule = make_rule(aws, name, region)
        role = forwarding_role(aws, f"{name}-{region}", rule, allow("events:PutEvents", bus))
        aim(aws, name, bus, region, RoleArn=role)
    url, arn = make_queue(aws, name, "eu-central-1")
    rule = make_rule(aws, name, "eu-central-1")
    let_in(aws, url, by_service(SERVICE, "sqs:SendMessage", arn, rule), region="eu-central-1")
    aim(aws, name, arn, "eu-central-1")
    put_event(aws, name, here)
    assert bodies(aws, url, "eu-central-1") == []
    put_event(aws, name)
    assert len(bodies(aws, url, "eu-central-1")) == 1


def test_a_role_that_the_rule_may_not_take_on(aws: Clients, unique: Unique) -> None:
    name, here = unique("stranger"), account.CERTIFICATE_REGION
    rule = make_rule(aws, name, here)
    role = forwarding_role(aws, name, f"{rule}-of-somebody-else", allow("events:PutEvents", DEFAULT_BUS))
    with pytest.raises(ClientError, match="cannot be assumed by principal 'events"):
        aim(aws, name, DEFAULT_BUS, here, RoleArn=role)
    with pytest.raises(ClientError, match="RoleArn is required"):
        aim(aws, name, DEFAULT_BUS, here)


# ------------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({}, "must be specified"),
        ({"ScheduleExpression": "rate(1 hours)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "rate(5 hour)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "rate(0 hours)"}, "ScheduleExpression"),
        ({"ScheduleExpression": "rate(1 week)"}, "ScheduleExpression"),
        ({"EventPattern": "{"}, "Event pattern is not valid"),
        ({"EventPattern": '{"source": "aws.acm"}'}, "Event pattern is not valid"),
    ],
)
def test_rules_that_are_refused(aws: Clients, unique: Unique, rule: dict[str, str], told: str) -> None:
    with pytest.raises(ClientError, match=told):
        aws("events").put_rule(Name=unique("refused"), **rule)


def test_a_rule_with_targets_stays(aws: Clients, unique: Unique) -> None:
    name, events = unique("stays"), aws("events")
    aimed_queue(aws, name, make_rule(aws, name))
    with pytest.raises(ClientError, match="since it has targets"):
        events.delete_rule(Name=name)
    events.remove_targets(Rule=name, Ids=["one"])
    events.delete_rule(Name=name)
    with pytest.raises(ClientError, match="does not exist"):
        events.describe_rule(Name=name)


def test_targets_that_are_refused(aws: Clients, unique: Unique) -> None:
    name, events = unique("targets"), aws("events")
    make_rule(aws, name)
    queue = f"arn:aws:sqs:{account.REGION}:{account.ACCOUNT_ID}:{name}"
    with pytest.raises(ClientError, match="exceeds the maximum"):
        events.put_targets(Rule=name, Targets=[{"Id": str(number), "Arn": queue} for number in range(6)])
    with pytest.raises(ClientError, match="not in correct format"):
        aim(aws, name, "queue")
    with pytest.raises(ClientError, match="no JSON"):
        aim(aws, name, queue, Input="{")
    with pytest.raises(ClientError, match="does not exist"):
        aim(aws, f"{name}-gone", queue)


def test_nobody_can_pretend_to_be_aws(aws: Clients) -> None:
    entry = {"Source": "aws.acm", "DetailType": "ACM Certificate Expired", "Detail": "{}"}
    [answer] = aws("events").put_events(Entries=[entry])["Entries"]
    assert answer["ErrorCode"] == "NotAuthorizedForSourceException"
