"""The README shows what `mailtls check` prints."""

import sys
from pathlib import Path

from mailtls.lint.live import live_findings
from mailtls.render.check import Checked, screen
from mailtls.verdict import judge

REPOSITORY = Path(__file__).parents[2]
sys.path.append(str(REPOSITORY / "tests" / "unit"))

from sample_looks import MX1, MX2, mx, port_25, seen, tls  # noqa: E402  beside the unit tests


def test_the_screen_in_the_readme_is_what_the_command_prints() -> None:
    observed = seen(
        mail_hosts=(
            mx(MX1, 10, port_25()),
            mx(MX2, 20, port_25(address="192.0.2.26", tls=tls(days_left=12))),
            mx("mx3.contoso.example", 30, port_25(address="192.0.2.27")),
        )
    )
    printed = screen(Checked(observed, judge(observed), live_findings(observed)))
    assert printed in (REPOSITORY / "README.md").read_text("utf-8")
