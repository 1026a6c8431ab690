"""The story fits a terminal of 80 columns, and no word of it is lost."""

import io
from pathlib import Path

from rich.console import Console

from sandbox.demo.story import Story

LONG = "badcert.outside.example (a certificate): " + "a word and another, " * 12
PATH = "s3://reports-store-bucket/" + "0123456789abcdef" * 8


def test_no_line_is_wider_than_a_terminal_and_nothing_is_cut(tmp_path: Path) -> None:
    shown = io.StringIO()
    story = Story(Console(file=shown, highlight=False, soft_wrap=True, width=200))
    story.chapter(1, LONG)
    story.say(LONG)
    story.quote(f"WHAT    {LONG}\n        {LONG}\n\n{PATH}")
    with story.step(LONG):
        pass
    story.proved(LONG, PATH)
    story.failed(f"{LONG}\n{LONG}", tmp_path)
    lines = shown.getvalue().splitlines()[:-1]  # the last is the folder of the logs
    assert max(map(len, lines)) <= 80
    assert "".join(shown.getvalue().split()).count("".join(LONG.split())[-60:]) >= 5
