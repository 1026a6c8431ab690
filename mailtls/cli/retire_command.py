"""`mailtls retire`: the beginning of the end of a domain's policy."""

from pathlib import Path

import click

from mailtls.cli.spec_change import again, change_options, edit_of, show, tell
from mailtls.cli.trouble import Trouble

_JOB = (
    "Nothing changes for senders yet. Where the controller's job runs, each further step comes as a proposal: mode "
    "none, then the wait until no sender holds an earlier policy, then the spec goes."
)
_LOWER_FIRST = (
    "Without that job the next step is yours: mailtls rollback {domain} --to none. It tells how long enforce is held."
)
_WAIT_NOW = (
    "Mode none is there already. Without that job the wait is yours: the spec stays until the longest max_age from "
    "before none has passed since none was deployed, and a day at least."
)
_NOT = (
    "Do not take hosts out of mx: a big sender calls mode none without them invalid.",
    "Do not remove the spec, the policy or a DNS record before the day that is told: senders hold the old policy.",
)


@click.command(epilog="Example:  mailtls retire contoso.example --write")
@click.argument("domain")
@change_options
@click.pass_context
def command(ctx: click.Context, domain: str, specs: Path, write: bool) -> None:
    """Begin to give the policy of DOMAIN up, without losing mail on the way.

    Senders hold a policy for weeks, so it cannot simply be deleted: mode none comes first, then a wait, then the spec
    may go. This writes `retire: true` into the spec, which starts it. Prints the diff; --write writes the file. No
    other byte of the file changes.

    \b
    Exit codes:  0 written, or begun already
                 1 the change is printed, and not written
                 2 trouble
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.propose.yaml_edit import Set
    from mailtls.spec.load import survey

    found = survey(specs)
    spec = spec_of(domain, found)
    if spec.mta_sts is None:
        raise Trouble(
            f"{spec.source.file}:{spec.source.line}: {spec.policy_domain} has no policy that senders could hold; "
            "to end its reports too, remove the spec"
        )
    edit = edit_of(specs, found, spec.policy_domain, [Set(("retire",), True)])
    if edit is None:
        click.echo(f"{spec.policy_domain} retires already: nothing to change in {spec.source.file}")
        return
    show(edit, write)
    steps = [] if write else [f"Write it: {again(ctx, spec.policy_domain, specs)}"]
    tell("DO", [*steps, "Commit it, and merge."], numbered=True)
    by_hand = _WAIT_NOW if spec.mta_sts.mode == "none" else _LOWER_FIRST
    tell("THEN", [_JOB, by_hand.format(domain=spec.policy_domain)])
    tell("NOT", _NOT)
    if not write:
        ctx.exit(1)
