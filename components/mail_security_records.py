"""The records that announce a domain's mail security: MTA-STS (RFC 8461) and TLS-RPT (RFC 8460), either or both.

Order: the policy object, its distribution, the CNAME `mta-sts`, and only then, through the edge gate, the TXT record
whose new id sends senders to the policy.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.dns_zones.zone import DnsZone
from components.publish_gate import GateSettings, edge_gate, first_record_gate
from mailtls.mta_sts.policy import Policy, policy_host
from mailtls.mta_sts.record import Record as MtaStsRecord
from mailtls.tls_rpt.record import Record as TlsRptRecord

MTA_STS_TTL = 300
"""Of `_mta-sts`: how fast a new policy, and so a rollback, reaches senders."""
HOST_TTL = 300
TLS_RPT_TTL = 3600


class AnnouncedPolicy(TypedDict):
    """
    policy: what the policy host serves; the edge gate compares it octet by octet.
    policy_id: of the version that it is served in.
    target: the distribution's own name, which `mta-sts` becomes an alias of.
    served_by: the policy object and the distribution; no record comes before them.
    """

    policy: Policy
    policy_id: pulumi.Input[str]
    target: pulumi.Input[str]
    served_by: Sequence[pulumi.Resource]


class ReportAddress(TypedDict):
    """
    rua: where reports go, `mailto:` and `https:` URIs, at least one.
    received_by: what must be there before reports are asked for; nothing when somebody else receives them.
    """

    rua: Sequence[pulumi.Input[str]]
    received_by: Sequence[pulumi.Resource]


class MailSecurityRecordsArgs(TypedDict):
    """
    policy_domain: A-labels. zone: holds it. gate: how the hooks look at the world.
    mta_sts, tls_rpt: left out, that half is not announced.
    """

    policy_domain: str
    zone: DnsZone
    gate: GateSettings
    mta_sts: NotRequired[AnnouncedPolicy]
    tls_rpt: NotRequired[ReportAddress]


class MailSecurityRecords(pulumi.ComponentResource):
    """`mta-sts` CNAME and `_mta-sts` TXT; `_smtp._tls` TXT."""

    def __init__(self, name: str, args: MailSecurityRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:MailSecurityRecords", name, {}, opts)
        if "mta_sts" in args:
            self._announce_policy(name, args, args["mta_sts"])
        if "tls_rpt" in args:
            self._ask_for_reports(name, args, args["tls_rpt"])
        self.register_outputs({})

    def _announce_policy(self, name: str, args: MailSecurityRecordsArgs, announced: AnnouncedPolicy) -> None:
        domain, zone, gate = args["policy_domain"], args["zone"], args["gate"]
        alias = zone.cname(
            f"{name}-mta-sts-cname",
            policy_host(domain),
            announced["target"],
            HOST_TTL,
            pulumi.ResourceOptions(parent=self, depends_on=[*announced["served_by"]]),
        )
        record_name = f"_mta-sts.{domain}"
        first = first_record_gate(record_name, "v=STSv1", zone, gate)
        live = pulumi.ResourceHook(
            f"edge-gate:{record_name}", edge_gate(domain, announced["policy"].render(), zone, gate)
        )
        zone.txt(
            f"{name}-mta-sts-txt",
            record_name,
            pulumi.Output.from_input(announced["policy_id"]).apply(lambda policy_id: str(MtaStsRecord(policy_id))),
            MTA_STS_TTL,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*announced["served_by"], alias],
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"first-record:{record_name}", first), live],
                    before_update=[live],
                ),
            ),
        )

    def _ask_for_reports(self, name: str, args: MailSecurityRecordsArgs, reports: ReportAddress) -> None:
        record_name = f"_smtp._tls.{args['policy_domain']}"
        first = first_record_gate(record_name, "v=TLSRPTv1", args["zone"], args["gate"])
        args["zone"].txt(
            f"{name}-tls-rpt-txt",
            record_name,
            pulumi.Output.all(*reports["rua"]).apply(lambda rua: str(TlsRptRecord(tuple(rua)))),
            TLS_RPT_TTL,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*reports["received_by"]],
                hooks=pulumi.ResourceHookBinding(
                    before_create=[pulumi.ResourceHook(f"first-record:{record_name}", first)]
                ),
            ),
        )
