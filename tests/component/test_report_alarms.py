"""What watches the pipeline, and how word of a certificate comes from us-east-1."""

import json
import re

import pytest
from sample_pipeline import deploy
from strict_mocks import assert_well_formed

from components.report_alarms import ALARM_COUNT
from components.report_queue import MAX_RECEIVE_COUNT, VISIBILITY_TIMEOUT
from mailtls.reports.certificate_alert import CertificateEvent
from mailtls.tls_rpt.contract import MAILS_WITHOUT_DISPOSITION, METRICS, NAMESPACE, RECONCILE_RUNS
from report_lambda.events import parse_event
from stacks.settings import REPOSITORY

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
PERMISSION = "aws:lambda/permission:Permission"
DAY = 86_400
FUNCTION = "mailtls-test-reports-function"


@pytest.fixture(scope="module")
def ireland():
    return deploy(region="eu-west-1")


@pytest.fixture(scope="module")
def virginia():
    return deploy(region="us-east-1")


def alarm(recording, key):
    return recording.one(ALARM, f"alarms-{key}").inputs


def test_it_is_well_formed(ireland, virginia):
    assert_well_formed(ireland)
    assert_well_formed(virginia)


def test_a_fixed_handful_tells_the_topic_of_its_region(ireland):
    alarms = ireland.of(ALARM)
    assert len(alarms) == ALARM_COUNT == 8
    topic = "arn:aws:sns:eu-west-1:123456789012:reports-alerts-topic-0123456"
    for found in alarms:
        assert found.inputs["alarmActions"] == [topic]
        assert found.inputs["region"] == "eu-west-1"
    silent = {found.name for found in alarms if "okActions" not in found.inputs}
    # SQS drops dead letters in the end: an all-clear for them would be told of mail that nobody dealt with
    assert silent == {"alarms-dead-letters", "alarms-dead-letters-end"}
    assert all(found.inputs["okActions"] == [topic] for found in alarms if found.name not in silent)


def test_before_dead_letters_are_dropped_there_is_a_second_call(ireland):
    """SQS counts a message's days from its arrival in the first queue, but its age from its move to the dead letters
    (SQS guide, "Setting up dead-letter queue retention")."""
    queues = {found.name: found.inputs["messageRetentionSeconds"] for found in ireland.of("aws:sqs/queue:Queue")}
    most, before = queues["reports-queue-dead-letters"], queues["reports-queue-queue"]
    found = alarm(ireland, "dead-letters-end")
    assert found["statistic"] == "Maximum"
    assert found["comparisonOperator"] == "GreaterThanThreshold"
    left = (most - before - found["threshold"], most - found["threshold"])
    assert left == (3 * DAY, 7 * DAY)
    assert "In 3 to 7 days SQS drops it" in found["alarmDescription"]


def test_dead_letters_are_put_back_by_a_command_with_their_queue_in_it(ireland):
    queue = "arn:aws:sqs:eu-west-1:123456789012:reports-queue-dead-letters-0123456"
    for key in ("dead-letters", "dead-letters-end"):
        text = alarm(ireland, key)["alarmDescription"]
        assert f"aws sqs start-message-move-task --source-arn {queue} " in text
        assert "docs/mail-not-taken-in.md" in text


def test_pages_that_an_alarm_names_are_there(ireland):
    named = {page for found in ireland.of(ALARM) for page in re.findall(r"docs/[\w-]+\.md", str(found.inputs))}
    assert named
    assert all((REPOSITORY / page).is_file() for page in named)


def test_pages_are_named_by_address_where_files_have_one():
    told = deploy(region="eu-west-1", files_url="https://git.contoso.example/main")
    text = alarm(told, "dead-letters")["alarmDescription"]
    assert text.endswith(" https://git.contoso.example/main/docs/mail-not-taken-in.md")


def test_each_says_what_to_do_within_what_cloudwatch_takes(ireland):
    for found in ireland.of(ALARM):
        text = found.inputs["alarmDescription"]
        assert " DO 1 " in text
        assert len(text) <= 1024


@pytest.mark.parametrize(
    ("key", "namespace", "metric", "dimensions", "missing"),
    [
        ("dead-letters", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
         {"QueueName": "reports-queue-dead-letters-0123456"}, "notBreaching"),
        ("dead-letters-end", "AWS/SQS", "ApproximateAgeOfOldestMessage",
         {"QueueName": "reports-queue-dead-letters-0123456"}, "notBreaching"),
        ("oldest-message", "AWS/SQS", "ApproximateAgeOfOldestMessage",
         {"QueueName": "reports-queue-queue-0123456"}, "notBreaching"),
        ("function-errors", "AWS/Lambda", "Errors", {"FunctionName": FUNCTION}, "notBreaching"),
        ("function-throttles", "AWS/Lambda", "Throttles", {"FunctionName": FUNCTION}, "notBreaching"),
        ("no-mail", "MailTLS", "ReportsStored", None, "breaching"),
    ],
)  # fmt: skip
def test_each_looks_at_its_own_metric(ireland, key, namespace, metric, dimensions, missing):
    found = alarm(ireland, key)
    assert (found["namespace"], found["metricName"]) == (namespace, metric)
    assert found.get("dimensions") == dimensions
    assert found["treatMissingData"] == missing


def test_periods_are_what_cloudwatch_takes(ireland):
    """Period times periods: seven days at most, one day if the period is below an hour."""
    for found in ireland.of(ALARM):
        queries = found.inputs.get("metricQueries", ())
        periods = [query["metric"]["period"] for query in queries if "metric" in query] or [found.inputs["period"]]
        for period in periods:
            assert period % 60 == 0
            assert period * found.inputs["evaluationPeriods"] <= (7 * DAY if period >= 3600 else DAY)
        assert found.inputs.get("datapointsToAlarm", 1) <= found.inputs["evaluationPeriods"]


def test_silence_is_seven_whole_days_without_mail(ireland):
    found = alarm(ireland, "no-mail")
    assert found["period"] * found["evaluationPeriods"] == 7 * DAY
    assert found["datapointsToAlarm"] == 7
    assert (found["comparisonOperator"], found["threshold"]) == ("LessThanThreshold", 1)


def test_a_controller_that_runs_no_more_is_told_where_a_setting_says_that_it_runs(ireland):
    watched = deploy(region="eu-west-1", controller_hours=26)
    assert len(watched.of(ALARM)) == ALARM_COUNT + 1
    found = alarm(watched, "no-reconcile")
    assert (found["namespace"], found["metricName"]) == (NAMESPACE, RECONCILE_RUNS.name)
    assert found["period"] * found["evaluationPeriods"] == found["period"] * found["datapointsToAlarm"] == 26 * 3600
    assert (found["comparisonOperator"], found["threshold"]) == ("LessThanThreshold", 1)
    assert found["treatMissingData"] == "breaching"
    assert "for 26 hours" in found["alarmDescription"]
    assert " DO 1 " in found["alarmDescription"]
    assert len(found["alarmDescription"]) <= 1024


def test_the_share_in_quarantine_is_computed_from_metrics_of_the_contract(ireland):
    queries = {query["id"]: query for query in alarm(ireland, "quarantine-share")["metricQueries"]}
    known = {metric.name for metric in METRICS if () in metric.dimensions}
    for query_id in ("received", "quarantined"):
        measured = queries[query_id]["metric"]
        assert measured["namespace"] == NAMESPACE
        assert measured["metricName"] in known
        assert "returnData" not in queries[query_id]
    assert queries["share"]["returnData"] is True
    assert {"received", "quarantined"} <= set(queries["share"]["expression"].replace("(", " ").split())


def test_mail_that_nothing_announces_is_what_is_missing_without_the_dead_letters(ireland):
    found = alarm(ireland, "mail-unaccounted")
    queries = {query["id"]: query for query in found["metricQueries"]}
    assert queries["missing"]["metric"]["namespace"] == NAMESPACE
    assert queries["missing"]["metric"]["metricName"] == MAILS_WITHOUT_DISPOSITION.name
    assert () in MAILS_WITHOUT_DISPOSITION.dimensions
    assert queries["dead"]["metric"]["dimensions"] == {"QueueName": "reports-queue-dead-letters-0123456"}
    assert queries["unaccounted"]["returnData"] is True
    assert queries["unaccounted"]["expression"] == "missing - FILL(dead, 0)"
    assert (found["comparisonOperator"], found["threshold"]) == ("GreaterThanThreshold", 0)
    assert found["insufficientDataActions"] == found["alarmActions"]
    # dead letters that are put back are on their way for as long as five tries take
    tries = MAX_RECEIVE_COUNT * VISIBILITY_TIMEOUT
    assert found["datapointsToAlarm"] * queries["missing"]["metric"]["period"] > tries


def expiry_event(region):
    """As ACM sends it (the ACM guide, "Amazon EventBridge support for ACM")."""
    return {
        "version": "0",
        "id": "9c95e8e4-96a4-ef3f-b739-b6aa5b193afb",
        "detail-type": "ACM Certificate Approaching Expiration",
        "source": "aws.acm",
        "account": "123456789012",
        "time": "2026-11-30T06:51:08Z",
        "region": region,
        "resources": [f"arn:aws:acm:{region}:123456789012:certificate/61f50cd4-45b9-4259-b049-d0a53682fa4b"],
        "detail": {"DaysToExpiry": 31, "CommonName": "mta-sts.contoso.example"},
    }


def matches(pattern: str, event: dict) -> bool:
    """EventBridge's rule for the plain patterns that we use."""
    return all(event[key] in allowed for key, allowed in json.loads(pattern).items())


def test_from_another_region_events_take_a_hop(ireland):
    forward = ireland.one(EVENT_RULE, "alarms-certificates-forward-rule")
    hop = ireland.one(TARGET, "alarms-certificates-forward-target")
    here = ireland.one(EVENT_RULE, "alarms-certificates-rule")
    event = expiry_event("us-east-1")
    assert forward.inputs["region"] == hop.inputs["region"] == "us-east-1"
    assert matches(forward.inputs["eventPattern"], event)
    assert hop.inputs["rule"] == "alarms-certificates-forward-rule-0123456"
    assert hop.inputs["arn"] == "arn:aws:events:eu-west-1:123456789012:event-bus/default"
    assert hop.inputs["roleArn"].endswith(":role/alarms-certificates-forward-role-0123456")
    assert here.inputs["region"] == "eu-west-1"
    assert matches(here.inputs["eventPattern"], event)  # an event keeps source and region on its way
    assert not matches(here.inputs["eventPattern"], expiry_event("eu-west-1"))
    assert isinstance(parse_event(event), CertificateEvent)


def test_an_expired_certificate_is_told_too(ireland):
    event = {**expiry_event("us-east-1"), "detail-type": "ACM Certificate Expired"}
    assert matches(ireland.one(EVENT_RULE, "alarms-certificates-rule").inputs["eventPattern"], event)


def test_the_hop_may_put_events_on_exactly_that_bus(ireland):
    rights = ireland.one("aws:iam/rolePolicy:RolePolicy", "alarms-certificates-forward-rights")
    (statement,) = json.loads(rights.inputs["policy"])["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "events:PutEvents",
        "arn:aws:events:eu-west-1:123456789012:event-bus/default",
    )
    role = ireland.one("aws:iam/role:Role", "alarms-certificates-forward-role")
    (trusted,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trusted["Principal"] == {"Service": "events.amazonaws.com"}
    assert trusted["Condition"]["ArnEquals"]["aws:SourceArn"].startswith("arn:aws:events:us-east-1:")
    assert ireland.comes_after(ireland.one(TARGET, "alarms-certificates-forward-target"), rights)


def test_in_us_east_1_there_is_no_hop(virginia):
    assert [rule.name for rule in virginia.of(EVENT_RULE) if "certificates" in rule.name] == [
        "alarms-certificates-rule"
    ]
    assert [role.name for role in virginia.of("aws:iam/role:Role")] == ["reports-function-role"]
    assert virginia.one(EVENT_RULE, "alarms-certificates-rule").inputs["region"] == "us-east-1"


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_the_rule_invokes_the_function_of_its_region(request, region):
    recording = request.getfixturevalue({"eu-west-1": "ireland", "us-east-1": "virginia"}[region])
    target = recording.one(TARGET, "alarms-certificates-target").inputs
    permission = recording.one(PERMISSION, "alarms-certificates-permission").inputs
    assert target["arn"] == f"arn:aws:lambda:{region}:123456789012:function:{FUNCTION}"
    assert permission["action"] == "lambda:InvokeFunction"
    assert permission["sourceArn"] == f"arn:aws:events:{region}:123456789012:rule/alarms-certificates-rule-0123456"
