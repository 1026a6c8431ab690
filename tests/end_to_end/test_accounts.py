"""`mailtls preflight` and `mailtls discover` against the local cloud: the emulator says what AWS would."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from sandbox import account
from sandbox.cloud.cloudflare.account import id_of_zone
from sandbox.endpoints import Endpoints
from sandbox.place import REPOSITORY

pytestmark = pytest.mark.engine

STACK_FILE = REPOSITORY / "stacks" / "Pulumi.sandbox.yaml"
ACCOUNT = account.ACCOUNT_ID


def mailtls(endpoints: Endpoints, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process, with the environment that `python -m sandbox env` prints."""
    clean = {name: value for name, value in os.environ.items() if name not in account.FOREIGN}
    return subprocess.run(
        [sys.executable, "-m", "mailtls.cli", *map(str, arguments)],
        env={**clean, **endpoints.pulumi_env, **environment},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def preflight(endpoints: Endpoints, *arguments: str | Path, **environment: str) -> Mapping[str, Any]:
    """The checks by name and subject."""
    done = mailtls(endpoints, "preflight", "--stack-file", STACK_FILE, "--format", "json", *arguments, **environment)
    assert done.returncode in (0, 1), done.stderr
    return {f"{one['check']} {one['subject']}".strip(): one for one in json.loads(done.stdout)["checks"]}


def states(checks: Mapping[str, Any], state: str) -> dict[str, str]:
    return {name: one["told"] for name, one in checks.items() if one["state"] == state}


@contextmanager
def active_rule_set(endpoints: Endpoints, name: str) -> Iterator[None]:
    ses = account.client("ses", endpoints.aws)
    ses.create_receipt_rule_set(RuleSetName=name)
    ses.set_active_receipt_rule_set(RuleSetName=name)
    yield
    ses.set_active_receipt_rule_set()
    ses.delete_receipt_rule_set(RuleSetName=name)


def test_before_the_first_deployment_all_is_well(endpoints: Endpoints) -> None:
    done = mailtls(endpoints, "preflight", "--stack-file", STACK_FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 problems, 1 could not be asked\n" in done.stdout
    assert "CloudFront distributions: 0 there, 9 more for this stack, 500 allowed" in " ".join(done.stdout.split())
    assert endpoints.pulumi_env["CLOUDFLARE_API_TOKEN"] not in done.stdout + done.stderr


def test_what_would_go_wrong_is_told(endpoints: Endpoints, tmp_path: Path) -> None:
    """Another team's rule set that ours would silence, a region without receiving, and zones that are not there."""
    with active_rule_set(endpoints, "legacy"):
        told = states(preflight(endpoints), "problem")
        assert list(told) == ["ses-rule-set eu-west-1"]
        assert told["ses-rule-set eu-west-1"].startswith("legacy is active")
    elsewhere = tmp_path / "Pulumi.elsewhere.yaml"
    text = STACK_FILE.read_text().replace("aws:region: eu-west-1", "aws:region: eu-north-1")
    elsewhere.write_text(text.replace("suffix: contoso.example", "suffix: nosuch.example"))
    specs = REPOSITORY / "policy_specs" / "sandbox"
    told = states(preflight(endpoints, "--stack-file", elsewhere, "--specs", specs), "problem")
    assert list(told) == [
        "ses-receiving-region eu-north-1",
        "zone-not-configured contoso.example",
        "zone-not-configured shop.contoso.example",
        "zone nosuch.example",
    ]


def test_records_of_a_former_host_are_told(endpoints: Endpoints) -> None:
    put_at_cloudflare(endpoints, "tailspin.example", "_mta-sts.tailspin.example", "TXT", '"v=STSv1; id=1;"')
    told = states(preflight(endpoints), "problem")
    assert list(told) == ["old-records tailspin.example"]
    assert told["old-records tailspin.example"].startswith("_mta-sts.tailspin.example is there: of a former host")


def test_the_bucket_of_the_state(endpoints: Endpoints) -> None:
    missing = preflight(endpoints, PULUMI_BACKEND_URL="s3://contoso-state?region=eu-west-1")
    assert missing["state-bucket contoso-state"]["told"].startswith("it cannot be reached: ")
    s3 = account.client("s3", endpoints.aws)
    s3.create_bucket(Bucket="contoso-state", CreateBucketConfiguration={"LocationConstraint": account.REGION})
    plain = preflight(endpoints, PULUMI_BACKEND_URL="s3://contoso-state")
    assert "not versioned" in plain["state-bucket contoso-state"]["told"]
    s3.put_bucket_versioning(Bucket="contoso-state", VersioningConfiguration={"Status": "Enabled"})
    whole = preflight(endpoints, PULUMI_BACKEND_URL="s3://contoso-state")
    assert whole["state-bucket contoso-state"]["state"] == "ok"


def test_a_wrong_token(endpoints: Endpoints) -> None:
    checks = preflight(endpoints, CLOUDFLARE_API_TOKEN="wrong-token")
    assert "9109 Invalid access token" in checks["cloudflare-token"]["told"]
    assert "wrong-token" not in json.dumps(checks)


def test_permissions_as_the_emulator_judges_them(endpoints: Endpoints, tmp_path: Path) -> None:
    """The emulator's simulator knows no context, so the policies asked about here have no conditions."""
    may, may_not = ("acm:DescribeCertificate", "cloudfront:GetDistribution"), ("cloudfront:DeleteDistribution",)
    policy = {"Version": "2012-10-17", "Statement": [statement("Wanted", [*may, *may_not])]}
    for name in ("domains.json", "platform-mail.json", "platform-pipeline.json"):
        (tmp_path / name).write_text(json.dumps(policy))
    granted = {"Version": "2012-10-17", "Statement": [statement("Granted", may)]}
    checks = preflight(endpoints, "--iam", tmp_path, **role(endpoints, granted, "iam:*", "sns:ListSubscriptions"))
    assert checks["aws-identity account " + ACCOUNT]["told"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/")
    assert checks["aws-permissions"]["state"] == "problem"
    assert "cloudfront:DeleteDistribution on *" in checks["aws-permissions"]["told"]
    assert "acm:" not in checks["aws-permissions"]["told"]
    assert checks["alert-subscriptions eu-west-1"]["state"] == "ok"
    assert checks["acm-certificates"]["do"] == "allow it acm:ListCertificates (docs/iam/preflight.json)"


def test_the_document_allows_all_that_is_asked(endpoints: Endpoints) -> None:
    """docs/iam/preflight.json, attached to a role, leaves nothing that AWS does not let it ask."""
    document = json.loads((REPOSITORY / "docs" / "iam" / "preflight.json").read_text())
    simulating = next(one for one in document["Statement"] if "iam:SimulatePrincipalPolicy" in one["Action"])
    simulating["Resource"] = "*"  # the emulator evaluates this action without a resource; AWS has the principal's ARN
    checks = preflight(endpoints, **role(endpoints, document))
    not_asked = states(checks, "not asked")
    assert not [told for told in not_asked.values() if "does not let" in told], not_asked
    done = mailtls(endpoints, "discover", "--route53", **role(endpoints, document))
    assert done.returncode == 0, done.stderr


def statement(sid: str, actions: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}


def role(endpoints: Endpoints, policy: dict[str, Any], *more: str) -> dict[str, str]:
    """Variables of one who has taken on a role with this policy, and `more` actions."""
    iam, sts = account.client("iam", endpoints.aws), account.client("sts", endpoints.aws)
    name = f"deployer{len(iam.list_roles()['Roles'])}"
    trust = statement("Trust", ["sts:AssumeRole"]) | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    del trust["Resource"]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    whole = {**policy, "Statement": [*policy["Statement"], *([statement("More", more)] if more else [])]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(whole))
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="preflight")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def test_names_are_found_in_both_accounts_and_in_the_dns(endpoints: Endpoints, tmp_path: Path) -> None:
    put_at_cloudflare(endpoints, "contoso.example", "news.contoso.example", "MX", "mx1.contoso.example")
    put_mx_at_route53(endpoints, "fabrikam.example", "fabrikam.example", "fabrikam-example.mail.protection.outlook.com")
    found = tmp_path / "specs"
    names = tmp_path / "names.csv"
    names.write_text("domain,owner\ntailspin.example,customer-success\nb\u00fccher.example,mail-team\n")
    sources = ("--cloudflare", "--route53", "fabrikam.example", "--names", names)
    done = mailtls(endpoints, "discover", *sources, "--write", found)
    assert done.returncode == 0, done.stderr
    providers = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines() if ".example  " in line}
    assert providers["fabrikam.example"] == "Microsoft"
    assert providers["tailspin.example"] == "Google"
    assert providers["news.contoso.example"] == "own"
    written = {path.name for path in found.iterdir()}
    assert {"fabrikam.example.yaml", "tailspin.example.yaml", "news.contoso.example.yaml"} <= written
    assert "xn--bcher-kva.example.yaml" in written
    validated = mailtls(endpoints, "validate", found)
    assert validated.returncode in (0, 1), validated.stderr
    assert " error" not in validated.stdout
    assert mailtls(endpoints, "discover", *sources, "--write", found).returncode == 1


def put_at_cloudflare(endpoints: Endpoints, zone: str, name: str, kind: str, content: str) -> None:
    record = {"name": name, "type": kind, "content": content, "ttl": 300} | ({"priority": 10} if kind == "MX" else {})
    body = json.dumps(record).encode()
    token = endpoints.pulumi_env["CLOUDFLARE_API_TOKEN"]
    url = f"{endpoints.cloudflare}/zones/{id_of_zone(zone)}/dns_records"
    request = Request(url, body, {"Authorization": f"Bearer {token}"})  # noqa: S310  # the stand-in on loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310  # the same
        assert answer.status == 200


def put_mx_at_route53(endpoints: Endpoints, zone: str, name: str, host: str) -> None:
    route53 = account.client("route53", endpoints.aws)
    zone_id = route53.list_hosted_zones_by_name(DNSName=zone)["HostedZones"][0]["Id"]
    records = {"Name": name, "Type": "MX", "TTL": 300, "ResourceRecords": [{"Value": f"10 {host}."}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": records}]}
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)
