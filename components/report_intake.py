"""The way in for mailed reports: SES takes mail for one address and puts it, unread, into the bucket.

The MX record comes last of all. A reporter that finds it may mail at once, and SES refuses for good what no rule of the
live set takes: that report would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.dns_zones.zone import DnsZone
from components.look_up import answer, no_aws
from mailtls.preflight.receiving import RECEIVING_REGIONS, inbound_host
from mailtls.tls_rpt.contract import Prefix

VERIFICATION_TTL = 300
MX_TTL = 3600
MX_PREFERENCE = 10
VERIFICATION_WAIT = "10m"
"""SES verifies within minutes once the TXT record is visible; the provider's own limit would hold an update for 45."""


class NoRoute(pulumi.RunError):
    """No live receipt rule set would take the reports: each would bounce, and nobody would be told."""


class RuleSet(StrEnum):
    """Whose receipt rule set takes the reports in. One set per account and region is active, all others are silent."""

    OWN = "own"
    JOIN = "join"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class RuleSetChoice:
    """The setting `rule_set`. name: of the set to join; None otherwise."""

    kind: RuleSet
    name: str | None = None

    @classmethod
    def parse(cls, text: str) -> "RuleSetChoice":
        """`own`, `join:<name>` or `external`. Raises pulumi.RunError."""
        word, _, name = text.partition(":")
        if word not in set(RuleSet) or bool(name) != (word == RuleSet.JOIN):
            raise pulumi.RunError(
                f'reports.rule_set: "{text}" is none of own, join:<name of the active rule set>, external'
            )
        return cls(RuleSet(word), name or None)

    def check(self, *, activate: bool) -> None:
        """Raises NoRoute when it is known before any look at AWS that the route cannot be live."""
        if self.kind is RuleSet.OWN and not activate:
            raise NoRoute(
                "reports.rule_set: own, but activate is false: SES reads the active rule set only, so every report "
                "would bounce; write activate: true (it silences the set that is active now), or join the active set "
                "with rule_set: join:<name>"
            )
        if self.kind is not RuleSet.OWN and activate:
            raise NoRoute(
                f"reports.activate: true goes with rule_set: own only; take it out, with {self.kind} the owners of the "
                "set activate it"
            )


def active_rule_set(choice: RuleSetChoice, region: str) -> str | None:
    """The live set of others that reports are to come in through; None for `own`, which needs none.

    Asks AWS and waits for the answer: for the composition root, before anything is registered. Raises NoRoute,
    LookUpFailed.
    """
    if choice.kind is RuleSet.OWN:
        return None
    active = answer(
        lambda: aws.ses.get_active_receipt_rule_set(region=region),
        lambda words: (
            no_aws(words)
            or NoRoute(
                f"reports.rule_set: {choice.kind}, but no receipt rule set is active in {region}: every report would "
                f"bounce; activate the set there, or write rule_set: own and activate: true (AWS: {words})"
            )
        ),
    )
    return live_rule_set(choice, active.rule_set_name, region)


def live_rule_set(choice: RuleSetChoice, active: str | None, region: str) -> str | None:
    """`active` if reports can come in through it; None for `own`. Raises NoRoute."""
    if choice.kind is RuleSet.OWN:
        return None
    if active is None:
        raise NoRoute(f"reports.rule_set: {choice.kind}, but the set that is active in {region} was not looked up")
    if choice.name is not None and choice.name != active:
        raise NoRoute(
            f"reports.rule_set: join:{choice.name}, but the active set in {region} is {active}: a rule in a set that "
            f"is not active takes no mail; write rule_set: join:{active}, or activate {choice.name} first"
        )
    return active


class ReportIntakeArgs(TypedDict):
    """
    region: where SES receives. Receiving exists in some regions only; elsewhere the MX would name a host that is not.
    reports_domain: A-labels. Give it a name of its own (`reports.example.org`): all its mail goes to SES, and under a
    domain with an `enforce` policy reports about that domain's broken TLS could not come in.
    local_part: of the address; everything else at the domain is refused.
    rule_set, activate: see RuleSet. Activating our own set silences the one that was active, with all its rules.
    active_rule_set: the live set, as the function of that name has found it.
    rule_set_name, rule_name: what ours are called; the bucket policy has the same names in it.
    zone: holds reports_domain.
    bucket_name: where raw mail goes.
    ready: what has to stand before mail may come: the bucket policy and the notification to the queue.
    """

    region: str
    reports_domain: str
    local_part: str
    rule_set: RuleSetChoice
    activate: bool
    active_rule_set: str | None
    rule_set_name: str
    rule_name: str
    zone: DnsZone
    bucket_name: pulumi.Input[str]
    ready: Sequence[pulumi.Resource]


class ReportIntake(pulumi.ComponentResource):
    """rule_set_name: of the set that takes the reports. route: once these stand, reports arrive; none if `external`."""

    rule_set_name: pulumi.Output[str]
    route: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ReportIntakeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args["rule_set"].check(activate=args["activate"])
        of_others = live_rule_set(args["rule_set"], args["active_rule_set"], args["region"])
        super().__init__("mailtls:index:ReportIntake", name, {}, opts)
        region = args["region"]
        if region not in RECEIVING_REGIONS:
            pulumi.log.warn(
                f"{region}: SES is not known to receive mail there ({', '.join(sorted(RECEIVING_REGIONS))}); "
                "check the list of SES endpoints before the first report is lost",
                resource=self,
            )
        if of_others is not None:
            self.rule_set_name = pulumi.Output.from_input(of_others)
        else:
            own = aws.ses.ReceiptRuleSet(
                f"{name}-rule-set",
                region=region,
                rule_set_name=args["rule_set_name"],
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.rule_set_name = own.rule_set_name
        external = args["rule_set"].kind is RuleSet.EXTERNAL
        self.route = () if external else self._make_route(name, args)
        self.register_outputs({"rule_set_name": self.rule_set_name})

    def _make_route(self, name: str, args: ReportIntakeArgs) -> tuple[pulumi.Resource, ...]:
        region, domain, zone = args["region"], args["reports_domain"], args["zone"]
        child = pulumi.ResourceOptions(parent=self)

        identity = aws.ses.DomainIdentity(f"{name}-identity", region=region, domain=domain, opts=child)
        proof = zone.txt(
            f"{name}-verification-txt",
            f"_amazonses.{domain}",
            identity.verification_token,
            VERIFICATION_TTL,
            child,
        )
        verified = aws.ses.DomainIdentityVerification(
            f"{name}-verification",
            region=region,
            domain=identity.domain,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[proof], custom_timeouts=pulumi.CustomTimeouts(create=VERIFICATION_WAIT)
            ),
        )

        rule = self._rule(name, args, verified)
        live: list[pulumi.Resource] = []
        if args["activate"]:
            active = aws.ses.ActiveReceiptRuleSet(
                f"{name}-active-rule-set",
                region=region,
                rule_set_name=self.rule_set_name,
                # an empty set that goes live refuses all mail until its rule is there
                opts=pulumi.ResourceOptions(parent=self, depends_on=[rule]),
            )
            live.append(active)

        mx = zone.mx(
            f"{name}-mx",
            domain,
            MX_PREFERENCE,
            inbound_host(region),
            MX_TTL,
            pulumi.ResourceOptions(parent=self, depends_on=[verified, rule, *live]),
        )
        return (verified, rule, *live, mx)

    def _rule(self, name: str, args: ReportIntakeArgs, verified: pulumi.Resource) -> aws.ses.ReceiptRule:
        return aws.ses.ReceiptRule(
            f"{name}-rule",
            region=args["region"],
            name=args["rule_name"],
            rule_set_name=self.rule_set_name,
            recipients=[f"{args['local_part']}@{args['reports_domain']}"],
            enabled=True,
            scan_enabled=True,
            # not "Require": a report may tell that TLS to us is broken, and is to be delivered all the same, in clear
            # text if need be (RFC 8460 section 3)
            tls_policy="Optional",
            # the S3 action takes 40 MB and keeps the mail as it came; the SNS action cuts off at 150 KB
            s3_actions=[{"bucket_name": args["bucket_name"], "object_key_prefix": Prefix.RAW.value, "position": 1}],
            # SES writes a test object at once. The Lambda has to hear of it: every object under raw/ gets a disposition
            opts=pulumi.ResourceOptions(parent=self, depends_on=[verified, *args["ready"]]),
        )
