"""`--at` answers a question; it never proposes a change before its time on anybody's forge."""

from datetime import UTC, datetime

import pytest

from mailtls.cli.moment import may_act
from mailtls.cli.trouble import Trouble

THEN = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/mail/specs.git", "http://[::1]:3000/mail/specs"])
def test_a_forge_of_this_machine_may_be_told_another_time(url: str) -> None:
    may_act(THEN, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.contoso.example/mail/specs.git",
        "http://localhost/mail/specs",  # a name may lead anywhere
        "http://127.0.0.1@git.contoso.example/mail/specs",
        "git@git.contoso.example:mail/specs.git",
        "",
    ],
)
def test_no_other_forge_may(url: str) -> None:
    may_act(None, url)
    with pytest.raises(Trouble, match="leave --at out to propose"):
        may_act(THEN, url)
