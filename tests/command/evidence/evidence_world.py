"""What the tests of evidence share: a repository of specs, a store as the pipeline lays it, and the command."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

from mailtls.tls_rpt.report import report_key

DOMAIN = "contoso.example"
PERIOD = ("--from", "2026-08-03", "--to", "2026-10-31")
PROMOTED = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
"""Thirty days before the last one: sample_ledger's reports name enforce from then on."""
BEGAN = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def spec(mode, more=""):
    return (
        f"policy_domain: {DOMAIN}\nowner: mail-team\n{more}mta_sts:\n  mode: {mode}\n"
        f"  mx: [mx1.{DOMAIN}, mx2.{DOMAIN}]\n  max_age: 1d\n"
    )


def policy(mode):
    return f"version: STSv1\nmode: {mode}\nmx: mx1.{DOMAIN}\nmx: mx2.{DOMAIN}\nmax_age: 86400\n".encode()


class Repository:
    """Specs in Git, committed when they are said to be."""

    def __init__(self, place):
        self.place = place
        self.specs = place / "policy_specs"
        self.specs.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments, **environment):
        return subprocess.run(
            ["git", "-c", "user.name=Alice Example", "-c", "user.email=alice@contoso.example", *arguments],
            cwd=self.place, check=True, capture_output=True, text=True, env={**os.environ, **environment},
        ).stdout.strip()  # fmt: skip

    def commit(self, text, subject, at):
        (self.specs / f"{DOMAIN}.yaml").write_text(text)
        self.git("add", "-A")
        when = at.isoformat()
        self.git("commit", "-q", "-m", subject, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD")


def lay_versions(store, domain, versions):
    """versions: id, moment, body; newest last."""
    folder = store / "policies" / domain
    folder.mkdir(parents=True)
    listed = []
    for version_id, moment, body in reversed(versions):
        (folder / version_id).write_bytes(body)
        key = f"{domain}/.well-known/mta-sts.txt"
        listed.append({"Key": key, "VersionId": version_id, "LastModified": moment.isoformat(), "Size": len(body)})
    (folder / "versions.json").write_text(json.dumps({"Versions": listed}))


def lay_ledger(store, entries):
    for entry in entries:
        key = report_key(entry.report, entry.policy_domain, entry.signer)
        (store / key).parent.mkdir(parents=True, exist_ok=True)
        (store / key).write_bytes(entry.render())


def rewritten(place, change):
    """As somebody who knows how a pack is made: the manifest is made again."""
    change()
    files = [path for path in place.rglob("*") if path.is_file() and path.name != "MANIFEST.sha256"]
    named = sorted((path.relative_to(place).as_posix(), path) for path in files)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in named]
    (place / "MANIFEST.sha256").write_text("".join(lines))


def run(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "mailtls.cli", "evidence", *map(str, arguments)], cwd=cwd,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
