"""The DNS records that announce one domain's mail security, before anything is deployed. Pure.

Two values exist only after a deployment: the policy id, which is made from the version of the stored policy, and the
names that the cloud gives out. In their place stands a placeholder in angle brackets, which no zone takes for a value.
"""

from dataclasses import dataclass
from enum import StrEnum

from mailtls.mta_sts.policy import HOST_TTL, policy_host
from mailtls.mta_sts.record import TTL as MTA_STS_TTL
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.record import TTL as TLS_RPT_TTL
from mailtls.tls_rpt.record import Record as TlsRptRecord

POLICY_ID = "<policy-id>"
DISTRIBUTION = "<name-of-the-distribution>"
VALIDATION_NAME = "<name-from-the-certificate>"
VALIDATION_TARGET = "<target-from-the-certificate>"
PLATFORM_RUA = "<report-address-of-the-platform>"
PLACEHOLDERS = {
    POLICY_ID: "made from the stored policy when it is deployed; a new one with each policy",
    DISTRIBUTION: "given by the content network when the policy host is made",
    VALIDATION_NAME: "given by the certificate authority when the certificate is asked for",
    VALIDATION_TARGET: "given by the certificate authority when the certificate is asked for",
    PLATFORM_RUA: "the address of the report pipeline, from the settings of the platform",
}
"""Each placeholder, and where its value comes from."""


class Purpose(StrEnum):
    """What a record is for, in the order in which records are added."""

    CERTIFICATE = "certificate"
    POLICY_HOST = "policy-host"
    REPORTS = "reports"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """name: without final dot. type: `TXT` or `CNAME`. ttl: seconds.
    value: of a TXT its whole text, of a CNAME the target without final dot; with placeholders where it is not known."""

    purpose: Purpose
    name: str
    type: str
    ttl: int
    value: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Those that stand in it; () when it can be added as it is."""
        return tuple(text for text in PLACEHOLDERS if text in self.name or text in self.value)


def planned_records(spec: PolicySpec) -> tuple[PlannedRecord, ...]:
    """All records of one spec, in the order in which they are added: the announcement last (RFC 8461 section 8.1)."""
    domain = spec.policy_domain
    host = policy_host(domain)
    records: list[PlannedRecord] = []
    if spec.mta_sts:
        validation = f"{VALIDATION_NAME}.{host}"
        records += [
            PlannedRecord(Purpose.CERTIFICATE, validation, "CNAME", HOST_TTL, VALIDATION_TARGET),
            PlannedRecord(Purpose.POLICY_HOST, host, "CNAME", HOST_TTL, DISTRIBUTION),
        ]
    if spec.tls_rpt:
        rua = spec.tls_rpt.rua
        text = str(TlsRptRecord(rua)) if rua else f"v=TLSRPTv1; rua={PLATFORM_RUA};"
        records.append(PlannedRecord(Purpose.REPORTS, f"_smtp._tls.{domain}", "TXT", TLS_RPT_TTL, text))
    if spec.mta_sts:
        announcement = f"v=STSv1; id={POLICY_ID};"
        records.append(PlannedRecord(Purpose.ANNOUNCEMENT, f"_mta-sts.{domain}", "TXT", MTA_STS_TTL, announcement))
    return tuple(records)
