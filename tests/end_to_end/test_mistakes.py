"""A user's mistake under the real engine: a few plain lines with setting, cause and next step, and no traceback."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox import account
from sandbox.control import ask
from sandbox.deployment import Deployment, PulumiFailed
from sandbox.endpoints import Endpoints

pytestmark = pytest.mark.engine

SPEC = "policy_domain: wingtip.example\nmta_sts: {mode: testing, mx: [mx1.mailhost.example]}\nowner: mail-team\n"
ZONES = [{"suffix": "wingtip.example", "provider": "cloudflare"}, {"suffix": "mailhost.example", "provider": "route53"}]
DOMAINS: dict[str, Any] = {"kind": "domains", "reports": None, "subscriptions": None}
MISTAKES: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
    "a zone that Route 53 does not have": (
        {"zones": ZONES},
        {},
        ["mailtls:zones, suffix mailhost.example: Route 53 has no", "correct the suffix"],
    ),
    "a zone that Cloudflare does not have": (
        {
            "zones": [{"suffix": name, "provider": "cloudflare"} for name in ("wingtip.example", "northwind.example")],
            "reports": {"domain": "reports.northwind.example", "rule_set": "own", "activate": True},
        },
        {},
        ["mailtls:zones, suffix northwind.example: Cloudflare shows no such zone", "correct the suffix"],
    ),
    "a wrong token": ({}, {"CLOUDFLARE_API_TOKEN": "wrong"}, ["CLOUDFLARE_API_TOKEN: ", "set a token with"]),
    "no token": ({}, {"CLOUDFLARE_API_TOKEN": ""}, ["CLOUDFLARE_API_TOKEN: ", "set a token with"]),
    "no credentials": (
        {},
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        ["AWS_PROFILE", "aws sts get-caller-identity"],
    ),
    "another rule set is active": (
        {"reports": {"domain": "reports.mailhost.example", "rule_set": "join:company"}},
        {},
        ["reports.rule_set: join", "no receipt rule set is active in eu-west-1", "activate the set there"],
    ),
    "a platform that does not exist": (
        {**DOMAINS, "platform": "organization/mailtls/nowhere"},
        {},
        ["mailtls:platform: the stack organization/mailtls/nowhere", "pulumi stack ls"],
    ),
}


def test_what_is_asked_before_the_first_resource_fails_in_plain_words(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    (specs / "one.yaml").write_text(SPEC)
    for number, (what, (settings, environment, told)) in enumerate(MISTAKES.items()):
        own = stack(f"test-mistake-{number}", **settings)
        said = failed(replace(own, env={**own.env, **environment}))
        assert all(text in said for text in told), f"{what}: {said}"
        assert said.partition("Diagnostics:")[2].count("error:") == 1, f"{what}: {said}"
    assert ask(endpoints.control, "GET", "/leftovers") == []


def test_a_stack_that_is_no_platform_is_told(stack: Callable[..., Deployment], specs: Path) -> None:
    (specs / "one.yaml").write_text(SPEC)
    stack("test-no-platform")
    own = stack("test-of-no-platform", **DOMAINS, platform="organization/mailtls/test-no-platform")
    said = failed(own)
    assert "mailtls:platform: the stack organization/mailtls/test-no-platform" in said


def test_a_resource_that_cannot_be_made_stops_only_what_needs_it(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    """A rule set of our name is there: no rule, no MX, and nobody asks for reports; but the policy is published."""
    (specs / "one.yaml").write_text(SPEC)
    own = stack("test-no-create")
    ses = account.client("ses", endpoints.aws)
    ses.create_receipt_rule_set(RuleSetName="mailtls-test-no-create-reports")
    said = failed(own)
    assert "receipt rule set mailtls-test-no-create-reports exists already" in said
    assert "resources were not deployed, because of reports-intake-rule-set" in said
    assert 'run "pulumi up --refresh --continue-on-error --parallel 64" again' in said
    there = ask(endpoints.control, "GET", "/leftovers")
    assert any("_mta-sts.wingtip.example" in thing for thing in there), there
    assert not any("_smtp._tls.wingtip.example" in thing for thing in there), there
    ses.delete_receipt_rule_set(RuleSetName="mailtls-test-no-create-reports")
    own.up()


def failed(own: Deployment) -> str:
    """What a run says that must fail, without a traceback."""
    with pytest.raises(PulumiFailed) as caught:
        own.up()
    assert "Traceback" not in caught.value.output
    assert 'File "' not in caught.value.output
    return caught.value.output
