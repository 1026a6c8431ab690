"""`mailtls validate`: specs against the schema and the offline rules, every fault at once."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.lint.findings import Finding

SPECS = Path("policy_specs")
"""Where specs lie when nobody says otherwise."""


@click.command(epilog="Example:  mailtls validate policy_specs --strict")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@format_option("text", "json", "markdown", "sarif", "github")
@click.option("--base", "ref", metavar="REF", help="Also judge the change since HEAD left this branch (origin/main).")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings too.")
def command(paths: tuple[Path, ...], output: str, ref: str | None, strict: bool) -> None:
    """Judge specs by the schema and the rules, offline.

    PATH is a folder of specs or one spec; policy_specs when left out. All that is wrong is told at once, by file and
    line. `mailtls explain RULE` says more about a rule; `suppress` in a spec silences a warning, with a reason.
    """
    import datetime

    from mailtls.lint.specs import survey_findings
    from mailtls.render.findings import render_findings
    from mailtls.spec.load import survey

    found = survey(*(paths or (SPECS,)))
    if not found.asked and (ref is None or found.errors != found.empty):
        raise Trouble("\n".join(map(str, found.errors)))
    findings = survey_findings(found, now=datetime.datetime.now(datetime.UTC))
    if ref is not None and found.errors != found.empty:
        click.echo(f"mailtls: not compared with {ref}, since the specs cannot be loaded as they are", err=True)
    elif ref is not None:
        findings = (*findings, *_transitions(paths or (SPECS,), ref))
    colour = terminal.takes_colour()
    click.echo(render_findings(findings, output, width=terminal.width(), colour=colour), nl=False, color=colour)
    click.echo(summary(found.asked, findings), err=True)
    worst = {str(finding.severity) for finding in findings}
    if "error" in worst or (strict and "warning" in worst):
        raise SystemExit(1)


def _transitions(paths: "Sequence[Path]", ref: str) -> "list[Finding]":
    """What the rules find in the change since the base. Raises Trouble."""
    import datetime

    from mailtls.cli.against_base import against_base
    from mailtls.spec.load import outermost

    now = datetime.datetime.now(datetime.UTC)
    return [finding for path in outermost(tuple(paths)) for finding in against_base(path, ref, now)[1]]


def summary(specs: int, findings: "Sequence[Finding]") -> str:
    """`300 specs, 2 errors, 1 warning`; `300 specs, nothing to say` where nothing was found."""
    counts = Counter(str(finding.severity) for finding in findings)
    said = [
        _counted(counts[severity], word)
        for severity, word in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if counts[severity]
    ]
    return ", ".join([_counted(specs, "spec"), *(said or ["nothing to say"])])


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
