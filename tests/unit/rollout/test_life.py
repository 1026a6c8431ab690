"""The whole life of a domain, day by day: who merges what is proposed and moves MX when told loses no mail.

The judge is a crowd of senders of RFC 8461: each day one fetches the policy that is served then and keeps it for
max_age (a day at least). It knows nothing of waits, histories and decisions.
"""

import dataclasses
import datetime
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sample_looks import MX1, MX2, NOW
from sample_rollout import DAY, WEEK, evidence, look, policy, row, spec

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Action, Code, Edit, Kind, Wait
from mailtls.rollout.history import Version, of_versions
from mailtls.spec.controller import BY_DEFAULT, Controller
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import Report

NEW = "mx3.contoso.example"


@dataclass
class Domain:
    """A domain whose owner merges each proposal on the day it comes, and deploys it at once."""

    served: Policy
    mx: tuple[str, ...]
    now: datetime.datetime = NOW
    controller: Controller = BY_DEFAULT
    versions: list[Version] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    caches: list[tuple[Policy, datetime.datetime]] = field(default_factory=list)
    told: list[tuple[int, Kind]] = field(default_factory=list)
    gone: bool = False

    def __post_init__(self) -> None:
        self.deploy(self.served)

    def deploy(self, wanted: Policy) -> None:
        self.served = wanted
        # newest first, as S3 lists them: two may be of the same moment
        self.versions.insert(0, Version(f"v{len(self.versions)}", self.now, wanted.render()))

    def add_to_policy(self, host: str) -> None:
        self.deploy(dataclasses.replace(self.served, mx=(*self.served.mx, MxPattern(host))))

    def day(self) -> Action | Wait | object:
        """One day: a sender fetches, reporters report, the controller decides, its proposal is merged."""
        kept = max(datetime.timedelta(seconds=self.served.max_age), DAY)
        self.caches.append((self.served, self.now + kept))
        self.judge()
        for signer in ("google.com", "mail.ru"):
            start = self.now.replace(hour=0)
            report = Report(signer, start, start, None, f"{signer}{start}", (row(self.served, 50),))
            self.entries.append(LedgerEntry("contoso.example", "mail", self.now, signer, report))
        self.now += DAY
        past = of_versions(self.versions)
        seen = look(self.served, past, *self.mx)
        decision = decide(
            spec(self.served, self.controller), seen, past, evidence(self.served, self.entries[-60:]), self.now
        )
        if isinstance(decision, Action):
            self.told.append(((self.now - NOW).days, decision.kind))
            self.merge(decision.edit)
        return decision

    def merge(self, edit: Edit) -> None:
        if edit.delete:
            self.gone = True
            return
        mx = tuple(one for one in self.served.mx if one.text not in edit.remove_mx)
        mx += tuple(map(MxPattern, edit.add_mx))
        age = self.served.max_age if edit.max_age is None else edit.max_age
        if edit.mode is Mode.ENFORCE and edit.max_age is None:
            age = WEEK  # max_age follows the mode
        self.deploy(Policy(edit.mode or self.served.mode, age, mx))

    def judge(self) -> None:
        """No sender refuses a host to which MX leads."""
        self.caches = [one for one in self.caches if one[1] > self.now]
        for held, _ in self.caches:
            if held.mode is Mode.ENFORCE:
                assert all(held.allows(host) for host in self.mx), (self.now, held, self.mx)


def test_a_domain_from_testing_to_its_end() -> None:
    domain = Domain(policy(Mode.TESTING), (MX1, MX2))
    while (domain.now - NOW).days < 60:
        domain.day()
    assert domain.told == [(14, Kind.PROMOTE), (42, Kind.RAISE_MAX_AGE)]
    domain.add_to_policy(NEW)  # on day 60, when a policy of four weeks is held
    moved = None
    while moved is None:
        decision = domain.day()
        if isinstance(decision, Wait) and decision.reasons[0].code is Code.MX_MAY_MOVE:
            moved = (domain.now - NOW).days
            domain.mx = (MX1, NEW)
    assert moved == 60 + 28
    while domain.told[-1][1] is not Kind.REMOVE_MX:
        domain.day()
    assert domain.served.mx == (MxPattern(MX1), MxPattern(NEW))
    domain.controller = Controller(retire=True)
    began = (domain.now - NOW).days
    while not domain.gone:
        domain.day()
    assert domain.told[-2:] == [(began + 1, Kind.RETIRE), (began + 1 + 28, Kind.DELETE)]


@settings(max_examples=25, deadline=None)
@example(86400, 86400, 28, 0)  # max_age is raised and the host named at the same moment
@given(
    st.sampled_from([86400, 3 * 86400, WEEK, 4 * WEEK]),
    st.sampled_from([86400, WEEK, 3 * WEEK]),
    st.integers(1, 40),
    st.integers(0, 20),
)
def test_who_moves_mx_on_the_day_that_is_told_loses_no_mail(first: int, second: int, before: int, late: int) -> None:
    """Whatever max_age was served before and after, and whenever the new host was named."""
    domain = Domain(policy(Mode.ENFORCE, MX1, max_age=first), (MX1,))
    for _ in range(before):
        domain.day()
    domain.served = dataclasses.replace(domain.served, max_age=second)
    domain.add_to_policy(NEW)
    for _ in range(80):
        decision = domain.day()
        if isinstance(decision, Wait) and decision.reasons[0].code is Code.MX_MAY_MOVE:
            break
    else:
        raise AssertionError("the day never came")
    for _ in range(late):
        domain.day()
    domain.mx = (NEW,)
    for _ in range(60):
        domain.day()
    assert domain.served.mx == (MxPattern(NEW),)  # the old host has left the policy


def test_the_judge_sees_a_move_that_comes_a_day_too_early() -> None:
    domain = Domain(policy(Mode.ENFORCE, MX1, max_age=WEEK), (MX1,))
    domain.day()
    domain.add_to_policy(NEW)
    for _ in range(5):
        domain.day()
    domain.mx = (NEW,)
    try:
        domain.day()
    except AssertionError:
        return
    raise AssertionError("nobody noticed")
