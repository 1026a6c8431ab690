"""One raw mail, from the bucket to its disposition. All of the flow, pure of AWS.

Order of writes, and what a crash after each leaves behind (ADR 5):

1. the ledger entries, each with `If-None-Match: *`: COMMIT POINT OF A REPORT. An entry names the mail that wrote it, so
   the retry of that mail goes on with it, while another mail with the same report is a duplicate;
2. the alerts' states and messages (alert_desk.py): entering a report again changes nothing;
   or, for a mail that is not acted on, its copy under quarantine/ and the reason beside it: written twice, no harm;
3. the metric lines: a crash between here and 4 counts this mail twice, the one thing that may double;
4. the disposition, with `If-None-Match: *`: COMMIT POINT OF THE MAIL. Once it stands, a repeated event does nothing.

Until 4 the mail is in flight: the queue still holds its message, or the dead-letter queue does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mailtls import names
from mailtls.reports import reading
from mailtls.reports.alert_rules import AHEAD
from mailtls.reports.bucket_layout import disposition_key, posted_key, quarantine_stem, to_bytes
from mailtls.reports.causes import failed_by_result_type
from mailtls.reports.reading import Header, Unfit
from mailtls.reports.sender_text import clean
from mailtls.tls_rpt import message, report
from mailtls.tls_rpt.attribution import MAX_SHARED, attribute
from mailtls.tls_rpt.contract import (
    FAILED_SESSIONS,
    FAILURES,
    MAILS_QUARANTINED,
    MAILS_RECEIVED,
    POSTED_MAIL,
    REPORTS_DUPLICATE,
    REPORTS_STORED,
    REPORTS_UNAUTHENTICATED,
    SES_SETUP_NOTIFICATION,
    SUCCESSFUL_SESSIONS,
    Disposition,
    OwnDomain,
    Prefix,
    QuarantineReason,
)
from mailtls.tls_rpt.ledger import MAX_BYTES_OF_MAIL, MAX_ENTRIES_OF_MAIL, MAX_ENTRY_BYTES, LedgerEntry
from mailtls.tls_rpt.report import PolicyType
from report_lambda import reporter_book
from report_lambda.alert_desk import Desk
from report_lambda.domains import OwnDomains
from report_lambda.events import RawMail
from report_lambda.store import JSON, MAX_STATE_BYTES, ObjectTooLarge, StoreError

HEADERS_OF_NOTE = (
    "return-path",
    "received-spf",
    "authentication-results",
    "dkim-signature",
    "from",
    "subject",
    "date",
    "message-id",
    "content-type",
    "tls-report-domain",
    "tls-report-submitter",
    "x-ses-virus-verdict",
)
"""Copied beside a quarantined mail, so that a person can judge without opening it."""
MAX_HEADER = 1000
MAX_HEADERS = 40
MAX_OTHER_CONTENTS = 20
"""Reports of one identity that are kept beside the first: who signs them chooses how many there are."""


@dataclass(slots=True)
class Outcome:
    """What became of a mail, filled while it is worked on.

    stored, duplicates: ledger keys. notes: what the readers found odd but could live with.
    """

    disposition: Disposition
    reason: QuarantineReason | None = None
    detail: str = ""
    signer: str = ""
    stored: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class RawMailMissing(Exception):
    """S3 announced the mail, it has no disposition, and it is not there: somebody removed it before it was read."""


def take_in(mail: RawMail, desk: Desk, domains: OwnDomains, emit: Callable[[str], None]) -> Outcome | None:
    """Deal with one raw mail. None: it was dealt with before.

    emit gets the metric lines. Raises StoreError, IncompleteDomainList, RawMailMissing: the message must come again.
    """
    key = disposition_key(mail.mail_id)
    if desk.store.get(key, MAX_STATE_BYTES) is not None:
        return None
    if mail.mail_id == SES_SETUP_NOTIFICATION:
        outcome = Outcome(Disposition.SETUP, detail="written by SES when the receipt rule was made")
    else:
        try:
            outcome = _reports(mail, desk, domains)
            desk.tally.add(MAILS_RECEIVED)
        except Unfit as unfit:
            outcome = _quarantine(mail, desk, unfit)
            desk.tally.add(MAILS_RECEIVED)
            desk.tally.add(MAILS_QUARANTINED, 1, unfit.reason)
    for line in desk.tally.lines(desk.now, mail=mail.mail_id):
        emit(line)
    desk.store.put_if_absent(key, to_bytes(_disposition(mail, outcome, desk)), JSON)
    return outcome


def _reports(mail: RawMail, desk: Desk, domains: OwnDomains) -> Outcome:
    parsed, signer = _believed(mail, desk)
    outcome = Outcome(Disposition.STORED, signer=signer, notes=list(parsed.notes))
    announced = _announced(parsed.headers)
    entries: dict[str, LedgerEntry] = {}
    room = MAX_SHARED
    for read in _readable(parsed, outcome):
        attribution = attribute(read, domains.find, domains.by_name.values(), announced, room)
        room -= attribution.shared
        outcome.notes.extend(attribution.notes)
        for own, part in attribution.parts:
            entry = LedgerEntry(own.policy_domain, mail.mail_id, desk.now, signer, part)
            # the same report twice in one mail is one report: the first counts, as it does between mails
            key = report.report_key(read, own.policy_domain, signer)
            if key in entries and entries[key].report != part:
                key = report.other_content_key(key, part)
            entries.setdefault(key, entry)
    if not entries:
        said = "; ".join(outcome.notes[-5:]) or "a report that names no domain of ours"
        raise Unfit(QuarantineReason.FOREIGN_DOMAIN, said, parsed.headers)
    rendered = _rendered(entries, parsed.headers)
    for key, entry in entries.items():
        _store(key, entry, rendered.pop(key), desk, domains.by_name[entry.policy_domain], outcome)
    if not outcome.stored:
        outcome.disposition = Disposition.DUPLICATE
    return outcome


def _rendered(entries: Mapping[str, LedgerEntry], headers: Sequence[Header]) -> dict[str, bytes]:
    """The objects' bytes, before the first of them is written: too many of them, and none is."""
    if len(entries) > MAX_ENTRIES_OF_MAIL:
        told = f"it would take {len(entries):,} places in the ledger; a mail may take {MAX_ENTRIES_OF_MAIL}"
        raise Unfit(QuarantineReason.TOO_LARGE, told, headers)
    rendered: dict[str, bytes] = {}
    room = MAX_BYTES_OF_MAIL
    for key, entry in entries.items():
        rendered[key] = entry.render()
        room -= len(rendered[key])
        if room < 0:
            raise Unfit(
                QuarantineReason.TOO_LARGE,
                f"kept for {len(entries)} of our domains it takes more than {MAX_BYTES_OF_MAIL:,} bytes",
                headers,
            )
    return rendered


def _believed(mail: RawMail, desk: Desk) -> tuple[message.Message, str]:
    """The mail taken apart, and who signed it."""
    try:
        stored = desk.store.get(mail.key, message.LIMITS.max_mail_bytes)
    except ObjectTooLarge as e:
        raise Unfit(QuarantineReason.TOO_LARGE, f"{e.size:,} bytes, not read") from e
    if stored is None:
        raise RawMailMissing(mail.key)
    if mail.mail_id.startswith(POSTED_MAIL):
        return reading.posted(stored.body), ""
    return reading.believed(stored.body)


def _readable(parsed: message.Message, outcome: Outcome) -> list[report.Report]:
    reports, notes = reading.readable(parsed)
    outcome.notes.extend(notes)
    return reports


def _announced(headers: Sequence[Header]) -> str:
    """TLS-Report-Domain as A-labels; "" when it is absent or no name."""
    for name, value in headers:
        if name.lower() == "tls-report-domain":
            try:
                return names.a_labels(value.strip())
            except names.InvalidName:
                return ""
    return ""


def _store(key: str, entry: LedgerEntry, body: bytes, desk: Desk, own: OwnDomain, outcome: Outcome) -> None:
    """Put one entry into the ledger, or find that it stands there; count and alert in the first case only."""
    if entry.is_posted:
        _store_posted(posted_key(key), entry, body, desk, outcome)
        return
    if key.startswith(Prefix.OTHER_CONTENT):
        _store_other_content(key, entry, body, desk, own, outcome)
        return
    first = _put_or_find(key, body, desk)
    if first is not None and first.mail != entry.mail:
        desk.tally.add(REPORTS_DUPLICATE)
        if first.report == entry.report:
            outcome.duplicates.append(key)
        else:
            _store_other_content(report.other_content_key(key, entry.report), entry, body, desk, own, outcome)
        return
    outcome.stored.append(key)
    entry = first or entry  # first: an earlier try of this mail wrote it, so finish what it began
    _count(entry, desk, own)
    day = entry.report.day
    if day <= desk.now.date() + AHEAD:
        reporter_book.note(desk.store, own.policy_domain, entry.signer, day)
    _alert(key, entry, desk, own, outcome)


def _store_posted(key: str, entry: LedgerEntry, body: bytes, desk: Desk, outcome: Outcome) -> None:
    """Beside the ledger, once. It wakes nobody, ends no alert, and is no sign of life of anybody."""
    standing = _put_or_find(key, body, desk)
    if standing is not None and standing.mail != entry.mail:
        desk.tally.add(REPORTS_DUPLICATE)
        outcome.duplicates.append(key)
        if standing.report != entry.report:
            outcome.notes.append(f"{key} has the identity of a report that came first, but other content")
        return
    desk.tally.add(REPORTS_UNAUTHENTICATED)
    outcome.stored.append(key)


def _store_other_content(
    key: str, entry: LedgerEntry, body: bytes, desk: Desk, own: OwnDomain, outcome: Outcome
) -> None:
    """A report whose identity is in the ledger with other content (ADR 18): kept beside the first one, its failures
    alerted, its sessions not counted, because they may be the first one's."""
    listed = desk.store.list_objects(key[: key.rindex("/") + 1], limit=MAX_OTHER_CONTENTS + 1)
    if len(listed) >= MAX_OTHER_CONTENTS and key not in {other.key for other in listed}:
        outcome.duplicates.append(key)
        outcome.notes.append(f"other content than {MAX_OTHER_CONTENTS} reports of this identity; only the mail is kept")
        return
    standing = _put_or_find(key, body, desk)
    if standing is not None and standing.mail != entry.mail:
        outcome.duplicates.append(key)
        return
    outcome.stored.append(key)
    outcome.notes.append(f"{key} has the identity of a report that came first and counts, but other content")
    _alert(key, standing or entry, desk, own, outcome)


def _alert(key: str, entry: LedgerEntry, desk: Desk, own: OwnDomain, outcome: Outcome) -> None:
    untold = desk.saw(key, entry, own)
    if untold:
        outcome.notes.append(f"{untold} causes of failures in {key} have no alert of their own: there are too many")


def _put_or_find(key: str, body: bytes, desk: Desk) -> LedgerEntry | None:
    """None: the entry was written now. Else what stands there. Raises StoreError, InvalidLedgerEntry."""
    if desk.store.put_if_absent(key, body, JSON):
        return None
    standing = desk.store.get(key, MAX_ENTRY_BYTES)
    if standing is None:
        raise StoreError(f"{key} was there and is gone")
    return LedgerEntry.parse(standing.body)


def _count(entry: LedgerEntry, desk: Desk, own: OwnDomain) -> None:
    """Added up first: a report may hold a hundred thousand policies or details."""
    successful: Counter[PolicyType] = Counter()
    failed: Counter[PolicyType] = Counter()
    for policy in entry.report.policies:
        successful[policy.policy_type] += policy.total_successful_session_count or 0
        failed[policy.policy_type] += policy.total_failure_session_count or 0
    desk.tally.add(REPORTS_STORED)
    for policy_type in successful:
        desk.tally.add(SUCCESSFUL_SESSIONS, successful[policy_type], policy_type, own=own)
        desk.tally.add(FAILED_SESSIONS, failed[policy_type], policy_type, own=own)
    for result_type, count in failed_by_result_type(entry.report).items():
        desk.tally.add(FAILURES, count, result_type)


def _quarantine(mail: RawMail, desk: Desk, unfit: Unfit) -> Outcome:
    stem = quarantine_stem(unfit.reason, mail.mail_id)
    beside = {
        "version": 1,
        "mail": mail.mail_id,
        "raw": mail.key,
        "reason": unfit.reason,
        "detail": clean(str(unfit), 2000),
        "headers": _headers_of_note(unfit.headers),
        "at": desk.now.isoformat(),
    }
    desk.store.copy(mail.key, f"{stem}.eml")
    desk.store.put_if_absent(f"{stem}.json", to_bytes(beside), JSON)
    return Outcome(Disposition.QUARANTINED, unfit.reason, clean(str(unfit), 2000))


def _headers_of_note(headers: Sequence[Header]) -> list[list[str]]:
    noted = [[name, clean(value, MAX_HEADER)] for name, value in headers if name.lower() in HEADERS_OF_NOTE]
    return noted[:MAX_HEADERS]


def _disposition(mail: RawMail, outcome: Outcome, desk: Desk) -> dict[str, object]:
    return {
        "version": 1,
        "mail": mail.mail_id,
        "disposition": outcome.disposition,
        "reason": outcome.reason,
        "detail": outcome.detail,
        "signer": outcome.signer,
        "stored": outcome.stored,
        "duplicates": outcome.duplicates,
        "notes": [clean(note, 500) for note in outcome.notes[:50]],
        "at": desk.now.isoformat(),
    }
