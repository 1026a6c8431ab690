"""`mailtls reports tail` over a copy of the reports bucket."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from mailtls.reports.bucket_layout import disposition_key, to_bytes

STORED = {
    "disposition": "stored",
    "reason": None,
    "detail": "",
    "signer": "google.com",
    "stored": ["reports/contoso.example/2026-11-30/0.json", "reports/fabrikam.example/2026-11-30/1.json"],
    "duplicates": [],
}
KEPT_APART = {**STORED, "disposition": "quarantined", "reason": "dkim-failed", "detail": "bad\x1b[2J", "stored": []}


def bucket(folder: Path) -> Path:
    """Four mails, a second apart; the last one is in flight."""
    dispositions = {"b-first": STORED, "a-second": KEPT_APART, "c-third": {"disposition": "?"}, "d-fourth": None}
    for second, (mail, disposition) in enumerate(dispositions.items()):
        raw = folder / "raw" / mail
        raw.parent.mkdir(exist_ok=True)
        raw.write_bytes(b"Subject: x\n\n")
        os.utime(raw, (1_800_000_000 + second, 1_800_000_000 + second))
        if disposition is not None:
            path = folder / disposition_key(mail)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(to_bytes(disposition))
    return folder


def tail(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", "reports", "tail", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_each_mail_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    code, out, _ = tail(bucket(tmp_path))
    first, second, third, fourth = out.splitlines()
    assert code == 0
    assert "stored" in first
    assert "contoso.example, fabrikam.example  signed by google.com" in first
    assert "quarantined" in second
    assert "dkim-failed: bad\\u001b[2J" in second
    assert "cannot be read" in third
    assert "not dealt with" in fourth


def test_the_last_ones_are_those_that_came_last(tmp_path: Path) -> None:
    _, out, _ = tail(bucket(tmp_path), "-n", "2", "--format", "json")
    assert [json.loads(line)["mail"] for line in out.splitlines()] == ["c-third", "d-fourth"]


def test_a_bucket_without_mail_and_a_place_that_is_none(tmp_path: Path) -> None:
    code, out, err = tail(tmp_path)
    assert (code, out) == (0, "")
    assert "no mail has come in" in err
    code, _, err = tail(tmp_path / "none")
    assert code == 2
    assert "no such folder" in err


def test_follow_tells_what_comes_and_what_becomes_of_it_until_it_is_interrupted(tmp_path: Path) -> None:
    """With nothing to wait for but its lines."""
    (bucket(tmp_path) / "raw" / "d-fourth").unlink()
    command = [sys.executable, "-m", "mailtls.cli", "reports", "tail", str(tmp_path), "-f", "--every", "1", "-n", "1"]
    command = ["env", "--default-signal=INT", *command]  # a job in the background ignores it, and so do its children
    with subprocess.Popen([*command, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None

        def line() -> tuple[str, str | None]:
            told = json.loads(process.stdout.readline())
            return told["mail"], told["disposition"]

        try:
            assert line() == ("c-third", None)
            (tmp_path / "raw" / "e-fifth").write_bytes(b"Subject: x\n\n")
            assert line() == ("e-fifth", None)
            half = tmp_path / "half.json"
            half.write_bytes(to_bytes(STORED))
            half.rename(tmp_path / disposition_key("e-fifth"))
            assert line() == ("e-fifth", "stored")
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, rest) == (130, b"")
    assert b"Traceback" not in err
