"""`mailtls init`: the first spec of a domain, from what is live."""

import asyncio
from pathlib import Path
from typing import Any

import click

from mailtls import names
from mailtls.cli.network import network, network_options
from mailtls.cli.spec_files import schema_line, write_whole
from mailtls.cli.trouble import Trouble
from mailtls.observe.domain import Looks, look_at
from mailtls.observed import DnsStatus, Observed
from mailtls.render.first_spec import first_spec
from mailtls.spec.new_spec import UnwritableSpec
from mailtls.verdict import Verdict, judge


@click.command(epilog="Example:  mailtls init contoso.com --folder policy_specs/production --owner mail-team")
@click.argument("domain")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("policy_specs"),
    show_default=True,
    help="Where the spec goes, as DOMAIN.yaml.",
)
@click.option("--stdout", is_flag=True, help="Print the spec and write nothing.")
@click.option(
    "--adopt/--no-adopt",
    default=None,
    help="Take a live policy over as it is, or begin in testing although one is live.",
)
@click.option("--owner", help="The team that gets the alerts.")
@click.option("--overwrite", is_flag=True, help="Replace a spec that is there already.")
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    domain: str,
    folder: Path,
    stdout: bool,
    adopt: bool | None,
    owner: str | None,
    overwrite: bool,
    **ways_out: Any,
) -> None:
    """Look at a live domain and write its first spec, in testing, with comments that say what was seen."""
    try:
        policy_domain = names.host_name(domain)
    except names.InvalidName as e:
        raise Trouble(f"{domain[:80]!r} is no mail domain: {e}; write it as in an address, contoso.com") from e
    ways = network(**ways_out)
    observed = asyncio.run(look_at(policy_domain, Looks.RECORDS | Looks.POLICY | Looks.MX, ways))
    verdict = judge(observed)
    _check(observed, verdict, adopt)
    path = folder / f"{policy_domain}.yaml"
    if not stdout and not overwrite and path.exists():
        raise Trouble(f"{path} is there already; --overwrite replaces it, --stdout prints the new one")
    line = None if stdout else schema_line(folder)
    try:
        text = first_spec(observed, verdict, line, adopt=bool(adopt), owner=owner, path=path.as_posix())
    except UnwritableSpec as e:
        raise Trouble(f"what is live at {policy_domain} makes no valid spec:\n{e}") from e
    if stdout:
        click.echo(text, nl=False)
        return
    if not write_whole(path, text, overwrite=overwrite):
        raise Trouble(f"{path} is there already; --overwrite replaces it")
    click.echo(f"wrote {path}")
    click.echo(f"next: mailtls validate {path}", err=True)


def _check(observed: Observed, verdict: Verdict, adopt: bool | None) -> None:
    """Raises Trouble where no spec can be written, or where it is not clear which."""
    mx = observed.mx
    if mx is None or mx.status is DnsStatus.FAILED:
        raise Trouble(
            f"nobody says where the mail of {observed.policy_domain} goes: {mx.failure if mx else 'not asked'}"
        )
    if any(host.supposed for host in observed.mail_hosts):
        raise Trouble(
            f"{observed.policy_domain} has no MX record, and nobody says whether it has an address: "
            f"mailtls check {observed.policy_domain} shows the answers"
        )
    if not observed.mail_hosts:
        why = "the domain does not exist" if mx.status is DnsStatus.NO_NAME else "it takes no mail"
        raise Trouble(f"{observed.policy_domain} needs no policy: {why}")
    if adopt and verdict.policy is None:
        raise Trouble(
            f"{observed.policy_domain} has no live policy to adopt ({verdict.headline}) "
            f"See what is wrong: mailtls check {observed.policy_domain}"
        )
    if adopt is None and verdict.policy is not None:
        raise Trouble(
            f"{observed.policy_domain} has a live policy in {verdict.policy.mode}. Choose: --adopt writes it as it is, "
            "--no-adopt begins in testing with the live MX"
        )
