"""What an account's answers mean for the first deployment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mailtls.preflight.caa import why_amazon_is_forbidden
from mailtls.preflight.check import Check, State
from mailtls.preflight.judge import exit_code, judge
from mailtls.preflight.seen import (
    Caa,
    Certificates,
    Delegation,
    Distributions,
    Identity,
    Limits,
    NotAsked,
    NotReceiving,
    NoZone,
    Permissions,
    Published,
    Refused,
    RuleSets,
    Seen,
    SeveralZones,
    StateBucket,
    SubscriptionSeen,
    TokenSeen,
    ZoneSeen,
)
from mailtls.preflight.wanted import Kind, Provider, ReportsWanted, Wanted, ZoneWanted

ARN = "arn:aws:sts::123456789012:assumed-role/deployer/ci"
SERVERS = ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")
AT_CLOUDFLARE = ZoneSeen("f00d", SERVERS, "active", permissions=("#dns_records:edit", "#zone:read"))

WANTED = Wanted(
    kind=Kind.ALL,
    region="eu-west-1",
    zones=(ZoneWanted("contoso.example", Provider.CLOUDFLARE), ZoneWanted("fabrikam.example", Provider.ROUTE53)),
    reports=ReportsWanted("reports.contoso.example", "own", activate=True),
    policy_domains=("contoso.example", "fabrikam.example"),
)
GOOD = Seen(
    identity=Identity("123456789012", ARN),
    permissions=Permissions(160, (), ("domains.json",)),
    limits=Limits({"distributions": 200}),
    distributions=Distributions(3, frozenset({"www.contoso.example"}), 1),
    certificates=Certificates(3, 2, frozenset()),
    rule_sets=RuleSets(0, None),
    receiving_host=True,
    subscriptions=(),
    token=TokenSeen("active"),
    zones={
        "contoso.example": AT_CLOUDFLARE,
        "fabrikam.example": ZoneSeen("Z1", ("ns-1.awsdns-1.com", "ns-2.awsdns-2.net")),
    },
    delegations={
        "contoso.example": Delegation(SERVERS),
        "fabrikam.example": Delegation(("NS-1.awsdns-1.com.", "ns-2.awsdns-2.net")),
    },
    caa={"mta-sts.contoso.example": Caa("", ()), "mta-sts.fabrikam.example": Caa("", ())},
    published={"contoso.example": Published(False, False, False), "fabrikam.example": Published(False, False, False)},
    state_bucket=StateBucket("contoso-state", True, True),
)


def checked(check: str, wanted: Wanted = WANTED, **changes: Any) -> list[Check]:
    """The outcomes of one check, when the account differs from a good one in `changes`."""
    return [one for one in judge(wanted, replace(GOOD, **changes)) if one.id == check]


def only(check: str, wanted: Wanted = WANTED, **changes: Any) -> Check:
    (found,) = checked(check, wanted, **changes)
    return found


def test_an_account_that_is_ready() -> None:
    checks = judge(WANTED, GOOD)
    assert {check.state for check in checks} == {State.OK}
    assert [check.id for check in checks] == [
        "aws-identity",
        "aws-permissions",
        "state-bucket",
        "cloudfront-distributions",
        "cloudfront-access-controls",
        "acm-certificates",
        "acm-certificates-a-year",
        "ses-receiving-region",
        "ses-rule-set",
        "alert-subscriptions",
        "cloudflare-token",
        *("zone", "delegation") * 2,
        "caa",
        "old-records",
    ]
    assert exit_code(checks) == 0


def test_a_problem_ends_with_one_and_an_account_out_of_reach_with_two() -> None:
    nothing = NotAsked("timed out")
    assert exit_code(judge(WANTED, replace(GOOD, identity=nothing))) == 2
    assert exit_code(judge(WANTED, replace(GOOD, token=nothing))) == 2
    assert exit_code(judge(WANTED, replace(GOOD, identity=Refused("no login")))) == 1
    assert exit_code(judge(WANTED, replace(GOOD, identity=nothing, zones={"contoso.example": NoZone()}))) == 1
    assert exit_code(judge(WANTED, replace(GOOD, limits=nothing, permissions=nothing))) == 0


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("aws-identity", {"identity": NotAsked("x")}),
        ("aws-permissions", {"permissions": NotAsked("x")}),
        ("state-bucket", {"state_bucket": NotAsked("x")}),
        ("cloudfront-distributions", {"distributions": NotAsked("x")}),
        ("cloudfront-access-controls", {"distributions": Distributions(0, frozenset(), NotAsked("x"))}),
        ("acm-certificates", {"certificates": NotAsked("x")}),
        ("ses-rule-set", {"rule_sets": NotAsked("x")}),
        ("alert-subscriptions", {"subscriptions": NotAsked("x")}),
        ("cloudflare-token", {"token": NotAsked("x")}),
        ("zone", {"zones": {"contoso.example": NotAsked("x")}}),
        ("delegation", {"delegations": {"contoso.example": NotAsked("x"), "fabrikam.example": NotAsked("x")}}),
        ("delegation", {"delegations": {}}),
        ("caa", {"caa": {"mta-sts.contoso.example": NotAsked("x")}}),
        ("old-records", {"published": {"contoso.example": NotAsked("x")}}),
    ],
)
def test_what_could_not_be_asked_is_never_taken_for_well(check: str, changes: Mapping[str, Any]) -> None:
    assert {one.state for one in checked(check, **changes)} == {State.NOT_ASKED}


def test_the_right_that_is_missing_is_told() -> None:
    missing = NotAsked("AWS does not let this identity ask", "allow it sns:ListSubscriptions")
    assert only("alert-subscriptions", subscriptions=missing).do == "allow it sns:ListSubscriptions"


def test_the_root_user_is_told_to_be_one() -> None:
    found = only("aws-identity", identity=Identity("123456789012", "arn:aws:iam::123456789012:root"))
    assert found.state is State.OK
    assert "role of its own" in found.do


def test_denied_actions_are_listed_and_cut() -> None:
    denied = tuple(f"s3:Action{number} on *" for number in range(20))
    found = only("aws-permissions", permissions=Permissions(160, denied, ("domains.json",)))
    assert found.state is State.PROBLEM
    assert found.told.startswith("20 of 160 are denied: s3:Action0 on *, ")
    assert found.told.endswith("and 12 more")


@pytest.mark.parametrize(
    ("used", "limit", "state"), [(198, 200, State.OK), (199, 200, State.PROBLEM), (499, None, State.PROBLEM)]
)
def test_room_for_the_distributions_that_are_to_come(used: int, limit: int | None, state: State) -> None:
    limits = Limits({} if limit is None else {"distributions": limit})
    found = only("cloudfront-distributions", limits=limits, distributions=Distributions(used, frozenset(), 1))
    assert found.state is state
    assert ("AWS's default" in found.told) is (limit is None)


def test_what_is_deployed_already_needs_no_room() -> None:
    hosts = frozenset({"mta-sts.contoso.example", "mta-sts.fabrikam.example"})
    full = {"distributions": Distributions(200, hosts, 100), "certificates": Certificates(2500, 5000, hosts)}
    assert {only(check, **full).state for check in ("cloudfront-distributions", "cloudfront-access-controls")} == {
        State.OK
    }
    assert {only(check, **full).state for check in ("acm-certificates", "acm-certificates-a-year")} == {State.OK}
    assert only("acm-certificates", certificates=Certificates(2499, 0, frozenset())).state is State.PROBLEM


def test_more_domains_than_a_stack_holds() -> None:
    many = replace(WANTED, policy_domains=tuple(f"d{number}.example" for number in range(101)))
    assert only("stack-size", many).state is State.PROBLEM


@pytest.mark.parametrize(
    ("seen", "state", "told"),
    [
        (RuleSets(0, None), State.OK, "none"),
        (RuleSets(2, "legacy", ("a", "b"), ("sales@contoso.example",)), State.PROBLEM, "sales@contoso.example"),
        (RuleSets(1, "mailtls-production-reports", ("one",)), State.OK, "made by mailtls"),
        (RuleSets(40, None), State.PROBLEM, "40"),
    ],
)
def test_whether_our_own_rule_set_silences_another(seen: RuleSets, state: State, told: str) -> None:
    found = only("ses-rule-set", rule_sets=seen)
    assert found.state is state
    assert told in found.told
    if seen.active == "legacy":
        assert "rule_set: join:legacy" in found.do


@pytest.mark.parametrize(
    ("rule_set", "active", "state"),
    [
        ("join:legacy", "legacy", State.OK),
        ("join:legacy", "newer", State.PROBLEM),
        ("join:legacy", None, State.PROBLEM),
        ("own", None, State.PROBLEM),
        ("external", "legacy", State.OK),
    ],
)
def test_the_route_has_to_be_live(rule_set: str, active: str | None, state: State) -> None:
    """Without `activate`: our own set would not be read, and a joined one has to be the active one."""
    wanted = replace(WANTED, reports=ReportsWanted("reports.contoso.example", rule_set))
    assert only("ses-rule-set", wanted, rule_sets=RuleSets(1, active)).state is state


def test_a_set_without_room_for_a_rule() -> None:
    wanted = replace(WANTED, reports=ReportsWanted("reports.contoso.example", "join:legacy"))
    full = RuleSets(1, "legacy", tuple(f"r{number}" for number in range(200)))
    assert only("ses-rule-set", wanted, rule_sets=full).state is State.PROBLEM


@pytest.mark.parametrize(
    ("region", "host", "rule_sets", "state"),
    [
        ("eu-north-1", True, RuleSets(0, None), State.OK),
        ("eu-north-1", False, RuleSets(0, None), State.PROBLEM),
        ("eu-north-1", NotAsked("x"), RuleSets(0, None), State.NOT_ASKED),
        ("eu-west-1", NotAsked("x"), RuleSets(0, None), State.OK),
        ("eu-west-1", True, NotReceiving("Unavailable Operation"), State.PROBLEM),
    ],
)
def test_the_region_receives(region: str, host: Any, rule_sets: Any, state: State) -> None:
    wanted = replace(WANTED, region=region)
    assert only("ses-receiving-region", wanted, receiving_host=host, rule_sets=rule_sets).state is state


def test_each_unconfirmed_subscription_is_a_problem() -> None:
    seen = (
        SubscriptionSeen("reports-alerts-topic", "email", "mail-team@contoso.example", False),
        SubscriptionSeen("reports-alerts-topic", "https", "https://alerts.contoso.example/hook", True),
    )
    (found,) = checked("alert-subscriptions", subscriptions=seen)
    assert found.state is State.PROBLEM
    assert "mail-team@contoso.example" in found.told
    assert "link in the mail" in found.do


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (TokenSeen("active", "2027-01-01T00:00:00Z"), State.OK),
        (TokenSeen("expired"), State.PROBLEM),
        (
            Refused("Cloudflare does not take the token: 1000 Invalid API Token"),
            State.OK,
        ),  # it reads zones all the same
    ],
)
def test_the_token(seen: Any, state: State) -> None:
    assert only("cloudflare-token", token=seen).state is state


def test_a_token_that_opens_nothing() -> None:
    found = only("cloudflare-token", token=Refused("CLOUDFLARE_API_TOKEN is not set"), zones={})
    assert (found.state, found.told) == (State.PROBLEM, "CLOUDFLARE_API_TOKEN is not set")


@pytest.mark.parametrize(
    ("seen", "state", "told"),
    [
        (NoZone(), State.PROBLEM, "no such zone"),
        (replace(AT_CLOUDFLARE, status="pending"), State.PROBLEM, "pending"),
        (replace(AT_CLOUDFLARE, kind="partial"), State.PROBLEM, "partial"),
        (replace(AT_CLOUDFLARE, permissions=("#zone:read",)), State.PROBLEM, "may not edit"),
        (replace(AT_CLOUDFLARE, permissions=None), State.NOT_ASKED, "does not say"),
    ],
)
def test_a_zone_at_cloudflare(seen: Any, state: State, told: str) -> None:
    found = checked("zone", zones={**GOOD.zones, "contoso.example": seen})[0]
    assert found.state is state
    assert told in found.told


@pytest.mark.parametrize(
    "seen", [NoZone(), SeveralZones(("Z1", "Z2")), replace(GOOD.zones["fabrikam.example"], private=True)]
)
def test_a_zone_at_route_53(seen: Any) -> None:
    assert checked("zone", zones={**GOOD.zones, "fabrikam.example": seen})[1].state is State.PROBLEM


@pytest.mark.parametrize(
    ("asked", "state", "told"),
    [
        (Delegation(SERVERS[:1]), State.OK, "as it should"),
        (Delegation(("ns1.old-host.example",)), State.PROBLEM, "nobody would see"),
        (Delegation((SERVERS[0], "ns1.old-host.example")), State.PROBLEM, "some senders would"),
        (Delegation(()), State.PROBLEM, "not delegated"),
        (
            Delegation(("ns1.contoso.example",), frozenset({"192.0.2.1"}), frozenset({"192.0.2.1", "192.0.2.2"})),
            State.OK,
            "the same servers",
        ),
        (
            Delegation(("ns1.contoso.example",), frozenset({"192.0.2.9"}), frozenset({"192.0.2.1"})),
            State.PROBLEM,
            "nobody would see",
        ),
    ],
)
def test_the_zone_that_we_write_to_is_the_one_that_is_asked(asked: Delegation, state: State, told: str) -> None:
    found = checked("delegation", delegations={**GOOD.delegations, "contoso.example": asked})[0]
    assert found.state is state
    assert told in found.told


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((), ""),
        (('0 issue "amazon.com"',), ""),
        (('0 issue "letsencrypt.org"', '0 issue "amazontrust.com; account=1"'), ""),
        (('0 ISSUE "Amazon.com"',), ""),
        (('0 issuewild "letsencrypt.org"',), ""),
        (('0 iodef "mailto:security@contoso.example"',), ""),
        (('0 issue "letsencrypt.org"', '0 issue "digicert.com"'), "it lets only digicert.com, letsencrypt.org issue"),
        (('0 issue ";"',), "it lets nobody issue"),
        (('0 issue "amazon.com.evil.test"',), "it lets only amazon.com.evil.test issue"),
        (('128 tbs "unknown"', '0 issue "amazon.com"'), "its critical property tbs is one that no authority knows"),
    ],
)
def test_caa(values: tuple[str, ...], why: str) -> None:
    """RFC 8659 sections 4.1 and 4.2."""
    assert why_amazon_is_forbidden(values) == why
    found = checked("caa", caa={**GOOD.caa, "mta-sts.contoso.example": Caa("contoso.example", values)})
    assert [check.state for check in found] == ([State.PROBLEM, State.OK] if why else [State.OK])


def test_a_state_bucket() -> None:
    assert only("state-bucket", state_bucket=StateBucket("s", False, why="404: Not Found")).state is State.PROBLEM
    assert only("state-bucket", state_bucket=StateBucket("s", True, False)).state is State.PROBLEM


def test_a_stack_of_domains_alone_asks_nothing_of_a_platform() -> None:
    wanted = replace(WANTED, kind=Kind.DOMAINS, reports=None)
    found = {check.id for check in judge(wanted, GOOD)}
    assert not found & {"ses-rule-set", "ses-receiving-region", "alert-subscriptions"}


def test_specs_that_cannot_be_read_are_a_problem() -> None:
    assert only("specs", replace(WANTED, specs="policy_specs", specs_fault="no spec in here")).state is State.PROBLEM


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Published(True, False, False), "_mta-sts.contoso.example is there: of a former host"),
        (
            Published(False, True, True),
            "_smtp._tls.contoso.example, mta-sts.contoso.example are there: of a former",
        ),
    ],
)
def test_records_of_a_former_host_are_in_the_way_and_our_own_are_not(found: Published, told: str) -> None:
    seen = {"published": {**GOOD.published, "contoso.example": found}}
    old, rest = checked("old-records", **seen)
    assert (old.subject, old.state, rest.state) == ("contoso.example", State.PROBLEM, State.OK)
    assert old.told.startswith(told)
    ours = Distributions(1, frozenset({"mta-sts.contoso.example"}), 1)
    assert only("old-records", **seen, distributions=ours).subject == "2 domains"
    unknown, _ = checked("old-records", **seen, distributions=NotAsked("x"))
    assert unknown.state is State.NOT_ASKED


def test_names_in_no_zone_of_the_stack() -> None:
    wanted = replace(WANTED, zones=WANTED.zones[1:], policy_domains=("shop.fabrikam.example", "contoso.example"))
    found = checked("zone-not-configured", wanted)
    assert [check.subject for check in found] == ["contoso.example", "reports.contoso.example"]
    outside = replace(wanted, reports=ReportsWanted("reports.contoso.example", "external"), policy_domains=())
    assert checked("zone-not-configured", outside) == []
