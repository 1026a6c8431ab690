"""`mailtls preflight` as one types it, against accounts on loopback."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aws_stand_in import AwsStandIn, refused, said
from click.testing import CliRunner, Result
from stand_ins import TOKEN, Answer, Request, Serving, refusal, result

from mailtls.cli.main import main
from mailtls.render.preflight import SCHEMA_FILE

REPOSITORY = Path(__file__).parents[3]
DNS = """\
contoso.example. 60 NS ada.ns.cloudflare.com.
ada.ns.cloudflare.com. 60 A 127.0.0.1
inbound-smtp.eu-west-1.amazonaws.com. 60 A 192.0.2.25
fabrikam.example. 60 CAA 0 issue "letsencrypt.org"
"""
STACK = """\
config:
  aws:region: eu-west-1
  mailtls:policy_specs: policy_specs/production
  mailtls:zones:
    - {suffix: contoso.example, provider: cloudflare}
  mailtls:reports: {domain: reports.contoso.example, rule_set: own, activate: true}
"""
SPECS = """\
policy_domains:
  contoso.example: {mta_sts: {mode: testing, mx: [mx1.contoso.example]}}
  shop.fabrikam.example: {mta_sts: {mode: testing, mx: [mx1.contoso.example]}}
  reports-only.example: {}
"""
ZONE = {
    "id": "1",
    "name": "contoso.example",
    "status": "active",
    "type": "full",
    "name_servers": ["ada.ns.cloudflare.com"],
    "permissions": ["#dns_records:edit"],
}


def cloudflare(request: Request) -> Answer:
    if request.path == "/user/tokens/verify":
        return result({"id": "1", "status": "active"})
    return result([ZONE] if request.query.get("name") == "contoso.example" else [], result_info={"total_pages": 1})


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """The stack's file, in a repository of its own that has the IAM policies of ours."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: mailtls\n")
    (tmp_path / "docs").symlink_to(REPOSITORY / "docs")
    (tmp_path / "policy_specs/production").mkdir(parents=True)
    (tmp_path / "policy_specs/production/all.yaml").write_text(SPECS)
    path = tmp_path / "stacks" / "Pulumi.production.yaml"
    path.write_text(STACK)
    return path


Api = Callable[[Request], Answer]
Accounts = Callable[..., AwsStandIn]


@pytest.fixture
def accounts(served: Serving, named: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> Accounts:
    """Sets the environment so that it leads to stand-ins."""

    def use(aws: AwsStandIn | None = None, api: Api = cloudflare, zone: str = DNS) -> AwsStandIn:
        aws = aws or AwsStandIn()
        monkeypatch.setenv("AWS_ENDPOINT_URL", served(aws).url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", served(api).url)
        monkeypatch.setenv("MAILTLS_RESOLVER", named(zone))
        return aws

    return use


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(main, ["preflight", *map(str, arguments)])
    assert TOKEN not in done.output
    assert "secret-of-aws" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def checks(*arguments: str | Path) -> Mapping[str, Any]:
    """The checks of a run with JSON, by name; of several with one name the last."""
    done = run(*arguments, "--format", "json")
    data = json.loads(done.stdout)
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    return {check["check"]: check for check in data["checks"]}


def test_one_who_may_ask_little_is_told_what_to_allow(accounts: Accounts, stack: Path) -> None:
    accounts()
    found = checks("--stack-file", stack)
    for check, right in {
        "cloudfront-distributions": "cloudfront:ListDistributions",
        "acm-certificates": "acm:ListCertificates",
        "ses-rule-set": "ses:ListReceiptRuleSets and ses:DescribeActiveReceiptRuleSet",
        "alert-subscriptions": "sns:ListSubscriptions",
    }.items():
        assert (found[check]["state"], found[check]["do"]) == (
            "not asked",
            f"allow it {right} (docs/iam/preflight.json)",
        )
    for check in ("aws-identity", "aws-permissions", "cloudflare-token", "zone", "delegation", "ses-receiving-region"):
        assert found[check]["state"] == "ok", check


def test_every_right_that_is_told_is_in_the_document(accounts: Accounts, stack: Path) -> None:
    accounts(AwsStandIn(answers={"SimulatePrincipalPolicy": lambda _: refused(False, "AccessDenied", "no")}))
    told = " ".join(check["do"] for check in checks("--stack-file", stack).values())
    document = json.loads((REPOSITORY / "docs" / "iam" / "preflight.json").read_text())
    listed = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in document["Statement"]]
    allowed = {action for actions in listed for action in actions}
    rights = set(re.findall(r"\b(?:acm|cloudfront|iam|ses|sns):[A-Z][A-Za-z]+", told))
    assert len(rights) >= 6
    assert rights <= allowed


def test_permissions_are_asked_of_the_role_with_its_path_and_in_context(accounts: Accounts, stack: Path) -> None:
    aws = accounts(AwsStandIn(denied=frozenset({"acm:RequestCertificate", "ses:VerifyDomainIdentity"})))
    told = checks("--stack-file", stack)["aws-permissions"]
    assert told["state"] == "problem"
    assert "acm:RequestCertificate on *" in told["told"]
    assert "ses:VerifyDomainIdentity on *" in told["told"]
    assert "2 of" in told["told"]
    assert {call["PolicySourceArn"][0] for call in aws.calls} == {"arn:aws:iam::210987654321:role/ci/deployer"}
    certificates = next(call for call in aws.calls if ["acm:RequestCertificate"] in call.values())
    context = {values[0] for name, values in certificates.items() if name.startswith("ContextEntries.")}
    assert {"acm:ValidationMethod", "DNS", "us-east-1", "stringList"} <= context
    text = repr(aws.calls)
    assert "123456789012" not in text
    assert "route53:" not in text  # this stack writes to Cloudflare alone
    assert "mailhost.example" not in text


def test_a_role_whose_path_may_not_be_read_is_asked_by_its_plain_name(accounts: Accounts, stack: Path) -> None:
    aws = accounts(AwsStandIn(answers={"GetRole": lambda _: refused(False, "AccessDenied", "no")}))
    assert checks("--stack-file", stack)["aws-permissions"]["state"] == "ok"
    assert {call["PolicySourceArn"][0] for call in aws.calls} == {"arn:aws:iam::210987654321:role/deployer"}


def test_the_accounts_own_quotas_count(accounts: Accounts, stack: Path) -> None:
    quotas = {
        "cloudfront": [{"QuotaName": "Web distributions per AWS account", "Value": 1.0}],
        "acm": [{"QuotaName": "ACM certificates", "Value": 1.0}],
    }
    accounts(
        AwsStandIn(
            answers={
                "ListServiceQuotas": said({"Quotas": [*quotas["acm"], *quotas["cloudfront"]]}),
                "ListAWSDefaultServiceQuotas": said({"Quotas": []}),
                "ListCertificates": said({"CertificateSummaryList": []}),
            }
        )
    )
    found = checks("--stack-file", stack)["acm-certificates"]
    assert (found["state"], found["told"]) == (
        "problem",
        "ACM certificates in us-east-1: 0 there, 2 more for this stack, 1 allowed (the account's quota)",
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("InvalidClientTokenId", "AWS does not take these credentials: InvalidClientTokenId: no such key"),
        ("ExpiredToken", "AWS does not take these credentials: ExpiredToken: no such key"),
    ],
)
def test_credentials_that_aws_does_not_take(accounts: Accounts, stack: Path, code: str, told: str) -> None:
    accounts(AwsStandIn(answers={"GetCallerIdentity": lambda _: refused(False, code, "no such key")}))
    found = checks("--stack-file", stack)
    assert (found["aws-identity"]["state"], found["aws-identity"]["told"]) == ("problem", told)
    assert found["zone"]["state"] == "ok"  # Cloudflare was asked all the same
    assert "aws-permissions" not in found


def test_the_session_token_in_an_answer_is_not_repeated(
    accounts: Accounts, stack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS repeats the signed request, headers and all, when the signature is wrong."""
    message = "The signature does not match.\n\nThe Canonical String should have been\n'x-amz-security-token:s3ss10n"
    accounts(AwsStandIn(answers={"GetCallerIdentity": lambda _: refused(False, "SignatureDoesNotMatch", message)}))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "s3ss10n")
    done = run("--stack-file", stack)
    assert "SignatureDoesNotMatch: The signature does not" in done.stdout
    assert "s3ss10n" not in done.output


def test_without_any_login(accounts: Accounts, stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.delenv(name)
    found = checks("--stack-file", stack)
    assert found["aws-identity"]["told"] == "no login at AWS: Unable to locate credentials"
    assert (found["cloudflare-token"]["state"], found["zone"]["state"]) == ("problem", "not asked")


def test_caa_and_specs(accounts: Accounts, stack: Path) -> None:
    """The set of the nearest name above counts; a domain without a policy has no certificate."""
    accounts()
    done = run("--stack-file", stack)
    assert "problem    caa mta-sts.shop.fabrikam.example: the CAA record at fabrikam.example\n" in done.stdout
    assert "ok         caa 1 policy host: Amazon may issue the certificate\n" in done.stdout
    assert "reports-only" not in done.stdout
    assert done.exit_code == 1


def delegated_to(server: str, address: str) -> str:
    return DNS.replace("NS ada.ns.cloudflare.com.", f"NS {server}") + f"{server} 60 A {address}\n"


def test_a_zone_that_nobody_asks(accounts: Accounts, stack: Path) -> None:
    accounts(zone=delegated_to("ns1.old-host.example.", "192.0.2.7"))
    found = checks("--stack-file", stack)["delegation"]
    assert found["state"] == "problem"
    assert found["told"].startswith(
        "the internet asks ns1.old-host.example, and the zone that we write to is served by"
    )


def test_servers_of_other_names_and_the_same_addresses(accounts: Accounts, stack: Path) -> None:
    accounts(zone=delegated_to("ns1.contoso.example.", "127.0.0.1"))
    assert "the same servers" in checks("--stack-file", stack)["delegation"]["told"]


@pytest.mark.parametrize(
    ("api", "told"),
    [
        (lambda _: refusal(403, 9109, f"Invalid access token {TOKEN}"), "does not take the token: 9109 Invalid access"),
        (lambda _: Answer(500, [b"<html>"]), "status 500, is not Cloudflare's JSON"),
        (lambda _: Answer(302, [], {"Location": "https://evil.example/"}), "a redirect, which is not followed"),
    ],
)
def test_a_cloudflare_that_is_broken(accounts: Accounts, stack: Path, api: Api, told: str) -> None:
    accounts(api=api)
    found = checks("--stack-file", stack)
    assert told in found["cloudflare-token"]["told"]
    assert found["zone"]["state"] == "not asked"


def test_an_aws_that_is_something_else(
    accounts: Accounts, stack: Path, served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts()
    monkeypatch.setenv("AWS_ENDPOINT_URL", served(lambda _: Answer(200, [b"<html>Welcome</html>"])).url)
    done = run("--stack-file", stack)
    assert "not asked  aws-identity" in done.stdout


def test_without_a_stack_file(accounts: Accounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts()
    monkeypatch.chdir(tmp_path)
    found = checks("--region", "eu-west-1", "--zone", "contoso.example=cloudflare")
    assert found["zone"]["state"] == "ok"
    assert (found["aws-permissions"]["state"], found["aws-permissions"]["do"]) == (
        "not asked",
        "name docs/iam of the repository: --iam",
    )
    assert "ses-rule-set" not in found


def test_markdown_is_one_table(accounts: Accounts, stack: Path) -> None:
    accounts()
    done = run("--stack-file", stack, "--format", "markdown")
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--stack-file, or at least --region"),
        (("--stack-file", "nosuch.yaml"), "nosuch.yaml: cannot be read: No such file"),
        (("--region", "Ireland"), '"Ireland" is not a region'),
        (("--region", "eu-west-1", "--zone", "contoso.example"), "write NAME=cloudflare or NAME=route53"),
        (("--region", "eu-west-1", "--zone", "a.example=route53", "--zone", "a.example=cloudflare"), "twice"),
        (("--region", "eu-west-1", "--reports", "r.example", "--rule-set", "mine"), '"mine" is none of own'),
        (("--region", "eu-west-1", "--resolver", "dns.example"), "'dns.example' is not an address"),
    ],
)
def test_what_was_typed_wrong(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_a_fault_in_the_stack_file_has_its_line(stack: Path) -> None:
    stack.write_text(STACK.replace("cloudflare", "godaddy"))
    done = run("--stack-file", stack)
    assert done.exit_code == 2
    assert f'{stack.as_posix()}:5: mailtls:zones[0].provider: "godaddy" is not one' in done.stderr


def test_specs_that_cannot_be_used_are_a_problem_of_their_own(accounts: Accounts, stack: Path) -> None:
    accounts()
    (stack.parent.parent / "policy_specs/production/all.yaml").write_text("policy_domain: contoso\n")
    found = checks("--stack-file", stack)
    assert found["specs"]["state"] == "problem"
    assert "all.yaml:1" in found["specs"]["told"]


def test_a_policy_document_that_is_none(accounts: Accounts, stack: Path, tmp_path: Path) -> None:
    accounts()
    folder = tmp_path / "iam"
    folder.mkdir()
    for name in ("platform-pipeline.json", "platform-mail.json", "domains.json"):
        (folder / name).write_text("{}")
    done = run("--stack-file", stack, "--iam", folder)
    assert (done.exit_code, done.stderr) == (
        2,
        "mailtls: platform-pipeline.json: not an IAM policy in JSON; take the file from docs/iam again\n",
    )


def test_without_boto3_the_extra_is_named(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    done = run("--stack-file", stack)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == ("mailtls: AWS is asked through boto3, which is not installed: pip install 'mailtls[aws]'\n")
