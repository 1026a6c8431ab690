"""How a domain stands: each condition with its reason."""

import pytest
from sample_looks import ID, MX1, NOW, page, port_25, seen, tls, txt
from sample_rollout import ago, entry, evidence, failure, history, look, policy, reports, row, spec

from mailtls.mta_sts.policy import Mode, Policy
from mailtls.observed import TlsFault
from mailtls.rollout.conditions import DomainStatus, Name, Why, status_of
from mailtls.spec.controller import Controller, Rollout
from mailtls.tls_rpt.contract import DOMAINS_BY_CONDITION
from mailtls.tls_rpt.report import ResultType

ENFORCED, TESTING = policy(Mode.ENFORCE, max_age=1209600), policy(Mode.TESTING)
OLD = history((200, TESTING), (90, ENFORCED))
READY, RECONCILING, STALLED, DRIFT = Name


def of(wanted: Policy, past: object, *hosts: str, **more: object) -> DomainStatus:
    entries = more.pop("entries", ())
    controller = more.pop("controller", Controller())
    seen_now = look(wanted, past, *hosts, **more)  # type: ignore[arg-type]
    found = evidence(wanted, entries)  # type: ignore[arg-type]
    return status_of(spec(wanted, controller), seen_now, past, found, NOW)  # type: ignore[arg-type]


def told(status: DomainStatus) -> dict[Name, tuple[bool, Why]]:
    return {one.name: (one.holds, one.why) for one in status.conditions}


def test_a_domain_in_enforce_in_which_nothing_is_wrong_is_ready() -> None:
    status = of(ENFORCED, OLD)
    assert (status.mode, status.since, status.policy_id) == (Mode.ENFORCE, ago(90), OLD.served[0].policy_id)
    assert told(status) == {
        READY: (True, Why.ENFORCED),
        RECONCILING: (False, Why.IN_ORDER),
        STALLED: (False, Why.NOTHING_FOUND),
        DRIFT: (False, Why.NOTHING_FOUND),
    }


@pytest.mark.parametrize(
    ("status", "name", "holds", "why"),
    [
        (of(TESTING, history((3, TESTING))), READY, False, Why.TESTING),
        (of(TESTING, history((3, TESTING))), RECONCILING, True, Why.WAITING),
        (of(policy(Mode.NONE), history((3, policy(Mode.NONE)))), READY, False, Why.MODE_NONE),
        (of(TESTING, history((20, TESTING)), entries=reports(TESTING, range(1, 15))), RECONCILING, True,
         Why.CHANGE_DUE),
        (of(ENFORCED, OLD, MX1, "mx9.contoso.example"), READY, False, Why.URGENT_CHANGE),
        (of(ENFORCED, OLD, MX1, "mx9.contoso.example", controller=Controller(hold=True)), READY, False,
         Why.URGENT_CHANGE),
        (of(ENFORCED, OLD, MX1, "mx9.contoso.example", controller=Controller(hold=True)), RECONCILING, False, Why.HELD),
        (of(ENFORCED, OLD, MX1, "mx_9.contoso.example"), STALLED, True, Why.NEEDS_A_PERSON),
        (of(ENFORCED, OLD, MX1, "mx_9.contoso.example"), READY, False, Why.NEEDS_A_PERSON),
        (of(ENFORCED, OLD, smtp=(port_25(tls=tls(TlsFault.EXPIRED)),)), READY, False, Why.CONCERN),
        (of(ENFORCED, OLD, sts=txt(f"v=STSv1; id={ID};")), READY, False, Why.NOT_AT_THE_EDGE),
        (of(ENFORCED, OLD, https=(page(TESTING.render()),)), DRIFT, True, Why.DRIFT),
        (of(TESTING, history((20, TESTING)), controller=Controller(Rollout(manual=True)),
            entries=reports(TESTING, range(1, 15))), RECONCILING, False, Why.MANUAL),
    ],
)  # fmt: skip
def test_each_condition_has_its_reason(status: DomainStatus, name: Name, holds: bool, why: Why) -> None:
    assert (status.condition(name).holds, status.condition(name).why) == (holds, why)


def test_refusals_stall_a_promotion_until_somebody_mends_the_host() -> None:
    failing = [*reports(TESTING, range(1, 15)), entry(2, row(TESTING, 1, failure(ResultType.CERTIFICATE_EXPIRED, 3)))]
    assert told(of(TESTING, history((20, TESTING)), entries=failing))[STALLED] == (True, Why.NEEDS_A_PERSON)
    few = reports(TESTING, range(1, 15), clean=1)  # time and traffic mend that
    assert told(of(TESTING, history((20, TESTING)), entries=few))[STALLED] == (False, Why.NOTHING_FOUND)


def test_a_domain_with_reports_only_has_no_policy_to_be_ready() -> None:
    status = status_of(spec(TESTING, mta_sts=None), seen(), history(), evidence(TESTING, []), NOW)
    assert status.mode is None
    assert told(status)[READY] == (False, Why.REPORTS_ONLY)


def test_each_condition_has_its_metric() -> None:
    assert set(DOMAINS_BY_CONDITION) == {str(name) for name in Name}
