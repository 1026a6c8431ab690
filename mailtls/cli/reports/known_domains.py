"""What a store tells of each domain beside its reports: as deployed, and each policy that was served."""

from datetime import datetime

from mailtls.cli.trouble import Trouble
from mailtls.observe.domain_lists import listed_domains
from mailtls.observe.report_bucket import Bucket
from mailtls.observe.store import Store, StoreTrouble, read_served
from mailtls.tls_rpt.contract import OwnDomain


class KnownDomains:
    """Reads the lists when it is made, which raises StoreTrouble, and what was served of a domain when that is first
    asked for."""

    def __init__(self, bucket: Bucket, store: Store, now: datetime) -> None:
        self._listed = listed_domains(bucket)
        self._store, self._now = store, now
        self._found: dict[str, tuple[OwnDomain, ...]] = {}

    def ever(self, policy_domain: str) -> tuple[OwnDomain, ...]:
        """The domain as the function may have known it when a report came: as deployed now, then with the mx of each
        policy that was served, newest first. At least one. Raises Trouble."""
        if policy_domain not in self._found:
            now = self._listed[policy_domain][0] if policy_domain in self._listed else OwnDomain(policy_domain)
            served = [OwnDomain(policy_domain, now.mode, mx) for mx in self._served(policy_domain)]
            self._found[policy_domain] = (now, *(own for own in served if own.mx != now.mx))
        return self._found[policy_domain]

    def _served(self, policy_domain: str) -> list[tuple[str, ...]]:
        try:
            history = read_served(self._store, policy_domain, None, self._now)
        except StoreTrouble as e:
            raise Trouble(f"--store: what was served of {policy_domain}: {e}") from e
        lists = (tuple(pattern.text for pattern in served.policy.mx) for served in history.served)
        return list(dict.fromkeys(lists))
