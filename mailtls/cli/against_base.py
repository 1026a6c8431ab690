"""Specs against their base, for the commands that have `--base`: trouble becomes words and exit code 2."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailtls.changes import ChangeSet
from mailtls.cli.trouble import Trouble
from mailtls.lint.findings import Finding
from mailtls.lint.transition_rules import transition_findings
from mailtls.observe.git import GitError
from mailtls.observe.spec_history import compare_with
from mailtls.observed import DnsStatus
from mailtls.spec import SpecErrors

if TYPE_CHECKING:
    from mailtls.observe.domain import Network


def against_base(
    path: Path, ref: str, now: datetime.datetime, network: "Network | None" = None
) -> tuple[ChangeSet, tuple[Finding, ...]]:
    """What changes at `path` since HEAD left `ref`, and what the transition rules find in it. Raises Trouble.

    network: the way to look at the domains that change; None: offline.
    """
    try:
        change_set = compare_with(path, ref, now)
    except (SpecErrors, GitError) as e:
        raise Trouble(str(e)) from e
    if network is None or not change_set.changes:
        return change_set, transition_findings(change_set.changes, now)
    import asyncio

    from mailtls.cli.terminal import Progress
    from mailtls.lint.live_change_rules import live_change_findings
    from mailtls.observe.live_changes import seen_live

    progress = Progress("looking at", len(change_set.changes))
    change_set = asyncio.run(seen_live(change_set, network, progress.advance))
    progress.clear()
    if not any(
        change.live and change.live.mx and change.live.mx.status is not DnsStatus.FAILED
        for change in change_set.changes
    ):
        raise Trouble(
            "no question to DNS was answered; is there a network? Name another resolver (--resolver 192.0.2.53), or "
            "leave --live out"
        )
    return change_set, (*transition_findings(change_set.changes, now), *live_change_findings(change_set.changes, now))
