"""CloudWatch: log groups and metric alarms."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, given, region_of, service, tag_list, tags_all
from sandbox.providers.aws.spelling import to_api
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties, has_unknown, known_items

# ------------------------------------------------------------------------------------------------- log groups


def _create_group(call: Call[Aws]) -> Created:
    inputs, name = call.inputs, call.inputs["name"]
    service(call, "logs").create_log_group(
        logGroupName=name,
        **given(
            kmsKeyId=inputs.get("kmsKeyId"),
            logGroupClass=inputs.get("logGroupClass"),
            tags=call.cloud.tags(inputs) or None,
        ),
    )
    _keep_for(call, name)
    return Created(name, _group_outputs(call, name))


def _keep_for(call: Call[Aws], name: str) -> None:
    """0 days is for ever, which is the API's rule when there is none."""
    if days := call.inputs["retentionInDays"]:
        service(call, "logs").put_retention_policy(logGroupName=name, retentionInDays=days)
    elif "retentionInDays" in call.changed:
        service(call, "logs").delete_retention_policy(logGroupName=name)


def _group_outputs(call: Call[Aws], name: str) -> Properties:
    return {"arn": call.cloud.arn("logs", f"log-group:{name}", region_of(call)), "logGroupClass": "STANDARD"}


def _read_group(call: Call[Aws]) -> Found | None:
    for found in service(call, "logs").pages("describe_log_groups", "logGroups", logGroupNamePrefix=call.id):
        if found["logGroupName"] == call.id:
            seen = {
                "name": call.id,
                "retentionInDays": found.get("retentionInDays", 0),
                "kmsKeyId": found.get("kmsKeyId"),
                "logGroupClass": found.get("logGroupClass", "STANDARD"),
            }
            return Found(seen, _group_outputs(call, call.id))
    return None


def _update_group(call: Call[Aws]) -> Properties:
    logs = service(call, "logs")
    if "retentionInDays" in call.changed:
        _keep_for(call, call.id)
    if "kmsKeyId" in call.changed:
        if key := call.inputs.get("kmsKeyId"):
            logs.associate_kms_key(logGroupName=call.id, kmsKeyId=key)
        else:
            logs.disassociate_kms_key(logGroupName=call.id)
    if "tags" in call.changed:
        arn = call.state["arn"]
        if old := list(call.state.get("tagsAll") or {}):
            logs.untag_resource(resourceArn=arn, tagKeys=old)
        if new := call.cloud.tags(call.inputs):
            logs.tag_resource(resourceArn=arn, tags=new)
    return {}


def _delete_group(call: Call[Aws]) -> None:
    if not call.inputs.get("skipDestroy"):
        service(call, "logs").delete_log_group(logGroupName=call.id)


_DAYS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def _check_group(inputs: Properties) -> Iterator[Problem]:
    days = inputs["retentionInDays"]
    if isinstance(days, int) and days not in _DAYS:
        yield Problem("retentionInDays", f"is {days}; it must be one of {', '.join(map(str, _DAYS))}")


LOG_GROUP: ResourceType[Aws] = ResourceType(
    "aws:cloudwatch/logGroup:LogGroup",
    acts_on=words("name retentionInDays kmsKeyId logGroupClass skipDestroy tags.*"),
    create=_create_group,
    read=_read_group,
    update=_update_group,
    delete=_delete_group,
    replace_on=words("name logGroupClass region"),
    computed=words("logGroupClass"),
    name=AutoName(longest=512),
    defaults={"retentionInDays": 0, "skipDestroy": False},
    choices={"logGroupClass": ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")},
    derived=tags_all,
    check=_check_group,
)


# ----------------------------------------------------------------------------------------------------- alarms

_NAMES = {"name": "AlarmName", "okActions": "OKActions", "alarmDescription": "AlarmDescription"}
_ALARM = words(
    "name actionsEnabled alarmActions alarmDescription comparisonOperator datapointsToAlarm evaluationPeriods"
    " extendedStatistic insufficientDataActions metricName namespace okActions period statistic threshold"
    " thresholdMetricId treatMissingData unit"
)
_ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")


def _alarm(inputs: Properties) -> dict[str, Any]:
    alarm: dict[str, Any] = to_api({name: inputs[name] for name in _ALARM if name in inputs}, _NAMES)
    if "dimensions" in inputs:
        alarm["Dimensions"] = _dimensions(inputs["dimensions"])
    if queries := inputs.get("metricQueries"):
        alarm["Metrics"] = [_query(query) for query in queries]
    return alarm


def _dimensions(dimensions: Properties) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in sorted(dimensions.items())]


def _query(query: Properties) -> dict[str, Any]:
    api: dict[str, Any] = to_api({key: value for key, value in query.items() if key != "metric"})
    api.setdefault("ReturnData", False)
    if metric := query.get("metric"):
        simple = {"metricName": metric["metricName"], "namespace": metric.get("namespace")}
        api["MetricStat"] = given(Period=metric["period"], Stat=metric["stat"], Unit=metric.get("unit")) | {
            "Metric": to_api(simple) | {"Dimensions": _dimensions(metric.get("dimensions") or {})}
        }
    return api


def _put_alarm(call: Call[Aws]) -> Properties:
    tags = tag_list(call.cloud, call.inputs)
    service(call, "cloudwatch").put_metric_alarm(**_alarm(call.inputs), **({"Tags": tags} if tags else {}))
    return _alarm_outputs(call, call.inputs["name"])


def _alarm_outputs(call: Call[Aws], name: str) -> Properties:
    return {"arn": call.cloud.arn("cloudwatch", f"alarm:{name}", region_of(call))}


def _read_alarm(call: Call[Aws]) -> Found | None:
    found = service(call, "cloudwatch").describe_alarms(AlarmNames=[call.id])["MetricAlarms"]
    if not found:
        return None
    back = {_NAMES.get(name, name[:1].upper() + name[1:]): name for name in _ALARM}
    inputs: Properties = dict.fromkeys(_ALARM)
    inputs |= {back[key]: value for key, value in found[0].items() if key in back}
    inputs |= {name: inputs[name] or None for name in _ACTIONS}
    inputs["dimensions"] = _seen_dimensions(found[0])
    if "Metrics" in found[0] or inputs["metricName"]:  # else the emulator keeps the queries and does not tell them
        inputs["metricQueries"] = [_seen_query(query) for query in found[0].get("Metrics") or ()] or None
    return Found(inputs, _alarm_outputs(call, call.id))


def _seen_dimensions(holder: dict[str, Any]) -> Properties | None:
    return {one["Name"]: one["Value"] for one in holder.get("Dimensions") or ()} or None


def _seen_query(query: dict[str, Any]) -> Properties:
    seen: Properties = {
        "id": query["Id"],
        "expression": query.get("Expression"),
        "label": query.get("Label"),
        "returnData": bool(query.get("ReturnData", True)),
        "period": query.get("Period"),
    }
    if statistic := query.get("MetricStat"):
        metric = statistic["Metric"]
        seen["metric"] = {
            "metricName": metric["MetricName"],
            "namespace": metric.get("Namespace"),
            "dimensions": _seen_dimensions(metric),
            "period": statistic["Period"],
            "stat": statistic["Stat"],
            "unit": statistic.get("Unit"),
        }
    return seen


def _update_alarm(call: Call[Aws]) -> Properties:
    outputs = _put_alarm(call)
    if "tags" in call.changed:
        cloudwatch = service(call, "cloudwatch")
        if old := list(call.state.get("tagsAll") or {}):
            cloudwatch.untag_resource(ResourceARN=outputs["arn"], TagKeys=old)
        if new := tag_list(call.cloud, call.inputs):
            cloudwatch.tag_resource(ResourceARN=outputs["arn"], Tags=new)
    return outputs


def _check_alarm(inputs: Properties) -> Iterator[Problem]:
    if "metricQueries" in inputs:
        for name in ("metricName", "namespace", "period", "statistic", "extendedStatistic", "dimensions", "unit"):
            if name in inputs:
                yield Problem(name, "conflicts with metricQueries")
        yield from _check_queries(inputs["metricQueries"])
    elif "metricName" not in inputs:
        yield Problem("metricName", "one of metricName and metricQueries is required")
    if "statistic" in inputs and "extendedStatistic" in inputs:
        yield Problem("statistic", "conflicts with extendedStatistic")
    for name in _ACTIONS:
        if len(known_items(inputs.get(name))) > 5:
            yield Problem(name, "holds more than five actions")


def _check_queries(queries: Any) -> Iterator[Problem]:
    if has_unknown(queries):
        return
    returned = [query for query in queries if query.get("returnData")]
    if len(returned) != 1:
        yield Problem("metricQueries", f"exactly one must have returnData set, {len(returned)} have")


METRIC_ALARM: ResourceType[Aws] = ResourceType(
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    acts_on=words("dimensions.* metricQueries.* tags.*") | _ALARM,
    create=lambda call: Created(call.inputs["name"], _put_alarm(call)),
    read=_read_alarm,
    update=_update_alarm,
    delete=lambda call: service(call, "cloudwatch").delete_alarms(AlarmNames=[call.id]),
    replace_on=words("name region"),
    name=AutoName(longest=255),
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    unordered=frozenset(_ACTIONS),
    choices={
        "comparisonOperator": (
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanThreshold",
            "LessThanOrEqualToThreshold",
            "LessThanLowerOrGreaterThanUpperThreshold",
            "LessThanLowerThreshold",
            "GreaterThanUpperThreshold",
        ),
        "statistic": ("SampleCount", "Average", "Sum", "Minimum", "Maximum"),
        "treatMissingData": ("breaching", "notBreaching", "ignore", "missing"),
    },
    derived=tags_all,
    check=_check_alarm,
)

TYPES: tuple[ResourceType[Aws], ...] = (LOG_GROUP, METRIC_ALARM)
