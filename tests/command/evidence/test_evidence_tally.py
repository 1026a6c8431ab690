"""What is counted from reports: when a failure was over, and which days should have had a report."""

from dataclasses import replace
from datetime import date

import sample_ledger as sample
from evidence_world import DOMAIN

from mailtls.audit.gather import ReportsTally
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.totals.facts import who_reported
from mailtls.totals.period import Period

FAILED = [entry for entry in sample.contoso() if any(row.failure_details for row in entry.report.policies)]
CLEAN = {who_reported(entry): entry for entry in sample.contoso() if entry not in FAILED}


def on(entry, day):
    start = entry.report.start_datetime
    moved = date(2026, 10, day) - entry.report.day
    end = entry.report.end_datetime
    return replace(entry, report=replace(entry.report, start_datetime=start + moved, end_datetime=end + moved))


def tally(*entries):
    found = ReportsTally(OwnDomain(DOMAIN, None, ()))
    for entry in entries:
        found.add(entry)
    return found


def failure_of(who):
    seen = FAILED[0]
    return replace(seen, signer=CLEAN[who].signer, report=replace(seen.report, organization_name=who))


def test_a_failure_is_over_when_each_that_saw_it_reported_without_it():
    one, other = sorted(CLEAN)[:2]
    seen = [on(failure_of(one), 1), on(failure_of(other), 5), on(CLEAN[one], 2)]
    assert tally(*seen).failures()[0].clean_since is None
    assert tally(*seen, on(CLEAN[one], 9)).failures()[0].clean_since is None
    [found] = tally(*seen, on(CLEAN[other], 7), on(CLEAN[other], 8)).failures()
    assert found.clean_since == date(2026, 10, 7)
    [found] = tally(*seen, on(CLEAN[other], 7), on(failure_of(one), 6), on(CLEAN[one], 9)).failures()
    assert found.clean_since == date(2026, 10, 9)


def test_the_last_two_days_are_not_due_and_unread_ones_are_not_missing():
    period = Period(date(2026, 10, 1), date(2026, 10, 10))
    reports = tally(on(next(iter(CLEAN.values())), 3)).reports([date(2026, 10, 4)], "f", period, date(2026, 10, 10))
    assert (reports.due, reports.missing) == (7, 6)
    later = tally().reports([], "f", period, date(2026, 11, 1))
    assert (later.due, later.missing) == (10, 10)
    assert tally().reports([], "f", Period(date(2026, 10, 9), date(2026, 10, 10)), date(2026, 10, 10)).missing == 0
