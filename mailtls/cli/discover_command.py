"""`mailtls discover`."""

import asyncio
import datetime
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls import names
from mailtls.cli.accounts import NO_TOKEN, aws_account, cloudflare_account
from mailtls.cli.network import network
from mailtls.cli.options import format_option
from mailtls.cli.terminal import Progress
from mailtls.cli.trouble import Trouble
from mailtls.discover.mail_names import MailName, Route, by_zone, mail_names

if TYPE_CHECKING:
    from mailtls.observe.domain import Network
    from mailtls.render.mail_names import SpecsWritten

ALL = "*"
"""All zones of an account."""


@click.command(epilog="Example:  mailtls discover --cloudflare --write policy_specs/production")
@click.option("--zone-file", "zone_files", multiple=True, metavar="FILE", help="A zone file (BIND's form); - is stdin.")
@click.option("--origin", metavar="NAME", help="The zone of --zone-file, where the file itself does not say $ORIGIN.")
@click.option(
    "--cloudflare", "cloudflare", multiple=True, is_flag=False, flag_value=ALL, metavar="[ZONE]",
    help="All zones of the account, or this one. CLOUDFLARE_API_TOKEN needs Zone > Zone > Read and Zone > DNS > Read.",
)  # fmt: skip
@click.option(
    "--route53", "route53", multiple=True, is_flag=False, flag_value=ALL, metavar="[ZONE]",
    help="All public zones of the account, or this one. The rights are in docs/iam/preflight.json.",
)  # fmt: skip
@click.option("--names", "lists", multiple=True, metavar="FILE", help="Names, one a line or a CSV; - is stdin.")
@click.option("--live", is_flag=True, help="Ask the DNS about what zones hold, too; names of a list always are.")
@click.option("--write", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Write a spec for each.")
@click.option("--overwrite", is_flag=True, help="With --write: replace files that are there.")
@format_option("text", "json", "csv", "markdown")
@click.option("--resolver", metavar="ADDRESS[:PORT]", help="Ask this resolver, not the system's. [MAILTLS_RESOLVER]")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 120), default=10, show_default=True, help="Seconds for one answer."
)
@click.option(
    "--at-once", type=click.IntRange(1, 500), default=50, show_default=True, help="Names asked about together."
)
@click.pass_context
def command(
    ctx: click.Context,
    zone_files: tuple[str, ...],
    origin: str | None,
    cloudflare: tuple[str, ...],
    route53: tuple[str, ...],
    lists: tuple[str, ...],
    live: bool,
    folder: Path | None,
    overwrite: bool,
    output: str,
    resolver: str | None,
    timeout: float,
    at_once: int,
) -> None:
    """Find every name that receives mail, its provider, and what it has of MTA-STS and TLS-RPT.

    Zones are read from files, from Cloudflare or from Route 53; names of a list are asked for in the DNS. With --write
    each name with MX records gets a spec in `testing`, a file of its own; files that are there stay as they are.
    """
    from mailtls.render.mail_names import closing, render_mail_names

    if not (zone_files or cloudflare or route53 or lists):
        raise click.UsageError("name a source: --zone-file, --cloudflare, --route53 or --names")
    if overwrite and not folder:
        raise click.UsageError("--overwrite goes with --write")
    if origin and not zone_files:
        raise click.UsageError("--origin goes with --zone-file")
    faults: list[str] = []
    found = _in_zones(zone_files, origin, cloudflare, route53, faults)
    if live or lists:  # the rest needs no network
        found = _in_the_dns(found, lists, live, network(resolver, None, False, timeout, at_once))
    listed = sorted(found.values(), key=lambda one: by_zone(one.name))
    if faults and not listed:
        raise Trouble("\n".join(faults))
    written = _write(listed, folder, overwrite) if folder else None
    click.echo(render_mail_names(listed, written, output), nl=False)
    if output == "csv" and written:
        click.echo(closing(listed, written), nl=False, err=True)
    for fault in faults:
        click.echo(f"mailtls: {fault}", err=True)
    incomplete = bool(faults) or any(one.route is Route.UNKNOWN for one in listed)
    ctx.exit(1 if incomplete or (written is not None and (written.kept or written.faulty)) else 0)


def _in_zones(
    files: Iterable[str], origin: str | None, cloudflare: tuple[str, ...], route53: tuple[str, ...], faults: list[str]
) -> dict[str, MailName]:
    """What zones hold, by name; of a name that several sources hold, the first counts."""
    held = [
        *(one for file in files for one in _from_zone_file(file, origin)),
        *(_from_cloudflare(cloudflare, faults) if cloudflare else ()),
        *(_from_route53(route53, faults) if route53 else ()),
    ]
    return {one.name: one for one in reversed(held)}


def _in_the_dns(found: dict[str, MailName], lists: Iterable[str], live: bool, ways: "Network") -> dict[str, MailName]:
    """`found` and the names of the lists, asked for: those of the lists always, the others when `live`. Raises Trouble
    when the DNS answers nothing at all."""
    sources = {name: one.source for name, one in found.items() if live and one.route is not Route.WILDCARD}
    for file in lists:
        sources |= {name: f"list {_shown(file)}" for name in _names(file) if name not in found}
    asked = _asked(sources, ways)
    if asked and all(one.route is Route.UNKNOWN for one in asked.values()):
        why = next(iter(asked.values())).fault
        raise Trouble(f"no question to DNS was answered: {why}; name another resolver: --resolver 192.0.2.53")
    return found | asked


def _read(file: str, most: int) -> bytes:
    """At most one byte more than `most`. Raises Trouble."""
    try:
        with click.open_file(file, "rb") as stream:
            data: bytes = stream.read(most + 1)
            return data
    except OSError as e:
        raise Trouble(f"{file}: cannot be read: {e.strerror}") from e


def _from_zone_file(file: str, origin: str | None) -> tuple[MailName, ...]:
    from mailtls.observe.zone_file import MAX_FILE_BYTES, ZoneFileError, read_zone_file

    try:
        zone = names.host_name(origin) if origin else None
        return mail_names(read_zone_file(_read(file, MAX_FILE_BYTES), _shown(file), zone), f"zone file {_shown(file)}")
    except (ZoneFileError, names.InvalidName) as e:
        raise Trouble(f"--origin {origin!r}: {e}" if isinstance(e, names.InvalidName) else str(e)) from e


def _shown(file: str) -> str:
    return "stdin" if file == "-" else file


def _names(file: str) -> tuple[str, ...]:
    from mailtls.discover.name_list import MAX_LIST_BYTES, NameListError, read_names

    try:
        return read_names(_read(file, MAX_LIST_BYTES), _shown(file))
    except NameListError as e:
        raise Trouble(str(e)) from e


def _from_cloudflare(wanted: tuple[str, ...], faults: list[str]) -> Iterator[MailName]:
    """What cannot be read of a zone goes to `faults`, and the next one follows. Raises Trouble."""
    from mailtls.observe.account.cloudflare import CloudflareError

    account = cloudflare_account()
    if account is None:
        raise Trouble(f"{NO_TOKEN}; make a token with Zone > Zone > Read and Zone > DNS > Read")
    try:
        zones = [(zone.name, zone.zone_id) for zone in account.zones()]
    except CloudflareError as e:
        raise Trouble(f"Cloudflare: the zones cannot be listed: {e}") from e
    chosen = _chosen(zones, wanted, "Cloudflare shows this token")
    progress = Progress("reading zones", len(chosen))
    for name, zone_id in chosen:
        try:
            yield from mail_names(account.records(zone_id), f"Cloudflare zone {name}")
        except CloudflareError as e:
            faults.append(f"Cloudflare zone {name} cannot be read: {e}")
        progress.advance()
    progress.clear()


def _from_route53(wanted: tuple[str, ...], faults: list[str]) -> Iterator[MailName]:
    """As above."""
    from mailtls.preflight.seen import NotAsked

    account = aws_account(os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    zones = account.hosted_zones()
    if isinstance(zones, NotAsked):
        raise Trouble(f"Route 53: the zones cannot be listed: {zones.why}{'; ' if zones.do else ''}{zones.do}")
    chosen = _chosen([(name, zone_id) for zone_id, name in zones.items()], wanted, "Route 53 has in this account")
    progress = Progress("reading zones", len(chosen))
    for name, zone_id in chosen:
        records = account.records(zone_id)
        if isinstance(records, NotAsked):
            faults.append(f"Route 53 zone {name} cannot be read: {records.why}")
        else:
            yield from mail_names(records, f"Route 53 zone {name}")
        progress.advance()
    progress.clear()


def _chosen(zones: list[tuple[str, str]], wanted: Iterable[str], who_has: str) -> list[tuple[str, str]]:
    """Those of `zones`, pairs of name and id, that were asked for. Raises Trouble."""
    if ALL in wanted:
        return zones
    try:
        asked = [names.host_name(name) for name in wanted]
    except names.InvalidName as e:
        raise Trouble(f"a zone was named that is none: {e}") from e
    missing = sorted(set(asked) - {name for name, _ in zones})
    if missing:
        raise Trouble(f"{', '.join(missing)}: no zone that {who_has}; it has {len(zones)}")
    return [(name, zone_id) for name, zone_id in zones if name in asked]


def _asked(sources: dict[str, str], ways: "Network") -> dict[str, MailName]:
    """The names in `sources`, each with its source, as the DNS knows them."""
    from mailtls.observe.mail_names import look_up_all

    progress = Progress("asking", len(sources))

    async def ask() -> dict[str, MailName]:
        looks = look_up_all(sources.items(), ways.recursive, ways.at_once, progress.advance)
        return {one.name: one async for one in looks}

    found = asyncio.run(ask())
    progress.clear()
    return found


def _write(found: list[MailName], folder: Path, overwrite: bool) -> "SpecsWritten":
    """Raises Trouble."""
    from mailtls.cli.spec_files import schema_line, write_whole
    from mailtls.discover.first_specs import first_specs
    from mailtls.render.mail_names import SpecsWritten

    have, today = _have(folder), datetime.datetime.now(datetime.UTC).date()
    specs = first_specs(found, have, today, schema_line(folder), folder.as_posix())
    made: list[str] = []
    kept: list[str] = []
    for name, text in specs.texts.items():
        path = folder / name
        (made if write_whole(path, text, overwrite=overwrite) else kept).append(path.as_posix())
    return SpecsWritten(folder.as_posix(), tuple(made), tuple(kept), specs.left_out, specs.faulty)


def _have(folder: Path) -> frozenset[str]:
    """The domains that have a spec in the folder under another file name than discover gives it. Raises Trouble."""
    from mailtls.spec import SpecErrors
    from mailtls.spec.load import load

    if not folder.is_dir() or not any(folder.rglob("*.yaml")):
        return frozenset()
    try:
        specs = load(folder)
    except SpecErrors as e:
        raise Trouble(f"{e}\nmend these first: whether a domain has a spec already cannot be told") from e
    return frozenset(one.policy_domain for one in specs if Path(one.source.file).name != f"{one.policy_domain}.yaml")
