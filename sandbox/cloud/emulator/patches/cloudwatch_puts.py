"""Alarms as they are put: refused as CloudWatch refuses, with the metric math that the stock emulator forgets."""

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch

from sandbox import account
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_alarms import evaluate, put, state, watch
from sandbox.cloud.emulator.patches.cloudwatch_evaluation import ALARM, OK
from sandbox.cloud.emulator.patches.cloudwatch_faults import DAY, OF_ONE_METRIC, action_faults, fault
from sandbox.cloud.emulator.probe import Probe


def _put_as_aws() -> None:
    def metric_alarm(old: Any) -> Any:
        def call(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
            if why := fault(data) if is_json else "the sandbox takes alarms by the JSON protocol only":
                return cloudwatch._error("ValidationError", why, 400, use_json=is_json, use_cbor=is_cbor)
            answer = old(params, data, is_cbor, is_json)
            if answer[0] == 200:
                alarm = cloudwatch._alarms[data["AlarmName"]]
                _complete(alarm, data)
                evaluate(alarm)
            return answer

        return call

    def composite_alarm(old: Any) -> Any:
        def call(params: Any, data: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Any:
            if is_json and (why := next(action_faults(data), None)):
                return cloudwatch._error("ValidationError", why, 400, use_json=is_json, use_cbor=is_cbor)
            return old(params, data, is_cbor, is_json)

        return call

    takes = ("params", "cbor_data", "is_cbor", "is_json")
    replace(cloudwatch, "_put_metric_alarm", metric_alarm, takes=takes)
    replace(cloudwatch, "_put_composite_alarm", composite_alarm, takes=takes)


def _complete(alarm: dict[str, Any], asked: Mapping[str, Any]) -> None:
    """What the stock emulator leaves out, and without what it makes up."""
    if "Metrics" in asked:
        alarm["Metrics"] = asked["Metrics"]
        for name in OF_ONE_METRIC:
            alarm.pop(name, None)
    for name in ("Statistic", "ExtendedStatistic", "Unit", "AlarmDescription"):
        if not asked.get(name):
            alarm.pop(name, None)


def _prove_refusals(probe: Probe) -> None:
    namespace = probe.name()
    topic = f"arn:aws:sns:{{}}:{account.ACCOUNT_ID}:somebody"

    def refused(**more: Any) -> None:
        probe.refused("ValidationError", watch, probe=probe, namespace=namespace, name="bad", dimensions={}, **more)

    refused(AlarmActions=[topic.format(account.CERTIFICATE_REGION)])
    refused(AlarmActions=["somebody"])
    refused(OKActions=[topic.format(account.REGION)] * 6)
    refused(DatapointsToAlarm=2)
    refused(Period=45)
    refused(Period=DAY, EvaluationPeriods=8)
    refused(Period=300, EvaluationPeriods=289)
    refused(ExtendedStatistic="p90")
    refused(AlarmDescription="d" * 1025)
    watch(probe, namespace, "good", {}, AlarmActions=[topic.format(account.REGION)], Period=DAY, EvaluationPeriods=7)


def _prove_math(probe: Probe) -> None:
    namespace = probe.name()
    junk = {"Kind": "junk"}
    queries = [
        _sum_of("all", namespace, {}),
        _sum_of("junk", namespace, junk),
        {"Id": "share", "Expression": "IF(all >= 10, 100 * junk / all, 0)", "ReturnData": True},
    ]
    bad = [*queries[:2], {**queries[2], "Expression": "100 * junk / al"}]
    only_math: dict[str, Any] = dict.fromkeys(OF_ONE_METRIC)
    only_math |= {"Threshold": 50, "TreatMissingData": "notBreaching"}

    def share(metrics: list[dict[str, Any]]) -> None:
        watch(probe, namespace, "share", {}, **only_math, Metrics=metrics)

    probe.refused("ValidationError", share, metrics=bad)
    probe.refused("ValidationError", share, metrics=[*queries, {**queries[2], "Id": "two"}])
    share(queries)
    put(probe, namespace, {}, {0: 9})
    put(probe, namespace, junk, {0: 8})
    probe.holds(state(probe, "share") == OK, "nine are too few to tell")
    put(probe, namespace, {}, {0: 3})
    probe.holds(state(probe, "share") == ALARM, "8 of 12 are more than half")
    [found] = probe.client("cloudwatch").describe_alarms(AlarmNames=["share"])["MetricAlarms"]
    probe.holds([query["Id"] for query in found.get("Metrics", [])] == ["all", "junk", "share"], "the queries are told")
    probe.holds("Period" not in found, "nothing is made up")


def _sum_of(identity: str, namespace: str, dimensions: Mapping[str, str]) -> dict[str, Any]:
    metric = {
        "Namespace": namespace,
        "MetricName": "Failures",
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    return {"Id": identity, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Sum"}}


PATCHES: tuple[Patch, ...] = (
    Patch(
        "alarms-are-refused-as-aws-does",
        "An alarm may notify a topic of another region or something that is no ARN, look back for any time, and have "
        "any statistic.",
        _put_as_aws,
        _prove_refusals,
    ),
    Patch(
        "alarms-on-metric-math",
        "An alarm on metric math is taken, its queries are forgotten, and it never changes its state.",
        lambda: None,  # alarms-are-refused-as-aws-does keeps the queries, alarms-evaluate-as-aws computes them
        _prove_math,
    ),
)
