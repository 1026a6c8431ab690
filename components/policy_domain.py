"""One policy domain, whole: its policy host and the records that announce it.

Senders hold an `enforce` policy for weeks after it is gone from DNS, so deleting is the dangerous act: protection
stands on this component, and every child inherits it.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.dns_zones.zone import DnsZone
from components.mail_security_records import MailSecurityRecords, MailSecurityRecordsArgs, ReportAddress
from components.policy_host import PolicyHost
from components.publish_gates.settings import GateSettings
from components.publish_gates.standing_look import Published
from mailtls.mta_sts.policy import Mode, Policy, policy_host


class Hosting(TypedDict):
    """What all domains of a stack share; the fields are those of PolicyHostArgs."""

    policy_bucket: pulumi.Input[str]
    policy_bucket_regional_domain_name: pulumi.Input[str]
    origin_access_control_id: pulumi.Input[str]
    response_headers_policy_id: pulumi.Input[str]
    keep_policies: bool


class PolicyDomainArgs(TypedDict):
    """
    policy_domain: A-labels. zone: holds it. gate: how the publish gates look at the world.
    policy: what is published; left out, the domain has TLS-RPT only and no host.
    rua: where reports go; left out, none are asked for.
    reports_received_by: what must be there before reports are asked for.
    mx_not_in_policy_allowed: why a live MX is left out of an enforce policy; without it that is refused.
    """

    policy_domain: str
    zone: DnsZone
    gate: GateSettings
    hosting: Hosting
    policy: NotRequired[Policy]
    rua: NotRequired[Sequence[pulumi.Input[str]]]
    reports_received_by: NotRequired[Sequence[pulumi.Resource]]
    mx_not_in_policy_allowed: NotRequired[str]


class PolicyDomain(pulumi.ComponentResource):
    """policy_host, policy_id: of the published policy; None without one. Known once the records that say so are there;
    when one of them fails, so does its output. published: for the standing look."""

    policy_host: pulumi.Output[str] | None
    policy_id: pulumi.Output[str] | None
    published: Published

    def __init__(self, name: str, args: PolicyDomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:PolicyDomain", name, {}, opts)
        self.policy_host = self.policy_id = None
        host = None
        records: MailSecurityRecordsArgs = {
            "policy_domain": args["policy_domain"],
            "zone": args["zone"],
            "gate": args["gate"],
        }
        if "policy" in args:
            host = PolicyHost(
                name,
                {
                    "policy_domain": args["policy_domain"],
                    "policy": args["policy"],
                    "zone": args["zone"],
                    "gate": args["gate"],
                    "mx_not_in_policy_allowed": args.get("mx_not_in_policy_allowed"),
                    **args["hosting"],
                },
                pulumi.ResourceOptions(parent=self),
            )
            records["mta_sts"] = {
                "policy": args["policy"],
                "policy_id": host.policy_id,
                "place": pulumi.Output.concat("s3://", host.policy_object.bucket, "/", host.policy_object.key),
                "target": host.domain_name,
                "served_by": [host.policy_object, host.distribution],
            }
        if "rua" in args:
            received_by = args.get("reports_received_by", ())
            records["tls_rpt"] = ReportAddress(rua=args["rua"], received_by=received_by)
        announced = MailSecurityRecords(name, records, pulumi.ResourceOptions(parent=self))
        self.published = Published(
            args["policy_domain"], args["zone"], self, announced.published, host.mx_gate if host else None
        )
        if host is not None and announced.alias is not None and announced.announcement is not None:
            self.policy_host = announced.alias.id.apply(lambda _: policy_host(args["policy_domain"]))
            self.policy_id = pulumi.Output.all(host.policy_id, announced.announcement.id).apply(
                lambda values: str(values[0])
            )
        # not what is published: what fails there would fail here once more
        self.register_outputs({"protected": bool(opts is not None and opts.protect)})


def must_not_be_deleted(policy: Policy | None) -> bool:
    """Whether senders may hold a policy of this domain that asks something of its hosts."""
    return policy is not None and policy.mode is not Mode.NONE
