"""The domains of a store, one after the other: reports, what was served, and what specs and controller say of each."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

from mailtls.dashboard.build import DomainReports
from mailtls.dashboard.domain_view import Known
from mailtls.dashboard.views import NextStep
from mailtls.observe.store import S3Store, Store, StoreTrouble, all_domains, ledger_entries, read_served
from mailtls.observe.stored_reports import is_domain
from mailtls.rollout.history import History
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.totals.period import Period

AHEAD = 8
"""Domains that are read from S3 while one is written: each object is a request, and most of it is waiting."""


def names_in(store: Store) -> tuple[list[str], list[str]]:
    """The domains of the ledger, and what stands there that is no domain's name. Raises StoreTrouble."""
    found: tuple[list[str], list[str]] = ([], [])
    for name in all_domains(store):
        found[0 if is_domain(name) else 1].append(name)
    return found


class DomainReader:
    """Reads from `store` what a dashboard needs of each domain."""

    def __init__(
        self, store: Store, period: Period, now: datetime, specs: Iterable[PolicySpec], steps: Mapping[str, NextStep]
    ) -> None:
        self._store, self._period, self._now, self._steps = store, period, now, steps
        self._specs = {spec.policy_domain: spec for spec in specs}

    def read_all(self, domains: Sequence[str]) -> Iterator[DomainReports]:
        """In the order given. Of a folder each entry is read when it is counted; of S3 some domains are read ahead.
        Raises StoreTrouble."""
        if not isinstance(self._store, S3Store):
            yield from map(self._read, domains)
            return
        waiting: deque[Future[DomainReports]] = deque()
        with ThreadPoolExecutor(AHEAD, "ledger") as pool:
            try:
                for name in domains:
                    waiting.append(pool.submit(self._read_whole, name))
                    if len(waiting) > AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _read_whole(self, name: str) -> DomainReports:
        found = self._read(name)
        return replace(found, entries=list(found.entries))

    def _read(self, name: str) -> DomainReports:
        spec = self._specs.get(name)
        told = ""
        try:
            history = read_served(self._store, name, spec.controller.adopted if spec else None, self._now)
        except StoreTrouble as e:  # of one domain, whose reports can be shown all the same
            history, told = None, f"{name}: what was served could not be read: {e}"
        unread: set[date] = set()
        first, last = self._period.first, self._period.last
        proven = ledger_entries(self._store, name, first, last, unread)
        posted = ledger_entries(self._store, name, first, last, unread, posted=True)
        entries = heapq.merge(proven, posted, key=lambda entry: entry.report.day)
        owner = (spec.owner if spec else None) or ""
        known = Known(owner, history, self._steps.get(name))
        return DomainReports(name, entries, unread, known, _own(name, history), told)


def _own(name: str, history: History | None) -> OwnDomain:
    """As it is served now: what a report does not say of the policy is taken from there."""
    current = history.current if history else None
    if current is None:
        return OwnDomain(name)
    return OwnDomain(name, str(current.policy.mode), tuple(pattern.text for pattern in current.policy.mx))
