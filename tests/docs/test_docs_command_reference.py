"""docs/commands.md is what the commands say of themselves today."""

import re

import pytest

from mailtls.cli.main import COMMANDS
from mailtls.cli.reference import PAGE, render


def test_the_page_is_not_stale() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text("utf-8") == render()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_an_example(name: str) -> None:
    help_text = re.split(r"^```", render().split(f"## mailtls {name}\n")[1], flags=re.MULTILINE)[1]
    assert re.search(rf"\n\n  Example: +mailtls {name} [^\n]+\n?[^\n]*\n\Z", help_text), help_text
