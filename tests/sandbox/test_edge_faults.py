"""Faults: what may be set, for whom, and what an edge that learns late gives out."""

import math
from dataclasses import dataclass, field

import pytest

from sandbox.edges.distributions import UNKNOWN, Presence
from sandbox.edges.faults import BadFault, Fault, FaultName, Faults
from sandbox.edges.http_message import Answer
from sandbox.edges.lateness import LateView, View

HOST = "mta-sts.contoso.example"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("hold-edge", HOST, None), Fault(FaultName.HOLD_EDGE, HOST)),
        (("slow-edge", f" {HOST.upper()}. ", 4.0), Fault(FaultName.SLOW_EDGE, HOST, 4.0)),
        (("no-certificate", HOST, None), Fault(FaultName.NO_CERTIFICATE, HOST)),
    ],
)
def test_a_fault_is_read_as_the_command_line_says_it(words: tuple[str, str, float | None], fault: Fault) -> None:
    assert Fault.parse(*words) == fault
    assert Fault.parse(*(str(fault).split()[:2]), words[2]) == fault


@pytest.mark.parametrize(
    ("name", "host", "seconds", "message"),
    [
        ("held-edge", HOST, None, "hold-edge, slow-edge, no-certificate"),
        ("hold-edge", "", None, "is for a host"),
        ("hold-edge", "two words", None, "is for a host"),
        ("hold-edge", HOST, 3.0, "takes no seconds"),
        ("slow-edge", HOST, None, "a number of seconds above 0"),
        ("slow-edge", HOST, 0.0, "a number of seconds above 0"),
        ("slow-edge", HOST, math.inf, "a number of seconds above 0"),
        ("slow-edge", HOST, math.nan, "a number of seconds above 0"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(name: str, host: str, seconds: float | None, message: str) -> None:
    faults = Faults()
    with pytest.raises(BadFault, match=message):
        faults.set(name, host, seconds)
    assert faults.active() == []


def test_active_faults_are_listed_and_cleared_by_host_or_all() -> None:
    faults = Faults()
    faults.set("slow-edge", "b.example", 4)
    faults.set("no-certificate", "b.example")
    faults.set("hold-edge", "a.example")
    assert faults.active() == [
        {"fault": "hold-edge", "host": "a.example", "seconds": None},
        {"fault": "no-certificate", "host": "b.example", "seconds": None},
        {"fault": "slow-edge", "host": "b.example", "seconds": 4},
    ]
    faults.clear("B.example.")
    assert [fault["host"] for fault in faults.active()] == ["a.example"]
    faults.clear("never-set.example")
    faults.clear()
    assert faults.active() == []


def test_an_edge_is_held_or_slow_not_both() -> None:
    faults = Faults()
    faults.set("hold-edge", HOST)
    faults.set("slow-edge", HOST, 1)
    assert [fault["fault"] for fault in faults.active()] == ["slow-edge"]


def test_who_watches_sees_the_fault_before_it_is_active_and_may_refuse_it() -> None:
    faults = Faults()
    seen = []

    def watch(fault: Fault) -> None:
        seen.append((fault, faults.late(fault.host)))
        if fault.name is FaultName.HOLD_EDGE:
            raise ValueError("not now")

    faults.before_set(watch)
    faults.set("slow-edge", HOST, 1)
    assert seen == [(Fault(FaultName.SLOW_EDGE, HOST, 1), None)]
    with pytest.raises(ValueError, match="not now"):
        faults.set("hold-edge", HOST)
    assert faults.late(HOST) == Fault(FaultName.SLOW_EDGE, HOST, 1)


@dataclass
class Source:
    """What is deployed, and the time."""

    body: str = "one"
    presence: Presence = UNKNOWN
    now: float = 100.0
    date: int = field(default=0)

    def look(self) -> View:
        self.date += 1
        return View(self.presence, Answer.text(200, self.body, ("Date", str(self.date))))

    def late(self, seconds: float) -> LateView:
        return LateView(self.look, self.look(), seconds, lambda: self.now)


def given(late: LateView) -> str:
    return late.now().policy.body.decode()


def test_a_slow_edge_gives_a_change_out_so_many_seconds_after_it_was_noticed() -> None:
    source = Source()
    late = source.late(4)
    source.now += 60
    source.body = "two"
    assert given(late) == "one"
    source.now += 3.9
    assert given(late) == "one"
    source.now += 0.1
    assert given(late) == "two"


def test_changes_in_quick_succession_come_out_in_order_and_never_go_back() -> None:
    source = Source()
    late = source.late(4)
    outputs = []
    for body in ("two", "three", "one", "four", *["four"] * 5):
        source.body = body
        outputs.append(given(late))
        source.now += 1
    assert outputs == ["one", "one", "one", "one", "two", "three", "one", "four", "four"]


def test_a_held_edge_gives_out_what_it_had_for_good() -> None:
    source = Source()
    late = source.late(math.inf)
    source.body = "two"
    for _ in range(3):
        source.now += 1e9
        assert given(late) == "one"


def test_the_certificate_is_as_late_as_the_policy() -> None:
    source = Source()
    late = source.late(4)
    source.presence = Presence(HOST, serves=True)
    assert late.now().presence == UNKNOWN
    source.now += 4
    assert late.now().presence == Presence(HOST, serves=True)


def test_what_differs_in_every_answer_is_no_change() -> None:
    source = Source()
    late = source.late(4)
    first = late.now()
    source.now += 10
    assert late.now() is first
