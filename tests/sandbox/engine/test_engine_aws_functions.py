"""IAM roles, KMS keys, log groups, Lambda functions and what invokes them through their lives, with the real engine."""

import json
from typing import Any

import pulumi
import pulumi_aws
from deployed import Clients
from inline_stack import InlineStack, begin, prove


def trust(service: str, sid: str = "TakenOn") -> str:
    statement = {"Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def rights(*actions: str) -> str:
    statement = {"Sid": "One", "Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def roles(stage: int) -> None:
    role = pulumi_aws.iam.Role(
        "role",
        description="one" if stage == 1 else "two",
        assume_role_policy=trust("lambda.amazonaws.com", "One" if stage == 1 else "Two"),
        path="/" if stage < 3 else "/mailtls/",
        tags={"stage": "one" if stage == 1 else "two"},
    )
    pulumi_aws.iam.RolePolicy(
        "rights", role=role.name, policy=rights("logs:PutLogEvents", *(["s3:GetObject"] if stage > 1 else []))
    )


def test_roles(stack: InlineStack) -> None:
    prove(stack, roles, updated={"role", "rights"}, replaced={"role", "rights"})


def test_a_role_with_an_automatic_name_is_made_anew_before_the_old_one_goes(stack: InlineStack) -> None:
    stack.up(lambda: roles(1))
    assert stack.up(lambda: roles(3)).before_replace == set()


def keys(stage: int) -> None:
    key = pulumi_aws.kms.Key(
        "key",
        description="one" if stage == 1 else "two",
        enable_key_rotation=stage == 1,
        deletion_window_in_days=7,
        region=pulumi_aws.config.region if stage < 3 else "us-east-1",
    )
    pulumi_aws.kms.Alias(
        "alias",
        name="alias/mailtls",
        target_key_id=key.key_id,
        region=pulumi_aws.config.region if stage < 3 else "us-east-1",
    )


def test_keys(stack: InlineStack) -> None:
    prove(stack, keys, updated={"key"}, replaced={"key", "alias"})


def log_groups(stage: int) -> None:
    pulumi_aws.cloudwatch.LogGroup(
        "logs", name="/aws/lambda/reports" if stage < 3 else "/aws/lambda/b", retention_in_days=90 if stage == 1 else 30
    )


def test_log_groups(stack: InlineStack) -> None:
    prove(stack, log_groups, updated={"logs"}, replaced={"logs"})


def code(text: str) -> pulumi.AssetArchive:
    return pulumi.AssetArchive(
        {"handler.py": pulumi.StringAsset(f"def handle(event, context):\n    return {text!r}\n")}
    )


def functions(stage: int, **other: Any) -> None:
    changed = stage > 1
    role = pulumi_aws.iam.Role("role", assume_role_policy=trust("lambda.amazonaws.com"))
    pulumi_aws.iam.RolePolicy(
        "rights", role=role.name, policy=rights("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    )
    queue = pulumi_aws.sqs.Queue("queue", visibility_timeout_seconds=360)
    function = pulumi_aws.lambda_.Function(
        "function",
        name="reports" if stage < 3 else "other-reports",
        role=role.arn,
        runtime="python3.13",
        architectures=["arm64"],
        handler="handler.handle",
        code=code("two" if changed else "one"),
        memory_size=1024 if changed else 512,
        timeout=60,
        environment={"variables": {"BUCKET": "one", "keepIt": "2" if changed else "1"}},
        **other,
    )
    pulumi_aws.lambda_.EventSourceMapping(
        "mails",
        event_source_arn=queue.arn,
        function_name=function.name,
        batch_size=5 if changed else 10,
        maximum_batching_window_in_seconds=0,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": 5},
    )
    rule = pulumi_aws.cloudwatch.EventRule(
        "hourly",
        name="hourly" if stage < 3 else "other-hourly",
        description="two" if changed else "one",
        schedule_expression="rate(1 hour)",
    )
    allowed = pulumi_aws.lambda_.Permission(
        "permission",
        action="lambda:InvokeFunction",
        function=function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
    )
    pulumi_aws.cloudwatch.EventTarget(
        "target",
        rule=rule.name,
        arn=function.arn,
        retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 1 if changed else 2},
        opts=pulumi.ResourceOptions(depends_on=[allowed]),
    )
    pulumi.export("code", function.code_sha256)


def test_functions_and_what_invokes_them(stack: InlineStack, aws: Clients) -> None:
    made = begin(stack, functions)
    first = stack.up(lambda: functions(1)).outputs
    changed = stack.up(lambda: functions(2))
    assert changed.operations == dict.fromkeys(("function", "mails", "hourly", "target"), "update")
    assert changed.outputs["code"] != first["code"]
    assert aws("lambda").get_function(FunctionName="reports")["Configuration"]["MemorySize"] == 1024
    stack.assert_settled()
    replaced = stack.up(lambda: functions(3))
    assert replaced.operations == {
        "function": "replace",
        "hourly": "replace",
        "permission": "replace",
        "target": "replace",
        "mails": "update",
    }
    assert replaced.outputs["code"] == changed.outputs["code"]
    assert stack.destroy().operations == dict.fromkeys(made, "delete")


def test_the_same_files_are_the_same_code(stack: InlineStack) -> None:
    stack.up(lambda: functions(1))
    assert stack.preview(lambda: functions(1)).operations == {}


def test_what_a_hand_changed_in_a_function_is_seen_and_mended(stack: InlineStack, aws: Clients) -> None:
    stack.up(lambda: functions(1))
    client = aws("lambda")
    client.update_function_configuration(FunctionName="reports", Timeout=3, Environment={"Variables": {"BUCKET": "b"}})
    statement = json.loads(client.get_policy(FunctionName="reports")["Policy"])["Statement"][0]["Sid"]
    client.remove_permission(FunctionName="reports", StatementId=statement)
    aws("events").disable_rule(Name="hourly")
    assert stack.refresh() == {"function": "update", "permission": "delete", "hourly": "update"}
    assert stack.up(lambda: functions(1)).operations == {
        "function": "update",
        "permission": "create",
        "hourly": "update",
    }
    assert client.get_function(FunctionName="reports")["Configuration"]["Timeout"] == 60


def test_what_the_stand_in_does_not_do_is_refused(stack: InlineStack) -> None:
    assert "publish is True; it must be one of False" in stack.fails(lambda: functions(1, publish=True))


def alarms(stage: int) -> None:
    topic = pulumi_aws.sns.Topic("topic")
    pulumi_aws.cloudwatch.MetricAlarm(
        "simple",
        name="dead-letters" if stage < 3 else "other",
        alarm_description="one" if stage == 1 else "two",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": "dead"},
        statistic="Maximum",
        period=300,
        evaluation_periods=1,
        threshold=0,
        comparison_operator="GreaterThanThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
        ok_actions=[topic.arn],
    )
    day = {"namespace": "mailtls", "period": 86400, "stat": "Sum"}
    pulumi_aws.cloudwatch.MetricAlarm(
        "maths",
        name="share" if stage < 3 else "other-share",
        metric_queries=[
            {"id": "quarantined", "metric": {**day, "metric_name": "Quarantined"}},
            {"id": "received", "metric": {**day, "metric_name": "Received"}},
            {
                "id": "share",
                "label": "per cent quarantined",
                "expression": f"IF(received >= {20 if stage == 1 else 10}, 100 * quarantined / received, 0)",
                "return_data": True,
            },
        ],
        comparison_operator="GreaterThanThreshold",
        threshold=20,
        evaluation_periods=1,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.arn],
    )


def test_alarms(stack: InlineStack) -> None:
    prove(stack, alarms, updated={"simple", "maths"}, replaced={"simple", "maths"})


def forwarding(stage: int) -> None:
    """A rule in another region, with a pattern, to a bus of the platform's."""
    pattern = {"source": ["aws.acm"], "detail-type": ["ACM Certificate Expired"] if stage > 1 else ["any"]}
    rule = pulumi_aws.cloudwatch.EventRule(
        "rule", region="us-east-1", name="a" if stage < 3 else "b", event_pattern=json.dumps(pattern)
    )
    role = pulumi_aws.iam.Role("role", assume_role_policy=trust("events.amazonaws.com"))
    bus = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
    allowed = pulumi_aws.iam.RolePolicy("rights", role=role.name, policy=rights("events:PutEvents"))
    pulumi_aws.cloudwatch.EventTarget(
        "target",
        region="us-east-1",
        rule=rule.name,
        arn=bus,
        role_arn=role.arn,
        opts=pulumi.ResourceOptions(depends_on=[allowed]),
    )


def test_rules_of_another_region(stack: InlineStack, aws: Clients) -> None:
    prove(stack, forwarding, updated={"rule"}, replaced={"rule", "target"})
