"""A change of specs: what is paired, what waits until when, and in which order it is published."""

import dataclasses
import datetime
from collections.abc import Mapping

import pytest

from mailtls.changes import Change, Kind, Served, Wait, WaitFor, compare, steps, waits
from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.spec import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.spec.controller import Adopted, Controller

NOW = datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.UTC)
DAY, WEEK = 86400, 7 * 86400
PLATFORM = TlsRpt()


def policy(mode: str = "enforce", *mx: str, max_age: int = WEEK) -> MtaSts:
    return MtaSts(Mode(mode), tuple(map(MxPattern, mx or ("mx1.a.example",))), max_age)


def spec(
    mta_sts: MtaSts | None,
    domain: str = "a.example",
    tls_rpt: TlsRpt | None = PLATFORM,
    suppress: Mapping[str, str] | None = None,
    file: str = "policy_specs/a.yaml",
) -> PolicySpec:
    return PolicySpec(domain, mta_sts, tls_rpt, None, None, Source(file, 1), suppress or {})


def changed(before: MtaSts | None, after: MtaSts | None, earlier: tuple[Served, ...] = ()) -> Change:
    return Change("a.example", spec(before), spec(after), earlier=earlier)


def test_only_what_differs_is_a_change_and_a_place_is_no_difference() -> None:
    same, moved = spec(policy(), "same.example"), spec(policy(), "same.example", file="policy_specs/moved.yaml")
    found = compare(
        [same, spec(policy(), "gone.example"), spec(policy(), "b.example")],
        [moved, spec(policy("testing"), "b.example"), spec(policy(), "new.example")],
    )
    assert [(change.policy_domain, change.kind) for change in found] == [
        ("b.example", Kind.CHANGED),
        ("gone.example", Kind.REMOVED),
        ("new.example", Kind.ADDED),
    ]


def test_a_host_that_a_pattern_allows_is_neither_added_nor_removed() -> None:
    change = changed(policy("enforce", "mx1.a.example", "mx9.b.example"), policy("enforce", "*.a.example"))
    assert [str(mx) for mx in change.mx_removed] == ["mx9.b.example"]
    assert [str(mx) for mx in change.mx_added] == ["*.a.example"], "a wildcard allows more than the host did"


@pytest.mark.parametrize(
    ("max_age", "held"), [(2 * WEEK, 2 * WEEK), (DAY, DAY), (3600, DAY), (0, DAY)], ids=["2w", "1d", "1h", "0"]
)
def test_a_new_host_waits_for_what_is_held_and_never_less_than_a_day(max_age: int, held: int) -> None:
    change = changed(policy(max_age=max_age), policy("enforce", "mx1.a.example", "mx3.a.example"))
    until = NOW + datetime.timedelta(seconds=held)
    assert waits(change, NOW) == (Wait(WaitFor.MX, until, held, ("mx3.a.example",)),)


def test_where_nobody_enforces_a_new_host_waits_for_nothing() -> None:
    change = changed(policy("testing"), policy("testing", "mx1.a.example", "mx3.a.example"))
    assert waits(change, NOW) == ()


def test_an_earlier_policy_that_is_held_for_longer_decides() -> None:
    earlier = Served(policy("enforce", max_age=8 * WEEK), until=NOW - datetime.timedelta(weeks=2))
    change = changed(policy(), policy("enforce", "mx1.a.example", "mx3.a.example"), earlier=(earlier,))
    (wait,) = waits(change, NOW)
    assert (wait.until, wait.seconds) == (NOW + datetime.timedelta(weeks=6), 8 * WEEK)
    forgotten = Served(policy("enforce", max_age=8 * WEEK), until=NOW - datetime.timedelta(weeks=8))
    assert waits(changed(policy("testing"), policy("testing", "mx3.a.example"), earlier=(forgotten,)), NOW) == ()


def test_an_earlier_policy_that_names_the_host_is_in_nobodys_way() -> None:
    earlier = Served(policy("enforce", "mx3.a.example", max_age=8 * WEEK), until=NOW)
    change = changed(policy(), policy("enforce", "mx1.a.example", "mx3.a.example"), earlier=(earlier,))
    assert [wait.seconds for wait in waits(change, NOW)] == [WEEK]


def test_what_a_former_host_served_is_waited_for_whatever_it_says() -> None:
    adopted = Controller(adopted=Adopted(4 * WEEK, NOW - datetime.timedelta(weeks=1)))

    def waited(before: MtaSts | None, after: MtaSts, now: datetime.datetime = NOW) -> list[tuple[WaitFor, float]]:
        head = dataclasses.replace(spec(after), controller=adopted)
        base = dataclasses.replace(spec(before), controller=adopted) if before else None
        return [(w.what, (w.until - NOW).days / 7) for w in waits(Change("a.example", base, head), now)]

    one, two = policy("testing"), policy("testing", "mx1.a.example", "mx2.a.example")
    assert waited(one, two) == [(WaitFor.MX, 3)]
    assert waited(None, two) == [], "the first spec names the hosts that are there"
    assert waited(one, policy("none")) == [(WaitFor.REMOVAL, 3)]
    assert waited(one, two, NOW + datetime.timedelta(weeks=4)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("enforce", "testing", [WaitFor.ENFORCE_ENDS]),
        ("enforce", "none", [WaitFor.ENFORCE_ENDS, WaitFor.REMOVAL]),
        ("testing", "none", [WaitFor.REMOVAL]),
        ("testing", "enforce", []),
        ("none", "none", []),
    ],
)
def test_a_lowered_mode_says_until_when_the_old_one_counts(before: str, after: str, expected: list[WaitFor]) -> None:
    found = waits(changed(policy(before), policy(after, max_age=DAY)), NOW)
    assert [wait.what for wait in found] == expected
    assert all(wait.until == NOW + datetime.timedelta(weeks=1) for wait in found)


@pytest.mark.parametrize(
    ("before", "after", "first", "last"),
    [
        (spec(None), spec(policy()), "object, certificate, distribution", "`_mta-sts` TXT (TTL 300)"),
        (spec(policy()), spec(policy("testing")), "object", "`_mta-sts` TXT with a new id (TTL 300)"),
        (spec(policy()), spec(None), "`_mta-sts` TXT goes", "distribution, certificate, object go"),
    ],
)
def test_the_file_comes_before_its_id_and_goes_after_it(
    before: PolicySpec, after: PolicySpec, first: str, last: str
) -> None:
    (chain,) = steps(Change("a.example", before, after))
    assert (chain[0], chain[-1]) == (first, last)


def test_reports_have_an_order_of_their_own() -> None:
    rua = TlsRpt(("mailto:reports@b.example",))
    assert steps(Change("a.example", spec(policy()), spec(policy(), tls_rpt=rua))) == (
        ("`_smtp._tls` TXT (TTL 3600)",),
    )
    assert steps(Change("a.example", spec(policy()), spec(policy(), tls_rpt=None))) == (("`_smtp._tls` TXT goes",),)
