"""The program as the engine runs it, on strict mocks: what each kind of stack holds, and what stops it."""

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from strict_mocks import ProviderFailed, Recording, run

from components.look_up import LookUpFailed
from components.report_intake import NoRoute
from mailtls.tls_rpt.contract import parse_domain_list
from stacks.lambda_archive import lambda_archive, lambda_files
from stacks.settings import REPOSITORY

PROGRAM = str(REPOSITORY / "stacks" / "__main__.py")
ENFORCE = "policy_domain: {}\nmta_sts: {{mode: enforce, mx: [mx1.mailhost.example]}}\n"
REPORTS_ONLY = "policy_domain: {}\n"
RETIRING = "policy_domain: {}\nmta_sts: {{mode: none}}\n"
STACK_OUTPUTS = "pulumi:pulumi:readStackOutputs"
ACTIVE_RULE_SET = "aws:ses/getActiveReceiptRuleSet:getActiveReceiptRuleSet"
PLATFORM_OUTPUTS = {
    "policy_bucket": "policies",
    "policy_bucket_regional_domain_name": "policies.s3.eu-west-1.amazonaws.com",
    "reports_bucket": "reports",
    "rua": "mailto:tlsrpt@reports.mailhost.example",
    "topic_arn": "arn:aws:sns:eu-west-1:123456789012:alerts",
    "queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/reports",
    "dead_letter_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
    "function_name": "reports",
    "rule_set_name": "reports",
}


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    (tmp_path / "contoso.yaml").write_text(ENFORCE.format("contoso.example"))
    (tmp_path / "wingtip.yaml").write_text(REPORTS_ONLY.format("wingtip.example"))
    (tmp_path / "old.yaml").write_text(RETIRING.format("old.contoso.example"))
    return tmp_path


def deploy(
    specs: Path,
    *,
    active_rule_set: str | None = None,
    platform_outputs: dict[str, str] = PLATFORM_OUTPUTS,
    **changes: Any,
) -> Recording:
    """active_rule_set: the one that AWS says is active; None: AWS fails, as it does when none is.
    platform_outputs: of the other stack that kind domains refers to.
    """
    settings = {
        "kind": "all",
        "policy_specs": str(specs),
        "zones": [
            {"suffix": name, "provider": "route53", "zone_id": f"Z{name[:1].upper()}"}
            for name in ("contoso.example", "wingtip.example", "mailhost.example")
        ],
        "reports": {"domain": "reports.mailhost.example", "rule_set": "own", "activate": True},
        "subscriptions": [{"protocol": "https", "endpoint": "https://alerts.mailhost.example/mailtls"}],
        "gate": {"standing_look": False},
        **changes,
    }
    config = {
        f"mailtls:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in settings.items()
        if value is not None
    }
    exported: dict[str, Any] = {}

    def program() -> pulumi.Output[dict[str, Any]]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulumi, "export", exported.__setitem__)
            runpy.run_path(PROGRAM)
        return pulumi.Output.from_input(exported)

    def active(args: dict[str, Any]) -> dict[str, Any]:
        if active_rule_set is None:
            raise ProviderFailed("reading SES Active Receipt Rule Set: empty result")
        return {"id": args["region"], "arn": "", "ruleSetName": active_rule_set, "region": args["region"]}

    return run(
        program,
        config={"aws:region": "eu-west-1", **config},
        outputs={"pulumi:pulumi:StackReference": lambda name, _: {"name": name, "outputs": PLATFORM_OUTPUTS}},
        calls={ACTIVE_RULE_SET: active, STACK_OUTPUTS: lambda args: {**args, "outputs": platform_outputs}},
    )


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Types of all that a failing program asked for before it failed."""
    types: list[str] = []
    monkeypatch.setattr("strict_mocks._StrictMonitor._record", lambda _self, request: types.append(request.type))
    return types


def domains_of(recording: Recording) -> dict[str, bool]:
    return {resource.name: resource.protect for resource in recording.of("mailtls:index:PolicyDomain")}


def test_kind_all_holds_platform_and_domains(specs: Path) -> None:
    recording = deploy(specs)
    assert set(recording.result) == {*PLATFORM_OUTPUTS, "policy_ids", "policy_hosts"}
    assert recording.result["policy_hosts"] == {
        "contoso.example": "mta-sts.contoso.example",
        "old.contoso.example": "mta-sts.old.contoso.example",
    }
    assert set(recording.result["policy_ids"]) == {"contoso.example", "old.contoso.example"}
    assert recording.result["rua"] == "mailto:tlsrpt@reports.mailhost.example"


def test_only_domains_that_senders_hold_a_policy_of_are_protected(specs: Path) -> None:
    assert domains_of(deploy(specs)) == {
        "contoso.example": True,
        "old.contoso.example": False,
        "wingtip.example": False,
    }


def test_allow_destroy_lifts_protection(specs: Path) -> None:
    assert set(domains_of(deploy(specs, allow_destroy=True)).values()) == {False}


def test_reports_are_asked_for_when_the_way_in_and_the_domain_list_stand(specs: Path) -> None:
    recording = deploy(specs)
    (record,) = [
        entry
        for entry in recording.of("aws:route53/record:Record")
        if entry.inputs["name"] == "_smtp._tls.wingtip.example"
    ]
    for earlier in (
        recording.one("aws:ses/receiptRule:ReceiptRule"),
        recording.one("aws:ses/activeReceiptRuleSet:ActiveReceiptRuleSet"),
        recording.one("aws:ses/domainIdentityVerification:DomainIdentityVerification"),
        recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list"),
    ):
        assert recording.comes_after(record, earlier)


def test_the_lambda_is_told_which_domains_are_ours(specs: Path) -> None:
    listed = deploy(specs).one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list").inputs
    assert listed["key"] == "domains/test.json"
    own = {entry.policy_domain: (entry.mode, entry.mx, entry.spec) for entry in parse_domain_list(listed["content"])}
    assert own == {
        "contoso.example": ("enforce", ("mx1.mailhost.example",), f"{specs.name}/contoso.yaml"),
        "old.contoso.example": ("none", (), f"{specs.name}/old.yaml"),
        "wingtip.example": (None, (), f"{specs.name}/wingtip.yaml"),
    }


def test_alerts_name_the_file_to_edit_as_it_lies_in_the_repository() -> None:
    zones = ["contoso", "tailspin", "wingtip", "mailhost", "fabrikam", "northwind", "brands", "xn--bcher-kva"]
    recording = deploy(
        Path("policy_specs/sandbox"),
        zones=[{"suffix": f"{name}.example", "provider": "route53", "zone_id": "Z1"} for name in zones],
    )
    listed = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list").inputs["content"]
    for own in parse_domain_list(listed):
        assert own.spec is not None
        assert own.spec.startswith("policy_specs/sandbox/")
        assert (REPOSITORY / own.spec).is_file()


def test_each_chat_and_webhook_has_its_own_delivery(specs: Path, caplog: pytest.LogCaptureFixture) -> None:
    chats: list[dict[str, Any]] = [
        {"protocol": "slack", "secret": "/mailtls/slack"},
        {"protocol": "webhook", "endpoint": "https://a.example/b", "secret": "/mailtls/key", "severity": ["critical"]},
    ]
    with caplog.at_level("WARNING"):
        recording = deploy(specs, subscriptions=chats)
    forms = {
        one.inputs["description"].rpartition(" ")[2]
        for one in recording.of("aws:lambda/function:Function")
        if one.inputs["handler"] == "report_lambda.delivery.handler.handle"
    }
    assert forms == {"slack", "webhook"}
    assert "will reach nobody" not in caplog.text  # slack hears of everything
    above = deploy(specs, subscriptions=[{"protocol": "teams", "secret": "/mailtls/teams"}, *chats])
    assert {one.urn for one in recording.resources} <= {one.urn for one in above.resources}


def test_alerts_lead_where_the_settings_say(specs: Path) -> None:
    recording = deploy(specs, links={"dashboard": "https://tls.contoso.example/"})
    listed = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list").inputs["content"]
    assert {own.dashboard_url for own in parse_domain_list(listed)} == {"https://tls.contoso.example"}


def test_alerts_and_alarms_name_files_by_address_when_told_to(specs: Path) -> None:
    address = "https://git.contoso.example/mail/mailtls/blob/main"
    recording = deploy(specs, files_url=address)
    listed = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "domain-list").inputs["content"]
    assert {own.files_url for own in parse_domain_list(listed)} == {address}
    texts = [alarm.inputs["alarmDescription"] for alarm in recording.of("aws:cloudwatch/metricAlarm:MetricAlarm")]
    assert any(f" {address}/docs/" in text for text in texts)
    assert not any(" docs/" in text for text in texts)


@pytest.mark.parametrize("hours", [None, 26])
def test_a_dashboard_of_cloudwatch_is_made_when_asked_for(specs: Path, hours: int | None) -> None:
    kind = "aws:cloudwatch/dashboard:Dashboard"
    assert deploy(specs).of(kind) == []
    recording = deploy(specs, cloudwatch_dashboard=True, controller_hours=hours)
    page = recording.one(kind).inputs["dashboardBody"]
    names = [
        recording.one("aws:lambda/function:Function", "reports-function-function").inputs["name"],
        *(f"{queue}-0123456" for queue in ("reports-queue-queue", "reports-queue-dead-letters")),
    ]
    assert [name for name in names if f'"{name}"' not in page] == []
    assert ("ReconcileRuns" in page) == (hours is not None)


def test_kind_platform_holds_no_domain(specs: Path) -> None:
    recording = deploy(specs, kind="platform", policy_specs=None)
    assert set(recording.result) == set(PLATFORM_OUTPUTS)
    assert domains_of(recording) == {}


def test_kind_domains_uses_another_stacks_platform(specs: Path) -> None:
    recording = deploy(
        specs, kind="domains", platform="organization/mailtls/platform", reports=None, subscriptions=None
    )
    assert recording.of("mailtls:index:ReportPipeline") == recording.of("mailtls:index:PolicyStore") == []
    policy_object = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "contoso.example-policy")
    assert policy_object.inputs["bucket"] == "policies"
    (record,) = [
        entry
        for entry in recording.of("aws:route53/record:Record")
        if entry.inputs["name"] == "_smtp._tls.wingtip.example"
    ]
    assert record.inputs["records"] == ["v=TLSRPTv1; rua=mailto:tlsrpt@reports.mailhost.example;"]


def test_a_stack_that_is_no_platform_registers_nothing(specs: Path, registered: list[str]) -> None:
    other = {key: value for key, value in PLATFORM_OUTPUTS.items() if key not in ("rua", "topic_arn")}
    with pytest.raises(LookUpFailed) as failed:
        deploy(
            specs,
            kind="domains",
            platform="organization/mailtls/other",
            reports=None,
            subscriptions=None,
            platform_outputs=other,
        )
    assert str(failed.value).startswith(
        "mailtls:platform: the stack organization/mailtls/other has no output rua, topic_arn: "
    )
    assert registered == []


@pytest.mark.parametrize("reason", [None, "a trap for spam, takes no mail"])
def test_a_specs_reason_reaches_the_mx_gate(specs: Path, reason: str | None) -> None:
    silenced = f'suppress: {{mx-not-in-policy: "{reason}"}}\n' if reason else ""
    (specs / "contoso.yaml").write_text(ENFORCE.format("contoso.example") + silenced)
    recording = deploy(specs)
    (hook,) = recording.hooks_of(
        recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "contoso.example-policy"), "before_create"
    )
    assert hook.__self__.allowed == reason


def test_a_spec_with_addresses_of_its_own_waits_for_nothing_of_ours(specs: Path) -> None:
    (specs / "wingtip.yaml").write_text(
        "policy_domain: wingtip.example\ntls_rpt: {rua: ['mailto:tls@reports.example.org']}\n"
    )
    recording = deploy(specs)
    (record,) = [
        entry
        for entry in recording.of("aws:route53/record:Record")
        if entry.inputs["name"] == "_smtp._tls.wingtip.example"
    ]
    assert record.inputs["records"] == ["v=TLSRPTv1; rua=mailto:tls@reports.example.org;"]
    assert not recording.comes_after(record, recording.one("aws:ses/receiptRule:ReceiptRule"))


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        (
            "b.yaml",
            "policy_domain: b.contoso.example\nmta_sts: {mode: enfroce, mx: [mx1.b.example]}\n",
            r"b\.yaml:2:17: ",
        ),
        (
            "c.yaml",
            REPORTS_ONLY.format("fabrikam.example"),
            r"c\.yaml:1: zone-not-configured: fabrikam\.example lies in",
        ),
        ("d.yaml", ENFORCE.format("a" * 50 + ".contoso.example"), r"d\.yaml:1: policy-host-too-long: mta-sts\.a+"),
    ],
)
def test_a_broken_spec_registers_nothing(specs: Path, registered: list[str], file: str, text: str, fault: str) -> None:
    (specs / file).write_text(text)
    with pytest.raises(pulumi.RunError, match=fault):
        deploy(specs)
    assert registered == []


def join(name: str) -> dict[str, Any]:
    return {"domain": "reports.mailhost.example", "rule_set": f"join:{name}"}


@pytest.mark.parametrize(
    ("active", "fault"),
    [("other", "the active set in eu-west-1 is other"), (None, "no receipt rule set is active in eu-west-1")],
)
def test_a_rule_set_that_is_not_live_registers_nothing(
    specs: Path, registered: list[str], active: str | None, fault: str
) -> None:
    with pytest.raises(NoRoute, match=fault):
        deploy(specs, reports=join("company"), active_rule_set=active)
    assert registered == []


def test_a_rule_set_of_others_is_named_among_the_outputs(specs: Path) -> None:
    recording = deploy(specs, reports=join("company"), active_rule_set="company")
    assert recording.result["rule_set_name"] == "company"
    external = {"domain": "reports.mailhost.example", "rule_set": "external"}
    assert deploy(specs, reports=external, active_rule_set="theirs").result["rule_set_name"] == "theirs"


def test_a_hundred_and_one_domains_are_too_many(specs: Path) -> None:
    names = "".join(f"  d{number}.contoso.example: {{}}\n" for number in range(99))
    (specs / "many.yaml").write_text(f"policy_domains:\n{names}")
    with pytest.raises(pulumi.RunError, match="102 domains; a stack holds 100"):
        deploy(specs)


def test_a_wrong_setting_stops_the_program_with_its_name(specs: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"mailtls:kind: 'sandbox' is none of all, platform, domains"):
        deploy(specs, kind="sandbox")


def test_the_archive_is_what_the_manifest_names_and_nothing_else(tmp_path: Path) -> None:
    package = tmp_path / "report_lambda"
    (package / "__pycache__").mkdir(parents=True)
    for name in ("b.py", "a.py", "__pycache__/a.py", "notes.md"):
        (package / name).write_text("")
    (package / "MANIFEST").write_text("# a comment\n\nreport_lambda/*.py\nreport_lambda/**/*.py\n")
    assert lambda_files(tmp_path) == ("report_lambda/a.py", "report_lambda/b.py")
    (package / "MANIFEST").write_text("mailtls/names.py\n")
    with pytest.raises(ValueError, match=r"mailtls/names\.py names no file"):
        lambda_files(tmp_path)


def test_the_archive_holds_files_by_their_place_in_the_repository() -> None:
    archive = lambda_archive()
    assert {"mailtls/__init__.py", "report_lambda/__init__.py"} <= set(archive.assets)
    assert all(Path(asset.path).is_absolute() for asset in archive.assets.values())
