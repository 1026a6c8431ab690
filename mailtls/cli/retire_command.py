"""`mailtls retire`: the beginning of the end of a domain's policy."""

import datetime
from typing import Any

import click

from mailtls.cli.spec_change import Meant, Way, carry_out, change_options, edit_of, held_enforce, leave
from mailtls.cli.trouble import Trouble

_JOB = (
    "Where the controller's job runs, it tells the day from which no sender holds an earlier policy, and then proposes "
    "to remove the spec."
)
_BY_HAND = (
    "Without that job the wait is yours: the spec stays until the longest max_age from before none has passed since "
    "none was deployed, and a day at least."
)
_HELD = "`hold: true` stands in the spec: the controller proposes no further step until it is gone."
_NOT = (
    "Do not take hosts out of mx: a big sender calls mode none without them invalid.",
    "Do not remove the spec, the policy or a DNS record before the day that is told: senders hold the old policy.",
)


@click.command(epilog="Example:  mailtls retire contoso.example --pull-request")
@click.argument("domain")
@change_options
@click.pass_context
def command(ctx: click.Context, /, domain: str, **ways: Any) -> None:
    """Begin to give the policy of DOMAIN up, without losing mail on the way.

    Senders hold a policy for weeks, so it cannot simply be deleted: mode none comes first, then a wait, then the spec
    may go. This writes the first step, as the controller would: `retire: true`, mode none with a max_age of a day, and
    the reason. Prints the diff; --write writes the file; --pull-request proposes it, and leaves the clone alone.

    \b
    Exit codes:  0 written, or proposed, or begun already
                 1 the change is printed, and not written; or its branch is a person's by now
                 2 trouble
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.propose import asked
    from mailtls.rollout.decision import Action, Kind
    from mailtls.rollout.mode import first_step_out
    from mailtls.spec.load import survey

    way = Way(**ways)
    found = survey(way.specs)
    spec = spec_of(domain, found)
    if spec.mta_sts is None:
        raise Trouble(
            f"{spec.source.file}:{spec.source.line}: {spec.policy_domain} has no policy that senders could hold; "
            "to end its reports too, remove the spec"
        )
    change = first_step_out(spec)
    edit = edit_of(way.specs, found, Action(Kind.RETIRE, spec.policy_domain, change, ()))
    if edit is None:
        told = (
            f"{spec.policy_domain} retires already: nothing to change in {spec.source.file}; mailtls status "
            f"{spec.policy_domain} --store PLACE tells from when on the spec may go"
        )
        leave(ctx, way, found, spec.policy_domain, told)
        return
    held = held_enforce(edit.change, datetime.datetime.now(datetime.UTC))
    then = (*held, _JOB, _BY_HAND, *((_HELD,) if spec.controller.hold else ()))
    meant = Meant(
        spec.policy_domain,
        edit,
        (),
        (),
        then,
        _NOT,
        lambda files: asked.retirement(spec, change, files, then),
    )
    carry_out(ctx, way, meant)
