"""What a pack says of one domain. Values only; `to_json` gives the shape of evidence_domain.v1.schema.json."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ChangeOf:
    """The commit that asked for a policy: the first of those before it was served that hold it without a break.

    author, committer, subject: as the commit has them, one line each. spec: the file, below the repository's root.
    """

    commit: str
    at: datetime
    author: str
    committer: str
    subject: str
    spec: str


@dataclass(frozen=True, slots=True)
class Review:
    """The pull request that brought a commit, as the forge tells. approved_by: accounts whose approval stands."""

    url: str
    author: str
    merged_by: str
    approved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    """An organisation whose reports repeat the policy. sessions: successful and failed ones, from first to last day."""

    organisation: str
    first: date
    last: date
    sessions: int


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of the policy object, in force in the period.

    since: UTC, when it took the place of the one before; until: None, it still stands. file: its bytes, in the pack; ""
    where nothing was served (the object was deleted). mode, max_age, mx: "", None, () where the bytes are no policy.
    """

    version_id: str
    policy_id: str
    since: datetime
    until: datetime | None
    file: str
    mode: str
    max_age: int | None
    mx: tuple[str, ...]
    change: ChangeOf | None = None
    review: Review | None = None
    applied_by: tuple[Applied, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenCertificate:
    """Of the policy host, as it was shown."""

    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    fault: str


@dataclass(frozen=True, slots=True)
class Look:
    """What mailtls saw from where it ran. txt: at `_mta-sts`. policy_sha256: of the body; "" where none came. version:
    the header `x-amz-version-id`. mx: hosts that take mail. told: what could not be seen."""

    at: datetime
    txt: tuple[str, ...]
    policy_sha256: str
    version: str
    certificate: SeenCertificate | None
    mx: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reporter:
    """organisation: by the domain that signed. sessions: of MTA-STS rows."""

    organisation: str
    reports: int
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class Reports:
    """days: that have a report. due: days of the period about which reports were due when the pack was made and that
    could be read. missing: those of them without a report. unread: that could not be read whole. by_type: sessions of
    each policy type, never to be added up (successful, failed)."""

    count: int
    days: int
    due: int
    missing: int
    unread: tuple[date, ...]
    by_type: dict[str, tuple[int, int]]
    reporters: tuple[Reporter, ...]
    file: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One cause. first, last: days. clean_since: the first day by which each of those that saw it had reported without
    it after the last day on which it saw it; None: one of them has not, or is among `others`."""

    cause: str
    what: str
    host: str
    first: date
    last: date
    sessions: int
    seen_by: tuple[str, ...]
    clean_since: date | None


@dataclass(frozen=True, slots=True)
class SpecException:
    """Something that the spec let pass in the period. since, commit: the first that has it; None and "": not known.
    until, removed_by: the first after it that has it no longer; None and "": it still stands. ends: the moment at which
    it ends by itself, whoever removes it; None: never."""

    what: str
    reason: str
    since: datetime | None
    commit: str
    until: datetime | None
    removed_by: str
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class DomainEvidence:
    """told: what could not be read or asked, a sentence each."""

    policy_domain: str
    owner: str
    contact: str
    policies: tuple[PolicyVersion, ...]
    look: Look | None
    reports: Reports
    failures: tuple[Failure, ...]
    exceptions: tuple[SpecException, ...]
    told: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {"version": 1, **plain(asdict(self))}


def plain(value: Any) -> Any:
    """As JSON has it: days and moments as text, tuples as lists."""
    match value:
        case dict():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
    return value
