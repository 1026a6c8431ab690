"""An alarm's actions: what a topic's policy or key does not let in does not arrive, and the history says so."""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, sns

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_alarms import put, watch
from sandbox.cloud.emulator.patches.cloudwatch_evaluation import period_of
from sandbox.cloud.emulator.patches.iam_decisions import Source
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.patches.kms_use import service_refused
from sandbox.cloud.emulator.probe import Probe

SERVICE = "cloudwatch.amazonaws.com"
_LISTS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


def _act_as_aws() -> None:
    replace(cloudwatch, "_dispatch_alarm_actions", lambda _: _act, takes=("alarm", "old_state", "new_state", "reason"))


def _act(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> None:
    if not alarm.get("ActionsEnabled", True):
        return
    for action in alarm.get(_LISTS[new_state]) or []:
        why = _refused(alarm["AlarmArn"], action)
        if why is None:
            subject = f'{new_state}: "{alarm["AlarmName"]}" in {get_region()}'
            sns._fanout(action, new_uuid(), _message(alarm, old_state, new_state, reason), subject[:100])
        _remember(alarm, action, why)


def _refused(alarm_arn: str, action: str) -> str | None:
    """Why the action cannot be carried out."""
    if ":sns:" not in action:
        return "the sandbox carries out notifications only"
    topic = sns._topic_by_arn_any_scope(action)
    if topic is None:
        return f"Topic does not exist: {action}"
    source = Source(alarm_arn, get_account_id())
    if not sns.topic_policy_allows(action, SERVICE, source.arn, source.account):
        return (
            f"Resource: {alarm_arn} is not authorized to perform: SNS:Publish on resource: {action} because no "
            "resource-based policy allows the SNS:Publish action"
        )
    if key := topic["attributes"].get("KmsMasterKeyId"):
        refusal = service_refused(key, SERVICE, source)
        return refusal.message if refusal else None
    return None


def _remember(alarm: dict[str, Any], action: str, why: str | None) -> None:
    done = f"Successfully executed action {action}" if why is None else f"Failed to execute action {action}"
    data = {"actionState": "Succeeded" if why is None else "Failed", "notificationResource": action, "error": why}
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "CompositeAlarm" if "AlarmRule" in alarm else "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(CLOCK.now()),
            "HistoryItemType": "Action",
            "HistorySummary": done,
            "HistoryData": json.dumps({key: value for key, value in data.items() if value is not None}),
        }
    )


def _message(alarm: dict[str, Any], old_state: str, new_state: str, reason: str) -> str:
    """What CloudWatch publishes: JSON, without message attributes."""
    message: dict[str, Any] = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": get_account_id(),
        "NewStateValue": new_state,
        "NewStateReason": reason,
        "StateChangeTime": cloudwatch._ts_iso(CLOCK.now()).replace("Z", ".000+0000"),
        "Region": get_region(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": old_state,
    }
    message |= {name: alarm.get(name) or [] for name in _LISTS.values()}
    if "AlarmRule" in alarm:
        return json.dumps(message | {"AlarmRule": alarm["AlarmRule"]})
    return json.dumps(message | {"Trigger": _trigger(alarm)})


def _trigger(alarm: dict[str, Any]) -> dict[str, Any]:
    trigger: dict[str, Any] = {
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "DatapointsToAlarm": alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]),
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData", "missing"),
    }
    if alarm.get("Metrics"):
        return trigger | {"Period": period_of(alarm["Metrics"]), "Metrics": alarm["Metrics"]}
    dimensions = [{"value": one["Value"], "name": one["Name"]} for one in alarm.get("Dimensions") or []]
    return trigger | {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
        "Statistic": (alarm.get("ExtendedStatistic") or alarm.get("Statistic", "")).upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": dimensions,
        "Period": alarm["Period"],
    }


def _prove(probe: Probe) -> None:
    key = probe.client("kms").create_key()["KeyMetadata"]["KeyId"]
    name = probe.name("alarm")
    alarm = probe_arn(probe, f"cloudwatch:{{}}:alarm:{name}")
    lets_alarms = statement(
        "sns:Publish",
        "*",
        Principal={"Service": SERVICE},
        Condition={"ArnEquals": {"aws:SourceArn": alarm}},
    )
    lets_others = {**lets_alarms, "Condition": {"ArnEquals": {"aws:SourceArn": f"{alarm}-of-somebody-else"}}}
    topics = {
        "open": _topic(probe, lets_alarms),
        "closed": _topic(probe, lets_others),
        "locked": _topic(probe, lets_alarms, KmsMasterKeyId=key),
    }
    told = {which: _subscriber(probe, topic) for which, topic in topics.items()}
    watch(probe, name, name, {}, AlarmActions=list(topics.values()))
    put(probe, name, {}, {0: 9})
    got = {which: _received(probe, url) for which, url in told.items()}
    probe.holds(got["open"] and not got["closed"] and not got["locked"], f"only the open topic is told: {got}")
    history = probe.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    failed = [one["HistorySummary"] for one in history["AlarmHistoryItems"] if "Failed" in one["HistorySummary"]]
    probe.holds(len(failed) == 2, "the history tells of the two that failed")


def probe_arn(probe: Probe, rest: str) -> str:
    """rest: `cloudwatch:{}:alarm:name`, completed by region and account."""
    client = probe.client("sts")
    place = f"{client.meta.region_name}:{client.get_caller_identity()['Account']}"
    return "arn:aws:" + rest.format(place)


def _topic(probe: Probe, allowed: dict[str, Any], **attributes: str) -> str:
    client = probe.client("sns")
    arn: str = client.create_topic(Name=probe.name("topic"), Attributes=attributes)["TopicArn"]
    policy = document({**allowed, "Resource": arn})
    client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return arn


def _subscriber(probe: Probe, topic: str) -> str:
    """The URL of a queue that gets what the topic sends."""
    client = probe.client("sqs")
    url: str = client.create_queue(QueueName=probe.name("subscriber"))["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = statement("sqs:SendMessage", arn, Principal={"Service": "sns.amazonaws.com"})
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(allowed)})
    probe.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def _received(probe: Probe, url: str) -> bool:
    return bool(probe.client("sqs").receive_message(QueueUrl=url).get("Messages"))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "alarm-actions-need-leave",
        "An alarm reaches every topic, whether its policy and the policy of its key let CloudWatch in or not.",
        _act_as_aws,
        _prove,
    ),
)
