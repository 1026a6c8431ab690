"""`mailtls rollback`: a domain back to a mode in which senders deliver again."""

import datetime
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli.spec_change import Meant, Way, carry_out, change_options, edit_of, held_enforce, leave
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.spec.model import MtaSts, PolicySpec

MOST_REASON = 500
"""Characters, as the schema of the spec has it."""
_ORDER = ("none", "testing", "enforce")
_NOT = "Do not take hosts out of mx, and remove no spec and no DNS record: senders hold the old policy still."


@click.command(
    epilog='Example:  mailtls rollback contoso.example --to testing --because "mx2 is being replaced" --pull-request'
)
@click.argument("domain")
@click.option("--to", type=click.Choice(("testing", "none")), default="testing", show_default=True, help="The mode.")
@click.option("--because", metavar="TEXT", help="Why, for those who review it; written as suppress.mode-lowered.")
@change_options
@click.pass_context
def command(ctx: click.Context, /, domain: str, to: str, because: str | None, **ways: Any) -> None:
    """Lower the mode of DOMAIN, when senders that enforce its policy hold mail.

    The mode of one spec changes, and no other byte of the file but a reason that goes with it. Prints the diff; --write
    writes the file; --pull-request proposes it, urgent, and leaves the clone alone. Nothing is published before the
    change is merged and deployed. The hosts in mx stay.

    \b
    Exit codes:  0 written, or proposed, or the mode is that low already
                 1 the change is printed, and not written; or its branch is a person's by now
                 2 trouble
    """
    from mailtls.cli.one_spec import spec_of
    from mailtls.mta_sts.policy import Mode
    from mailtls.propose import asked
    from mailtls.rollout.decision import Action, Kind
    from mailtls.rollout.mode import lowered
    from mailtls.spec.load import survey

    way = Way(**ways)
    because = _reason(because)
    found = survey(way.specs)
    spec = spec_of(domain, found)
    before = _policy(spec, to)
    change = lowered(spec, Mode(to), because or "")
    edit = None if before.mode == to else edit_of(way.specs, found, Action(Kind.DEMOTE, spec.policy_domain, change, ()))
    if edit is None:
        told = f"{spec.policy_domain} is in {before.mode} already: nothing to change in {spec.source.file}"
        leave(ctx, way, found, spec.policy_domain, told)
        return
    held = held_enforce(edit.change, datetime.datetime.now(datetime.UTC))
    meant = Meant(
        spec.policy_domain,
        edit,
        ("--to", to, *(() if because is None else ("--because", because))),
        (f"See it from outside, when it is deployed: mailtls check {spec.policy_domain}",),
        (*_what_follows(to), *held, *_later(to)),
        (_NOT,),
        lambda files: asked.rollback(spec, change, because or "", files, (*held, *_later(to))),
    )
    carry_out(ctx, way, meant)


def _reason(because: str | None) -> str | None:
    """On one line, as a spec takes it. Raises Trouble."""
    if because is None:
        return None
    line = " ".join(because.split())
    if not line or not line.isprintable() or len(line) > MOST_REASON:
        raise Trouble(
            f"--because is not a reason: say in words of at most {MOST_REASON} characters why, for those who review it"
        )
    return line


def _policy(spec: "PolicySpec", to: str) -> "MtaSts":
    """What the spec serves. Raises Trouble where going to `to` is no way back."""
    where = f"{spec.source.file}:{spec.source.line}"
    if spec.mta_sts is None:
        raise Trouble(f"{where}: {spec.policy_domain} has no policy to lower; it asks for TLS-RPT alone")
    if _ORDER.index(spec.mta_sts.mode) < _ORDER.index(to):
        raise Trouble(f"{where}: {spec.policy_domain} is in {spec.mta_sts.mode}, and {to} is no way back from there")
    return spec.mta_sts


def _what_follows(to: str) -> list[str]:
    return [
        "The deployment serves the policy first and then its new id. Senders that look see "
        f"{to} within five minutes of that (the TTL of the record is 300 seconds). Most look before they return mail."
    ]


def _later(to: str) -> list[str]:
    if to != "testing":
        return []
    return ["Reports go on. When the cause is gone, let them run clean for two weeks before enforce."]
