"""The demo is the acceptance test: it ends with 0 only when each of its promises came true."""

import json
import subprocess
import sys

import pytest

from sandbox.forge import gitea_build
from sandbox.place import REPOSITORY

pytestmark = pytest.mark.engine


@pytest.mark.timeout(1800)  # twice the limit below, which is to end it first
def test_the_demo_keeps_its_promises() -> None:
    summary = REPOSITORY / "build" / "demo" / "summary.json"
    summary.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(summary.read_text())
    if gitea_build.built() is None:
        assert told["controller"] is None  # and the chapter says why it is left out
        assert len(told["proofs"]) == 14
    else:
        assert len(told["proofs"]) == 18
        assert told["promotion"]["ready"] == "Enforced"
        assert told["new_mx"]["headline"].startswith("move MX records, not before ")
        assert told["held_promotion"]["cause"] == "40 sessions at mx2.northwind.example (certificate-host-mismatch)"
    assert told["slow_edge"]["fetches_after_new_id"] >= 20
    assert told["slow_edge"]["fetches_while_late"] >= 1
    assert told["alert"].startswith("[critical] contoso.example")
