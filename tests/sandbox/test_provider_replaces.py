"""The stand-in's table of what replaces a resource, against what the real Terraform provider said (provider_facts/)."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.providers.aws.provider import SDK, TYPES
from sandbox.providers.protocol.resource_type import ResourceType
from sandbox.providers.protocol.schema import Schemas

FACTS: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "provider_facts" / "replaces.json").read_text())[
    "changes"
]
SCHEMAS = Schemas(SDK)
OTHER_TYPES = {
    "aws_s3_object": "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws_sqs_queue_redrive_allow_policy": "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
}
OTHER_NAMES = {
    ("aws_cloudwatch_metric_alarm", "alarm_name"): "name",
    ("aws_cloudwatch_metric_alarm", "metric_query"): "metricQueries",
    ("aws_lambda_function", "filename"): "code",
    ("aws_lambda_function", "function_name"): "name",
    ("aws_lambda_permission", "function_name"): "function",
    ("aws_sns_topic_subscription", "topic_arn"): "topic",
}
"""What Pulumi calls otherwise than by the rule: in camel case, and lists in the plural."""


def kind_of(terraform: str) -> ResourceType[Any]:
    """Pulumi keeps the words of Terraform's name, or all but the first, which is the module's."""
    words = terraform.removeprefix("aws_").replace("_", "")
    found = [
        kind
        for kind in TYPES
        if kind.token == OTHER_TYPES.get(terraform)
        or words in (kind.token.rpartition(":")[2].lower(), kind.token.replace("/", ":").split(":")[1] + last(kind))
    ]
    assert len(found) == 1, f"{terraform}: {found}"
    return found[0]


def last(kind: ResourceType[Any]) -> str:
    return kind.token.rpartition(":")[2].lower()


def pulumi_name(terraform: str, argument: str, kind: ResourceType[Any]) -> str:
    first, *others = argument.split("_")
    name = OTHER_NAMES.get((terraform, argument), first + "".join(word.title() for word in others))
    inputs = SCHEMAS.of(kind.token).input_names
    return name if name in inputs else f"{name}s"


@pytest.mark.parametrize("terraform", sorted(FACTS))
def test_a_change_replaces_what_the_real_provider_replaces(terraform: str) -> None:
    kind = kind_of(terraform)
    names = {argument: pulumi_name(terraform, argument, kind) for argument in FACTS[terraform]}
    assert set(names.values()) <= SCHEMAS.of(kind.token).input_names
    ours = {
        argument: "replace" if kind.update is None or name in kind.replace_on else "update"
        for argument, name in names.items()
    }
    assert ours == FACTS[terraform]


def test_every_type_that_the_real_provider_was_asked_about_is_another() -> None:
    assert len({kind_of(terraform).token for terraform in FACTS}) == len(FACTS)
