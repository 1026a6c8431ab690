"""Which policy domains are ours: the lists that the `domains` stacks put into the bucket (ADR 5).

Environment variables hold 4 KB, so the lists are objects. One LIST per invocation tells by ETag whether a list is new;
only then is it read. The cache lives as long as the process that AWS keeps warm.
"""

from dataclasses import dataclass

from mailtls.tls_rpt.contract import DomainListError, OwnDomain, Prefix, parse_domain_list
from report_lambda.store import MAX_STATE_BYTES, ObjectStore

MAX_LISTS = 1000


class IncompleteDomainList(Exception):
    """A domain was asked for that no readable list holds, while another list is broken: it may stand in that one.

    Left to be retried and then to the dead letters, never judged foreign. Deploying the named stack mends it.
    """


@dataclass(frozen=True, slots=True)
class OwnDomains:
    """All lists together. broken: what could not be read, as `key: why`."""

    by_name: dict[str, OwnDomain]
    broken: tuple[str, ...] = ()

    def find(self, policy_domain: str) -> OwnDomain | None:
        """The domain, or None when it is not ours. Raises IncompleteDomainList when that cannot be known now."""
        own = self.by_name.get(policy_domain)
        if own is None and self.broken:
            raise IncompleteDomainList(
                f"{policy_domain} is in no readable domain list; broken: {'; '.join(self.broken)}"
            )
        return own


class DomainCache:
    """Remembers each list by its ETag between invocations."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[str, tuple[OwnDomain, ...] | str]] = {}

    def current(self, store: ObjectStore) -> OwnDomains:
        """What the bucket says now. Raises StoreError."""
        lists: dict[str, tuple[str, tuple[OwnDomain, ...] | str]] = {}
        for listed in store.list_objects(Prefix.DOMAINS, limit=MAX_LISTS):
            known = self._lists.get(listed.key)
            lists[listed.key] = known if known is not None and known[0] == listed.etag else _read(store, listed.key)
        self._lists = lists

        by_name: dict[str, OwnDomain] = {}
        broken: list[str] = []
        for key, (_, entries) in sorted(lists.items()):
            if isinstance(entries, str):
                broken.append(f"{key}: {entries}")
            else:
                for own in entries:
                    by_name.setdefault(own.policy_domain, own)  # two stacks with one domain: the first by key counts
        return OwnDomains(by_name, tuple(broken))


def _read(store: ObjectStore, key: str) -> tuple[str, tuple[OwnDomain, ...] | str]:
    stored = store.get(key, MAX_STATE_BYTES)
    if stored is None:
        return "", ()  # deleted since the listing
    try:
        return stored.etag, parse_domain_list(stored.body)
    except DomainListError as e:
        return stored.etag, str(e)
