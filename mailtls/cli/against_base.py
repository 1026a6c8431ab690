"""Specs against their base, for the commands that have `--base`: trouble becomes words and exit code 2."""

import datetime
from pathlib import Path

from mailtls.changes import ChangeSet
from mailtls.cli.trouble import Trouble
from mailtls.lint.findings import Finding
from mailtls.lint.transition_rules import transition_findings
from mailtls.observe.git import GitError
from mailtls.observe.spec_history import compare_with
from mailtls.spec import SpecErrors


def against_base(path: Path, ref: str, now: datetime.datetime) -> tuple[ChangeSet, tuple[Finding, ...]]:
    """What changes at `path` since HEAD left `ref`, and what the transition rules find in it. Raises Trouble."""
    try:
        change_set = compare_with(path, ref, now)
    except (SpecErrors, GitError) as e:
        raise Trouble(str(e)) from e
    return change_set, transition_findings(change_set.changes, now)
