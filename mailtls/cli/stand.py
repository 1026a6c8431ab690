"""How each domain of the specs stands: the looks, the store and the decision, for many domains beside each other.

What goes wrong with one domain becomes a Failed and stops no other one.
"""

import asyncio
import collections
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mailtls.cli.moment import Moment
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.domain import Looks, Network
    from mailtls.observe.store import Store
    from mailtls.observed import Observed
    from mailtls.rollout.evidence import Evidence
    from mailtls.rollout.history import History
    from mailtls.rollout.standing import Standing
    from mailtls.spec.load import Survey
    from mailtls.spec.model import PolicySpec

_F = TypeVar("_F", bound=Callable[..., Any])

READERS = 10
"""Domains whose history is read together: as many as boto3 keeps connections."""
_STORE_FORMS = "a folder, or s3://POLICY-BUCKET,REPORTS-BUCKET"
_OPTIONS = (
    click.option(
        "--specs",
        type=click.Path(path_type=Path),
        default="policy_specs",
        show_default=True,
        help="The folder of specs, or one spec.",
    ),
    click.option(
        "--store",
        metavar="PLACE",
        help=f"What was served and reported: {_STORE_FORMS}. Without it only what DNS shows is decided.",
    ),
    click.option("--region", help="Of both buckets. [AWS_REGION]"),
    click.option("--smtp", is_flag=True, help="Also ask each address of each MX on port 25: STARTTLS and certificate."),
    click.option(
        "--authoritative", is_flag=True, help="Also ask the zones' own servers; no MX is added on one answer."
    ),
    click.option(
        "--at", type=Moment(), help="Decide as if it were then, with what is known now. 2026-12-24, or with a time."
    ),
)


def standing_options(function: _F) -> _F:
    """Adds the options; their values come as `specs`, `store`, `region`, `smtp`, `authoritative`, `at`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Failed:
    """A domain about which nothing could be decided. told: why, and what to do."""

    policy_domain: str
    told: str


@dataclass(frozen=True, slots=True)
class Ways:
    """network: to the world. looks: what is asked there. store: None where none was named.

    at: the moment as of which is decided (aware, UTC); None: now, of each domain its own.
    """

    network: "Network"
    looks: "Looks"
    store: "Store | None"
    at: datetime | None = None


def looks_of(smtp: bool, authoritative: bool) -> "Looks":
    """The looks that decisions need, and those that were asked for."""
    from mailtls.observe.domain import Looks

    looks = Looks.USUAL
    if smtp:
        looks |= Looks.SMTP
    return looks | Looks.AUTHORITATIVE if authoritative else looks


def specs_of(folder: Path, wanted: Sequence[str] = ()) -> "tuple[PolicySpec, ...]":
    """The specs of a folder, or those of the domains in `wanted`. Raises Trouble."""
    from mailtls import names

    specs = whole_survey(folder).specs
    by_name = {spec.policy_domain: spec for spec in specs}
    try:
        asked = tuple(dict.fromkeys(names.host_name(text) for text in wanted))
    except names.InvalidName as e:
        raise Trouble(f"a domain cannot be read: {e}; write it as in an address, contoso.com") from e
    if missing := [name for name in asked if name not in by_name]:
        raise Trouble(f"{folder} has no spec of {', '.join(missing)}; mailtls check {missing[0]} looks at any domain")
    return tuple(by_name[name] for name in asked) if asked else specs


def whole_survey(folder: Path) -> "Survey":
    """All specs of a folder, none at fault. Raises Trouble."""
    from mailtls.spec.errors import SpecErrors
    from mailtls.spec.load import survey

    found = survey(folder)
    if found.errors:
        raise Trouble(f"the specs cannot be read:\n{SpecErrors(found.errors)}")
    return found


def store_at(place: str | None, region: str | None) -> "Store | None":
    """The store that `--store` names. Raises Trouble."""
    if place is None:
        return None
    from mailtls.observe.store import FolderStore, S3Store, StoreTrouble

    if not place.startswith("s3://"):
        folder = Path(place)
        if not (folder / "policies").is_dir():
            raise Trouble(f"--store {place}: no folder with a folder `policies` in it; write {_STORE_FORMS}")
        return FolderStore(folder)
    policies, comma, reports = place.removeprefix("s3://").partition(",")
    if not (policies and comma and reports) or "/" in policies + reports:
        raise Trouble(f"--store {place}: two buckets are read; write s3://POLICY-BUCKET,REPORTS-BUCKET")
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise Trouble("--store: in which region are the buckets? Write --region eu-west-1, or set AWS_REGION")
    try:
        return S3Store(policies, reports, region)
    except StoreTrouble as e:
        raise Trouble(f"--store: {e}") from e


async def stand_all(
    specs: Iterable["PolicySpec"], ways: Ways, done: Callable[[], None] = lambda: None
) -> "AsyncIterator[Standing | Failed]":
    """Each domain in the order of `specs`; up to four times `at_once` wait for a slow one before them.

    done: called after each one. Nothing that was looked at or read outlives its domain's decision.
    """
    gate = asyncio.Semaphore(ways.network.at_once)
    waiting: collections.deque[asyncio.Task[Standing | Failed]] = collections.deque()
    with ThreadPoolExecutor(READERS, "store") as readers:

        async def one(spec: "PolicySpec") -> "Standing | Failed":
            async with gate:
                found = await _stand(spec, ways, readers)
            done()
            return found

        try:
            for spec in specs:
                waiting.append(asyncio.create_task(one(spec)))
                if len(waiting) >= 4 * ways.network.at_once:
                    yield await waiting.popleft()
            while waiting:
                yield await waiting.popleft()
        finally:
            for task in waiting:
                task.cancel()
            readers.shutdown(wait=False, cancel_futures=True)


async def _stand(spec: "PolicySpec", ways: Ways, readers: ThreadPoolExecutor) -> "Standing | Failed":
    from mailtls.observe.domain import look_at
    from mailtls.observe.store import StoreTrouble
    from mailtls.rollout.standing import stand

    try:
        observed = await look_at(spec.policy_domain, ways.looks, ways.network)
        if _unanswered(observed):
            told = "no question to DNS was answered; is there a network? Name another resolver: --resolver 192.0.2.53"
            return Failed(spec.policy_domain, told)
        now = ways.at or datetime.now(UTC)
        history, evidence = None, None
        if ways.store is not None:
            loop = asyncio.get_running_loop()
            history, evidence = await loop.run_in_executor(readers, _read, ways.store, spec, now)
        return stand(spec, observed, history, evidence, now)
    except StoreTrouble as e:
        return Failed(spec.policy_domain, str(e))
    except Exception as e:  # noqa: BLE001  # the top of the loop: what one domain brings about stops no other
        told = f"a fault of this program, please report it: {type(e).__name__}: {' '.join(str(e).split())[:300]}"
        return Failed(spec.policy_domain, told)


def _read(store: "Store", spec: "PolicySpec", now: datetime) -> "tuple[History, Evidence]":
    from mailtls.observe.store import read_evidence, read_history

    history = read_history(store, spec, now)
    return history, read_evidence(store, spec.policy_domain, history, now)


def _unanswered(observed: "Observed") -> bool:
    from mailtls.observed import DnsStatus

    asked = [one for one in (observed.sts, observed.tls_rpt, observed.mx) if one is not None]
    return bool(asked) and all(one.status is DnsStatus.FAILED for one in asked)
