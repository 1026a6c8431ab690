"""Every fault at every step: a process killed, S3 and SNS failing or slow, two workers, other clocks, partial batches.

After each one the queue does what SQS does: it delivers again. Then no report may be missing and none may count twice.
docs/nothing-lost.md holds what came out, number by number; `MAILTLS_WRITE_GOLDEN=1` writes it anew.
"""

import itertools
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from disk import Place, in_a_process_that_dies

from mailtls.tls_rpt.contract import domain_list_key, render_domain_list
from report_lambda import handler
from report_lambda.domains import DomainCache
from report_lambda.store import StoreError

PAGE = Path(__file__).parents[2] / "docs" / "nothing-lost.md"
AGAIN = timedelta(minutes=18)
"""The queue's visibility timeout."""
LATER = (timedelta(hours=1), timedelta(hours=7))
"""Ticks after which an alert whose sender died has gone out."""
MAILS = ("new", "same", "junk")
WHAT = {
    "new": "a report about two domains, with failures",
    "same": "the same report in a second mail",
    "junk": "a mail that is kept apart",
    "batch": "a batch of these three",
    "hour": "the hourly look, a message due",
}


class Pipeline:
    """The function over a bucket and a topic on disk."""

    def __init__(self, cloud, mails, place):
        self.cloud, self.place = cloud, place
        self._mails, self._start, self._invocations = mails, cloud.now, itertools.count()
        report = mails.report(
            mails.policy(100, (mails.failure(),)), mails.policy(5, **{"policy-domain": "brand01.example"})
        )
        lay = place.store.lay
        lay(domain_list_key("sandbox"), render_domain_list([mails.contoso, mails.brand]).encode())
        for name in ("new", "same"):
            lay(f"raw/{name}", mails.mail(report))
        lay("raw/junk", mails.mail(text="spam"))
        place.keep()

    def begin(self, what):
        """As it is before the step that a fault hits."""
        self.calm()
        self.place.put_back()
        self.cloud.now = self._start
        handler._domains = DomainCache()
        if what in ("same", "hour"):
            assert self.deliver("new") == []
        if what == "hour":
            self.cloud.now += timedelta(hours=5)
        self.place.calls.count = 0

    def step(self, what):
        if what == "hour":
            self.tick(timedelta(hours=2))
        else:
            self.deliver(*(MAILS if what == "batch" else (what,)))

    def finish(self, what):
        """What the queue and the schedule do afterwards, whatever happened."""
        self.calm()
        self.cloud.now += AGAIN
        handler._domains = DomainCache()
        if what != "hour":
            assert self.deliver(*(MAILS if what == "batch" else (what,))) == []
        for hours in LATER:
            self.tick(hours)

    def deliver(self, *mail_ids):
        """Mail ids that must come again."""
        event = self._mails.payload("sqs_s3_object_created")
        [record] = event["Records"]
        event["Records"] = [
            {**record, "messageId": name, "body": record["body"].replace("o3vrnil0e2ic28tr", name)} for name in mail_ids
        ]
        return [failed["itemIdentifier"] for failed in self._invoke(event)["batchItemFailures"]]

    def tick(self, after):
        self.cloud.now += after
        self._invoke({**self._mails.payload("eventbridge_schedule"), "time": self.cloud.now.isoformat()})

    def calm(self):
        self.place.calls.before = self.place.calls.after = lambda call: None
        self.cloud.seconds_left = 180.0

    def _invoke(self, event):
        return handler.handle(event, _Context(f"{os.getpid()}-{next(self._invocations)}", self.cloud))


class _Context:
    def __init__(self, request_id, cloud):
        self.aws_request_id, self._cloud = request_id, cloud

    def get_remaining_time_in_millis(self):
        return int(self._cloud.seconds_left * 1000)


@dataclass(frozen=True)
class Outcome:
    """What stands in the bucket. Of two mails with one report the first counts, and a fault may change which it is: so
    a ledger entry stands without its mail and time, a disposition with the reports that the mail brought."""

    ledger: dict
    dispositions: dict
    kept_apart: list
    messages: list

    @staticmethod
    def of(place):
        ledger = {}
        for key, body in place.under("reports/").items():
            ledger[key] = {name: value for name, value in json.loads(body).items() if name not in ("stored_at", "mail")}
        dispositions = {key: json.loads(body) for key, body in place.under("dispositions/").items()}
        stored = [key for found in dispositions.values() for key in found["stored"]]
        assert sorted(stored) == sorted(ledger)  # each report is stored by one mail
        brought = {key: sorted(found["stored"] + found["duplicates"]) for key, found in dispositions.items()}
        assert not place.under("other-content/")
        return Outcome(ledger, brought, sorted(place.under("quarantine/")), sorted(place.topic.subjects()))


@dataclass
class Row:
    """Of the table: tries, and what they came to."""

    fault: str
    done: str
    seen: str
    tried: int = 0
    repeated: int = 0

    def add(self, found, wanted):
        """found may differ in one thing: a message that went out twice."""
        assert found.ledger == wanted.ledger
        assert found.dispositions == wanted.dispositions
        assert found.kept_apart == wanted.kept_apart
        assert set(found.messages) == set(wanted.messages)
        twice = len(found.messages) - len(wanted.messages)
        assert twice in (0, 1)
        self.tried += 1
        self.repeated += twice

    def line(self):
        return f"| {self.fault} | {self.tried:,} | {self.done} | {self.seen} | 0 | 0 | {self.repeated} |"


@pytest.fixture
def pipeline(cloud, mails, tmp_path, monkeypatch):
    place = Place(tmp_path / "place", lambda: cloud.now)
    monkeypatch.setattr(handler, "_store", lambda bucket: place.store)
    monkeypatch.setattr(handler, "_topic", lambda arn: place.topic)
    return Pipeline(cloud, mails, place)


def undisturbed(pipeline, what):
    """The outcome without a fault, and how many calls the step makes."""
    pipeline.begin(what)
    pipeline.step(what)
    calls = pipeline.place.calls.count
    assert calls > 3
    pipeline.finish(what)
    return Outcome.of(pipeline.place), calls


def places(calls) -> Iterator[tuple[int, bool]]:
    """Before and after each call took effect."""
    return itertools.product(range(1, calls + 1), (False, True))


def killed(pipeline, row, clock=timedelta()):
    for what in WHAT:
        wanted, calls = undisturbed(pipeline, what)
        for call, after in places(calls):
            pipeline.begin(what)
            pipeline.place.calls.kill_at(call, after=after)
            assert in_a_process_that_dies(lambda what=what: pipeline.step(what))
            if clock:
                pipeline.cloud.now += clock
            pipeline.finish(what)
            row.add(Outcome.of(pipeline.place), wanted)


def failing(pipeline, row):
    def fault(call):
        raise StoreError(f"planned, at call {call}")

    for what in WHAT:
        wanted, calls = undisturbed(pipeline, what)
        for call, after in places(calls):
            pipeline.begin(what)

            def strike(now, call=call):
                return fault(now) if now == call else None

            setattr(pipeline.place.calls, "after" if after else "before", strike)
            try:
                pipeline.step(what)
            except StoreError:
                assert what == "hour"  # the invocation counts as failed, and AWS repeats it
            pipeline.finish(what)
            row.add(Outcome.of(pipeline.place), wanted)


def slow(pipeline, row):
    for what in WHAT:
        wanted, calls = undisturbed(pipeline, what)
        for call in range(1, calls + 1):
            pipeline.begin(what)

            def wait(now, call=call):
                if now == call:
                    pipeline.cloud.seconds_left -= 120.0

            pipeline.place.calls.before = wait
            pipeline.step(what)
            pipeline.finish(what)
            row.add(Outcome.of(pipeline.place), wanted)


class Turns:
    """Two threads take turns: worker 0 makes `first` calls, then worker 1 `second`, then 0 to its end, then 1."""

    def __init__(self, first, second):
        self._left = [(0, first), (1, second), (0, -1), (1, -1)]
        self._change = threading.Condition()

    def wait(self, worker):
        """Until the worker may make one more call."""
        with self._change:
            while True:
                while self._left and self._left[0][1] == 0:
                    self._next()
                if not self._left or self._left[0][0] == worker:
                    break
                self._change.wait(timeout=30)
            if self._left and self._left[0][1] > 0:
                self._left[0] = (worker, self._left[0][1] - 1)

    def ended(self, worker):
        with self._change:
            self._left = [(whose, left) for whose, left in self._left if whose != worker]
            self._change.notify_all()

    def _next(self):
        self._left.pop(0)
        self._change.notify_all()


def two_workers(pipeline, row):
    """The same mail, and the same report in two mails, at work in both at once."""
    for mails in (("new", "new"), ("new", "same")):
        pipeline.begin("new")
        pipeline.deliver("new")
        calls = pipeline.place.calls.count
        for name in mails:
            pipeline.deliver(name)
        pipeline.finish("new")
        wanted = Outcome.of(pipeline.place)
        for first, second in itertools.product(range(0, calls + 1, 2), range(0, calls + 1, 3)):
            pipeline.begin("new")
            turns = Turns(first, second)
            names = {}

            def worker(number, mail, turns=turns, names=names):
                names[threading.get_ident()] = number
                pipeline.deliver(mail)
                turns.ended(number)

            pipeline.place.calls.before = lambda call, turns=turns, names=names: turns.wait(
                names[threading.get_ident()]
            )
            threads = [threading.Thread(target=worker, args=pair) for pair in enumerate(mails)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
            pipeline.calm()
            for name in mails:
                assert pipeline.deliver(name) == []
            pipeline.finish("new")
            row.add(Outcome.of(pipeline.place), wanted)


def again(pipeline, row):
    for what in MAILS:
        wanted, _ = undisturbed(pipeline, what)
        pipeline.begin(what)
        for _ in range(5):
            pipeline.step(what)
            pipeline.cloud.now += AGAIN
        pipeline.finish(what)
        row.add(Outcome.of(pipeline.place), wanted)


def partial_batch(pipeline, row):
    """One of three fails: it alone comes again."""
    wanted, _ = undisturbed(pipeline, "batch")
    for broken in MAILS:
        pipeline.begin("batch")
        store = pipeline.place.store
        body = store.objects()[f"raw/{broken}"]
        store._path(f"raw/{broken}").unlink()
        assert pipeline.deliver(*MAILS) == [broken]
        store.lay(f"raw/{broken}", body)
        assert pipeline.deliver(broken) == []
        pipeline.finish("batch")
        row.add(Outcome.of(pipeline.place), wanted)


NEXT = "the queue delivers the mail again after 18 minutes; what stands is found, what is missing is done"
TABLE = {
    "killed": (
        killed,
        Row(
            "the process is killed (SIGKILL) before or after each call of S3 and SNS",
            NEXT,
            "a claim that died is taken over after five minutes, by the retry or the hour",
        ),
    ),
    "failing": (failing, Row("S3 or SNS refuses each call, or its answer is lost", NEXT, "`failed` in the log")),
    "slow": (
        slow,
        Row(
            "each call takes two minutes",
            "no new mail is begun; the rest of the batch comes again",
            "`failed`, OutOfTime",
        ),
    ),
    "two workers": (
        two_workers,
        Row(
            "two workers on one mail, or on two mails with one report, changing at each call",
            "the conditional write lets one win; the other finds its entry",
            "`duplicate`, or `seen before`",
        ),
    ),
    "again": (again, Row("a message is delivered five times more", "the disposition is found", "`seen before`")),
    "clock back": (
        lambda pipeline, row: killed(pipeline, row, timedelta(hours=-3)),
        Row("killed, and the retry's clock is three hours behind", NEXT, "as above"),
    ),
    "clock ahead": (
        lambda pipeline, row: killed(pipeline, row, timedelta(hours=3)),
        Row("killed, and the retry's clock is three hours ahead", NEXT, "as above"),
    ),
    "partial batch": (
        partial_batch,
        Row("one mail of a batch fails", "its id alone is given back to the queue", "`failed` for that one"),
    ),
}


def told():
    """The table's line of each fault."""
    return PAGE.read_text("utf-8").splitlines()


@pytest.mark.parametrize("fault", TABLE)
def test_nothing_is_lost_and_the_page_says_how_often_it_was_tried(pipeline, fault):
    disturb, row = TABLE[fault]
    row.tried = row.repeated = 0
    disturb(pipeline, row)
    assert row.tried > 0
    lines = told()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"| {row.fault} |"))
    if os.environ.get("MAILTLS_WRITE_GOLDEN"):
        lines[at] = row.line()
        PAGE.write_text("\n".join(lines) + "\n", "utf-8")
    assert told()[at] == row.line(), "MAILTLS_WRITE_GOLDEN=1 pytest tests/report_lambda/test_fault_table.py"
