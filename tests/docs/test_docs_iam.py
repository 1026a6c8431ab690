"""docs/iam/*.json, the rights of whoever deploys: enough for the real provider, and no more without a reason."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
FILES = {
    path.stem: path.read_text()
    for path in sorted((REPOSITORY / "docs" / "iam").glob("*.json"))
    if not path.stem.startswith("ci-trust-")  # who may take a role: test_docs_ci.py
}
DEPLOYING = ("platform-pipeline", "platform-mail", "domains")
CALLED = (REPOSITORY / "tests" / "sandbox" / "provider_facts" / "actions.txt").read_text()
RESOURCES = (REPOSITORY / "tests" / "component" / "golden" / "sandbox_resources.txt").read_text()
FROM_THE_SET_UP = {"iam:GetUser"}
"""Asked by what asked the provider, not by the provider for a resource (PROVENANCE.md there)."""
NEWER_PROVIDERS = {"s3:ListTagsForResource", "s3:TagResource", "iam:UpdateRoleDescription"}
WITHOUT_RESOURCES = {
    "sts:GetCallerIdentity": "needs no right at all",
    "route53:ListHostedZones": "lists the account's",
    "route53:ListHostedZonesByName": "lists the account's",
    "ses:*": "the receiving half of SES has no ARNs in policies",
    "sns:GetSubscriptionAttributes": "AWS lists no resource for it",
    "sns:SetSubscriptionAttributes": "AWS lists no resource for it",
    "sns:Unsubscribe": "AWS lists no resource for it",
    "kms:CreateKey": "the key has no ARN yet",
    "cloudwatch:PutMetricData": "metrics have no ARNs; narrowed by their namespace",
    "sns:ListSubscriptions": "lists the account's",
    "acm:ListCertificates": "lists the account's",
    "cloudfront:ListDistributions": "lists the account's",
    "cloudfront:ListOriginAccessControls": "lists the account's",
    "servicequotas:ListAWSDefaultServiceQuotas": "AWS lists no resource for it",
    "servicequotas:ListServiceQuotas": "AWS lists no resource for it",
    "acm:RequestCertificate": "the certificate has no ARN yet",
    "lambda:CreateEventSourceMapping": "narrowed by its function",
    "lambda:UpdateEventSourceMapping": "narrowed by its function",
    "lambda:DeleteEventSourceMapping": "narrowed by its function",
}
"""Actions that may stand on `*`, and why."""
BARE = {
    *("sts:GetCallerIdentity", "route53:ListHostedZones", "route53:ListHostedZonesByName"),
    *("acm:ListCertificates", "cloudfront:ListDistributions", "cloudfront:ListOriginAccessControls"),
    *("servicequotas:ListAWSDefaultServiceQuotas", "servicequotas:ListServiceQuotas"),
}
"""Those of them that read only, and need no condition."""
LONGEST_MANAGED_POLICY = 6144
"""Characters that count for AWS: all but white space."""
NAMED = {
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{}-1a2b3c4",
    "aws:sqs/queue:Queue": "arn:aws:sqs:eu-west-1:123456789012:{}-1a2b3c4",
    "aws:sns/topic:Topic": "arn:aws:sns:eu-west-1:123456789012:{}-1a2b3c4",
    "aws:iam/role:Role": "arn:aws:iam::123456789012:role/{}-1a2b3c4",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{}-1a2b3c4",
    "aws:cloudwatch/eventRule:EventRule": "arn:aws:events:eu-west-1:123456789012:rule/{}-1a2b3c4",
}
"""ARNs of what is named after its place in the program, by type."""


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        yield from json.loads(FILES[name])["Statement"]


def allowed(action: str, *names: str) -> bool:
    return any(fnmatchcase(action, given) for one in statements(*names) for given in listed(one["Action"]))


def called() -> set[str]:
    """`service:Action` of each operation that the real provider called."""
    lines = [re.fullmatch(r"([a-z0-9]+): ([A-Za-z0-9 ]+)", line) for line in CALLED.splitlines()]
    return {f"{line[1]}:{action}" for line in lines if line for action in line[2].split()}


def test_everything_that_the_real_provider_calls_is_allowed() -> None:
    assert len(called()) > 140
    needed = called() | NEWER_PROVIDERS
    assert sorted(action for action in needed - FROM_THE_SET_UP if not allowed(action, *DEPLOYING)) == []


@pytest.mark.parametrize("name", FILES)
def test_a_policy_is_well_formed_and_short_enough(name: str) -> None:
    policy = json.loads(FILES[name])
    assert (set(policy), policy["Version"]) == ({"Version", "Statement"}, "2012-10-17")
    sids = [one["Sid"] for one in policy["Statement"]]
    assert len(sids) == len(set(sids))
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)
    for one in policy["Statement"]:
        assert (
            {"Sid", "Effect", "Action", "Resource"} <= set(one) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        )
    assert len("".join(FILES[name].split())) <= LONGEST_MANAGED_POLICY


@pytest.mark.parametrize("name", FILES)
def test_nothing_stands_on_everything_without_a_reason(name: str) -> None:
    for one in statements(name):
        assert one["Effect"] == "Allow"
        actions = listed(one["Action"])
        assert not [action for action in actions if "*" in action], one["Sid"]
        if "*" not in listed(one["Resource"]):
            continue
        assert all(any(fnmatchcase(action, known) for known in WITHOUT_RESOURCES) for action in actions), one["Sid"]
        assert "Condition" in one or set(actions) <= BARE, one["Sid"]


def test_roles_are_handed_to_one_service_each() -> None:
    passing = [one for one in statements(*FILES) if "iam:PassRole" in listed(one["Action"])]
    handed = {one["Resource"]: one["Condition"]["StringEquals"]["iam:PassedToService"] for one in passing}
    assert handed == {
        "arn:aws:iam::123456789012:role/reports-function-role-*": "lambda.amazonaws.com",
        "arn:aws:iam::123456789012:role/alert-*-role-*": "lambda.amazonaws.com",
        "arn:aws:iam::123456789012:role/reports-https-role-*": "lambda.amazonaws.com",
        "arn:aws:iam::123456789012:role/report-alarms-certificates-forward-role-*": "events.amazonaws.com",
    }


@pytest.mark.parametrize("token", NAMED)
def test_resources_are_narrowed_by_the_names_that_the_program_gives(token: str) -> None:
    names = re.findall(rf"{re.escape(token)}::(\S+)", RESOURCES)
    assert names
    patterns = [resource for one in statements(*DEPLOYING) for resource in listed(one["Resource"])]
    narrow = [pattern for pattern in patterns if not pattern.endswith((":*", ":alarm:*")) and pattern != "*"]
    for name in names:
        arn = NAMED[token].format(name)
        assert any(fnmatchcase(arn, pattern) for pattern in narrow), arn


@pytest.mark.parametrize("name", FILES)
def test_the_page_says_what_each_is_for(name: str) -> None:
    page = "ci" if name.startswith("ci-") else "first-real-deployment"
    assert f"(iam/{name}.json)" in (REPOSITORY / "docs" / f"{page}.md").read_text()
