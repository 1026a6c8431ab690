"""`mailtls evidence verify`: whether a pack is what it was."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.audit.verify import Verdict
    from mailtls.observe.git import Repository

LEAST_DIGITS = 12
"""Of a digest: shorter ones can be met by chance."""


@click.command(epilog="Example:  mailtls evidence verify evidence-2026.zip --digest 3fc1f5c0a1b2 --repository .")
@click.argument("pack", type=click.Path(path_type=Path))
@click.option("--digest", help=f"Of the manifest, as it was printed; at least its first {LEAST_DIGITS} digits.")
@click.option("--repository", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="A clone: is each commit as the pack tells, and does it hold the policy served?")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, pack: Path, digest: str | None, repository: Path | None) -> None:
    """Check the folder or zip PACK, offline: every byte against the manifest, every number and page against the
    reports and policies that they follow from.

    Without --digest this shows that nothing was changed by halves. Whoever changed everything, manifest included, is
    found only by the digest that was kept apart.

    \b
    Exit codes:  0 the pack is whole
                 1 it is not: each fault is told
                 2 trouble: there is no pack, or --repository is no clone that can be asked
    """
    from mailtls.audit.pack_files import NoPack
    from mailtls.audit.verify import verify

    wanted = (digest or "").lower()
    if digest is not None and (len(wanted) < LEAST_DIGITS or set(wanted) - set("0123456789abcdef") or len(wanted) > 64):
        raise Trouble(f"--digest: at least {LEAST_DIGITS} hexadecimal digits, as `mailtls evidence` printed them")
    clone = _clone(repository) if repository is not None else None
    try:
        verdict = verify(pack)
    except NoPack as e:
        raise Trouble(f"{pack}: {e}") from e
    if wanted and not verdict.digest.startswith(wanted):
        verdict.fault(
            f"MANIFEST.sha256: its digest is {verdict.digest}, not {wanted}: it is not the one that was handed over"
        )
    if clone is not None and not verdict.faults:
        _ask_repository(verdict, clone)
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


def _clone(folder: Path) -> "Repository":
    """Raises Trouble where there is none, or one without its whole history."""
    from mailtls.observe.git import GitError, HistoryUnavailable, Repository

    try:
        return Repository.around(folder)
    except HistoryUnavailable as e:
        raise Trouble(f"--repository {folder}: {e}") from e
    except GitError as e:
        raise Trouble(
            f"--repository {folder}: cannot be asked ({e}); name a clone of the repository that holds the specs"
        ) from e


def _ask_repository(verdict: "Verdict", clone: "Repository") -> None:
    """A commit that the clone does not have is a fault: it may have been made up."""
    from mailtls.audit.facts import plain
    from mailtls.mta_sts.policy import Policy
    from mailtls.observe.git import GitError
    from mailtls.observe.spec_history import spec_at
    from mailtls.rollout.history import says_the_same

    for domain, change, body in verdict.changes:
        short = change.commit[:12]
        try:
            at = spec_at(clone, change.commit, change.spec, domain)
        except GitError as e:
            verdict.fault(f"{domain}: commit {short} could not be checked: {e}")
            continue
        author, committer, subject = at.about
        for what, said, held in (
            ("author", change.author, author),
            ("committer", change.committer, committer),
            ("subject", change.subject, subject),
            ("date", plain(change.at), plain(at.commit.at)),
        ):
            if said != held:
                verdict.fault(f"{domain}: commit {short}: its {what} is {held!r}, and the pack says {said!r}")
        mta_sts = at.spec.mta_sts if at.spec else None
        if mta_sts is None or not says_the_same(mta_sts.policy, Policy.parse(body)):
            verdict.fault(f"{domain}: {change.spec} at commit {short} does not hold the policy that was served")
    if not verdict.faults:
        verdict.notes.append(f"{len(verdict.changes)} policies are what the commits of {clone.place} asked for")
