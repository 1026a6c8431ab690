"""`mailtls rollback`: a domain back to a mode in which senders deliver again."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli.spec_change import again, change_options, edit_of, held_enforce, show, tell
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.spec.model import MtaSts, PolicySpec

_ORDER = ("none", "testing", "enforce")


@click.command(
    epilog='Example:  mailtls rollback contoso.example --to testing --because "mx2 is being replaced" --write'
)
@click.argument("domain")
@click.option("--to", type=click.Choice(("testing", "none")), default="testing", show_default=True, help="The mode.")
@click.option("--because", metavar="TEXT", help="Why, for those who review it; written as suppress.mode-lowered.")
@change_options
@click.pass_context
def command(ctx: click.Context, domain: str, to: str, because: str | None, specs: Path, write: bool) -> None:
    """Lower the mode of DOMAIN, when senders that enforce its policy hold mail.

    The mode of one spec changes, and no other byte of the file. Prints the diff; --write writes the file. Nothing is
    published before the change is merged and deployed. The hosts in mx stay.

    \b
    Exit codes:  0 written, or the mode is that low already
                 1 the change is printed, and not written
                 2 trouble
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.propose.yaml_edit import Set
    from mailtls.spec.load import survey

    found = survey(specs)
    spec = spec_of(domain, found)
    before = _policy(spec, to)
    reason = [] if because is None else [Set(("suppress", "mode-lowered"), because)]
    edit = edit_of(specs, found, spec.policy_domain, [Set(("mta_sts", "mode"), to), *reason])
    if edit is None or before.mode == to:
        click.echo(f"{spec.policy_domain} is in {before.mode} already: nothing to change in {spec.source.file}")
        return
    show(edit, write)
    options = ("--to", to, *(() if because is None else ("--because", because)))
    steps = [] if write else [f"Write it: {again(ctx, spec.policy_domain, specs, *options)}"]
    steps += [
        "Commit it, and merge. The deployment serves the policy first and then its new id.",
        f"See it from outside: mailtls check {spec.policy_domain}",
    ]
    tell("DO", steps, numbered=True)
    tell("THEN", _what_follows(to, held_enforce(edit.change, datetime.datetime.now(datetime.UTC))))
    tell(
        "NOT", ["Do not take hosts out of mx, and remove no spec and no DNS record: senders hold the old policy still."]
    )
    if not write:
        ctx.exit(1)


def _policy(spec: "PolicySpec", to: str) -> "MtaSts":
    """What the spec serves. Raises Trouble where going to `to` is no way back."""
    where = f"{spec.source.file}:{spec.source.line}"
    if spec.mta_sts is None:
        raise Trouble(f"{where}: {spec.policy_domain} has no policy to lower; it asks for TLS-RPT alone")
    if _ORDER.index(spec.mta_sts.mode) < _ORDER.index(to):
        raise Trouble(f"{where}: {spec.policy_domain} is in {spec.mta_sts.mode}, and {to} is no way back from there")
    return spec.mta_sts


def _what_follows(to: str, held: str | None) -> list[str]:
    follows = [
        f"Senders that look see {to} within five minutes of the deployment (the TTL of the record is 300 seconds). "
        "Most look before they return mail."
    ]
    if held:
        follows.append(held)
    if to == "testing":
        follows.append("Reports go on. When the cause is gone, let them run clean for two weeks before enforce.")
    return follows
