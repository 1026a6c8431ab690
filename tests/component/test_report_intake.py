"""The way in: who takes the mail, for whom, and in which order it comes to be."""

import pytest
from sample_pipeline import DOMAIN, deploy
from strict_mocks import ProviderFailed, assert_well_formed, run

from components.report_intake import NoRoute, RuleSet, RuleSetChoice, active_rule_set, live_rule_set

IDENTITY = "aws:ses/domainIdentity:DomainIdentity"
VERIFICATION = "aws:ses/domainIdentityVerification:DomainIdentityVerification"
RULE_SET = "aws:ses/receiptRuleSet:ReceiptRuleSet"
ACTIVE = "aws:ses/activeReceiptRuleSet:ActiveReceiptRuleSet"
RULE = "aws:ses/receiptRule:ReceiptRule"
RECORD = "aws:route53/record:Record"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"


@pytest.fixture(scope="module")
def own():
    return deploy()


@pytest.fixture(scope="module")
def joined():
    return deploy(rule_set="join:company", activate=False, active_rule_set="company")


def test_it_is_well_formed(own, joined):
    assert_well_formed(own)
    assert_well_formed(joined)


def test_the_rule_takes_mail_for_one_address_in_any_form_of_transport(own):
    rule = own.one(RULE).inputs
    assert rule["recipients"] == [f"tlsrpt@{DOMAIN}"]
    assert rule["enabled"] is True
    assert rule["scanEnabled"] is True
    assert rule["tlsPolicy"] == "Optional"
    assert rule["s3Actions"] == [
        {"bucketName": "reports-store-bucket-0123456", "objectKeyPrefix": "raw/", "position": 1}
    ]
    assert own.result["rua"] == f"mailto:tlsrpt@{DOMAIN}"


def test_records_go_through_the_zone(own):
    proof, mx = own.one(RECORD, "reports-intake-verification-txt"), own.one(RECORD, "reports-intake-mx")
    assert (proof.inputs["name"], proof.inputs["type"]) == (f"_amazonses.{DOMAIN}", "TXT")
    assert proof.inputs["records"] == ["dGhlIHZlcmlmaWNhdGlvbiB0b2tlbg"]
    assert (mx.inputs["name"], mx.inputs["type"]) == (DOMAIN, "MX")
    assert mx.inputs["records"] == ["10 inbound-smtp.eu-west-1.amazonaws.com"]


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ((RECORD, "reports-intake-verification-txt"), (IDENTITY, None)),
        ((VERIFICATION, None), (RECORD, "reports-intake-verification-txt")),
        ((RULE, None), (VERIFICATION, None)),
        ((RULE, None), (POLICY, None)),
        ((RULE, None), (NOTIFICATION, None)),
        ((NOTIFICATION, None), ("aws:sqs/queuePolicy:QueuePolicy", "reports-queue-policy")),
        ((ACTIVE, None), (RULE, None)),
        ((RECORD, "reports-intake-mx"), (ACTIVE, None)),
        ((RECORD, "reports-intake-mx"), (RULE, None)),
    ],
)
def test_order(own, later, earlier):
    assert own.comes_after(own.one(*later), own.one(*earlier))


def test_the_route_ends_in_the_mx_record(own):
    route = [own.by_urn(urn) for urn in own.result["route"]]
    assert [resource.type for resource in route] == [VERIFICATION, RULE, ACTIVE, RECORD]
    assert route[-1].name == "reports-intake-mx"


def test_our_own_set_is_made_active(own):
    assert own.one(ACTIVE).inputs["ruleSetName"] == own.one(RULE_SET).inputs["ruleSetName"] == "mailtls-test-reports"
    assert own.calls == []


def test_joining_adds_a_rule_and_nothing_else(joined):
    assert joined.of(RULE_SET) == joined.of(ACTIVE) == []
    assert joined.one(RULE).inputs["ruleSetName"] == "company"
    assert joined.one(RULE).inputs["name"] == "mailtls-test-reports"
    assert joined.comes_after(joined.one(RECORD, "reports-intake-mx"), joined.one(RULE))
    assert joined.result["rule_set_name"] == "company"


def test_external_leaves_ses_and_dns_alone():
    recording = deploy(rule_set="external", activate=False, active_rule_set="theirs")
    assert not [r for r in recording.resources if r.type.startswith("aws:ses/") or r.type == RECORD]
    assert recording.result["rule_set_name"] == "theirs"
    assert recording.result["route"] == []
    assert_well_formed(recording)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"rule_set": "own", "activate": False}, "own, but activate is false: .*every report would bounce"),
        ({"rule_set": "external", "activate": True}, "goes with rule_set: own only"),
        ({"rule_set": "join:company", "activate": True}, "goes with rule_set: own only"),
        (
            {"rule_set": "join:company", "activate": False, "active_rule_set": "other"},
            "the active set in eu-west-1 is other: .* write rule_set: join:other",
        ),
        ({"rule_set": "join:company", "activate": False}, "the set that is active in eu-west-1 was not looked up"),
        ({"rule_set": "external", "activate": False}, "the set that is active in eu-west-1 was not looked up"),
    ],
)
def test_no_route_to_a_live_rule_set_is_an_error(how, message):
    with pytest.raises(NoRoute, match=message):
        deploy(**how)


def test_a_route_that_cannot_be_live_is_known_in_the_preview():
    with pytest.raises(NoRoute):
        deploy(rule_set="join:company", activate=False, active_rule_set="other", preview=True)


@pytest.mark.parametrize(
    "how",
    [
        {"rule_set": "own", "activate": False},
        {"rule_set": "join:company", "activate": False, "active_rule_set": "other"},
        {"rule_set": "external", "activate": False},
    ],
)
def test_without_a_route_nothing_is_registered(monkeypatch, how):
    registered = []
    monkeypatch.setattr("strict_mocks._StrictMonitor._record", lambda _self, request: registered.append(request.type))
    with pytest.raises(NoRoute):
        deploy(**how)
    assert registered == []


def test_the_pipeline_asks_aws_nothing(joined):
    assert joined.calls == []


def look_up(choice, answer):
    """What the look-up finds, and the calls that it makes."""
    calls = {"aws:ses/getActiveReceiptRuleSet:getActiveReceiptRuleSet": answer}
    recording = run(lambda: active_rule_set(choice, "eu-west-1"), calls=calls)
    return recording.result, [args["region"] for _, args in recording.calls]


def company_is_active(args):
    return {"id": args["region"], "arn": "", "ruleSetName": "company", "region": args["region"]}


def test_the_look_up_finds_the_live_set_of_others():
    assert look_up(RuleSetChoice(RuleSet.EXTERNAL), company_is_active) == ("company", ["eu-west-1"])
    assert look_up(RuleSetChoice(RuleSet.JOIN, "company"), company_is_active) == ("company", ["eu-west-1"])
    with pytest.raises(NoRoute, match="the active set in eu-west-1 is company"):
        look_up(RuleSetChoice(RuleSet.JOIN, "other"), company_is_active)


def test_our_own_set_is_not_looked_for():
    assert look_up(RuleSetChoice(RuleSet.OWN), company_is_active) == (None, [])


def test_no_live_set_is_told_in_our_words_with_those_of_aws():
    def none_is_active(_args):
        raise ProviderFailed("reading SES Active Receipt Rule Set: empty result")

    with pytest.raises(NoRoute, match=r"no receipt rule set is active in eu-west-1.*\(AWS: .*empty result"):
        look_up(RuleSetChoice(RuleSet.EXTERNAL), none_is_active)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("own", RuleSetChoice(RuleSet.OWN)),
        ("join:company-wide", RuleSetChoice(RuleSet.JOIN, "company-wide")),
        ("external", RuleSetChoice(RuleSet.EXTERNAL)),
    ],
)
def test_reads_the_setting(text, choice):
    assert RuleSetChoice.parse(text) == choice


@pytest.mark.parametrize("text", ["", "join", "join:", "own:mine", "external:x", "Own"])
def test_refuses_another_setting(text):
    with pytest.raises(Exception, match=r"none of own, join:<name of the active rule set>, external"):
        RuleSetChoice.parse(text)


def test_the_live_set_is_the_one_to_join():
    assert live_rule_set(RuleSetChoice(RuleSet.JOIN, "company"), "company", "eu-west-1") == "company"
    assert live_rule_set(RuleSetChoice(RuleSet.OWN), None, "eu-west-1") is None


def test_warns_where_ses_is_not_known_to_receive(caplog):
    with caplog.at_level("WARNING"):
        deploy(region="eu-north-1")
    assert "eu-north-1: SES is not known to receive mail there" in caplog.text


def test_no_warning_where_it_is(caplog):
    with caplog.at_level("WARNING"):
        deploy()
    assert "SES is not known" not in caplog.text
