"""`mailtls check`: what senders do with a domain's mail today."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from mailtls import names
from mailtls.cli.network import network, network_options
from mailtls.cli.options import format_option
from mailtls.cli.terminal import Progress, takes_colour, width
from mailtls.cli.trouble import Trouble
from mailtls.lint.findings import Severity
from mailtls.lint.live import live_findings
from mailtls.observe.domain import Looks, Network, look_at_all
from mailtls.render.check import Checked, data, line, markdown_section, screen
from mailtls.render.findings import render_findings
from mailtls.spec.model import PolicySpec
from mailtls.verdict import judge

SCREENS = 3
"""More domains than these get one line each."""


@click.command(epilog="Example:  mailtls check --smtp --trace contoso.com    Ours:  mailtls check --specs policy_specs")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@click.option("--specs", type=click.Path(path_type=Path), help="Check the domains of these specs, against the specs.")
@click.option("--smtp", is_flag=True, help="Also ask each address of each MX on port 25: STARTTLS and certificate.")
@click.option("--trace", is_flag=True, help="Show the nine steps of a sender, each with what it saw.")
@click.option("--authoritative", is_flag=True, help="Also ask the zones' own servers, and tell where they differ.")
@click.option("--long", "long", is_flag=True, help=f"A whole screen for each, also for more than {SCREENS} domains.")
@format_option("text", "json", "markdown", "sarif", "github")
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    domains: tuple[str, ...],
    specs: Path | None,
    smtp: bool,
    trace: bool,
    authoritative: bool,
    long: bool,
    output: str,
    **ways_out: Any,
) -> None:
    """Look at domains as sending servers do, and say what becomes of their mail today.

    Reads DNS and the policy over HTTPS; changes nothing, sends no mail. The exit code is 1 where an error or a warning
    was found.
    """
    wanted = _wanted(domains, specs)
    looks = Looks.USUAL
    looks |= Looks.SMTP if smtp else Looks.USUAL
    looks |= Looks.AUTHORITATIVE if authoritative else Looks.USUAL
    looks |= Looks.VERSIONS if len(wanted) <= SCREENS else Looks.USUAL
    told = _Told(output, len(wanted), long or trace, trace)
    ways = network(**ways_out)
    asyncio.run(_check(wanted, looks, ways, told))
    if told.seen_nothing:
        raise Trouble(
            "no question to DNS was answered; is there a network? Name another resolver: --resolver 192.0.2.53"
        )
    ctx.exit(1 if told.found else 0)


async def _check(wanted: Mapping[str, PolicySpec | None], looks: Looks, ways: Network, told: "_Told") -> None:
    told.begin(max(map(len, wanted)))
    async for observed in look_at_all(wanted, looks, ways, told.progress.advance):
        findings = live_findings(observed, wanted[observed.policy_domain])
        told.one(Checked(observed, judge(observed), findings))
    told.end()


def _wanted(domains: Sequence[str], folder: Path | None) -> dict[str, PolicySpec | None]:
    """The domains in the order given, each once, with its spec where one is named. Raises Trouble."""
    wanted: dict[str, PolicySpec | None] = {}
    for text in domains:
        try:
            wanted[names.host_name(text)] = None
        except names.InvalidName as e:
            raise Trouble(f"{text[:80]!r} is no mail domain: {e}; write it as in an address, contoso.com") from e
    if folder is None:
        if not wanted:
            raise Trouble("name a domain, as in: mailtls check contoso.com; or a folder: --specs policy_specs")
        return wanted
    from mailtls.spec.errors import SpecErrors
    from mailtls.spec.load import load

    try:
        specs = {spec.policy_domain: spec for spec in load(folder)}
    except SpecErrors as e:
        raise Trouble(f"the specs cannot be read:\n{e}") from e
    if missing := [name for name in wanted if name not in specs]:
        raise Trouble(f"{folder} has no spec of {', '.join(missing)}")
    return {name: specs[name] for name in wanted or specs}


class _Told:
    """Prints each domain as it comes, in the format asked for. found: whether there was an error or a warning."""

    def __init__(self, output: str, total: int, long: bool, trace: bool) -> None:
        self._output, self._trace = output, trace
        self._screens = long or total <= SCREENS
        self._total = total
        self._width, self._colour = width(), takes_colour()
        self._names = 0
        self._counts = {Severity.ERROR: 0, Severity.WARNING: 0}
        self._written = self._unanswered = 0
        self._findings: list[Checked] = []
        self.progress = Progress("checking", total)

    @property
    def seen_nothing(self) -> bool:
        """No domain had an answer to any question."""
        return self._unanswered == self._total

    @property
    def found(self) -> bool:
        return any(self._counts.values())

    def begin(self, longest: int) -> None:
        self._names = min(longest, self._width // 2)
        if self._output == "json":
            click.echo('{"domains": [', nl=False)

    def one(self, checked: Checked) -> None:
        self.progress.clear()
        self._unanswered += checked.unanswered
        if checked.worst:
            self._counts[checked.worst] += 1
        match self._output:
            case "json":
                text = ",\n" if self._written else "\n"
                text += json.dumps(data(checked), ensure_ascii=False, indent=1)
            case "markdown":
                text = markdown_section(checked)
            case "github":
                text = render_findings(checked.findings, "github")
            case "sarif":
                self._findings.append(checked)  # one document for all
                return
            case _ if self._screens:
                text = ("\n" if self._written else "") + screen(
                    checked, width=self._width, colour=self._colour, trace=self._trace
                )
            case _:
                text = line(checked, names=self._names, width=self._width, colour=self._colour)
        self._written += 1
        click.echo(text, nl=False)

    def end(self) -> None:
        self.progress.clear()
        if self._output == "json":
            click.echo("\n]}")
        elif self._output == "sarif":
            findings = [finding for checked in self._findings for finding in checked.findings]
            click.echo(render_findings(findings, "sarif"), nl=False)
        elif self._output == "text" and self._total > 1:
            errors, warnings = self._counts[Severity.ERROR], self._counts[Severity.WARNING]
            clean = self._total - errors - warnings
            click.echo(
                f"\n{self._total} domains: {errors} with errors, {warnings} with warnings, {clean} clean", err=True
            )
