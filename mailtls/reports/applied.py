"""Which policy a sender applied to the sessions of one row of a report, and how far we know it. Pure.

Anybody who owns some domain can sign a report that says anything. What it says of our policy is compared with what
we served (`served.py`): a policy that we did not serve is a claim, and where the report says nothing the deployed
policy is a guess. Only what is known makes an alert critical: a claim or a guess that mail is held wakes nobody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailtls.mta_sts.policy import InvalidPolicy, Mode, MxPattern
from mailtls.reports.served import History, Stated, last_served, was_served
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity, severity
from mailtls.tls_rpt.report import PolicyResult, PolicyType, Report, ResultType


class Basis(StrEnum):
    """How the applied mode is known."""

    KNOWN = "known"  # the report names a policy that we served, or no MTA-STS policy took part
    GUESSED = "guessed"  # the report does not say; the deployed policy would be one
    CLAIMED = "claimed"  # the report names a policy that we did not serve, or not for so long that none holds it


@dataclass(frozen=True, slots=True)
class Applied:
    """mode: None: none, or it cannot even be guessed. deployed: the mode that is deployed now.
    last_served: for a claim, the last UTC day on which senders could fetch that policy; None: never, as is known.
    """

    mode: Mode | None
    basis: Basis
    deployed: Mode | None = None
    last_served: date | None = None

    def severity(self, result_type: ResultType) -> Severity:
        """How bad failures of this type are here: of a claim what they would be if nobody held mail."""
        if self.basis is Basis.KNOWN:
            return severity(result_type, self.mode)
        if self.basis is Basis.GUESSED and self.mode is Mode.NONE:
            return severity(result_type, Mode.NONE)
        return severity(result_type, Mode.NONE if self.deployed is Mode.NONE else None)


class Judge:
    """Judges the rows of one report about one of our domains. history: what is known to have been served besides the
    deployed policy."""

    def __init__(self, report: Report, own: OwnDomain, history: History = ()) -> None:
        self.own = own
        self._report = report
        self._history = history
        self._deployed = Mode(own.mode) if own.mode is not None else None
        self._mx = frozenset(valid_patterns(own.mx))
        self._judged: dict[int, Applied] = {}

    def applied(self, row: PolicyResult) -> Applied:
        """What the row says of the policy, and how far it is known."""
        if id(row) not in self._judged:  # many causes name the same row
            self._judged[id(row)] = self._judge(row)
        return self._judged[id(row)]

    def needs_history(self) -> bool:
        """Does a row with failures name another policy than the deployed one? Only then is it worth while to read."""
        rows = (row for row in self._report.policies if row.total_failure_session_count or row.failure_details)
        return any(self.applied(row).basis is Basis.CLAIMED for row in rows)

    def _judge(self, row: PolicyResult) -> Applied:
        """DANE has no testing: whoever validates TLSA records holds mail that fails (RFC 7672 section 2.2). Whether the
        domain had such records then, nobody here knows: it stays the report's word, and is told as that."""
        if row.policy_type is PolicyType.TLSA:
            return Applied(Mode.ENFORCE, Basis.KNOWN, self._deployed)
        if row.policy_type is PolicyType.NO_POLICY_FOUND:
            return Applied(None, Basis.KNOWN, self._deployed)
        stated = Stated.of(row.policy_string)
        if not stated.says_something:
            return Applied(self._guess(row), Basis.GUESSED, self._deployed)
        if self._deployed is not None and stated.fits_parts(self._deployed, None, self._mx):
            return Applied(self._deployed, Basis.KNOWN, self._deployed)
        period = self._report.start_datetime, self._report.end_datetime
        served = was_served(row.policy_string, self._history, *period)
        if served is not None:
            return Applied(served.policy.mode, Basis.KNOWN, self._deployed)
        last = last_served(row.policy_string, self._history)
        return Applied(row.mode, Basis.CLAIMED, self._deployed, last.date() if last is not None else None)

    def _guess(self, row: PolicyResult) -> Mode | None:
        """The deployed mode, unless the report's own words speak against it: a policy of another kind, other MX."""
        others = any(not allows(self._mx, host) for host in valid_patterns(row.mx_host))
        return None if others or row.policy_type is not PolicyType.STS else self._deployed


def stated_patterns(row: PolicyResult) -> tuple[str, ...]:
    """mx of the policy that the sender applied, as its report says: from policy-string, else from mx-host. () when it
    does not say; then the policy that is deployed now is the best guess."""
    in_string = [line.partition(":")[2] for line in row.policy_string if line.strip().lower().startswith("mx:")]
    in_host = [text.strip().removeprefix("mx:") for text in row.mx_host]
    return tuple(in_string or in_host)


def valid_patterns(patterns: Iterable[str]) -> Iterator[str]:
    """Those that are mx patterns, in lower case: anything else may be prose."""
    for text in dict.fromkeys(text.strip().lower() for text in patterns):
        try:
            yield MxPattern(text).text
        except InvalidPolicy:
            continue


def allows(listed: frozenset[str], host: str) -> bool:
    """`MxPattern.matches` for all patterns at once, by two look-ups: a report may hold a hundred thousand failures and
    as many patterns."""
    return host in listed or f"*.{host.partition('.')[2]}" in listed
