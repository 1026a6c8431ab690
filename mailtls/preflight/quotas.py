"""The quotas that a stack can run into."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """key: our word. service: its code at Service Quotas. name: what the quota is called there. default: AWS's own."""

    key: str
    service: str
    name: re.Pattern[str]
    default: int


DISTRIBUTIONS = Quota(
    "distributions", "cloudfront", re.compile(r"(?:(?:web|standard) )?distributions per (?:aws )?account", re.I), 500
)
ACCESS_CONTROLS = Quota(
    "access-controls", "cloudfront", re.compile(r"origin access controls per (aws )?account", re.I), 100
)
CERTIFICATES = Quota("certificates", "acm", re.compile(r"acm certificates", re.I), 2500)
CERTIFICATES_A_YEAR = Quota(
    "certificates-a-year", "acm", re.compile(r"acm certificates created in last 365 days", re.I), 5000
)
QUOTAS = (DISTRIBUTIONS, ACCESS_CONTROLS, CERTIFICATES, CERTIFICATES_A_YEAR)
"""Names and defaults: "Quotas" in the guides of CloudFront and ACM. Service Quotas names them in us-east-1."""

RULE_SETS = 40
RULES = 200
"""SES's receipt rule sets of an account and region, and rules of one set; neither can be raised ("Service quotas in
Amazon SES")."""
LARGEST_STACK = 100
"""Domains that one stack holds (docs/adr/0006)."""
