"""`mailtls evidence verify`: whether a pack is what it was."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.audit.verify import Verdict

LEAST_DIGITS = 12
"""Of a digest: shorter ones can be met by chance."""


@click.command(epilog="Example:  mailtls evidence verify evidence-2026.zip --digest 3fc1f5c0a1b2 --repository .")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--digest", help=f"Of the manifest, as it was printed; at least its first {LEAST_DIGITS} digits.")
@click.option("--repository", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A clone: does each commit that is named hold the policy that was served?")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, pack: Path, digest: str | None, repository: Path | None) -> None:
    """Check the folder or zip PACK, offline: every byte against the manifest, every number and page against the
    reports and policies that they follow from.

    Without --digest this shows that nothing was changed by halves. Whoever changed everything, manifest included, is
    found only by the digest that was kept apart.

    \b
    Exit codes:  0 the pack is whole
                 1 it is not: each fault is told
                 2 trouble: there is no pack
    """
    from mailtls.audit.verify import NoPack, verify

    wanted = (digest or "").lower()
    if digest is not None and (len(wanted) < LEAST_DIGITS or set(wanted) - set("0123456789abcdef") or len(wanted) > 64):
        raise Trouble(f"--digest: at least {LEAST_DIGITS} hexadecimal digits, as `mailtls evidence` printed them")
    try:
        verdict = verify(pack)
    except NoPack as e:
        raise Trouble(f"{pack}: {e}") from e
    if wanted and not verdict.digest.startswith(wanted):
        verdict.fault(
            f"MANIFEST.sha256: its digest is {verdict.digest}, not {wanted}: it is not the one that was handed over"
        )
    if repository is not None and not verdict.faults:
        _ask_repository(verdict, repository)
    for note in verdict.notes:
        click.echo(f"note: {note}")
    for fault in verdict.faults:
        click.echo(fault)
    if verdict.faults:
        click.echo(f"{pack} is NOT what it was: {len(verdict.faults)} faults")
    else:
        click.echo(f"{pack} is whole: {verdict.files} files, {verdict.domains} domains, {verdict.reports:,} reports")
        click.echo(
            f"digest of the manifest: {verdict.digest}" + ("" if wanted else "; compare it with the one that was kept")
        )
    ctx.exit(1 if verdict.faults else 0)


def _ask_repository(verdict: "Verdict", repository: Path) -> None:
    from mailtls.mta_sts.policy import Policy
    from mailtls.observe.git import GitError
    from mailtls.observe.spec_history import spec_at
    from mailtls.rollout.history import says_the_same

    for domain, commit, file, body in verdict.changes:
        try:
            spec = spec_at(repository, commit, file, domain)
        except GitError as e:
            verdict.fault(f"{domain}: commit {commit[:12]}: {e}")
            continue
        mta_sts = spec.mta_sts if spec else None
        if mta_sts is None or not says_the_same(mta_sts.policy, Policy.parse(body)):
            verdict.fault(f"{domain}: {file} at commit {commit[:12]} does not hold the policy that was served")
    if not verdict.faults:
        verdict.notes.append(f"{len(verdict.changes)} policies are what the commits of {repository} asked for")
