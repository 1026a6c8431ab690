"""Whatever the controller proposes passes the checks of its own pull request, however the spec is written."""

from pathlib import Path

import pytest
from lived_domain import DOMAIN, LivedDomain
from sample_rollout import DAY
from spec_repository import SpecRepository

from mailtls.rollout.decision import Kind, Wait

MX1, MX2, NEW = (f"{name}.{DOMAIN}" for name in ("mx1", "mx2", "mx3"))
OTHER = "policy_domain: fabrikam.example\nmta_sts: {mode: testing, mx: [mx.fabrikam.example]}\n"
WRITTEN = {
    "own file": {
        "contoso.yaml": f"policy_domain: {DOMAIN}  # head office\nmta_sts:\n  mode: testing\n"
        f"  mx:\n    - {MX1}\n    - {MX2}\n",
        "fabrikam.yaml": OTHER,
    },
    "map with defaults": {
        "defaults.yaml": f"mta_sts: {{mode: testing, mx: [{MX1}, {MX2}]}}\n"
        "suppress:\n  mode-lowered: shared, and old\n",
        "all.yaml": f"policy_domains:\n  {DOMAIN}: {{}}\n"
        "  fabrikam.example: {mta_sts: {mx: [mx.fabrikam.example]}}\n",
    },
    "old reasons and a max_age": {
        "contoso.yaml": f"policy_domain: {DOMAIN}\nsuppress:\n  enforce-without-evidence: three years ago\n"
        "  mode-lowered: mx2 had no certificate\n"
        f"mta_sts: {{mode: testing, max_age: 1w, mx: [{MX1}, {MX2}]}}\n",
        "fabrikam.yaml": OTHER,
    },
}


@pytest.fixture(params=WRITTEN)
def domain(request: pytest.FixtureRequest, tmp_path: Path) -> LivedDomain:
    lived = LivedDomain(SpecRepository(tmp_path), (MX1, MX2))
    lived.change(dict(WRITTEN[request.param]))
    return lived


def test_every_kind_of_change_passes_validate_against_what_was_before(domain: LivedDomain) -> None:
    domain.until(Kind.PROMOTE)
    assert b"mode-lowered" not in domain.file.read_bytes()
    domain.until(Kind.RAISE_MAX_AGE)
    domain.set(("rollout", "planned_move"), (domain.now + 40 * DAY).date().isoformat())
    domain.until(Kind.LOWER_MAX_AGE)
    domain.mx = (MX1, NEW)
    domain.until(Kind.ADD_MX)
    domain.until(Kind.REMOVE_MX)
    domain.broken = (MX1, NEW)
    domain.until(Kind.DEMOTE)
    assert b"enforce-without-evidence" not in domain.file.read_bytes()
    domain.broken = ()
    domain.until(Kind.PROMOTE)
    assert b"mode-lowered" not in domain.file.read_bytes()
    domain.set(("retire",), True)
    domain.until(Kind.RETIRE)
    domain.until(Kind.DELETE)
    assert set(domain.kinds) == set(Kind) - {Kind.MOVE_MX}  # only ever a wait
    assert domain.spec is None
    assert [(day, kind, found) for day, kind, found in domain.done if found] == []


@pytest.mark.parametrize("mode", ["testing", "enforce"])
def test_a_domain_retires_by_what_is_decided_and_its_file_goes_on_the_day_that_is_told(
    mode: str, tmp_path: Path
) -> None:
    domain = LivedDomain(SpecRepository(tmp_path), (MX1, MX2))
    text = f"policy_domain: {DOMAIN}\nmta_sts: {{mode: {mode}, max_age: 10d, mx: [{MX1}, {MX2}]}}\nhold: false\n"
    domain.change({"contoso.yaml": text, "fabrikam.yaml": OTHER})
    for _ in range(5):
        domain.day()
    domain.set(("retire",), True)
    domain.until(Kind.RETIRE)
    out = domain.now
    assert (domain.policy.mode, [pattern.text for pattern in domain.policy.mx]) == ("none", [MX1, MX2])
    assert domain.findings_of({"contoso.yaml": None}), "the judge does not see a spec that goes too early"
    told = domain.day()
    assert isinstance(told, Wait)
    assert (told.kind, told.until) == (Kind.DELETE, out + 10 * DAY)
    domain.until(Kind.DELETE)
    assert domain.now == out + 10 * DAY
    assert sorted(path.name for path in domain.folder.iterdir()) == ["fabrikam.yaml"]
    assert [(kind, found) for _, kind, found in domain.done] == [(Kind.RETIRE, []), (Kind.DELETE, [])]


def test_a_hold_stops_the_way_out_and_its_end_lets_it_go_on(tmp_path: Path) -> None:
    domain = LivedDomain(SpecRepository(tmp_path), (MX1, MX2))
    domain.change({**WRITTEN["own file"]})
    domain.set(("retire",), True)
    domain.set(("hold",), True)
    for _ in range(3):
        domain.day()
    assert domain.done == []
    domain.set(("hold",), False)
    domain.until(Kind.RETIRE, most=1)
