"""The domains that change, as they are now: what a sender finds, beside what the specs say."""

import dataclasses
from collections.abc import Callable

from mailtls.changes import ChangeSet
from mailtls.observe.domain import Looks, Network, look_at_all


async def seen_live(change_set: ChangeSet, network: Network, done: Callable[[], None]) -> ChangeSet:
    """`change_set` with a look at each domain that changes. done: called after each one."""
    domains = [change.policy_domain for change in change_set.changes]
    looks = Looks.RECORDS | Looks.POLICY | Looks.MX
    seen = [observed async for observed in look_at_all(domains, looks, network, done)]
    changes = tuple(
        dataclasses.replace(change, live=observed) for change, observed in zip(change_set.changes, seen, strict=True)
    )
    return dataclasses.replace(change_set, changes=changes)
