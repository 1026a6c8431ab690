"""Which domains are ours, as the reports bucket or a copy of it says: the lists that the deployments put there."""

from mailtls.observe.report_bucket import Bucket
from mailtls.observe.store import StoreTrouble
from mailtls.tls_rpt.contract import DomainListError, OwnDomain, Prefix, parse_domain_list

MAX_BYTES = 8 * 1024 * 1024
"""Of one list; the function reads no larger one."""


def listed_domains(bucket: Bucket) -> dict[str, tuple[OwnDomain, str]]:
    """By name, each with the key of its list. Of two lists with one domain the first by key counts, as for the
    function. Raises StoreTrouble, also for a list that cannot be read: a domain may stand in that one."""
    found: dict[str, tuple[OwnDomain, str]] = {}
    for one in bucket.objects(Prefix.DOMAINS):
        body = bucket.read(one.key, MAX_BYTES)
        if body is None:
            continue  # deleted since the listing
        try:
            for own in parse_domain_list(body):
                found.setdefault(own.policy_domain, (own, one.key))
        except DomainListError as e:
            raise StoreTrouble(f"{bucket.name}/{one.key}: {e}; deploy its stack again") from e
    return found
