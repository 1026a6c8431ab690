"""The reports platform as a program, and readers of what it registers."""

import json
from collections.abc import Iterator
from typing import Any

import pulumi
from strict_mocks import Recording, Registration, run

from components.dns_zones.route53 import Route53Zone
from components.report_alarms import ReportAlarms
from components.report_pipeline import ReportPipeline

ACCOUNT = "123456789012"
DOMAIN = "reports.mailhost.example"
POLICY_KEYS = ("policy", "assumeRolePolicy", "redriveAllowPolicy", "redrivePolicy", "filterPolicy")
EVERYONE = {"protocol": "email", "endpoint": "postmaster@mailhost.example"}


def pipeline_args(**changes: Any) -> dict[str, Any]:
    """Arguments of a usual pipeline."""
    return {
        "region": "eu-west-1",
        "account_id": ACCOUNT,
        "reports_domain": DOMAIN,
        "local_part": "tlsrpt",
        "rule_set": "own",
        "activate": True,
        "active_rule_set": None,
        "zone": Route53Zone("mailhost.example", "Z1"),
        "policy_bucket": "policies",
        "code": pulumi.AssetArchive({"handler.py": pulumi.StringAsset("")}),
        "subscriptions": [EVERYONE],
        **changes,
    }


def deploy(
    *, preview: bool = False, files_url: str | None = None, controller_hours: int | None = None, **changes: Any
) -> Recording:
    """One run of the whole platform."""

    def program() -> Any:
        args = pipeline_args(**changes)
        pipeline = ReportPipeline("reports", args)
        ReportAlarms(
            "alarms",
            {
                "region": args["region"],
                "account_id": ACCOUNT,
                "topic_arn": pipeline.topic_arn,
                "bucket_name": pipeline.bucket_name,
                "queue_name": pipeline.queue_name,
                "dead_letter_queue_name": pipeline.dead_letter_queue_name,
                "dead_letter_queue_arn": pipeline.dead_letter_queue_arn,
                "function_name": pipeline.function_name,
                "function_arn": pipeline.function_arn,
                "files_url": files_url,
                "controller_hours": controller_hours,
            },
        )
        return {
            "rua": pipeline.rua,
            "rule_set_name": pipeline.rule_set_name,
            "route": [resource.urn for resource in pipeline.route],
        }

    return run(program, preview=preview)


def policies(recording: Recording) -> Iterator[tuple[Registration, str, dict[str, Any]]]:
    """Each JSON document among the inputs: (resource, input's name, document)."""
    for resource in recording.resources:
        for key in POLICY_KEYS:
            text = resource.inputs.get(key)
            if text:
                yield resource, key, json.loads(text)


def statements(recording: Recording) -> Iterator[tuple[Registration, dict[str, Any]]]:
    """Each statement of each policy document."""
    for resource, _, document in policies(recording):
        for statement in document.get("Statement", ()):
            yield resource, statement


def statement(resource: Registration, sid: str) -> dict[str, Any]:
    """The statement of one policy by its Sid."""
    return next(s for s in json.loads(resource.inputs["policy"])["Statement"] if s["Sid"] == sid)


def listed(value: Any) -> list[Any]:
    """IAM writes one or a list of them."""
    return value if isinstance(value, list) else [value]
