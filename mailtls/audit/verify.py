"""Whether a pack is what it was: every byte against the manifest, every number and page against what they follow from.

Offline. A pack comes from whoever hands it over: names, numbers and sizes are bounded before anything is read.
"""

import gzip
import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Any, cast

from mailtls.audit.assemble import Index, to_text
from mailtls.audit.facts import ChangeOf, PolicyVersion, plain
from mailtls.audit.gather import MAX_DAYS, ReportsTally, parsed
from mailtls.audit.pack_files import Files, NoPack, PackInFolder, PackInZip, contents, digest_of, is_below
from mailtls.audit.pack_folder import MANIFEST, chunks, write_zip
from mailtls.audit.page import domain_page, index_page
from mailtls.mta_sts.record import InvalidRecord, policy_id_of
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import MAX_ENTRY_BYTES, InvalidLedgerEntry, LedgerEntry
from mailtls.totals.period import Period

MAX_FILES = 1_000_000
MAX_MANIFEST = 200 << 20
MAX_JSON = 64 << 20
MAX_REPORTS = 256 << 20
"""Octets of one domain's reports, unpacked; a pack is made of at most a quarter of that."""
MAX_FAULTS = 100
"""That are told; one is enough."""
_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f\\]+)")
_DOMAIN_FILE = re.compile(r"domains/([^/]+)/evidence\.json")


@dataclass(slots=True)
class Verdict:
    """faults: a sentence each; none: the pack is whole. notes: what could not be compared, and why. digest: of the
    manifest as it is. changes: domain, what the pack says of a commit, and the policy that it asked for, for whoever
    has the repository."""

    digest: str = ""
    files: int = 0
    domains: int = 0
    reports: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: list[tuple[str, ChangeOf, bytes]] = field(default_factory=list)

    def fault(self, words: str) -> None:
        """One more; beyond MAX_FAULTS nobody reads on. What the pack says of itself may be no text for a terminal."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(_shown(words))

    def note(self, words: str) -> None:
        """One more."""
        self.notes.append(_shown(words))


def verify(place: Path) -> Verdict:
    """Check the folder, or the zip, at `place`. Raises NoPack where there is none."""
    verdict = Verdict()
    if place.is_dir():
        _check(PackInFolder(place), verdict)
        return verdict
    try:
        with zipfile.ZipFile(place) as archive:
            files = PackInZip(archive)
            _check(files, verdict)
            if not verdict.faults:
                _check_zip(place, files, verdict)
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, struct.error) as e:
        if isinstance(e, FileNotFoundError):
            raise NoPack(f"{place}: there is no such folder or file") from e
        verdict.fault(f"{place.name} is no zip that can be read whole: {e}")
    return verdict


def _check(files: Files, verdict: Verdict) -> None:
    sizes = files.sizes()
    if MANIFEST not in sizes:
        raise NoPack(f"there is no {MANIFEST} in it; name the folder or the zip that `mailtls evidence` wrote")
    if len(sizes) > MAX_FILES or sizes[MANIFEST] > MAX_MANIFEST:
        raise NoPack(f"{len(sizes):,} files, a manifest of {sizes[MANIFEST]:,} octets: larger than any pack")
    manifest = contents(files, MANIFEST)
    verdict.digest = hashlib.sha256(manifest).hexdigest()
    listed = _listed(manifest, verdict)
    for path in sorted(sizes.keys() - listed.keys() - {MANIFEST}):
        verdict.fault(f"{path}: is in no line of the manifest; it was added")
    for path, digest in listed.items():
        if path not in sizes:
            verdict.fault(f"{path}: is missing")
        elif digest_of(files, path) != digest:
            verdict.fault(f"{path}: its bytes are not those that the manifest names; it was changed")
    verdict.files = len(listed)
    if not verdict.faults:
        _check_contents(files, sizes, verdict)


def _listed(manifest: bytes, verdict: Verdict) -> dict[str, str]:
    listed: dict[str, str] = {}
    text = manifest.decode("utf-8", "replace")
    for number, line in enumerate(text.split("\n")[:-1], 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed or not is_below(match[2]):
            verdict.fault(f"{MANIFEST}:{number}: no line of a manifest")
            continue
        listed[match[2]] = match[1]
    if not text.endswith("\n") or list(listed) != sorted(listed):
        verdict.fault(f"{MANIFEST}: its lines are not as they were written")
    return listed


def _check_zip(place: Path, files: PackInZip, verdict: Verdict) -> None:
    """A zip has room between its files: the whole of it is made again."""
    again = hashlib.sha256()

    def read(name: str) -> Iterator[bytes]:
        with files.open(name) as file:
            yield from chunks(file)

    write_zip(again.update, sorted(files.sizes()), read)
    with place.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != again.hexdigest():
            verdict.fault(f"{place.name}: its files are whole, but the zip around them was changed")


def _check_contents(files: Files, sizes: dict[str, int], verdict: Verdict) -> None:
    index = _json(files, sizes, "evidence.json", "evidence.v1.schema.json", verdict)
    if index is None:
        return
    try:
        period = Period(date.fromisoformat(index["first"]), date.fromisoformat(index["last"]))
        made = datetime.fromisoformat(index["made"])
    except ValueError as e:
        verdict.fault(f"evidence.json: its days cannot be: {e}")
        return
    if period.length > MAX_DAYS:  # before its days are counted for each domain
        verdict.fault(f"evidence.json: is about {period.length:,} days; a pack has {MAX_DAYS} at most")
        return
    summed = Index(period, made, index["made_with"], index["source"])
    same_version = index["made_with"] == _our_version()
    if not same_version:
        verdict.note(
            f"made by mailtls {index['made_with']}, this is {_our_version()}: pages and sentences were not made again"
        )
    paths = [f"domains/{one['policy_domain']}/evidence.json" for one in index["domains"]]
    if len(set(paths)) < len(paths):
        verdict.fault("evidence.json: names a domain twice")
        return
    for path in sorted({path for path in sizes if _DOMAIN_FILE.fullmatch(path)} - set(paths)):
        verdict.fault(f"{path}: evidence.json does not name this domain")
    for one, path in zip(index["domains"], paths, strict=True):
        data = _json(files, sizes, path, "evidence_domain.v1.schema.json", verdict)
        if data is None:
            continue
        if data["policy_domain"] != one["policy_domain"]:
            verdict.fault(f"{path}: is about {data['policy_domain']}")
            continue
        if (data["first"], data["last"]) != (index["first"], index["last"]):
            verdict.fault(f"{path}: is about another period than evidence.json")
            continue
        summed.add(data)
        before = len(verdict.faults)
        try:
            _check_domain(files, sizes, PurePosixPath(path).parent.as_posix(), data, made.date(), verdict)
        except (ValueError, OverflowError) as e:  # a day or a moment that fits its pattern and is in no calendar
            verdict.fault(f"{path}: holds a value that cannot be: {e}")
        if len(verdict.faults) > before or before == MAX_FAULTS:
            continue  # a page is made of JSON that is whole
        if same_version:
            if to_text(data).encode("utf-8", "replace") != contents(files, path):
                verdict.fault(f"{path}: is not written as the JSON of a pack is")
            _check_page(files, sizes, path.replace(".json", ".html"), domain_page(data), verdict)
        verdict.domains += 1
    if summed.to_json()["domains"] != index["domains"]:
        verdict.fault("evidence.json: its lines do not follow from the domains' own files")
    if same_version:
        if to_text(summed.to_json()).encode("utf-8", "replace") != contents(files, "evidence.json"):
            verdict.fault("evidence.json: does not follow from the domains' own files")
        _check_page(files, sizes, "evidence.html", index_page(index), verdict)


def _check_page(files: Files, sizes: dict[str, int], path: str, wanted: str, verdict: Verdict) -> None:
    page = wanted.encode("utf-8", "replace")  # JSON may name half a character, a page cannot
    if path not in sizes:
        verdict.fault(f"{path}: is missing")
    elif sizes[path] != len(page) or contents(files, path) != page:
        verdict.fault(f"{path}: does not follow from the JSON beside it")


def _check_domain(
    files: Files, sizes: dict[str, int], folder: str, data: dict[str, Any], made: date, verdict: Verdict
) -> None:
    period = Period(date.fromisoformat(data["first"]), date.fromisoformat(data["last"]))
    versions = []
    for said in data["policies"]:
        version = _version(said)
        versions.append(version)
        body = None
        if said["file"]:
            path = f"{folder}/{said['file']}"
            if sizes.get(path, MAX_JSON + 1) > MAX_JSON:
                verdict.fault(f"{path}: is missing, or larger than a policy")
                continue
            body = contents(files, path)
        policy = parsed(body)
        found = (str(policy.mode), policy.max_age, tuple(p.text for p in policy.mx)) if policy else ("", None, ())
        if found != (version.mode, version.max_age, version.mx):
            verdict.fault(f"{folder}/evidence.json: version {version.version_id} is not what its bytes say")
        if _id_of(version.version_id) != version.policy_id:
            verdict.fault(f"{folder}/evidence.json: the policy id of version {version.version_id} is not made from it")
        if said["change"] and policy is None:
            verdict.fault(
                f"{folder}/evidence.json: names a commit for version {version.version_id}, which is no policy"
            )
        elif said["change"] and body is not None:
            change = ChangeOf(**{**said["change"], "at": datetime.fromisoformat(said["change"]["at"])})
            verdict.changes.append((data["policy_domain"], change, body))
    last = versions[-1] if versions and versions[-1].mode else None
    own = OwnDomain(data["policy_domain"], last.mode if last else None, last.mx if last else ())
    tally = ReportsTally(own, versions)
    path = f"{folder}/{data['reports']['file']}"
    if path not in sizes:
        verdict.fault(f"{path}: is missing")
        return
    for entry in _entries(files, path, verdict):
        if entry.policy_domain != data["policy_domain"]:
            verdict.fault(f"{path}: holds a report about {entry.policy_domain}")
            return
        tally.add(entry)
        verdict.reports += 1
    counted = tally.reports(map(date.fromisoformat, data["reports"]["unread"]), data["reports"]["file"], period, made)
    if plain(asdict(counted)) != data["reports"]:
        verdict.fault(f"{folder}/evidence.json: its counts are not those of {data['reports']['file']}")
    if plain([asdict(one) for one in tally.failures()]) != data["failures"]:
        verdict.fault(f"{folder}/evidence.json: its failures are not those of {data['reports']['file']}")
    applied = [plain([asdict(one) for one in tally.applied(version).applied_by]) for version in versions]
    if applied != [said["applied_by"] for said in data["policies"]]:
        verdict.fault(f"{folder}/evidence.json: who applied which policy is not what {data['reports']['file']} says")


def _version(said: dict[str, Any]) -> PolicyVersion:
    return PolicyVersion(
        said["version_id"],
        said["policy_id"],
        datetime.fromisoformat(said["since"]),
        datetime.fromisoformat(said["until"]) if said["until"] else None,
        said["file"],
        said["mode"],
        said["max_age"],
        tuple(said["mx"]),
    )


def _id_of(version_id: str) -> str:
    try:
        return policy_id_of(version_id)
    except InvalidRecord:
        return ""


def _entries(files: Files, path: str, verdict: Verdict) -> Iterator[LedgerEntry]:
    read = 0
    try:
        with files.open(path) as packed, gzip.GzipFile(fileobj=packed) as lines:
            while line := lines.readline(MAX_ENTRY_BYTES + 1):
                read += len(line)
                if len(line) > MAX_ENTRY_BYTES or read > MAX_REPORTS:
                    verdict.fault(f"{path}: unpacks to more than any pack holds")
                    return
                yield LedgerEntry.parse(line)
    except (InvalidLedgerEntry, OSError, EOFError, zlib.error) as e:
        verdict.fault(f"{path}: not what the ledger holds: {e}")


def _json(files: Files, sizes: dict[str, int], path: str, schema: str, verdict: Verdict) -> dict[str, Any] | None:
    """The file, when it fits its schema."""
    from jsonschema import Draft202012Validator  # here: it costs more than the rest of this file

    if sizes.get(path, MAX_JSON + 1) > MAX_JSON:
        verdict.fault(f"{path}: is missing, or too large")
        return None
    try:
        data = json.loads(contents(files, path))
    except (ValueError, RecursionError) as e:
        verdict.fault(f"{path}: no JSON: {e}")
        return None
    rules = json.loads(resources.files("mailtls.audit").joinpath(schema).read_text("utf-8"))
    fault = next(
        iter(Draft202012Validator(rules, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(data)), None
    )
    if fault is not None:
        verdict.fault(f"{path}: does not fit {schema}: at {fault.json_path}: {fault.message[:200]}")
        return None
    return cast("dict[str, Any]", data)


def _our_version() -> str:
    from importlib.metadata import version

    return version("mailtls")


def _shown(words: str) -> str:
    """On one line, and as UTF-8 can have it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in words)
