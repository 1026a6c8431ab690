"""Every question before the first resource: what goes wrong is told with setting, cause and next step, and nothing is
registered."""

from collections.abc import Callable
from typing import Any

import aws_words
import pulumi
import pytest
from strict_mocks import ProviderFailed, run

from components.dns_zones.zones import DnsZones, Provider, ZoneSetting
from components.look_up import LONGEST, LookUpFailed, NotLetIn, account_id, provider_words
from components.report_intake import NoRoute, RuleSetChoice, active_rule_set

CLOUDFLARE_ZONE = "cloudflare:index/getZone:getZone"
ROUTE53_ZONE = "aws:route53/getZone:getZone"
IDENTITY = "aws:index/getCallerIdentity:getCallerIdentity"
RULE_SET = "aws:ses/getActiveReceiptRuleSet:getActiveReceiptRuleSet"


def zone(provider: Provider) -> Callable[[], None]:
    return lambda: DnsZones((ZoneSetting("contoso.example", provider),)).find(["mail.contoso.example"])


QUESTIONS = {
    CLOUDFLARE_ZONE: zone(Provider.CLOUDFLARE),
    ROUTE53_ZONE: zone(Provider.ROUTE53),
    IDENTITY: lambda: account_id() and None,
    RULE_SET: lambda: active_rule_set(RuleSetChoice.parse("external"), "eu-west-1") and None,
}


def failed(question: str, words: str) -> pulumi.RunError:
    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise ProviderFailed(f"invocation of {question} returned an error: {words}")

    with pytest.raises(pulumi.RunError) as caught:
        run(QUESTIONS[question], calls={question: refuse})
    return caught.value


@pytest.mark.parametrize("question", [ROUTE53_ZONE, IDENTITY, RULE_SET])
@pytest.mark.parametrize("words", aws_words.NO_CREDENTIALS)
def test_no_credentials_for_aws(question: str, words: str) -> None:
    error = failed(question, words)
    assert isinstance(error, NotLetIn)
    assert "AWS_PROFILE" in str(error)
    assert "aws sts get-caller-identity" in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("question", [ROUTE53_ZONE, IDENTITY, RULE_SET])
def test_no_permission_at_aws(question: str) -> None:
    error = failed(question, aws_words.NO_PERMISSION)
    assert isinstance(error, NotLetIn)
    assert "is not authorized to perform" in str(error)
    assert 'docs/first-real-deployment.md, "Permissions"' in str(error)


@pytest.mark.parametrize(
    "words",
    [
        "GET /zones: 403: Invalid access token (9109)",
        'failed to make http request: GET "https://api.cloudflare.com/client/v4/zones": 401 Unauthorized',
        '403 Forbidden {"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}',
        "no Cloudflare credentials: set CLOUDFLARE_API_TOKEN or cloudflare:apiToken",
    ],
)
def test_a_token_that_cloudflare_does_not_take(words: str) -> None:
    error = failed(CLOUDFLARE_ZONE, words)
    assert isinstance(error, NotLetIn)
    assert str(error).startswith("CLOUDFLARE_API_TOKEN: ")
    assert "Zone > Zone > Read" in str(error)


@pytest.mark.parametrize(
    ("question", "words", "next_step"),
    [
        (CLOUDFLARE_ZONE, "failed to find exactly one result", "write its zone_id"),
        (ROUTE53_ZONE, "no matching Route 53 Hosted Zone found", "write its zone_id"),
    ],
)
def test_a_zone_that_is_not_there(question: str, words: str, next_step: str) -> None:
    error = failed(question, words)
    assert not isinstance(error, NotLetIn)
    assert str(error).startswith("mailtls:zones, suffix contoso.example: ")
    assert words in str(error)
    assert next_step in str(error)


def test_no_rule_set_is_active() -> None:
    error = failed(RULE_SET, "reading SES Active Receipt Rule Set: empty result")
    assert isinstance(error, NoRoute)
    assert "activate the set there" in str(error)


def test_all_zones_that_are_missing_are_told_at_once() -> None:
    zones = DnsZones(tuple(ZoneSetting(f"{name}.example", Provider.ROUTE53) for name in ("one", "two")))

    def refuse(_: dict[str, Any]) -> dict[str, Any]:
        raise ProviderFailed("no matching Route 53 Hosted Zone found")

    with pytest.raises(LookUpFailed) as caught:
        run(lambda: zones.find(["mail.one.example", "one.example", "two.example"]), calls={ROUTE53_ZONE: refuse})
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == [
        "zones, suffix one.example",
        "zones, suffix two.example",
    ]


def test_what_a_provider_says_is_one_line_of_bounded_length() -> None:
    said = provider_words("invoke of a:b/c:d failed: invocation of a:b/c:d returned an error: first\n  second\n")
    assert said == "first second"
    assert len(provider_words("x" * 10_000)) == LONGEST
