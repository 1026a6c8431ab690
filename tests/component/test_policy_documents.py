"""Every policy document, of the program and of docs/iam, before a linter that nobody here wrote (parliament).

A finding that stays has its reason in EXPLAINED, and a reason whose finding is gone is a failure too.
"""

import json
import subprocess

import pulumi
import pytest
from sample_pipeline import POLICY_KEYS, deploy

from sandbox.engine.environments import environment
from stacks.settings import REPOSITORY

OUTSIDERS = REPOSITORY / "sandbox" / "outsiders"
TRUST = 'who may take a role stands on the role, which is the resource (IAM guide, "JSON policy elements: Principal")'
PROVIDERS = "the linter knows the providers of people; GitHub's and GitLab's are for jobs"
KEY = 'in a key\'s own policy `*` is that key (KMS guide, "Key policies")'
EXPLAINED = {
    **{(f"ci-trust-{forge}-{job}.json", "MALFORMED"): TRUST
       for forge in ("github", "gitlab") for job in ("controller", "deploy", "preview")},
    **{(f"ci-trust-{forge}-{job}.json", "UNKNOWN_FEDERATION_SOURCE"): PROVIDERS
       for forge in ("github", "gitlab") for job in ("controller", "deploy", "preview")},
    **{(f"{role} assumeRolePolicy", "MALFORMED"): TRUST
       for role in ("alarms-certificates-forward-role", "reports-function-role", "reports-https-role")},
    ("reports-alerts-key policy", "RESOURCE_STAR"): KEY,
    ("ci-preview.json", "RESOURCE_MISMATCH"): "AWS lists log groups for DescribeLogGroups, and refuses others",
    ("platform-mail.json", "RESOURCE_MISMATCH"): "AWS lists log groups for DescribeLogGroups, and refuses others",
    ("domains.json", "RESOURCE_MISMATCH"): "AWS lists origin access controls for CreateOriginAccessControl",
    ("platform-pipeline.json", "RESOURCE_POLICY_PRIVILEGE_ESCALATION"):
        "whoever deploys sets the bucket policies, and could let itself in: the page says to guard that role",
    ("platform-athena.json", "RESOURCE_POLICY_PRIVILEGE_ESCALATION"): "the same, of the bucket of answers",
    ("platform-athena.json", "RESOURCE_MISMATCH"): "AWS lists workgroups for the tags of Athena, too",
    ("platform-pipeline.json", "RESOURCE_STAR"): "the condition lambda:FunctionArn narrows both to our functions",
}  # fmt: skip
"""Document and issue of each finding that stays, and why."""


def of_docs() -> dict[str, str]:
    """docs/iam, by file."""
    return {path.name: path.read_text() for path in sorted((REPOSITORY / "docs" / "iam").glob("*.json"))}


def of_program() -> dict[str, str]:
    """What roles may do, and what stands on buckets, queues, topics, keys; by resource and input."""
    code = pulumi.AssetArchive({"handler.py": pulumi.StringAsset("")})
    found = {}
    for resource in deploy(https_code=code).resources:
        for key in POLICY_KEYS:
            text = resource.inputs.get(key)
            if text and "Statement" in json.loads(text):
                found[f"{resource.name} {key}"] = text
    return found


@pytest.fixture(scope="module")
def findings() -> set[tuple[str, str, str]]:
    """Of all documents."""
    documents = {**of_docs(), **of_program()}
    assert len(documents) > 25
    return linted(documents)


def linted(documents: dict[str, str]) -> set[tuple[str, str, str]]:
    """Document, issue, detail."""
    python = environment("outsiders", OUTSIDERS / "requirements.txt")
    asked = json.dumps(documents)
    command = [str(python), str(OUTSIDERS / "policy_linter.py")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said: dict[str, list[list[str]]] = json.loads(done.stdout)
    assert said.keys() == documents.keys()
    return {(name, issue, detail) for name, found in said.items() for issue, detail in found}


def test_no_finding_is_unexplained_and_no_reason_is_left_over(findings: set[tuple[str, str, str]]) -> None:
    unexplained = [one for one in sorted(findings) if one[:2] not in EXPLAINED]
    assert unexplained == []
    assert EXPLAINED.keys() - {one[:2] for one in findings} == set()


def test_the_linter_finds_what_is_wrong() -> None:
    """Else its silence would say nothing."""
    wrong = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}]}
    assert {issue for _, issue, _ in linted({"wrong": json.dumps(wrong)})} == {"UNKNOWN_ACTION"}
