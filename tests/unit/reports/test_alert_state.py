"""The state of an alert as an object: what is written is read, and what an earlier version wrote, too."""

from datetime import UTC, date, datetime

from mailtls.mta_sts.policy import Mode
from mailtls.reports.alert_state import AlertState
from mailtls.reports.applied import Basis
from mailtls.reports.causes import Cause, CauseKind, Sighting
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType

CAUSE = Cause(CauseKind.SESSIONS, "contoso.example", ResultType.OTHER, "mx2.contoso.example")
SEEN = Sighting(
    report="reports/contoso.example/2026-11-23/0.json",
    reporter="reporter.example",
    organization="Reporter",
    day=date(2026, 11, 23),
    policy_type=PolicyType.STS,
    failed=4,
    uncounted=False,
    mode=Mode.ENFORCE,
    severity=Severity.WARNING,
    last_day=date(2026, 11, 29),
    undetailed=6,
    basis=Basis.CLAIMED,
    last_served=date(2026, 1, 2),
    result_words=('"tls-version-too-old"',),
)
STATE = AlertState(CAUSE, opened_at=datetime(2026, 11, 30, 3, tzinfo=UTC), sightings=(SEEN,))


def test_a_state_is_read_as_it_was_written() -> None:
    assert AlertState.from_json(STATE.to_json()) == STATE


def test_a_state_from_before_claims_is_read() -> None:
    data = STATE.to_json()
    for name in ("last_day", "undetailed", "basis", "last_served", "result_words"):
        del data["sightings"][0][name]
    del data["crowded"]
    [seen] = AlertState.from_json(data).sightings
    assert (seen.last_day, seen.undetailed, seen.basis, seen.result_words) == (None, 0, Basis.KNOWN, ())
