"""The soak, small: a thousand mails of every kind. `make soak` sends a hundred thousand."""

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


def test_the_ledger_is_what_was_sent():
    done = subprocess.run([sys.executable, SOAK, "--mails", "1000", "--seed", "7"], capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing lost, nothing twice" in done.stdout
    for kind in ("report", "again", "spam", "bomb", "broken gzip", "headers without end"):
        assert f" {kind}" in done.stdout
