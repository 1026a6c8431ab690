"""Rules about what the hosting of a policy takes."""

from mailtls.lint.findings import Severity
from mailtls.lint.spec_rule import NOTHING, Published, Said, SpecRule, about_specs
from mailtls.mta_sts.policy import policy_host
from mailtls.spec.model import PolicySpec

LONGEST_POLICY_HOST = 64
"""Octets of a certificate's first name (ACM, RequestCertificate)."""


def _policy_host_too_long(spec: PolicySpec, _published: Published) -> Said:
    host = policy_host(spec.policy_domain)
    if spec.mta_sts is None or len(host) <= LONGEST_POLICY_HOST:
        return NOTHING
    return [
        (
            f"{host} has {len(host)} octets; the first name of a certificate of ACM has at most {LONGEST_POLICY_HOST}",
            "take mta_sts out: reports can be asked for all the same",
        )
    ]


RULES = (
    SpecRule(
        about_specs(
            "policy-host-too-long",
            Severity.ERROR,
            "The policy host needs a certificate, and Amazon's authority gives none whose first name is longer than 64 "
            "octets, so the policy could never be served.",
            "Take `mta_sts` out of the spec: reports can be asked for all the same.",
            "https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html",
        ),
        _policy_host_too_long,
        ("policy_domain",),
    ),
)
