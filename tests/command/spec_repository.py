"""A real repository, made by the git program, whose commits have the days that a test needs."""

import datetime
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

NOBODY = {
    "GIT_AUTHOR_NAME": "a mail admin",
    "GIT_AUTHOR_EMAIL": "admin@contoso.example",
    "GIT_COMMITTER_NAME": "a mail admin",
    "GIT_COMMITTER_EMAIL": "admin@contoso.example",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class SpecRepository:
    """place: its root. Branch `main` is there from the start."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: datetime.datetime | None = None) -> str:
        """What git prints. at: the day of a commit; None: now."""
        day = {} if at is None else {"GIT_AUTHOR_DATE": at.isoformat(), "GIT_COMMITTER_DATE": at.isoformat()}
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.place,
            env={**os.environ, **NOBODY, **day},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files; None takes one away."""
        for name, text in files.items():
            path = self.place / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")

    def commit(self, files: Mapping[str, str | None], at: datetime.datetime | None = None) -> str:
        """Write files and commit everything. Returns the hash."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=specs", at=at)
        return self.git("rev-parse", "HEAD")


def spec(domain: str, mode: str = "enforce", mx: str = "mx1", max_age: str = "1w", more: str = "") -> str:
    """The text of a spec. mx: hosts under the domain, or whole names, with commas between."""
    hosts = ", ".join(name if "." in name else f"{name}.{domain}" for name in mx.split(","))
    return f"policy_domain: {domain}\nmta_sts: {{mode: {mode}, mx: [{hosts}], max_age: {max_age}}}\n{more}"
