"""Rules: refused as EventBridge refuses, and schedules that fire by the emulator's clock."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import eventbridge

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_tick import on_tick
from sandbox.cloud.emulator.patches.events_proofs import received, rule_and_queue, target_policy
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may_assume
from sandbox.cloud.emulator.patches.iam_proofs import role_for_proofs
from sandbox.cloud.emulator.probe import Probe

SERVICE = "events.amazonaws.com"
LARGEST_TARGETS = 5


def _refuse() -> None:
    def put_rule(old: Any) -> Any:
        def call(data: dict[str, Any]) -> Any:
            why = next(_rule_faults(data), None)
            return _invalid(why) if why else old(data)

        return call

    def delete_rule(old: Any) -> Any:
        def call(data: dict[str, Any]) -> Any:
            key = eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))
            if eventbridge._targets.get(key):
                return _invalid("Rule can't be deleted since it has targets.")
            # a rule that is made anew under this name counts from its own beginning
            eventbridge._rule_last_fired.pop((get_account_id(), get_region(), key), None)
            return old(data)

        return call

    def put_targets(old: Any) -> Any:
        def call(data: dict[str, Any]) -> Any:
            key = eventbridge._rule_key(data.get("Rule"), data.get("EventBusName", "default"))
            rule = eventbridge._rules.get(key)
            if rule is not None:
                there = {one["Id"] for one in eventbridge._targets.get(key) or ()}
                if len(there | {one["Id"] for one in data["Targets"]}) > LARGEST_TARGETS:
                    why = "The requested resource exceeds the maximum number allowed."
                    return error_response_json("LimitExceededException", why, 400)
                if whys := [why for target in data["Targets"] for why in _target_faults(target, rule)]:
                    return _invalid(whys[0])
            return old(data)

        return call

    replace(eventbridge, "_put_rule", put_rule, takes=("data",))
    replace(eventbridge, "_delete_rule", delete_rule, takes=("data",))
    replace(eventbridge, "_put_targets", put_targets, takes=("data",))


def _rule_faults(data: Mapping[str, Any]) -> Iterator[str]:
    schedule = data.get("ScheduleExpression") or ""
    if not schedule and not data.get("EventPattern"):
        yield "Parameter(s) EventPattern or ScheduleExpression must be specified."
    if schedule and data.get("EventBusName", "default") != "default":
        yield "ScheduleExpression is supported only on the default event bus."
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", schedule):
        number, several = int(rate[1]), bool(rate[3])
        if number < 1 or several != (number > 1):
            yield "Parameter ScheduleExpression is not valid."
    if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", data.get("Name") or ""):
        yield f"Value '{data.get('Name')}' at 'name' failed to satisfy constraint"
    if len(data.get("Description") or "") > 512:
        yield "Value at 'description' must have length less than or equal to 512"


def _target_faults(target: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[str]:
    role = target.get("RoleArn")
    if role and not service_may_assume(role, SERVICE, Source(rule["Arn"], get_account_id())):
        yield f"Provided role '{role}' cannot be assumed by principal '{SERVICE}'."
    if (text := target.get("Input")) is not None:
        try:
            json.loads(text)
        except ValueError:
            yield "Parameter Input is not valid. Reason: it is no JSON."


def _invalid(why: str) -> Any:
    return error_response_json("ValidationException", why, 400)


def _prove_refusals(probe: Probe) -> None:
    client = probe.client("events")
    rule, _, queue, _ = rule_and_queue(probe, ScheduleExpression="rate(1 hour)")

    def refused(call: Any, **more: Any) -> None:
        probe.refused("ValidationException", call, **more)

    refused(client.put_rule, Name="nothing")
    for schedule in ("rate(1 hours)", "rate(2 hour)", "rate(0 hours)", "rate(1 week)", "every hour"):
        refused(client.put_rule, Name="bad", ScheduleExpression=schedule)
    role = role_for_proofs(probe, service="lambda.amazonaws.com")
    refused(client.put_targets, Rule=rule, Targets=[{"Id": "role", "Arn": queue, "RoleArn": role}])
    refused(client.delete_rule, Name=rule)
    client.remove_targets(Rule=rule, Ids=["queue"])
    client.delete_rule(Name=rule)


def _schedule_by_the_clock() -> None:
    # its own loop looks every ten seconds
    replace(eventbridge, "start_scheduler", lambda _: lambda: None, takes=())
    on_tick(_fire)


def _fire() -> None:
    now, fired = eventbridge._now_ts(), eventbridge._rule_last_fired
    for key, last in list(fired.items()):
        if last > now:  # the clock was moved back
            fired[key] = now
    eventbridge._tick_scheduled_rules()


def _prove_schedule(probe: Probe) -> None:
    rule, arn, queue, url = rule_and_queue(probe, ScheduleExpression="rate(1 hour)")
    target_policy(probe, url, queue, arn)
    probe.move_clock(3500)
    probe.holds(not received(probe, url), f"{rule} does not fire before its hour")
    probe.move_clock(3700)
    [event] = received(probe, url) or [{}]
    probe.holds(event.get("detail-type") == "Scheduled Event" and event["resources"] == [arn], "it fires after it")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "rules-are-refused-as-aws-does",
        "A rule may have neither pattern nor schedule, `rate(1 hours)`, a role that EventBridge cannot take on, and be "
        "deleted while it has targets.",
        _refuse,
        _prove_refusals,
    ),
    Patch(
        "schedules-fire-by-the-moved-clock",
        "An hourly schedule takes an hour of real time.",
        _schedule_by_the_clock,
        _prove_schedule,
    ),
)
