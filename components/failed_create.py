"""A create that is refused because the thing is there already: mostly a killed run made it and never noted it down.

The engine shows the provider's error, which says what is there but not what to do. This hook adds a line with the one
command that takes it over. Only types with a name of ours, or a name that the cloud gives out once, can be refused so;
what the engine names is only left over (docs/break-glass.md).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

TAKE_OVER = "MAILTLS_ADOPT"
"""The environment variable that `up` reads: `<resource>=<id> …` (stacks/killed_runs.py)."""
UP = "pulumi up --refresh --continue-on-error --parallel 64"
PAGE = 'docs/break-glass.md, "A run that was killed"'

_THERE_ALREADY = re.compile(r"already\s?exists?|AlreadyExist|ResourceConflict|\b8105[378]\b", re.I)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """One type. what: for people; identity: as the provider's import takes it, with a shell's look-up where the cloud
    gave it. Both with the resource's inputs in braces."""

    what: str
    identity: str


LEFT_OVER = {
    "aws:cloudfront/distribution:Distribution": LeftOver(
        "a distribution for {aliases[0]}",
        "$(aws cloudfront list-distributions --output text --query "
        "'DistributionList.Items[?Aliases.Items && contains(Aliases.Items, `\"{aliases[0]}\"`)].Id')",
    ),
    "aws:cloudwatch/logGroup:LogGroup": LeftOver("a log group {name}", "{name}"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": LeftOver(
        "an event source mapping from this queue to {functionName}",
        "$(aws lambda list-event-source-mappings --region {region} --output text --function-name {functionName} "
        "--event-source-arn {eventSourceArn} --query 'EventSourceMappings[].UUID')",
    ),
    "aws:lambda/function:Function": LeftOver("a function {name}", "{name}"),
    "aws:route53/record:Record": LeftOver("a {type} record {name}", "{zoneId}_{name}_{type}"),
    "aws:ses/receiptRule:ReceiptRule": LeftOver("a receipt rule {name}", "{ruleSetName}:{name}"),
    "aws:ses/receiptRuleSet:ReceiptRuleSet": LeftOver("a receipt rule set {ruleSetName}", "{ruleSetName}"),
    "cloudflare:index/dnsRecord:DnsRecord": LeftOver(
        "a record {name}, {type} or one that excludes it,",
        '{zoneId}/$(curl -s -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN" '
        "'https://api.cloudflare.com/client/v4/zones/{zoneId}/dns_records?type={type}&name={name}' | "
        'grep -oE \'"id": ?"[0-9a-f]{{32}}"\' | head -1 | cut -d\'"\' -f4)',
    ),
}
"""By type token: everything of ours that a create can meet."""


def tell_how_to_take_over(args: pulumi.ErrorHookArgs) -> bool:
    """The error hook: logs its line at the resource. Never asks for another try."""
    text = advice(args.type, args.name, args.new_inputs or {}, args.errors)
    engine = get_engine()
    if args.failed_operation == "create" and text is not None and engine is not None:
        engine.Log(engine_pb2.LogRequest(severity=engine_pb2.ERROR, message=text, urn=args.urn))
    return False


def take_over(kind: str, name: str, inputs: Mapping[str, Any]) -> str:
    """The command that takes over what the resource `name` of a type in LEFT_OVER would make."""
    return f'{TAKE_OVER}="{name}={LEFT_OVER[kind].identity.format_map(inputs)}" {UP}'


def advice(kind: str, name: str, inputs: Mapping[str, Any], errors: list[str]) -> str | None:
    """What to do about a failed create of the resource `name`; None when it failed for another reason.

    errors: the provider's words, the latest first.
    """
    left_over = LEFT_OVER.get(kind)
    if left_over is None or not errors or not _THERE_ALREADY.search(errors[0]):
        return None
    return (
        f"{left_over.what.format_map(inputs)} exists already, and this stack does not know it. Did a killed run make "
        f"it? Then take it over:\n"
        f"  {take_over(kind, name, inputs)}\n"
        f"If it is somebody else's, it has to go first, or to stay where it is. See {PAGE}"
    )
