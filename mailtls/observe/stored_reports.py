"""The stored reports of all domains, within the bounds of a day that the controller keeps to as well (store.py)."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

from mailtls import names
from mailtls.observe.store import S3Store, Store, all_domains, ledger_entry, ledger_keys
from mailtls.tls_rpt.ledger import LedgerEntry

READERS = 16
"""Objects of S3 that are fetched ahead."""

_Place = tuple[str, date, str]
"""Domain, day, key."""


@dataclass(slots=True)
class StoredReports:
    """unread: the days of each domain of which something was left out: more than MAX_ENTRIES reports or MAX_DAY_BYTES
    of one day, or what is no entry. no_domains: what stands in the ledger where a domain's name belongs."""

    store: Store
    first: date
    last: date
    unread: dict[str, set[date]] = field(default_factory=dict)
    no_domains: list[str] = field(default_factory=list)

    def entries(self) -> Iterator[tuple[str, LedgerEntry]]:
        """Key and entry of each report, by domain and day. One is held at a time; of S3 some are fetched ahead. Raises
        StoreTrouble."""
        if not isinstance(self.store, S3Store):
            for place in self._places():
                yield from self._kept(place, ledger_entry(self.store, *place))
            return
        waiting: deque[tuple[_Place, Future[LedgerEntry | None]]] = deque()
        with ThreadPoolExecutor(READERS, "ledger") as pool:
            try:
                for place in self._places():
                    waiting.append((place, pool.submit(ledger_entry, self.store, *place)))
                    if len(waiting) >= READERS:
                        place, fetched = waiting.popleft()
                        yield from self._kept(place, fetched.result())
                for place, fetched in waiting:
                    yield from self._kept(place, fetched.result())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _places(self) -> Iterator[_Place]:
        for name in all_domains(self.store):
            if not is_domain(name):
                self.no_domains.append(name)
                continue
            unread = self.unread.setdefault(name, set())
            for posted in (False, True):
                for day, key in ledger_keys(self.store, name, self.first, self.last, unread, None, posted=posted):
                    yield name, day, key

    def _kept(self, place: _Place, entry: LedgerEntry | None) -> Iterator[tuple[str, LedgerEntry]]:
        if entry is None:
            self.unread[place[0]].add(place[1])
        else:
            yield place[2], entry


def is_domain(name: str) -> bool:
    """Is it a domain's name, as the ledger writes it?"""
    try:
        return names.domain_name(name) == name
    except names.InvalidName:
        return False
