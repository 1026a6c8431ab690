"""SES's receipt rules as they stand in the account: which mail they take, and what they do with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import account


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule of the active set.

    recipients: lower case; none: every address of every verified domain. requires_tls: TlsPolicy Require.
    scans: ScanEnabled. actions: in order, each a map with one key, as in the API (`{"S3Action": {…}}`).
    """

    name: str
    arn: str
    recipients: tuple[str, ...]
    requires_tls: bool
    scans: bool
    actions: tuple[Mapping[str, Any], ...]

    def matches(self, address: str) -> bool:
        """A condition is an address, a domain (without those below it), or `.domain` (those below it, without it)."""
        address = address.lower()
        domain = address.rpartition("@")[2]
        return not self.recipients or any(
            domain.endswith(condition) if condition.startswith(".") else condition in (address, domain)
            for condition in self.recipients
        )


def active_rules(ses: Any, region: str) -> tuple[Rule, ...] | None:
    """The enabled rules of the set that is active in `region`, in order; None: none is active. ses: boto3's client."""
    answer = ses.describe_active_receipt_rule_set()
    if not answer.get("Metadata"):
        return None
    rule_set = f"arn:aws:ses:{region}:{account.ACCOUNT_ID}:receipt-rule-set/{answer['Metadata']['Name']}"
    return tuple(
        Rule(
            name=rule["Name"],
            arn=f"{rule_set}:receipt-rule/{rule['Name']}",
            recipients=tuple(condition.lower() for condition in rule.get("Recipients", ())),
            requires_tls=rule.get("TlsPolicy") == "Require",
            scans=bool(rule.get("ScanEnabled")),
            actions=tuple(rule.get("Actions", ())),
        )
        for rule in answer.get("Rules", ())
        if rule.get("Enabled")
    )


def verified(ses: Any, domain: str) -> bool:
    """Whether `domain` itself is a verified identity."""
    answer = ses.get_identity_verification_attributes(Identities=[domain])
    status: str = answer["VerificationAttributes"].get(domain, {}).get("VerificationStatus", "")
    return status == "Success"


def matching(rules: Iterable[Rule], recipients: Iterable[str]) -> tuple[Rule, ...]:
    """Those that take at least one of the recipients."""
    recipients = tuple(recipients)
    return tuple(rule for rule in rules if any(rule.matches(recipient) for recipient in recipients))
