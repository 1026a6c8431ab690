"""What the screen of a checked domain says about single facts."""

from typing import Any

import pytest
from sample_looks import DOMAIN, answer, seen, txt

from mailtls.lint.live import live_findings
from mailtls.render.check import Checked, screen
from mailtls.verdict import judge


def text_of(**changes: Any) -> str:
    observed = seen(**changes)
    return screen(Checked(observed, judge(observed), live_findings(observed)), width=200)


@pytest.mark.parametrize(
    ("owner", "record", "told"),
    [
        (DOMAIN, "v=DMARC1; p=reject; sp=none", "DMARC p=reject,"),
        ("example", "v=DMARC1; p=reject; sp=none", "DMARC sp=none of a parent,"),
        ("example", "v=DMARC1; p=quarantine", "DMARC p=quarantine of a parent,"),
    ],
)
def test_a_parents_dmarc_counts_by_what_it_says_of_subdomains(owner: str, record: str, told: str) -> None:
    assert told in text_of(dmarc=answer(f"_dmarc.{owner}", "TXT", record))


def test_two_records_can_be_told_apart() -> None:
    assert "v=STSv1; id=1; and v=STSv1; id=2;" in text_of(sts=txt("v=STSv1; id=1;", "v=STSv1; id=2;"))


def test_a_resolver_that_proves_nothing_is_no_unsigned_zone() -> None:
    assert "DNSSEC not proved" in text_of(mx=answer(DOMAIN, "MX", "10 mx1.contoso.example"))
