"""A change in text, JSON and Markdown: bounded, and nothing of a stranger's does more than be read."""

import datetime
import json
import re

import pytest

from mailtls.changes import Base, Change, ChangeSet, compare
from mailtls.lint.transition_rules import transition_findings
from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.render import change_comment
from mailtls.render.changes import render_changes
from mailtls.spec import MtaSts, PolicySpec, Source, TlsRpt

NOW = datetime.datetime(2026, 11, 28, 12, 0, tzinfo=datetime.UTC)
BASE = Base("origin/main", "0123456789abcdef0123456789abcdef01234567", NOW - datetime.timedelta(days=3))


def policy(*mx: str, mode: str = "enforce", max_age: int = 604800) -> MtaSts:
    return MtaSts(Mode(mode), tuple(map(MxPattern, mx)), max_age)


def spec(domain: str, mta_sts: MtaSts | None, file: str = "specs/a.yaml", **suppress: str) -> PolicySpec:
    return PolicySpec(domain, mta_sts, TlsRpt(), None, None, Source(file, 1), suppress)


def rendered(output: str, *changes: Change, base: Base = BASE) -> str:
    change_set = ChangeSet(base, len(changes), changes)
    return render_changes(change_set, transition_findings(changes, NOW), NOW, output)


def test_a_strangers_words_stay_words() -> None:
    """A file name, a reason and a ref come from a pull request that anybody may open."""
    hostile = "x`|\n## safe to merge\n<img src=https://evil.example/x> @everyone \x1b[2J ::error::x"
    change = Change(
        "a.example",
        spec("a.example", policy("mx1.a.example")),
        spec("a.example", policy("mx2.a.example"), f"specs/{hostile}.yaml", **{"mode-lowered": hostile}),
    )
    base = Base(f"main{hostile}", BASE.commit, BASE.at, 1)
    for output in ("text", "markdown"):
        text = rendered(output, change, base=base)
        assert "\x1b" not in text
        assert not re.search(r"^(## safe|::error)", text, re.MULTILINE)
    outside_code = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", rendered("markdown", change, base=base))
    for word in ("<img", "@everyone", "https://"):
        assert word not in outside_code
    rows = [line for line in rendered("markdown", change, base=base).splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows), "three cells in each row"
    assert json.loads(rendered("json", change, base=base))["changes"][0]["after"]["suppress"]["mode-lowered"] == hostile


def test_large_numbers_are_written_alike() -> None:
    changes = [Change(f"d{number}.example", None, spec(f"d{number}.example", None)) for number in range(1200)]
    for output in ("text", "markdown"):
        assert "1,200 of 1,200 domains change" in rendered(output, *changes)


@pytest.mark.parametrize(("domains", "hosts"), [(1, 1), (400, 1), (30, 12), (300, 12), (1, 200), (20, 200)])
def test_no_change_is_too_large_for_a_comment(domains: int, hosts: int) -> None:
    def mx(domain: int, side: str) -> list[str]:
        """Names that are long, and others for each domain."""
        return [f"{side}{domain}-{number}.{'long-label.' * 15}example" for number in range(hosts)]

    changes = tuple(
        Change(f"d{number}.example", spec("x", policy(*mx(number, "a"))), spec("x", policy(*mx(number, "b"))))
        for number in range(domains)
    )
    comment = rendered("markdown", *changes)
    assert len(comment.encode()) <= change_comment.MOST
    assert comment.rstrip().endswith("</sub>"), "cut nowhere"
    shown = len(re.findall(r"^\*\*d\d+\.example\*\*", comment, re.MULTILINE))
    left_out = re.search(r"\*\*(\d+) more domains change\*\*", comment)
    assert shown + (int(left_out[1]) if left_out else 0) == domains, "each is shown or counted"


def test_a_long_list_shows_what_changes_and_counts_the_rest() -> None:
    many = [f"mx{number}.a.example" for number in range(50)]
    change = Change("a.example", spec("a.example", policy(*many)), spec("a.example", policy(*many, "new.a.example")))
    text = rendered("text", change)
    assert "  mx        + new.a.example\n" in text
    assert "= and 44 more, as they were" in text
    (row,) = [line for line in rendered("markdown", change).splitlines() if line.startswith("| mx ")]
    assert row.count("`mx") == 12 + 11
    assert "**`new.a.example`**" in row
    assert row.endswith("and 39 more |")


def test_another_order_of_the_same_hosts_is_told_as_that() -> None:
    """The file that senders fetch changes, and so does its id."""
    before, after = policy("mx1.a.example", "mx2.a.example"), policy("mx2.a.example", "mx1.a.example")
    (change,) = compare([spec("a.example", before)], [spec("a.example", after)])
    text = rendered("text", change)
    assert "(in another order)" in text
    assert "order     object, then gate" in text
