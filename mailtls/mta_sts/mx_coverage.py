"""Which of a domain's live MX hosts a policy names (RFC 8461 section 4.1), and which of its patterns fit none."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailtls.mta_sts.policy import MxPattern, Policy


@dataclass(frozen=True, slots=True)
class MxCoverage:
    """
    covered, uncovered: the live MX hosts that some pattern matches, and those that none does, in order. Senders that
    enforce deliver to no uncovered one.
    unused: patterns that match no live host: a host that is still to come, or a typing error.
    """

    covered: tuple[str, ...]
    uncovered: tuple[str, ...]
    unused: tuple[MxPattern, ...]

    @classmethod
    def of(cls, policy: Policy, hosts: Iterable[str]) -> "MxCoverage":
        """`hosts`: the names in the MX records, before any CNAME."""
        live = tuple(hosts)
        return cls(
            covered=tuple(host for host in live if policy.allows(host)),
            uncovered=tuple(host for host in live if not policy.allows(host)),
            unused=tuple(pattern for pattern in policy.mx if not any(map(pattern.matches, live))),
        )
