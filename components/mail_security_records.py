"""The records that announce a domain's mail security: MTA-STS (RFC 8461) and TLS-RPT (RFC 8460), either or both.

Order: the policy object (through the MX gate), its distribution, the CNAME `mta-sts`, and only then, through the edge
gate, the TXT record whose new id sends senders to the policy.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.dns_zones.zone import DnsZone
from components.publish_gates.edge import edge_gate
from components.publish_gates.foreign_records import ForeignRecordGate
from components.publish_gates.settings import GateSettings
from components.publish_gates.standing_look import PublishedRecord
from components.publish_gates.version import record_text, version_gate
from mailtls.mta_sts.policy import HOST_TTL, Policy, policy_host
from mailtls.mta_sts.record import TTL as MTA_STS_TTL
from mailtls.tls_rpt.record import TTL as TLS_RPT_TTL
from mailtls.tls_rpt.record import Record as TlsRptRecord

_PREVIEWS_TOO = pulumi.ResourceHookOptions(on_dry_run=True)


class AnnouncedPolicy(TypedDict):
    """
    policy: what the policy host serves; the edge gate compares it octet by octet.
    policy_id: of the version that it is served in; None when that has none. place: of its object, `s3://bucket/key`.
    target: the distribution's own name, which `mta-sts` becomes an alias of.
    served_by: the policy object and the distribution; no record comes before them.
    """

    policy: Policy
    policy_id: pulumi.Input[str | None]
    place: pulumi.Input[str]
    target: pulumi.Input[str]
    served_by: Sequence[pulumi.Resource]


class ReportAddress(TypedDict):
    """
    rua: where reports go, `mailto:` and `https:` URIs, at least one; an empty one is left out.
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
    """`mta-sts` CNAME and `_mta-sts` TXT; `_smtp._tls` TXT.

    published: the TXT records, for the standing look. alias, announcement: `mta-sts` and `_mta-sts`; None without a
    policy.
    """

    published: tuple[PublishedRecord, ...]
    alias: pulumi.CustomResource | None
    announcement: pulumi.CustomResource | None

    def __init__(self, name: str, args: MailSecurityRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:MailSecurityRecords", name, {}, opts)
        self.published = ()
        self.alias = self.announcement = None
        if "mta_sts" in args:
            self.published += (self._announce_policy(name, args, args["mta_sts"]),)
        if "tls_rpt" in args:
            self.published += (self._ask_for_reports(name, args, args["tls_rpt"]),)
        self.register_outputs({})

    def _announce_policy(self, name: str, args: MailSecurityRecordsArgs, announced: AnnouncedPolicy) -> PublishedRecord:
        domain, zone, gate = args["policy_domain"], args["zone"], args["gate"]
        self.alias = alias = zone.cname(
            f"{name}-mta-sts-cname",
            policy_host(domain),
            announced["target"],
            HOST_TTL,
            pulumi.ResourceOptions(parent=self, depends_on=[*announced["served_by"]]),
        )
        record_name = f"_mta-sts.{domain}"
        text = pulumi.Output.all(announced["policy_id"], announced["place"]).apply(lambda values: record_text(*values))
        alone = ForeignRecordGate(record_name, "v=STSv1", zone, gate)
        versioned = pulumi.ResourceHook(f"version-gate:{record_name}", version_gate(domain, zone))
        live = pulumi.ResourceHook(
            f"edge-gate:{record_name}", edge_gate(domain, announced["policy"].render(), zone, gate)
        )
        self.announcement = record = zone.txt(
            f"{name}-mta-sts-txt",
            record_name,
            text,
            MTA_STS_TTL,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*announced["served_by"], alias],
                hooks=pulumi.ResourceHookBinding(
                    before_create=[versioned, _first_record(alone), live],
                    before_update=[versioned, _still_alone(alone), live],
                ),
            ),
        )
        return PublishedRecord(record, text, alone)

    def _ask_for_reports(self, name: str, args: MailSecurityRecordsArgs, reports: ReportAddress) -> PublishedRecord:
        record_name = f"_smtp._tls.{args['policy_domain']}"
        text = pulumi.Output.all(*reports["rua"]).apply(lambda rua: str(TlsRptRecord(tuple(filter(None, rua)))))
        alone = ForeignRecordGate(record_name, "v=TLSRPTv1", args["zone"], args["gate"])
        record = args["zone"].txt(
            f"{name}-tls-rpt-txt",
            record_name,
            text,
            TLS_RPT_TTL,
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[*reports["received_by"]],
                hooks=pulumi.ResourceHookBinding(
                    before_create=[_first_record(alone)], before_update=[_still_alone(alone)]
                ),
            ),
        )
        return PublishedRecord(record, text, alone)


def _first_record(gate: ForeignRecordGate) -> pulumi.ResourceHook:
    return pulumi.ResourceHook(f"first-record:{gate.name}", gate.before_create, _PREVIEWS_TOO)


def _still_alone(gate: ForeignRecordGate) -> pulumi.ResourceHook:
    return pulumi.ResourceHook(f"still-alone:{gate.name}", gate.before_update, _PREVIEWS_TOO)
