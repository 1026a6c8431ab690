"""Alarms of the stand-in change their states as CloudWatch's guide says, and reach only whom they may."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import Unique, allow, bodies, by_service, document, listening_queue
from deployed import Clients

from sandbox import account

PERIOD = 300
INSUFFICIENT = "INSUFFICIENT_DATA"
ABOVE: dict[str, Any] = {"Threshold": 1, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}


@pytest.fixture
def cloudwatch(aws: Clients) -> Any:
    return aws("cloudwatch")


def put_metric(
    cloudwatch: Any, namespace: str, value: float, *, ago: float = 0, name: str = "Failures", **dimensions: str
) -> None:
    """ago: seconds."""
    data = {
        "MetricName": name,
        "Value": value,
        "Timestamp": datetime.now(UTC) - timedelta(seconds=ago),
        "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
    }
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])


def put_alarm(cloudwatch: Any, name: str, namespace: str, **more: Any) -> str:
    """Its ARN."""
    simple = {"MetricName": "Failures", "Namespace": namespace, "Statistic": "Sum", "Period": 60}
    cloudwatch.put_metric_alarm(AlarmName=name, **({} if "Metrics" in more else simple) | ABOVE | more)
    return f"arn:aws:cloudwatch:{account.REGION}:{account.ACCOUNT_ID}:alarm:{name}"


def state(cloudwatch: Any, name: str) -> str:
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    [alarm] = found["MetricAlarms"] + found["CompositeAlarms"]
    return str(alarm["StateValue"])


# CloudWatch guide, "Configuring how CloudWatch alarms treat missing data": points of five periods, the oldest first;
# then the state with missing, ignore, breaching, notBreaching. An alarm that keeps its state is at its beginning here.
THREE_OF_THREE = [
    ("0 - X - X", "OK", "OK", "OK", "OK"),
    ("0 - - - -", "OK", "OK", "OK", "OK"),
    ("- - - - -", INSUFFICIENT, INSUFFICIENT, "ALARM", "OK"),
    ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("- - - - X", INSUFFICIENT, INSUFFICIENT, "ALARM", "OK"),
    ("X - - - -", "ALARM", INSUFFICIENT, "ALARM", "OK"),
    ("- - X - -", "ALARM", INSUFFICIENT, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0 - X - -", "OK", "OK", "ALARM", "OK"),
    ("- - - - 0", "OK", "OK", "ALARM", "OK"),
    ("- - - - X", INSUFFICIENT, INSUFFICIENT, "ALARM", "OK"),
]


@pytest.mark.parametrize(
    ("points", "needed", "expected"),
    [(points, 3, expected) for points, *expected in THREE_OF_THREE]
    + [(points, 2, expected) for points, *expected in TWO_OF_THREE],
)
def test_the_guides_tables(cloudwatch: Any, unique: Unique, points: str, needed: int, expected: list[str]) -> None:
    namespace = unique("table")
    for index, point in enumerate(reversed(points.split())):
        if point != "-":
            # well inside its period, wherever the running minute is
            put_metric(cloudwatch, namespace, 9 if point == "X" else 0, ago=index * PERIOD + 100)
    more = {"Period": PERIOD, "EvaluationPeriods": 3, "DatapointsToAlarm": needed}
    found = []
    for treatment in ("missing", "ignore", "breaching", "notBreaching"):
        name = f"{namespace}-{treatment}"
        put_alarm(cloudwatch, name, namespace, **more, TreatMissingData=treatment)
        found.append(state(cloudwatch, name))
    assert found == expected


def test_ignore_keeps_an_alarm_and_missing_ends_it(
    cloudwatch: Any, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    namespace = unique("kept")
    for treatment in ("ignore", "missing"):
        put_alarm(cloudwatch, f"{namespace}-{treatment}", namespace, TreatMissingData=treatment)
    put_metric(cloudwatch, namespace, 9)
    assert state(cloudwatch, f"{namespace}-ignore") == state(cloudwatch, f"{namespace}-missing") == "ALARM"
    move_clock(86_400)
    assert state(cloudwatch, f"{namespace}-ignore") == "ALARM"
    assert state(cloudwatch, f"{namespace}-missing") == INSUFFICIENT


@pytest.mark.parametrize(
    ("statistic", "values", "above"),
    [
        ({"Statistic": "Sum"}, [1, 2, 3], 5.9),
        ({"Statistic": "Average"}, [1, 2, 3], 1.9),
        ({"Statistic": "Minimum"}, [1, 2, 3], 0.9),
        ({"Statistic": "Maximum"}, [1, 2, 3], 2.9),
        ({"Statistic": "SampleCount"}, [1, 2, 3], 2.9),
        ({"Statistic": None, "ExtendedStatistic": "p50"}, [1, 2, 9], 1.9),
    ],
)
def test_the_statistic_counts(
    cloudwatch: Any, unique: Unique, statistic: dict[str, Any], values: list[float], above: float
) -> None:
    namespace = unique("statistic")
    for value in values:
        put_metric(cloudwatch, namespace, value)
    for threshold, expected in ((above, "ALARM"), (above + 0.1, "OK")):
        simple = {"MetricName": "Failures", "Namespace": namespace, "Period": 600, **ABOVE, "Threshold": threshold}
        simple |= {name: value for name, value in statistic.items() if value}
        cloudwatch.put_metric_alarm(AlarmName=namespace, **simple)
        assert state(cloudwatch, namespace) == expected


def test_other_dimensions_are_other_metrics(cloudwatch: Any, unique: Unique) -> None:
    namespace = unique("dimensions")
    one = [{"Name": "Domain", "Value": "a.example"}]
    put_alarm(cloudwatch, f"{namespace}-all", namespace, TreatMissingData="notBreaching")
    put_alarm(cloudwatch, f"{namespace}-one", namespace, TreatMissingData="notBreaching", Dimensions=one)
    put_metric(cloudwatch, namespace, 9, Domain="a.example", Owner="mail-team")
    put_metric(cloudwatch, namespace, 9, Domain="b.example")
    assert state(cloudwatch, f"{namespace}-all") == state(cloudwatch, f"{namespace}-one") == "OK"
    put_metric(cloudwatch, namespace, 9, Domain="a.example")
    assert state(cloudwatch, f"{namespace}-all") == "OK"
    assert state(cloudwatch, f"{namespace}-one") == "ALARM"


def test_silence_for_a_week_is_an_alarm(cloudwatch: Any, unique: Unique, move_clock: Callable[[float], None]) -> None:
    """The program's alarm `no-mail`."""
    name = unique("silence")
    put_metric(cloudwatch, name, 1, name="MailsReceived")
    day = 86_400
    put_alarm(
        cloudwatch,
        name,
        name,
        MetricName="MailsReceived",
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        Period=day,
        EvaluationPeriods=7,
        DatapointsToAlarm=7,
        TreatMissingData="breaching",
    )
    assert state(cloudwatch, name) == "OK"
    move_clock(6 * day)
    assert state(cloudwatch, name) == "OK"
    move_clock(10 * day)
    assert state(cloudwatch, name) == "ALARM"


def share_of_junk(namespace: str, expression: str) -> list[dict[str, Any]]:
    """The program's alarm `quarantine-share`."""

    def total(identity: str, metric: str) -> dict[str, Any]:
        stat = {"Metric": {"Namespace": namespace, "MetricName": metric}, "Period": 86_400, "Stat": "Sum"}
        return {"Id": identity, "MetricStat": stat, "ReturnData": False}

    computed = {"Id": "share", "Label": "per cent", "Expression": expression, "ReturnData": True}
    return [total("quarantined", "MailsQuarantined"), total("received", "MailsReceived"), computed]


def test_metric_math(cloudwatch: Any, unique: Unique) -> None:
    name = unique("math")
    queries = share_of_junk(name, "IF(received >= 10, 100 * quarantined / received, 0)")
    put_alarm(cloudwatch, name, name, Metrics=queries, Threshold=50, TreatMissingData="notBreaching")
    assert state(cloudwatch, name) == "OK"
    put_metric(cloudwatch, name, 6, name="MailsQuarantined")
    put_metric(cloudwatch, name, 9, name="MailsReceived")
    assert state(cloudwatch, name) == "OK"
    put_metric(cloudwatch, name, 1, name="MailsReceived")
    assert state(cloudwatch, name) == "ALARM"
    put_metric(cloudwatch, name, 2, name="MailsReceived")
    assert state(cloudwatch, name) == "OK"
    [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert [(query["Id"], query["ReturnData"]) for query in found["Metrics"]] == [
        ("quarantined", False),
        ("received", False),
        ("share", True),
    ]
    assert not {"Period", "Statistic", "MetricName", "Namespace"} & set(found)


# CloudWatch guide, "Using metric math": what the expression gives for one point of a and b (None: missing), and
# whether an alarm above 1 sees it.
@pytest.mark.parametrize(
    ("expression", "a", "b", "expected"),
    [
        ("a + b", 1, 1, "ALARM"),
        ("a - b", 1, None, "OK"),
        ("b - a * -2", 1, None, "ALARM"),  # a missing value counts as 0 beside one that is there
        ("a / b", 4, 2, "ALARM"),
        ("a / b", 4, 0, INSUFFICIENT),  # division by zero drops the point
        ("a ^ 2 / (b + 1)", 2, 0, "ALARM"),
        ("SUM([a, b])", 1, 1, "ALARM"),
        ("SUM(METRICS())", 1, 1, "ALARM"),
        ("MAX([a, b])", 1, 2, "ALARM"),
        ("MIN([a, b])", 1, 2, "OK"),
        ("FILL(a, 5)", None, 1, "ALARM"),
        ("IF(a > 0, b, 0)", 1, 2, "ALARM"),
        ("IF(a > 0, b, 9)", 1, None, "OK"),
        ("IF(a, 0, b)", 0, 2, "ALARM"),
        ("IF(a, b)", 0, 2, INSUFFICIENT),
        ("2 * (a > 0 AND b > 0)", 1, 1, "ALARM"),
        ("2 * (a > 0 && b > 0)", 1, 0, "OK"),
        ("2 * (a > 0 || b > 0)", 1, 0, "ALARM"),
        ("CEIL(a / b)", 3, 2, "ALARM"),
        ("ABS(0 - a)", 2, None, "ALARM"),
        ("a / PERIOD(a)", 120, None, "ALARM"),
    ],
)
def test_expressions(
    cloudwatch: Any, unique: Unique, expression: str, a: float | None, b: float | None, expected: str
) -> None:
    namespace = unique("expression")
    now = time.time()  # of both: in one minute, and so in one period
    given = {name: value for name, value in (("a", a), ("b", b)) if value is not None}
    if given:
        data = [{"MetricName": name, "Value": value, "Timestamp": now} for name, value in given.items()]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries: list[dict[str, Any]] = [
        {
            "Id": name,
            "ReturnData": False,
            "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": name}, "Period": 60, "Stat": "Sum"},
        }
        for name in ("a", "b")
    ]
    queries.append({"Id": "e", "Expression": expression, "ReturnData": True})
    put_alarm(cloudwatch, namespace, namespace, Metrics=queries, EvaluationPeriods=1)
    assert state(cloudwatch, namespace) == expected


TOPIC = f"arn:aws:sns:{account.REGION}:{account.ACCOUNT_ID}:alerts"
ELSEWHERE = TOPIC.replace(account.REGION, account.CERTIFICATE_REGION)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"AlarmActions": [ELSEWHERE]}, "Invalid region us-east-1 specified. Only eu-west-1 is supported."),
        ({"OKActions": ["alerts"]}, "Invalid arn syntax: alerts"),
        ({"AlarmActions": ["arn:aws:s3:eu-west-1::bucket"]}, "Invalid arn syntax"),
        ({"AlarmActions": [TOPIC] * 6}, "less than or equal to 5"),
        ({"Period": 90}, "multiple of 60"),
        ({"Period": 300, "EvaluationPeriods": 289}, "more than a day|more than 1 day"),
        ({"Period": 86_400, "EvaluationPeriods": 8}, "7 day"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "DatapointsToAlarm"),
        ({"ExtendedStatistic": "p90"}, "exactly one of"),
        ({"TreatMissingData": "good"}, "treatMissingData"),
        ({"AlarmDescription": "x" * 1025}, "1024"),
        ({"Metrics": share_of_junk("n", "100 * quarantined / recieved")}, "recieved"),
        ({"Metrics": share_of_junk("n", "SEARCH('{n}', 'Sum')")}, "expression"),
        ({"Metrics": share_of_junk("n", "AVG(received)")}, "single time series"),
        ({"Metrics": share_of_junk("n", "received")[:2]}, "return data"),
        ({"Metrics": share_of_junk("n", "received"), "MetricName": "Failures"}, "together with Metrics"),
    ],
)
def test_what_is_refused(cloudwatch: Any, unique: Unique, more: dict[str, Any], told: str) -> None:
    name = unique("refused")
    with pytest.raises(ClientError, match=told) as refused:
        put_alarm(cloudwatch, name, name, **more)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def make_topic(aws: Clients, name: str, statement: Mapping[str, Any], **attributes: str) -> str:
    sns = aws("sns")
    arn: str = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    sns.set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=document({**statement, "Resource": arn})
    )
    return arn


def alarms_may(action: str | list[str], resource: str) -> dict[str, Any]:
    """As the program lets its alarms in."""
    return allow(
        action,
        resource,
        Principal={"Service": "cloudwatch.amazonaws.com"},
        Condition={
            "StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{account.REGION}:{account.ACCOUNT_ID}:alarm:*"},
        },
    )


def test_an_alarm_is_told_once_per_transition(
    aws: Clients, cloudwatch: Any, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    name = unique("told")
    topic = make_topic(aws, name, alarms_may("sns:Publish", "*"))
    url = listening_queue(aws, name, topic)
    more = {"AlarmActions": [topic], "OKActions": [topic], "TreatMissingData": "notBreaching"}
    arn = put_alarm(cloudwatch, name, name, **more, AlarmDescription="DO 1 Look.")
    [ok] = [json.loads(json.loads(body)["Message"]) for body in bodies(aws, url)]
    assert (ok["OldStateValue"], ok["NewStateValue"]) == (INSUFFICIENT, "OK")
    put_metric(cloudwatch, name, 9)
    put_metric(cloudwatch, name, 9)
    [envelope] = [json.loads(body) for body in bodies(aws, url)]
    assert envelope["Subject"] == f'ALARM: "{name}" in {account.REGION}'
    assert "MessageAttributes" not in envelope  # so a filter by owner or severity never lets it through
    alarm = json.loads(envelope["Message"])
    assert (alarm["AlarmArn"], alarm["NewStateValue"], alarm["AlarmDescription"]) == (arn, "ALARM", "DO 1 Look.")
    assert alarm["Trigger"]["MetricName"] == "Failures"
    move_clock(3600)
    [over] = [json.loads(json.loads(body)["Message"]) for body in bodies(aws, url)]
    assert over["NewStateValue"] == "OK"


def test_what_may_not_be_told_is_in_the_history(aws: Clients, cloudwatch: Any, unique: Unique) -> None:
    name = unique("untold")
    key = aws("kms").create_key()["KeyMetadata"]
    root = f"arn:aws:iam::{account.ACCOUNT_ID}:root"
    open_key = aws("kms").create_key(
        Policy=document(
            allow("kms:*", "*", Principal={"AWS": root}), alarms_may(["kms:Decrypt", "kms:GenerateDataKey*"], "*")
        )
    )["KeyMetadata"]
    by_s3 = by_service("s3.amazonaws.com", "sns:Publish", "*", "arn:aws:s3:::bucket")
    topics = {
        "encrypted": make_topic(aws, f"{name}-1", alarms_may("sns:Publish", "*"), KmsMasterKeyId=open_key["Arn"]),
        "locked": make_topic(aws, f"{name}-2", alarms_may("sns:Publish", "*"), KmsMasterKeyId=key["Arn"]),
        "closed": make_topic(aws, f"{name}-3", by_s3),
        "by AWS's key": make_topic(aws, f"{name}-4", alarms_may("sns:Publish", "*"), KmsMasterKeyId="alias/aws/sns"),
        "gone": f"{TOPIC}-that-is-gone",
    }
    told = {which: listening_queue(aws, arn.rsplit(":")[-1], arn) for which, arn in list(topics.items())[:4]}
    put_alarm(cloudwatch, name, name, AlarmActions=list(topics.values()))
    put_metric(cloudwatch, name, 9)
    assert [which for which, url in told.items() if bodies(aws, url)] == ["encrypted"]
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    states = {
        json.loads(item["HistoryData"])["notificationResource"]: json.loads(item["HistoryData"])["actionState"]
        for item in history
    }
    assert states == {arn: "Succeeded" if which == "encrypted" else "Failed" for which, arn in topics.items()}


def test_composite_alarms(aws: Clients, cloudwatch: Any, unique: Unique) -> None:
    name = unique("composite")
    topic = make_topic(aws, name, alarms_may("sns:Publish", "*"))
    url = listening_queue(aws, name, topic)
    for child in ("a", "b"):
        put_alarm(cloudwatch, f"{name}-{child}", f"{name}-{child}", TreatMissingData="notBreaching")
    rule = f'ALARM("{name}-a") AND NOT ALARM("{name}-b")'
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule, AlarmActions=[topic])
    assert state(cloudwatch, name) == "OK"
    put_metric(cloudwatch, f"{name}-a", 9)
    assert state(cloudwatch, name) == "ALARM"
    assert json.loads(json.loads(bodies(aws, url)[0])["Message"])["AlarmRule"] == rule
    put_metric(cloudwatch, f"{name}-b", 9)
    assert state(cloudwatch, name) == "OK"
    with pytest.raises(ClientError, match="Only eu-west-1 is supported"):
        cloudwatch.put_composite_alarm(AlarmName=f"{name}-2", AlarmRule=rule, AlarmActions=[ELSEWHERE])


def test_metrics_are_read_by_exact_dimensions(cloudwatch: Any, unique: Unique) -> None:
    namespace = unique("read")
    put_metric(cloudwatch, namespace, 1)
    put_metric(cloudwatch, namespace, 5, Domain="a.example")
    metric = {"Namespace": namespace, "MetricName": "Failures"}
    span = {"StartTime": time.time() - 3600, "EndTime": time.time() + 3600}
    for dimensions, expected in (([], [1]), ([{"Name": "Domain", "Value": "a.example"}], [5])):
        stat = {"Metric": {**metric, "Dimensions": dimensions}, "Period": 7200, "Stat": "Sum"}
        [result] = cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "m", "MetricStat": stat}], **span)[
            "MetricDataResults"
        ]
        assert result["Values"] == expected
        points = cloudwatch.get_metric_statistics(
            **metric, **span, Dimensions=dimensions, Period=7200, Statistics=["Sum"]
        )["Datapoints"]
        assert [point["Sum"] for point in points] == expected
