"""Targets: what their policies and roles do not let the rule do does not happen; buses of other regions are reached."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge, lambda_svc, sns, sqs

from sandbox import account
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.events_proofs import SOURCE, put_event, received, rule_and_queue, target_policy
from sandbox.cloud.emulator.patches.events_rules import SERVICE
from sandbox.cloud.emulator.patches.iam_decisions import Source, role_may, service_may, service_may_assume
from sandbox.cloud.emulator.patches.iam_proofs import role_for_proofs, statement
from sandbox.cloud.emulator.patches.kms_use import service_refused
from sandbox.cloud.emulator.patches.lambda_function_run import function_for_proofs
from sandbox.cloud.emulator.probe import Probe

LOG = logging.getLogger(__name__)
_CAME_FROM = "sandbox_region"
"""Marks an event that has come from another region: it goes no further."""


def _invoke_with_leave() -> None:
    def made(old: Any) -> Any:
        def call(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
            try:
                arn = parse_arn(target.get("Arn", ""))
            except ArnParseError:
                return
            why = _refused(arn, target, event, rule)
            if why is not None:
                LOG.warning("rule %s cannot invoke %s: %s", rule["Name"], arn, why)
            elif arn.service == "events" and arn.region != get_region():
                _forward(arn, event)
            else:
                old(target, event, rule, view)
            name = "Invocations" if why is None else "FailedInvocations"
            cloudwatch.record_metric("AWS/Events", name, 1, "Count", {"RuleName": rule["Name"]})

        return call

    replace(eventbridge, "_invoke_target", made, takes=("target", "event", "rule", "view"))
    replace(eventbridge, "_dispatch_to_lambda", lambda _: _run, takes=("arn", "payload"))


def _refused(arn: Any, target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any]) -> str | None:
    """Why the rule cannot invoke the target."""
    source = Source(rule["Arn"], get_account_id())
    if arn.service == "events":
        return _bus_refused(str(arn), target, event, source)
    allowed = True
    if arn.service == "lambda":
        function, _, _ = lambda_svc._get_func_record_for_ref(str(arn))
        policy = json.dumps(function["policy"]) if function else None
        allowed = service_may(policy, SERVICE, "lambda:InvokeFunction", str(arn), source)
    elif arn.service == "sqs":
        allowed = sqs.queue_policy_allows(str(arn), SERVICE, source.arn, source.account)
    elif arn.service == "sns":
        topic = sns._topic_by_arn_any_scope(str(arn))
        key = topic["attributes"].get("KmsMasterKeyId") if topic else None
        if key and (refusal := service_refused(key, SERVICE, Source("", ""))):  # it tells KMS no source
            return refusal.message
        allowed = sns.topic_policy_allows(str(arn), SERVICE, source.arn, source.account)
    return None if allowed else "its policy does not let the rule in"


def _bus_refused(bus: str, target: Mapping[str, Any], event: Mapping[str, Any], source: Source) -> str | None:
    if event.get(_CAME_FROM):
        return "the event has come from another region already"
    role = target.get("RoleArn")
    if role is None:
        return None if f":{get_region()}:" in bus else "a bus of another region needs a role"
    if not service_may_assume(role, SERVICE, source):
        return f"{role} cannot be taken on by {SERVICE}"
    if not role_may(role, "events:PutEvents", bus):
        return f"{role} is not authorized to perform: events:PutEvents on resource: {bus}"
    return None


def _forward(bus: Any, event: Mapping[str, Any]) -> None:
    """The event keeps the region that it is about."""
    with request_scope(bus.account_id, bus.region):
        eventbridge._ensure_default_bus()
        name = bus.resource.removeprefix("event-bus/")
        if name not in eventbridge._event_buses:
            LOG.warning("there is no event bus %s", bus)
            return
        forwarded = {key: value for key, value in event.items() if key != "_DispatchPath"}
        eventbridge._dispatch_event(forwarded | {"EventBusName": name, _CAME_FROM: event.get("Region")})


def _run(arn: str, payload: str) -> None:
    """As every asynchronous invocation: tried three times, and counted."""
    function, config, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not config:
        LOG.warning("there is no function %s", name)
        return
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, config), json.loads(payload))


# ----------------------------------------------------------------------------------------------------- proofs


def _prove_leave(probe: Probe) -> None:
    rule, arn, queue, url = rule_and_queue(probe)
    client, name = (
        probe.client("lambda"),
        function_for_proofs(probe, role_for_proofs(probe), "def handle(event, context): pass"),
    )
    function = client.get_function_configuration(FunctionName=name)["FunctionArn"]
    probe.client("events").put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": function}])
    given = {"FunctionName": name, "Action": "lambda:InvokeFunction", "Principal": SERVICE}
    client.add_permission(**given, StatementId="other", SourceArn=f"{arn}-of-somebody-else")
    put_event(probe)
    probe.holds(not received(probe, url), "a queue whose policy does not let the rule in gets nothing")
    probe.holds(_counted(probe, "AWS/Events", "FailedInvocations", RuleName=rule) == 2, "both invocations fail")
    client.add_permission(**given, StatementId="ours", SourceArn=arn)
    target_policy(probe, url, queue, arn)
    put_event(probe)
    probe.holds(received(probe, url), "with leave the queue gets the event")
    for _ in range(1500):  # half a minute, on a machine that stalls
        if _counted(probe, "AWS/Lambda", "Invocations", FunctionName=name):
            break
        time.sleep(0.02)
    probe.holds(_counted(probe, "AWS/Lambda", "Invocations", FunctionName=name) == 1, "and the function runs, once")


def _prove_regions(probe: Probe) -> None:
    here, there = account.CERTIFICATE_REGION, account.REGION
    _, arrived, queue, url = rule_and_queue(probe, there)
    target_policy(probe, url, queue, arrived, there)
    events, name = probe.client("events", here), probe.name("forward")
    pattern = json.dumps({"source": [SOURCE]})
    rule = events.put_rule(Name=name, EventPattern=pattern)["RuleArn"]
    bus = f"arn:aws:events:{there}:{account.ACCOUNT_ID}:event-bus/default"
    rights = statement("events:PutEvents", bus)
    ours = {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}, "ArnEquals": {"aws:SourceArn": rule}}
    able = role_for_proofs(probe, rights, service=SERVICE, condition=ours)
    unable = role_for_proofs(probe, service=SERVICE, condition=ours)
    others = {"ArnEquals": {"aws:SourceArn": f"{rule}-of-somebody-else"}}
    stranger = role_for_proofs(probe, rights, service=SERVICE, condition=others)

    def forward(role: str) -> None:
        events.put_targets(Rule=name, Targets=[{"Id": "bus", "Arn": bus, "RoleArn": role}])

    probe.refused("ValidationException", events.put_targets, Rule=name, Targets=[{"Id": "bus", "Arn": bus}])
    probe.refused("ValidationException", forward, role=stranger)
    forward(unable)
    put_event(probe, here)
    probe.holds(not received(probe, url, there), "a role without the right forwards nothing")
    forward(able)
    put_event(probe, here)
    [event] = received(probe, url, there) or [{}]
    probe.holds(event.get("region") == here, "with it the event arrives, and tells its own region")


def _counted(probe: Probe, namespace: str, metric: str, **dimensions: str) -> float:
    now = time.time()
    points = probe.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - 3600,
        EndTime=now + 3600,
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "targets-need-leave",
        "A rule invokes every function, queue and topic, whether its policy lets the rule in or not.",
        _invoke_with_leave,
        _prove_leave,
    ),
    Patch(
        "events-cross-regions-by-role",
        "An event for a bus of another region is dropped.",
        lambda: None,  # targets-need-leave forwards them
        _prove_regions,
    ),
)
