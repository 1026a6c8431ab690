"""Looking at incoming mail again and again: what is news, and what is left out."""

import os
from pathlib import Path

import pytest

from mailtls.observe import arrivals
from mailtls.observe.arrivals import Follower
from mailtls.observe.report_bucket import FolderBucket
from mailtls.reports.bucket_layout import disposition_key, to_bytes

STORED = to_bytes({"disposition": "stored", "stored": [], "duplicates": []})


def arrive(folder: Path, mail: str, second: int) -> None:
    raw = folder / "raw" / mail
    raw.parent.mkdir(exist_ok=True)
    raw.write_bytes(b"x")
    os.utime(raw, (1_800_000_000 + second, 1_800_000_000 + second))


def deal_with(folder: Path, mail: str) -> None:
    path = folder / disposition_key(mail)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(STORED)


def told(follower: Follower) -> list[tuple[str, str | None]]:
    return [(arrival.mail, arrival.became) for arrival in follower.look()]


def test_each_change_is_told_once(tmp_path: Path) -> None:
    for second, mail in enumerate("abc"):
        arrive(tmp_path, mail, second)
    deal_with(tmp_path, "c")
    follower = Follower(FolderBucket(tmp_path), 2)
    assert told(follower) == [("b", None), ("c", "stored")]
    assert told(follower) == []
    deal_with(tmp_path, "a")  # nobody asked for it
    deal_with(tmp_path, "b")
    arrive(tmp_path, "d", 9)
    assert told(follower) == [("d", None), ("b", "stored")]
    assert told(follower) == []
    deal_with(tmp_path, "d")
    assert told(follower) == [("d", "stored")]


def test_a_mail_that_is_announced_anew_is_news(tmp_path: Path) -> None:
    arrive(tmp_path, "a", 0)
    deal_with(tmp_path, "a")
    follower = Follower(FolderBucket(tmp_path), 5)
    assert told(follower) == [("a", "stored")]
    (tmp_path / disposition_key("a")).unlink()
    arrive(tmp_path, "a", 7)
    assert told(follower) == [("a", None)]


def test_older_mail_that_comes_into_sight_is_no_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_NEW", 2)
    for second, mail in enumerate("abc"):
        arrive(tmp_path, mail, second)
    follower = Follower(FolderBucket(tmp_path), 1)
    assert told(follower) == [("c", None)]
    (tmp_path / "raw" / "c").unlink()
    assert told(follower) == []
    for second, mail in enumerate("def", start=5):
        arrive(tmp_path, mail, second)
    assert told(follower) == [("e", None), ("f", None)]  # MAX_NEW of three


def test_no_more_are_waited_for_than_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_WAITING", 2)
    for second, mail in enumerate("abc"):
        arrive(tmp_path, mail, second)
    follower = Follower(FolderBucket(tmp_path), 3)
    assert len(told(follower)) == 3
    for mail in "abc":
        deal_with(tmp_path, mail)
    assert told(follower) == [("b", "stored"), ("c", "stored")]
