"""What the deployed state entitles the HTTPS edge to: which host names it serves, with which certificate."""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import account
from sandbox.edges.certificates import Kind
from sandbox.edges.deployed import Endpoint, Service

EDGE_NAME = "*.cloudfront.net"
MINIMUM_VERSIONS = {
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
"""By the part of a security policy's name before `_` (CloudFront, MinimumProtocolVersion). What is not here is older,
and served down to the oldest version that this machine's OpenSSL has."""


@dataclass(frozen=True, slots=True)
class Presence:
    """How the edge stands to one host name.

    certificate: the name in the certificate that it presents, and what is wrong with that. minimum: protocol version.
    serves: requests for the host go to its distribution; else the edge refuses them.
    """

    certificate: str = EDGE_NAME
    kind: Kind = Kind.GOOD
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    serves: bool = False


UNKNOWN = Presence()
"""Of a host that no distribution serves: the edge's own certificate, which is not valid for it."""
OWN_NAME = Presence(serves=True)
"""Of a distribution's own name, `d….cloudfront.net`."""


class Distributions:
    """The account's distributions, read anew for every connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._cloudfront = Service("cloudfront", endpoint, account.CERTIFICATE_REGION)
        self._acm = Service("acm", endpoint, account.CERTIFICATE_REGION)
        self._ids: dict[str, str] = {}
        """By host, where it was found last: one distribution is read faster than a hundred."""

    def presence(self, host: str) -> Presence:
        """host: lower case. Raises StateUnknown."""
        found = self._found_again(host) or self._found(host)
        if found is None or not found["Enabled"]:
            return UNKNOWN
        if found["DomainName"].lower() == host:
            return OWN_NAME
        return self._of_alias(host, found["ViewerCertificate"])

    def _found_again(self, host: str) -> Mapping[str, Any] | None:
        if host not in self._ids:
            return None
        with self._cloudfront.asked() as cloudfront:
            try:
                answer = cloudfront.get_distribution(Id=self._ids[host])["Distribution"]
            except cloudfront.exceptions.NoSuchDistribution:
                return None
        found = {**answer["DistributionConfig"], "DomainName": answer["DomainName"]}
        return found if host in _hosts(found) else None

    def _found(self, host: str) -> Mapping[str, Any] | None:
        """The distribution that has `host` as its own name or an alias; a wildcard alias comes after a plain one."""
        with self._cloudfront.asked() as cloudfront:
            pages = cloudfront.get_paginator("list_distributions").paginate()
            listed = [one for page in pages for one in page["DistributionList"].get("Items", ())]
        for name in (host, _wildcard(host)):
            for one in listed:
                if name in _hosts(one):
                    if name == host:
                        self._ids[host] = one["Id"]
                    found: Mapping[str, Any] = one
                    return found
        return None

    def _of_alias(self, host: str, settings: Mapping[str, Any]) -> Presence:
        """settings: ViewerCertificate of the distribution that has the alias `host`."""
        certificate = self._certificate(settings.get("ACMCertificateArn", ""))
        if certificate is None or not any(name in (host, _wildcard(host)) for name in _names(certificate)):
            return UNKNOWN
        version = settings.get("MinimumProtocolVersion", "").partition("_")[0]
        minimum = MINIMUM_VERSIONS.get(version, ssl.TLSVersion.MINIMUM_SUPPORTED)
        match certificate["Status"]:
            case "ISSUED":
                return Presence(host, Kind.GOOD, minimum, serves=True)
            case "EXPIRED":  # nobody takes it off the distribution: senders see that it has expired
                return Presence(host, Kind.EXPIRED, minimum, serves=True)
            case _:
                return UNKNOWN

    def _certificate(self, arn: str) -> Mapping[str, Any] | None:
        """What ACM says about it; None: there is none where CloudFront looks for it."""
        if arn.split(":")[3:4] != [account.CERTIFICATE_REGION]:
            return None
        with self._acm.asked() as acm:
            try:
                certificate: Mapping[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            except acm.exceptions.ResourceNotFoundException:
                return None
        return certificate


def _hosts(distribution: Mapping[str, Any]) -> Iterator[str]:
    yield distribution["DomainName"].lower()
    yield from (alias.lower() for alias in distribution["Aliases"].get("Items", ()))


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    yield certificate["DomainName"].lower()
    yield from (name.lower() for name in certificate.get("SubjectAlternativeNames", ()))


def _wildcard(host: str) -> str:
    """`*.` in place of the left-most label."""
    return f"*.{host.partition('.')[2]}"
