"""`mailtls reports dashboard`, as a process of its own."""

import subprocess
import sys
from pathlib import Path

import sample_ledger as sample

PERIOD = ("--from", "2026-08-03", "--to", sample.LAST.isoformat())
_COMMAND = (sys.executable, "-m", "mailtls.cli", "reports", "dashboard")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The caller looks at the exit code."""
    return subprocess.run([*_COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
