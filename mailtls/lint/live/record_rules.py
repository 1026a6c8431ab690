"""Live rules over the two TXT records and the answers of DNS."""

from collections.abc import Iterator

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.mta_sts import record as sts
from mailtls.mta_sts import shown
from mailtls.observed import DnsAnswer, DnsStatus
from mailtls.tls_rpt import record as tls_rpt


def _dns_failed(case: Case) -> Iterator[Said]:
    for answer in (case.observed.sts, case.observed.tls_rpt, case.observed.mx):
        if answer is not None and answer.status is DnsStatus.FAILED:
            yield Said(f"{answer.name} {answer.rdtype}: {answer.failure}")


def _absent(case: Case) -> Iterator[Said]:
    wanted = case.spec is not None and case.spec.mta_sts is not None
    takes_mail = bool(case.observed.mail_hosts) or case.observed.mx is None
    if isinstance(case.record, sts.NoRecord) and (wanted or takes_mail) and "discarded" not in str(case.record):
        if wanted:
            yield Said(
                "the spec asks for MTA-STS, and no record is published: senders do not look for the policy",
                "deploy the spec, or see why its record was held back",
                Severity.ERROR,
            )
        elif case.spec is not None:
            yield Said("no MTA-STS, as the spec has it: reports only", "add mta_sts to the spec", Severity.INFO)
        elif case.served is not None:
            yield Said(
                "a policy is served, and no record at _mta-sts says so: no sender looks for it",
                'publish "v=STSv1; id=...;" at _mta-sts',
            )
        else:
            yield Said("no MTA-STS: anyone on the path can take TLS out of the conversation")


def _count(case: Case) -> Iterator[Said]:
    if isinstance(case.record, sts.SeveralRecords):
        yield Said(str(case.record))


def _invalid(case: Case) -> Iterator[Said]:
    near = isinstance(case.record, sts.NoRecord) and "discarded" in str(case.record)
    if isinstance(case.record, sts.InvalidRecord) or near:
        yield Said(str(case.record))


def _others(case: Case) -> tuple[str, ...]:
    """The values beside the one record that counts."""
    return tuple(v for v in case.sts_values if not v.startswith("v=STSv1;")) if case.sts_values else ()


def _other_value(case: Case) -> Iterator[Said]:
    if isinstance(case.record, sts.Record):
        for value in _others(case):
            if not value.startswith("v=STSv1"):
                yield Said(f"another TXT value stands at _mta-sts: {shown(value)}")


def _candidate(case: Case) -> Iterator[Said]:
    if isinstance(case.record, sts.Record):
        for value in _others(case):
            if value.startswith("v=STSv1"):
                yield Said(f"{shown(value)} stands beside the record, and some senders count it as a second one")


def _tls_rpt_fault(case: Case) -> tls_rpt.RecordError | None:
    answer = case.observed.tls_rpt
    if answer is None or answer.status is DnsStatus.FAILED:
        return None
    try:
        tls_rpt.find(answer.values)
    except tls_rpt.RecordError as e:
        return e
    return None


def _tls_rpt_absent(case: Case) -> Iterator[Said]:
    fault = _tls_rpt_fault(case)
    if isinstance(fault, tls_rpt.NoRecord) and "discarded" not in str(fault):
        if case.published:
            yield Said("no TLS-RPT record: what fails is reported to nobody")
        elif case.observed.mail_hosts:
            yield Said("no TLS-RPT record: nobody tells how many sessions run without TLS", severity=Severity.INFO)


def _tls_rpt_count(case: Case) -> Iterator[Said]:
    if isinstance(fault := _tls_rpt_fault(case), tls_rpt.SeveralRecords):
        yield Said(str(fault))


def _tls_rpt_invalid(case: Case) -> Iterator[Said]:
    fault = _tls_rpt_fault(case)
    near = isinstance(fault, tls_rpt.NoRecord) and "discarded" in str(fault)
    if isinstance(fault, tls_rpt.InvalidRecord) or near:
        yield Said(str(fault))


def _answers_differ(case: Case) -> Iterator[Said]:
    seen = case.observed
    pairs = (
        (seen.sts, seen.sts_authoritative),
        (seen.tls_rpt, seen.tls_rpt_authoritative),
        (seen.mx, seen.mx_authoritative),
    )
    for ours, theirs in pairs:
        if ours is None or theirs is None:
            continue
        if theirs.status is DnsStatus.FAILED:
            yield Said(
                f"{theirs.name} {theirs.rdtype}: the zone's own servers gave no answer: {theirs.failure}",
                "See whether they answer from here: many networks let nobody but their own resolver ask.",
            )
        elif ours.status is not DnsStatus.FAILED and sorted(ours.values) != sorted(theirs.values):
            yield Said(
                f"{ours.name} {ours.rdtype}: the resolver says {_values(ours)}, "
                f"the zone's own servers say {_values(theirs)}"
            )


def _values(answer: DnsAnswer) -> str:
    return shown(", ".join(sorted(answer.values))) if answer.values else "nothing"


def _wildcard(case: Case) -> Iterator[Said]:
    seen = case.observed
    for answer, stray in ((seen.host_a, seen.wildcard), (seen.sts, seen.sts_wildcard)):
        if answer and stray and answer.values and sorted(answer.values) == sorted(stray.values):
            yield Said(f"{answer.name} {answer.rdtype} is answered by a wildcard: nobody made that name")


def _delegation(case: Case) -> Iterator[Said]:
    for answer, begins in ((case.observed.sts, "v=STSv1;"), (case.observed.tls_rpt, "v=TLSRPTv1;")):
        if answer is None or not answer.aliases or answer.status is DnsStatus.FAILED:
            continue
        if not any(value.startswith(begins) for value in answer.values):
            yield Said(f"{answer.name} is an alias for {answer.aliases[-1]}, where no record is")


def _about(identifier: str, severity: Severity, why: str, fix: str, reference: str) -> About:
    return About(identifier, severity, Group.LIVE, why, fix, reference)


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
RULES: tuple[LiveRule, ...] = (
    LiveRule(
        _about(
            "dns-no-answer",
            _E,
            "A sender that gets no answer goes on without a policy, or keeps the mail in its queue.",
            "Ask the zone's own servers: mailtls check --authoritative.",
            "RFC 8461 section 3.1",
        ),
        _dns_failed,
    ),
    LiveRule(
        _about(
            "mta-sts-absent",
            _W,
            "Without a record senders use TLS when it is offered, and anyone on the path can take the offer away.",
            "Begin in testing: mailtls init DOMAIN.",
            "RFC 8461 section 1",
        ),
        _absent,
    ),
    LiveRule(
        _about(
            "sts-record-count",
            _E,
            "Two records count as none: new senders deliver without a policy.",
            "Remove all but the one with the id of the policy that is served.",
            "RFC 8461 section 3.1",
        ),
        _count,
    ),
    LiveRule(
        _about(
            "sts-record-invalid",
            _E,
            "A record that breaks the grammar counts as none: new senders deliver without a policy.",
            'Write exactly "v=STSv1; id=...;", the id 1 to 32 letters and digits.',
            "RFC 8461 section 3.1",
        ),
        _invalid,
    ),
    LiveRule(
        _about(
            "sts-other-txt-value",
            _W,
            "Some senders join all TXT values of the name into one, and read a broken record.",
            "Move the other value to the name that it belongs to.",
            "RFC 8461 section 3.1",
        ),
        _other_value,
    ),
    LiveRule(
        _about(
            "sts-candidate-beside-ours",
            _E,
            "By the RFC it is discarded; some senders count every value that begins with v=STSv1, so two, so none.",
            "Remove it.",
            "RFC 8461 section 3.1, erratum 6285",
        ),
        _candidate,
    ),
    LiveRule(
        _about(
            "tlsrpt-record-absent",
            _W,
            "Failures in testing and refusals in enforce stay unseen when nobody is asked to report them.",
            'Publish "v=TLSRPTv1; rua=mailto:..." at _smtp._tls, for a mailbox in another domain.',
            "RFC 8460 section 3",
        ),
        _tls_rpt_absent,
    ),
    LiveRule(
        _about(
            "tlsrpt-record-count",
            _E,
            "Two records count as none: nobody sends reports.",
            "Remove all but one.",
            "RFC 8460 section 3",
        ),
        _tls_rpt_count,
    ),
    LiveRule(
        _about(
            "tlsrpt-record-invalid",
            _E,
            "A record that breaks the grammar counts as none: nobody sends reports.",
            'Write "v=TLSRPTv1; rua=mailto:reports@example.org".',
            "RFC 8460 section 3",
        ),
        _tls_rpt_invalid,
    ),
    LiveRule(
        _about(
            "delegation-broken",
            _E,
            "The name was handed to somebody else, and nothing is there any more: senders find no record.",
            "Correct the alias, or have the record published at its target again.",
            "RFC 8461 section 8.2",
        ),
        _delegation,
    ),
    LiveRule(
        _about(
            "dns-answers-differ",
            _W,
            "Senders act by what their resolver holds; it follows the zone when the TTL has passed.",
            "Wait for the TTL; if it stays so, one of the zone's servers holds an old zone.",
            "RFC 8461 section 8.1",
        ),
        _answers_differ,
    ),
    LiveRule(
        _about(
            "answered-by-wildcard",
            _I,
            "The name exists only through `*`: it is no sign that MTA-STS was set up, and often leads to a web server.",
            "Make the name itself, or leave it.",
            "RFC 4592 section 2.1.1",
        ),
        _wildcard,
    ),
)
