"""`mailtls reports dashboard`, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import sample_ledger as sample

PERIOD = ("--from", "2026-08-03", "--to", sample.LAST.isoformat())
_REPORTS = (sys.executable, "-m", "mailtls.cli", "reports")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The caller looks at the exit code."""
    return _run("dashboard", *map(str, arguments))


def summary(*arguments: str | Path) -> Any:
    """What `mailtls reports summary` says of the same, as data."""
    return json.loads(_run("summary", "--format", "json", *map(str, arguments)).stdout)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*_REPORTS, *arguments], capture_output=True, text=True, timeout=120, check=False)
