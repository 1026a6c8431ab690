"""What was served and what was reported, read from where it lies: the two buckets in S3, or a copy of them in a folder.

    store = S3Store(policies="…", reports="…", region="eu-west-1")      or      FolderStore(Path("copy"))
    history = read_history(store, spec, now)
    evidence = read_evidence(store, spec.policy_domain, history, now)

Only reads. Reports come from strangers and a bucket can hold anything, so numbers and sizes are bounded before anything
is fetched, and what was left out is told: `History.whole`, `Evidence.unread`. One ledger entry is held at a time.

A folder copy has the keys of the report bucket as paths (`aws s3 sync`), and beside them for each domain
`policies/<policy domain>/versions.json`, as `aws s3api list-object-versions` prints it for the domain's policy file,
and each of these versions in a file named by its VersionId.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from mailtls.mta_sts.policy import MAX_AGE, MAX_POLICY_BYTES
from mailtls.reports.bucket_layout import ledger_of, posted_of
from mailtls.rollout.evidence import Evidence, evidence_of
from mailtls.rollout.history import History, Version, of_versions
from mailtls.spec.controller import Adopted
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.contract import Prefix, policy_key
from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry

MAX_VERSIONS = 500
"""Of one policy file. More within the time that counts, and no date is promised."""
COUNTS = timedelta(seconds=MAX_AGE) + timedelta(days=2)
"""A version that was replaced longer ago than this is in nobody's cache, whatever it says."""
EVIDENCE_DAYS = 90
MAX_ENTRIES = 200
"""Reports of one domain and day; as many as the function itself looks at."""
MAX_DAY_BYTES = 8 * 1024 * 1024
MAX_BYTES = 64 * 1024 * 1024
"""Of one domain, all days together."""
MAX_LISTED = 50_000
"""Keys of one domain's ledger: more than MAX_ENTRIES a day for all days."""
MAX_UNREAD = 1500
"""Days that are told one by one as unread: the ledger keeps 400."""
MAX_INDEX_BYTES = 4 * 1024 * 1024

THREADS = 32
"""That may read through one S3Store at a time; more would wait for a connection."""

_VERSION_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,1023}")
_ENTRY = re.compile(r"(\d{4}-\d{2}-\d{2})/[0-9a-f]{32}\.json")


class StoreTrouble(Exception):
    """The store could not be read now, or holds what nobody of ours wrote. The text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One version of an object. size: octets; None for a delete marker."""

    version_id: str
    modified: datetime
    size: int | None


class Store(Protocol):
    """Where policies and reports lie. Every method raises StoreTrouble."""

    def versions(self, policy_domain: str) -> tuple[tuple[Listed, ...], bool]:
        """Of the domain's policy file, newest first, at most MAX_VERSIONS; and whether these are all."""

    def policy(self, policy_domain: str, version_id: str) -> bytes:
        """The bytes of one version, which the listing says to be no larger than a policy can be."""

    def ledger_domains(self, *, posted: bool = False) -> Iterator[str]:
        """What stands in the ledger where a domain's name belongs, in order; it may be no name. posted: of the reports
        that came by HTTPS POST."""

    def ledger_keys(self, prefix: str, start_after: str) -> Iterator[tuple[str, int]]:
        """Key and size of each object under `prefix` after the key `start_after`, in the order of keys."""

    def report(self, key: str) -> bytes:
        """The bytes of one object of the ledger."""


def read_history(store: Store, spec: PolicySpec, now: datetime) -> History:
    """What was served for the domain of `spec`, as far back as anybody may hold it. Raises StoreTrouble."""
    return read_served(store, spec.policy_domain, spec.controller.adopted, now)


def read_served(store: Store, policy_domain: str, adopted: Adopted | None, now: datetime) -> History:
    """As `read_history`, of a domain whose spec is not at hand. Raises StoreTrouble."""
    listed, whole = store.versions(policy_domain)
    versions = []
    replaced = now
    for one in listed:  # newest first
        if now - replaced > COUNTS:
            break
        fits = one.size is not None and one.size <= MAX_POLICY_BYTES
        body = store.policy(policy_domain, one.version_id) if fits else None
        versions.append(Version(one.version_id, one.modified, body))
        replaced = one.modified
    whole = whole or now - replaced > COUNTS  # whatever the listing left out was replaced before that
    return of_versions(versions, adopted, whole)


def read_evidence(store: Store, policy_domain: str, history: History, now: datetime) -> Evidence:
    """What was reported about the policy that is served now, of the last EVIDENCE_DAYS at most. Raises StoreTrouble."""
    since = history.unchanged_since()
    if history.current is None or since is None:
        return Evidence()
    today = now.date()
    first = max(since.date(), today - timedelta(days=EVIDENCE_DAYS))
    unread: set[date] = set()
    entries = ledger_entries(store, policy_domain, first, today, unread)
    return evidence_of(entries, history.current.policy, first, unread)


def all_domains(store: Store) -> list[str]:
    """Those of the ledger and of posted reports, each once, in order. Raises StoreTrouble."""
    return sorted({*store.ledger_domains(), *store.ledger_domains(posted=True)})


def ledger_entries(
    store: Store, policy_domain: str, first: date, last: date, unread: set[date], *, posted: bool = False
) -> Iterator[LedgerEntry]:
    """The reports about the domain of the days from `first` to `last`, one at a time, by day. Raises StoreTrouble.

    posted: those that came by HTTPS POST, which no decision may look at, in place of the ledger's. unread: takes the
    days of which something was left out, for its number, its size, or because it is no entry.
    """
    for day, key in ledger_keys(store, policy_domain, first, last, unread, MAX_BYTES, posted=posted):
        entry = ledger_entry(store, policy_domain, day, key)
        if entry is None:
            unread.add(day)
        else:
            yield entry


def ledger_keys(
    store: Store,
    policy_domain: str,
    first: date,
    last: date,
    unread: set[date],
    most: int | None,
    *,
    posted: bool = False,
) -> Iterator[tuple[date, str]]:
    """Day and key of each of these reports, within the bounds of a day. most: bytes of all days together; None: no such
    bound, for one who does not wait for all of them. posted, unread: as of `ledger_entries`. Raises StoreTrouble."""
    read = 0
    for day, keys in _by_day(store, (posted_of if posted else ledger_of)(policy_domain), first, last, unread):
        sizes = sum(size for _, size in keys)
        if len(keys) > MAX_ENTRIES or sizes > MAX_DAY_BYTES or (most is not None and read + sizes > most):
            unread.add(day)
            continue
        read += sizes
        for key, _ in keys:
            yield day, key


def ledger_entry(store: Store, policy_domain: str, day: date, key: str) -> LedgerEntry | None:
    """What is stored at `key`; None where that is no entry of this domain and day: somebody moved or changed it. Raises
    StoreTrouble."""
    try:
        entry = LedgerEntry.parse(store.report(key))
    except InvalidLedgerEntry:
        return None
    return entry if entry.policy_domain == policy_domain and entry.report.day == day else None


def _by_day(
    store: Store, prefix: str, first: date, last: date, unread: set[date]
) -> Iterator[tuple[date, list[tuple[str, int]]]]:
    """Keys and sizes of each day, at most MAX_ENTRIES + 1 of one. What is no key of a report is none of ours."""
    day, keys = first, list[tuple[str, int]]()
    for number, (key, size) in enumerate(store.ledger_keys(prefix, f"{prefix}{first.isoformat()}/")):
        parsed = _day_of(key.removeprefix(prefix))
        if parsed is None:
            continue
        if parsed > last:
            break
        if number >= MAX_LISTED:
            days = min((last - parsed).days, MAX_UNREAD)
            unread.update(parsed + timedelta(days=n) for n in range(days + 1))
            break
        if parsed != day:
            yield day, keys
            day, keys = parsed, []
        if len(keys) <= MAX_ENTRIES:
            keys.append((key, size))
    yield day, keys


def _day_of(rest: str) -> date | None:
    match = _ENTRY.fullmatch(rest)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


# ------------------------------------------------------------------------------------------------------------- S3


@dataclass(frozen=True, slots=True)
class S3Store:
    """The buckets of a deployed platform. policies, reports: their names. region: of both.

    Endpoint and credentials are the environment's. Raises StoreTrouble when made without boto3.
    """

    policies: str
    reports: str
    region: str
    _client: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)
    """Made once; S3 clients may be used by several threads."""

    def __post_init__(self) -> None:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as e:
            raise StoreTrouble("S3 is read through boto3, which is not installed: pip install 'mailtls[aws]'") from e
        retries = {"total_max_attempts": 4, "mode": "standard"}
        bounds = Config(connect_timeout=5, read_timeout=20, retries=retries, max_pool_connections=THREADS)
        with _s3_trouble(f"region {self.region}"):
            self._client.append(boto3.Session(region_name=self.region).client("s3", config=bounds))

    def versions(self, policy_domain: str) -> tuple[tuple[Listed, ...], bool]:
        key = policy_key(policy_domain)
        with _s3_trouble(f"s3:ListBucketVersions on {self.policies}"):
            answer = self._client[0].list_object_versions(Bucket=self.policies, Prefix=key, MaxKeys=MAX_VERSIONS)
        return _listed(answer, key), not answer.get("IsTruncated", False)

    def policy(self, policy_domain: str, version_id: str) -> bytes:
        key = policy_key(policy_domain)
        with _s3_trouble(f"s3:GetObjectVersion on {self.policies}/{key}"):
            answer = self._client[0].get_object(Bucket=self.policies, Key=key, VersionId=version_id)
            return _read(answer, MAX_POLICY_BYTES)

    def ledger_domains(self, *, posted: bool = False) -> Iterator[str]:
        with _s3_trouble(f"s3:ListBucket on {self.reports}"):
            pages = self._client[0].get_paginator("list_objects_v2")
            prefix = Prefix.POSTED if posted else Prefix.REPORTS
            for page in pages.paginate(Bucket=self.reports, Prefix=prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield str(found["Prefix"]).removeprefix(prefix).removesuffix("/")

    def ledger_keys(self, prefix: str, start_after: str) -> Iterator[tuple[str, int]]:
        with _s3_trouble(f"s3:ListBucket on {self.reports}"):
            pages = self._client[0].get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.reports, Prefix=prefix, StartAfter=start_after):
                for found in page.get("Contents", ()):
                    yield found["Key"], found["Size"]

    def report(self, key: str) -> bytes:
        with _s3_trouble(f"s3:GetObject on {self.reports}/{key}"):
            return _read(self._client[0].get_object(Bucket=self.reports, Key=key), MAX_DAY_BYTES)


class _s3_trouble:  # reads as the word it is: with _s3_trouble(...)
    """Turns what boto3 raises into StoreTrouble. what: the permission and the place."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, raised: BaseException | None, _trace: object) -> None:
        import botocore.exceptions as faults

        if isinstance(raised, (faults.BotoCoreError, faults.ClientError)):
            raise StoreTrouble(f"{self._what}: {' '.join(str(raised).split())[:300]}") from raised


def _read(answer: Mapping[str, Any], limit: int) -> bytes:
    with answer["Body"] as body:
        data: bytes = body.read(limit + 1)
    if len(data) > limit:
        raise StoreTrouble(f"an object grew over {limit:,} bytes between the listing and the reading")
    return data


# --------------------------------------------------------------------------------------------------------- folder


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A copy on disk, in the layout that the top of this file tells. What is a symbolic link is not read."""

    root: Path

    def versions(self, policy_domain: str) -> tuple[tuple[Listed, ...], bool]:
        index = self.root / "policies" / policy_domain / "versions.json"
        if not index.exists():
            return (), True
        try:
            answer = json.loads(_read_file(index, MAX_INDEX_BYTES))
            for listed in (*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())):
                listed["LastModified"] = _moment(listed["LastModified"])
            found = _listed(answer, policy_key(policy_domain))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
            how = "write it anew with aws s3api list-object-versions --output json"
            raise StoreTrouble(f"{index}: not a listing of object versions ({e!r}); {how}") from e
        return found[:MAX_VERSIONS], len(found) <= MAX_VERSIONS and not answer.get("IsTruncated", False)

    def policy(self, policy_domain: str, version_id: str) -> bytes:
        if not _VERSION_ID.fullmatch(version_id):
            raise StoreTrouble(f"policies/{policy_domain}/versions.json: {version_id[:80]!r} is no version id")
        return _read_file(self.root / "policies" / policy_domain / version_id, MAX_POLICY_BYTES)

    def ledger_domains(self, *, posted: bool = False) -> Iterator[str]:
        ledger = self.root / (Prefix.POSTED if posted else Prefix.REPORTS)
        return (name for name in _names_in(ledger) if (ledger / name).is_dir() and not (ledger / name).is_symlink())

    def ledger_keys(self, prefix: str, start_after: str) -> Iterator[tuple[str, int]]:
        for day in _names_in(self.root / prefix):
            for name in _names_in(self.root / prefix / day):
                key, path = f"{prefix}{day}/{name}", self.root / prefix / day / name
                if key > start_after and path.is_file() and not path.is_symlink():
                    yield key, path.stat().st_size

    def report(self, key: str) -> bytes:
        return _read_file(self.root / key, MAX_DAY_BYTES)


def _names_in(folder: Path) -> list[str]:
    """What lies in a folder, in order; nothing where there is none."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as e:
        raise StoreTrouble(f"{folder}: cannot be read: {e.strerror}") from e


def _read_file(path: Path, limit: int) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            raise StoreTrouble(f"{path}: no such file, or no regular one; copy the bucket anew")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as e:
        raise StoreTrouble(f"{path}: cannot be read: {e.strerror}") from e
    if len(data) > limit:
        raise StoreTrouble(f"{path}: over {limit:,} bytes")
    return data


def _listed(answer: Mapping[str, Any], key: str) -> tuple[Listed, ...]:
    """Versions and delete markers of this very key, newest first. S3 counts in seconds: of one second the version that
    is the latest comes first, else as they came."""
    written: Iterable[Mapping[str, Any]] = answer.get("Versions") or ()
    deleted: Iterable[Mapping[str, Any]] = answer.get("DeleteMarkers") or ()
    found = [
        (bool(one.get("IsLatest")), Listed(str(one["VersionId"]), one["LastModified"], size))
        for one, size in (*((v, int(v["Size"])) for v in written), *((m, None) for m in deleted))
        if one["Key"] == key
    ]
    found.sort(key=lambda pair: (pair[1].modified, pair[0]), reverse=True)
    return tuple(listed for _, listed in found)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment
