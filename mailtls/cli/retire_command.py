"""`mailtls retire`: the beginning of the end of a domain's policy."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli.spec_change import again, change_options, edit_of, held_enforce, show, tell
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.propose.spec_edit import EditedFile
    from mailtls.propose.yaml_edit import Edit

_KEY = "retire"


@click.command(epilog="Example:  mailtls retire contoso.example --write")
@click.argument("domain")
@change_options
@click.pass_context
def command(ctx: click.Context, domain: str, specs: Path, write: bool) -> None:
    """Begin to give the policy of DOMAIN up, without losing mail on the way.

    Senders hold a policy for weeks, so it cannot simply be deleted: mode none comes first, then a wait, then the spec
    may go. This is the first edit. Prints the diff; --write writes the file. No other byte of the file changes.

    \b
    Exit codes:  0 written, or begun already
                 1 the change is printed, and not written
                 2 trouble
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.spec.load import survey

    found = survey(specs)
    spec = spec_of(domain, found)
    if spec.mta_sts is None:
        raise Trouble(
            f"{spec.source.file}:{spec.source.line}: {spec.policy_domain} has no policy that senders could hold; "
            "to end its reports too, remove the spec"
        )
    edit = edit_of(specs, found, spec.policy_domain, _edits())
    if edit is None:
        click.echo(f"{spec.policy_domain} retires already: nothing to change in {spec.source.file}")
        return
    show(edit, write)
    steps = [] if write else [f"Write it: {again(ctx, spec.policy_domain, specs)}"]
    tell("DO", [*steps, *_steps(edit)], numbered=True)
    tell("NOT", ["Do not take hosts out of mx, or DNS records away: a big sender calls a policy without mx invalid."])
    if not write:
        ctx.exit(1)


def _edits() -> "list[Edit]":
    """The key that begins it; mode none where specs have no such key."""
    from mailtls.propose.yaml_edit import Set
    from mailtls.spec.schema import spec_schema

    if _KEY in spec_schema()["properties"]:
        return [Set((_KEY,), True)]
    return [Set(("mta_sts", "mode"), "none")]


def _steps(edit: "EditedFile") -> list[str]:
    """What is left to do, with the first day for it."""
    from mailtls.changes import WaitFor, waits

    now = datetime.datetime.now(datetime.UTC)
    steps = ["Commit it, and merge."]
    if edit.change.before == edit.change.after:
        steps.append(
            "mailtls reconcile proposes mode none, waits until no sender can hold an earlier policy, and then proposes "
            "to remove the spec. Without it set mta_sts.mode to none yourself: mailtls rollback "
            f"{edit.change.policy_domain} --to none"
        )
        return steps
    held = held_enforce(edit.change, now)
    removal = [wait for wait in waits(edit.change, now) if wait.what is WaitFor.REMOVAL]
    if removal:
        steps.append(
            f"Keep the spec until {removal[0].until:%Y-%m-%d %H:%M} UTC at least, if this is deployed now; then remove "
            "it." + (f" {held}" if held else "")
        )
    return steps
