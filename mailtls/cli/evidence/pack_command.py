"""`mailtls evidence pack`: policies, changes, reports and a look, as a folder and one zip of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli import terminal
from mailtls.cli.days import DAY, past_days
from mailtls.cli.forge_access import forge_access, repository_options
from mailtls.cli.network import network, network_options
from mailtls.cli.stand import looks_of, specs_of, store_at
from mailtls.cli.trouble import Trouble
from mailtls.tls_rpt.contract import OwnDomain

if TYPE_CHECKING:
    from mailtls.audit.facts import ChangeOf, Review
    from mailtls.audit.gather import SpecCommit
    from mailtls.audit.pack_folder import PackFolder
    from mailtls.observe.spec_history import SpecHistory
    from mailtls.observe.store import Store
    from mailtls.observed import Observed
    from mailtls.propose.forges.forge import Forge
    from mailtls.rollout.history import Version
    from mailtls.spec.model import PolicySpec
    from mailtls.totals.period import Period

MAX_COMMITS = 200
"""Of one domain's spec."""
REPORTS = "reports.jsonl.gz"


@click.command(
    epilog="Example:  mailtls evidence --from 2026-01-01 --to 2026-06-30 --store s3://contoso-policies,contoso-reports"
)
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--from", "first", type=DAY, required=True, help="First day, UTC.")
@click.option("--to", "last", type=DAY, help="Last day, UTC. [today]")
@click.option(
    "--store", metavar="PLACE", required=True, help="What was served and reported: a folder, or s3://POLICIES,REPORTS."
)
@click.option("--region", help="Of both buckets. [AWS_REGION]")
@click.option("--specs", type=click.Path(path_type=Path), default="policy_specs", show_default=True,
              help="The folder of specs, in its repository.")  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder to make; OUT.zip comes beside it. [evidence-FROM-TO]"
)
@click.option("--reviews", is_flag=True, help="Ask the forge for the pull request of each policy, and who approved it.")
@repository_options
@click.option("--no-look", is_flag=True, help="Do not look at the domains as senders do.")
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    domains: tuple[str, ...],
    first: datetime,
    last: datetime | None,
    store: str,
    region: str | None,
    specs: Path,
    out: Path | None,
    reviews: bool,
    repository: str | None,
    kind: str | None,
    no_look: bool,
    **ways_out: Any,
) -> None:
    """Write what was in force, who changed it, what was seen and reported in the period, for an auditor.

    DOMAIN: only these; all specs when left out. The pack is a folder with pages to print, JSON with a schema, the bytes
    of every policy and report, and MANIFEST.sha256; and one zip of it. Keep the digest that is printed apart from the
    pack: who has both can tell whether a byte was changed.

    \b
    Exit codes:  0 written
                 1 written, and something could not be read or asked: the pack and standard error say what
                 2 trouble; nothing was written
    """
    from mailtls.audit.gather import MAX_DAYS
    from mailtls.audit.pack_folder import CannotWrite, PackFolder
    from mailtls.observe.store import StoreTrouble

    now = datetime.now(UTC)
    until = last.date() if last else now.date()
    period = past_days(first.date(), until, now.date(), MAX_DAYS, f"policies and reports are kept for {MAX_DAYS}")
    found = specs_of(specs, domains)
    where = store_at(store, region)
    if where is None:
        raise Trouble(f"--store {store}: nothing is read there")
    history, untold = _history(specs)
    forge = forge_access(specs, repository, kind, None).forge if reviews else None
    looks = {} if no_look else _look(found, ways_out)
    place = out or Path(f"evidence-{period.first}-{period.last}")
    pack = _Pack(where, period, now, history, forge, looks, [untold] if untold else [])
    try:
        with PackFolder.at(place) as folder:
            pack.write(folder, found, store)
    except (CannotWrite, StoreTrouble) as e:
        raise Trouble(str(e)) from e
    for sentence in pack.told:
        click.echo(f"not in the pack: {sentence}", err=True)
    click.echo(
        f"{folder.place}/ and {folder.zip}: {len(found)} domains, {period.first} to {period.last}, {folder.files} files"
    )
    click.echo(f"open {folder.place / 'evidence.html'}")
    click.echo(f"digest of the manifest, to be kept apart from the pack:\n  {folder.digest}")
    click.echo(f"check it with: mailtls evidence verify {folder.zip} --digest {folder.digest[:12]}")
    ctx.exit(1 if pack.told else 0)


def _history(specs: Path) -> "tuple[SpecHistory | None, str]":
    """Git's, or why there is none."""
    from mailtls.observe.git import GitError
    from mailtls.observe.spec_history import SpecHistory

    try:
        return SpecHistory(specs), ""
    except GitError as e:
        return None, f"commits: {e}"


def _look(specs: "Sequence[PolicySpec]", ways_out: dict[str, Any]) -> "dict[str, Observed]":
    from mailtls.observe.domain import look_at_all

    async def all_of_them() -> "dict[str, Observed]":
        progress = terminal.Progress("looking at", len(specs))
        names = [spec.policy_domain for spec in specs]
        looks = looks_of(smtp=False, authoritative=False)
        found = {}
        async for observed in look_at_all(names, looks, network(**ways_out), progress.advance):
            found[observed.policy_domain] = observed
        progress.clear()
        return found

    return asyncio.run(all_of_them())


@dataclass(slots=True)
class _Pack:
    """Reads and writes one domain after the other. told: what could not be read or asked."""

    store: "Store"
    period: "Period"
    now: datetime
    history: "SpecHistory | None"
    forge: "Forge | None"
    looks: "dict[str, Observed]"
    told: list[str] = field(default_factory=list)
    reviews: "dict[str, Review | None]" = field(default_factory=dict)

    def write(self, folder: "PackFolder", specs: "Sequence[PolicySpec]", source: str) -> None:
        """Raises CannotWrite, StoreTrouble."""
        from importlib.metadata import version

        from mailtls.audit.assemble import Index, to_text
        from mailtls.audit.page import index_page

        index = Index(self.period, self.now, version("mailtls"), source)
        progress = terminal.Progress("writing", len(specs))
        for spec in specs:
            index.add(self._domain(folder, spec))
            progress.advance()
        progress.clear()
        data = index.to_json()
        folder.write("evidence.json", to_text(data).encode("utf-8"))
        folder.write("evidence.html", index_page(data).encode("utf-8"))

    def _domain(self, folder: "PackFolder", spec: "PolicySpec") -> dict[str, Any]:
        from mailtls.audit.assemble import domain_json, to_text
        from mailtls.audit.facts import DomainEvidence
        from mailtls.audit.gather import ReportsTally, change_of, exceptions, look_of, parsed, policy_versions
        from mailtls.audit.page import domain_page
        from mailtls.observe.store import ledger_entries

        name, place = spec.policy_domain, f"domains/{spec.policy_domain}"
        told: list[str] = []
        commits = self._commits(spec, told)
        versions, policies = self._versions(name, told), []
        for found, body in policy_versions(versions, self.period):
            change = change_of(parsed(body), found.since, commits)
            policies.append(replace(found, change=change, review=self._review(change, told)))
            if body is not None:
                folder.write(f"{place}/{found.file}", body)
        last = policies[-1] if policies and policies[-1].mode else None
        tally = ReportsTally(OwnDomain(name, last.mode if last else None, last.mx if last else ()), policies)
        unread: set[date] = set()
        with folder.pressed(f"{place}/{REPORTS}") as take:
            for entry in ledger_entries(self.store, name, self.period.first, self.period.last, unread):
                take(entry.render())
                tally.add(entry)
        if tally.left_out:
            told.append(f"{tally.left_out} more causes of failures than are named here")
        observed = self.looks.get(name)
        evidence = DomainEvidence(
            name,
            spec.owner or "",
            spec.contact or "",
            tuple(map(tally.applied, policies)),
            look_of(observed) if observed else None,
            tally.reports(unread, REPORTS, self.period, self.now.date()),
            tally.failures(),
            exceptions(spec, commits, self.period),
            tuple(told),
        )
        data = domain_json(evidence, self.period)
        folder.write(f"{place}/evidence.json", to_text(data).encode("utf-8"))
        folder.write(f"{place}/evidence.html", domain_page(data).encode("utf-8"))
        self.told += [f"{name}: {sentence}" for sentence in told]
        if unread:
            self.told.append(f"{name}: reports of {len(unread)} days could not be read whole")
        return data

    def _review(self, change: "ChangeOf | None", told: list[str]) -> "Review | None":
        """Asked once for each commit: one change may be that of many domains."""
        from mailtls.audit.facts import Review
        from mailtls.propose.forges.forge import ForgeError

        if self.forge is None or change is None:
            return None
        if change.commit not in self.reviews:
            try:
                merged = self.forge.merged_with(change.commit)
            except ForgeError as e:
                told.append(f"who reviewed commit {change.commit[:12]}: {e}")
                return None
            self.reviews[change.commit] = (
                Review(merged.url, merged.author, merged.merged_by, merged.approved_by) if merged else None
            )
        return self.reviews[change.commit]

    def _versions(self, name: str, told: list[str]) -> "list[Version]":
        """Those that can have been in force in the period, newest first."""
        from mailtls.mta_sts.policy import MAX_POLICY_BYTES
        from mailtls.rollout.history import Version

        listed, whole = self.store.versions(name)
        versions: list[Version] = []
        for one in listed:
            fits = one.size is not None and one.size <= MAX_POLICY_BYTES
            if one.size is not None and not fits:
                told.append(f"policy version {one.version_id} has {one.size:,} octets, more than a policy may have")
            wanted = one.modified.date() <= self.period.last
            body = self.store.policy(name, one.version_id) if fits and wanted else None
            versions.append(Version(one.version_id, one.modified, body))
            if one.modified.date() < self.period.first:
                return versions
        if not whole:
            told.append("the policy has more versions than were listed; the oldest of the period may be missing")
        return versions

    def _commits(self, spec: "PolicySpec", told: list[str]) -> "list[SpecCommit]":
        """Newest first, down to the one that held when the period began."""
        from mailtls.audit.facts import ChangeOf
        from mailtls.audit.gather import SpecCommit
        from mailtls.observe.git import GitError

        if self.history is None:
            return []
        found: list[SpecCommit] = []
        try:
            # a policy that was in force on the first day was asked for earlier, perhaps much earlier
            for at in self.history.of(spec, datetime.min.replace(tzinfo=UTC), MAX_COMMITS):
                author, committer, subject = at.about
                change = ChangeOf(at.commit.id, at.commit.at, author, committer, subject, at.file)
                found.append(SpecCommit(change, at.spec))
        except GitError as e:
            told.append(f"commits: {e}")
        if len(found) >= MAX_COMMITS:
            told.append(f"only the newest {MAX_COMMITS} commits of its spec were read")
        return found
