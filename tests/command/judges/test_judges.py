"""`mailtls check` beside the unmodified MTA-STS client of Postfix sites, checkdmarc, and Postfix's own posttls-finger.

One row a case (`policy_cases.py`, `mail_cases.py`). Where a judge says otherwise than we do, the row names the section
of the RFC that decides; a test sees to it.
"""

import re
from concurrent.futures import Future
from typing import Any

import judges
import pytest
from mail_cases import ADDRESSES, COVERAGE, SMTP, CoverageCase, SmtpCase
from policy_cases import CASES, NO, PolicyCase

Asked = dict[str, Future[Any]]
JUDGES = ("client", "checkdmarc")
SECTION = re.compile(r"^(RFC \d+ section )?\d+(\.\d+)*: ")


def named(cases: list[Any]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


@named(CASES)
def test_our_policy(case: PolicyCase, asked: Asked) -> None:
    answer = asked["ours"].result()[case.domain]
    assert judges.policy_of_ours(answer) == case.ours, answer["steps"]
    if case.finding:
        assert case.finding in {finding["rule"] for finding in answer["findings"]}


@named([case for case in CASES if case.ours == NO and case.txt])
def test_what_keeps_senders_from_the_policy_is_an_error(case: PolicyCase, asked: Asked) -> None:
    answers = asked["ours"].result()
    errors, usual = (
        {finding["rule"] for finding in answers[domain]["findings"] if finding["severity"] == "error"}
        for domain in (case.domain, "plain.test")
    )
    assert errors - usual


@named(CASES)
def test_policy_of_the_mta_sts_client(case: PolicyCase, asked: Asked) -> None:
    answer = asked["client"].result()[case.domain]
    assert judges.policy_of_client(answer) == case.said_by("client"), answer["words"]


@named(CASES)
def test_policy_of_checkdmarc(case: PolicyCase, asked: Asked) -> None:
    answer = asked["checkdmarc"].result()[case.domain]
    assert judges.policy_of_checkdmarc(answer) == case.said_by("checkdmarc"), answer["mta_sts"]


@named(COVERAGE)
def test_our_mx_coverage(case: CoverageCase, asked: Asked) -> None:
    answer = asked["ours"].result()[case.domain]
    assert judges.unnamed_by_ours(answer) == case.expected, answer["hosts"]


@named(COVERAGE)
def test_mx_coverage_of_checkdmarc(case: CoverageCase, asked: Asked) -> None:
    answer = asked["checkdmarc"].result()[case.domain]
    assert judges.unnamed_by_checkdmarc(answer) == case.expected_of_checkdmarc, answer["mx"]


@named(SMTP)
def test_our_look_at_port_25(case: SmtpCase, asked: Asked) -> None:
    answer = asked["ours on port 25"].result()[case.domain]
    (host,) = answer["hosts"]
    said = answer["steps"][8]["saw"]
    assert (host["host"], host["honouring"]) == (case.host, case.honouring), said
    words = dict(line.removeprefix(f"{case.host} ").split(": ", 1) for line in said)  # DNS gives them in any order
    assert set(words) == set(ADDRESSES[case.domain])
    for address, seen in zip(ADDRESSES[case.domain], case.seen, strict=True):
        assert re.search(seen, words[address]), said


@named(SMTP)
def test_look_of_postfix_at_port_25(case: SmtpCase, postfix: dict[str, str]) -> None:
    said = [postfix[address] for address in ADDRESSES[case.domain]]
    assert tuple(map(judges.delivers, said)) == case.expected_of_postfix, said


def test_where_a_judge_says_otherwise_an_rfc_section_decides() -> None:
    differing = {case.name: case.rfc for case in CASES if {case.said_by(j) for j in JUDGES} != {case.ours}}
    differing |= {case.name: case.rfc for case in COVERAGE if case.expected_of_checkdmarc != case.expected}
    differing |= {case.name: case.rfc for case in SMTP if case.expected_of_postfix != case.ours}
    assert differing
    assert {name for name, rfc in differing.items() if not SECTION.search(rfc)} == set()


def test_where_a_sender_reads_otherwise_than_we_do_our_check_says_so() -> None:
    """Mail goes by what senders do: that we are right by the RFC is not enough."""
    quiet = {case.name for case in CASES if case.ours not in (NO, case.said_by("client")) and not case.finding}
    assert quiet == set()


def test_where_all_agree_no_section_is_named() -> None:
    """A row that says "differs" and does not is stale."""
    for case in CASES:
        assert bool(case.rfc) == ({case.said_by(j) for j in JUDGES} != {case.ours}), case.name


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    domains = [case.domain for case in [*CASES, *COVERAGE, *SMTP]]
    assert len(domains) == len(set(domains))
    assert len(domains) >= 60
