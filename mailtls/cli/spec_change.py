"""A change of one spec as a command makes it: the diff first, the file or a pull request only when it is told to."""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from mailtls.cli import terminal
from mailtls.cli.forge_access import ForgeAccess, forge_access, forge_options
from mailtls.cli.options import format_option
from mailtls.cli.spec_files import write_whole
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.changes import Change
    from mailtls.propose.branches import Branches
    from mailtls.propose.proposal import Proposal
    from mailtls.propose.proposals import Outcome as Brought
    from mailtls.propose.spec_edit import EditedFile
    from mailtls.render.spec_change import SpecChange
    from mailtls.rollout.decision import Action
    from mailtls.spec.load import Survey

_F = TypeVar("_F", bound=Callable[..., Any])
Files = Mapping[str, str | None]
"""Path in the repository to its new text."""
_OPTIONS = (
    click.option(
        "--specs",
        type=click.Path(path_type=Path),
        default="policy_specs",
        show_default=True,
        help="The folder of specs, or one spec.",
    ),
    click.option("--write", is_flag=True, help="Write the file; without it nothing is changed."),
    click.option("--pull-request", "acts", is_flag=True, help="Propose it on the forge, and leave the clone alone."),
    forge_options,
    format_option("text", "json", "markdown"),
)


def change_options(function: _F) -> _F:
    """Adds the options; their values come as the fields of `Way`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Way:
    """How the change goes out: the values of the options."""

    specs: Path
    write: bool
    acts: bool
    repository: str | None
    kind: str | None
    base: str | None
    output: str

    def __post_init__(self) -> None:
        if self.write and self.acts:
            raise Trouble("--write changes the file here, --pull-request leaves it alone: give one of them")


@dataclass(frozen=True, slots=True)
class Meant:
    """A change and what is told of it. options: of the command, for the line that is to be typed again.
    after: steps behind the merge. proposal: makes it from the files of the repository."""

    policy_domain: str
    edit: "EditedFile"
    options: tuple[str, ...]
    after: tuple[str, ...]
    then: tuple[str, ...]
    never: tuple[str, ...]
    proposal: "Callable[[Files], Proposal]"


def edit_of(specs: Path, found: "Survey", action: "Action") -> "EditedFile | None":
    """The edit, or None where all is so already. Raises Trouble."""
    from mailtls.propose.decided import decided_edit
    from mailtls.propose.spec_edit import EditRefused

    try:
        return decided_edit(specs, action, found)
    except EditRefused as e:
        raise Trouble(str(e)) from e


def carry_out(ctx: click.Context, way: Way, meant: Meant) -> None:
    """Print, write or propose the change, and end the command with its exit code. Raises Trouble."""
    from mailtls.render.spec_change import Outcome, Proposed, SpecChange
    from mailtls.render.unified_diff import unified_diff

    edit, name = meant.edit, str(ctx.info_name)
    diff = unified_diff(edit.shown, edit.before.decode(), (edit.after or b"").decode())
    brought = None
    if way.acts:
        brought, branch = _propose(way, meant)
        outcome, told = Outcome.PROPOSED, f"{brought.result}: {brought.url or branch}"
        told += f" ({brought.words})" if brought.words else ""
        first = [f"Review it, and merge: {brought.url}"] if brought.url else []
    elif way.write:
        if way.output == "text":
            click.echo(diff.encode(), nl=False)
        write(edit)
        outcome, told, first = Outcome.WRITTEN, f"wrote {edit.shown}", ["Commit it, and merge."]
    else:
        typed = again(ctx, meant.policy_domain, way.specs, *meant.options)
        outcome, told = Outcome.PRINTED, "nothing is written"
        first = [f"Write it: {typed} --write", f"Or propose it: {typed} --pull-request", "Then merge it."]
    proposal = Proposed(branch, str(brought.result), brought.words, brought.url) if brought else None
    change = SpecChange(
        name, meant.policy_domain, outcome, told, edit.shown, diff,
        (*first, *meant.after), meant.then, meant.never, proposal,
    )  # fmt: skip
    _show(change, way)
    if outcome is Outcome.PRINTED or (brought is not None and not _stands(brought)):
        ctx.exit(1)


def leave(ctx: click.Context, way: Way, found: "Survey", policy_domain: str, told: str) -> None:
    """Say that there is nothing to change. Raises Trouble where a proposal was asked for, and the base says other."""
    from mailtls.render.spec_change import Outcome, SpecChange

    file = found.layers[policy_domain][0].file
    if way.acts:
        with _base(way, Path(file.path), file.read(), file.shown):
            pass
    change = SpecChange(str(ctx.info_name), policy_domain, Outcome.UNCHANGED, told, file.shown)
    if way.output == "text":
        click.echo(told)
    else:
        _show(change, way)


def write(edit: "EditedFile") -> None:
    """The file, if it still is what was edited. Raises Trouble, with the file as it was."""
    try:
        unchanged = edit.path.read_bytes() == edit.before
    except OSError as e:
        raise Trouble(f"{edit.shown} cannot be read: {e.strerror}") from e
    if not unchanged:
        raise Trouble(f"{edit.shown} has changed meanwhile; nothing is written, call the command again")
    write_whole(edit.path, (edit.after or b"").decode(), overwrite=True)


def _show(change: "SpecChange", way: Way) -> None:
    from mailtls.render.spec_change import Outcome, blocks, render_json, render_markdown

    if way.output != "text":
        click.echo(render_json(change) if way.output == "json" else render_markdown(change), nl=False)
        return
    if change.outcome is not Outcome.WRITTEN:  # printed before the file was written
        click.echo(change.diff.encode(), nl=False)
    if change.outcome is not Outcome.PRINTED:
        click.echo(change.told, err=change.outcome is Outcome.WRITTEN)
    for line in blocks(change, terminal.width()):
        click.echo(line, err=True)


def _propose(way: Way, meant: Meant) -> "tuple[Brought, str]":
    """What became of the proposal, and its branch. A closed one is no answer: a person asks again. Raises Trouble."""
    from mailtls.propose.proposals import Result, Run

    edit = meant.edit
    with _base(way, edit.path, edit.before, edit.shown) as (access, branches, path):
        proposal = meant.proposal({path: (edit.after or b"").decode()})
        run = Run(access.forge, branches, branches.base_name, [proposal], {}, asked_again={proposal.branch})
        mine = (proposal.kind, proposal.policy_domain)
        outcomes = [one for one in run.outcomes() if (one.kind, one.policy_domain) == mine]
    outcome = outcomes[-1]
    if outcome.result in (Result.FAILED, Result.NOT_TRIED):
        raise Trouble(outcome.words)
    return outcome, proposal.branch


@contextmanager
def _base(way: Way, file: Path, content: bytes, shown: str) -> "Iterator[tuple[ForgeAccess, Branches, str]]":
    """The forge, its branches and the file's path there, if the base holds the file as it is here. Raises Trouble."""
    from mailtls.propose.branches import fetched
    from mailtls.propose.forges.forge import ForgeError
    from mailtls.propose.proposal import PREFIX

    access = forge_access(way.specs, way.repository, way.kind, way.base)
    try:
        path = access.path_of(file)
        with fetched(access.remote, access.base, PREFIX) as branches:
            if not branches.holds(path, content):
                raise Trouble(
                    f"{shown} is not here what it is in {branches.base_name}: pull, or commit and merge what you "
                    "changed (git stash puts it aside), and call the command again; nothing is proposed"
                )
            yield access, branches, path
    except ForgeError as e:
        raise Trouble(str(e)) from e


def _stands(brought: "Brought") -> bool:
    """Is it before people as it was asked for?"""
    from mailtls.propose.proposals import Result

    return brought.result in (Result.OPENED, Result.UPDATED, Result.UNCHANGED, Result.NO_DIFFERENCE, Result.CLOSED)


def again(ctx: click.Context, policy_domain: str, specs: Path, *options: str) -> str:
    """The same command, to be typed with `--write` or `--pull-request` behind it."""
    import shlex

    place = () if ctx.get_parameter_source("specs") is ParameterSource.DEFAULT else ("--specs", str(specs))
    return shlex.join(["mailtls", str(ctx.info_name), policy_domain, *options, *place])


def held_enforce(change: "Change", now: datetime.datetime) -> Sequence[str]:
    """Until when a sender may go on with enforce, as a sentence; none where no policy of the spec was in enforce."""
    from mailtls.changes import WaitFor, waits

    found = [wait for wait in waits(change, now) if wait.what is WaitFor.ENFORCE_ENDS]
    return [
        f"A sender that does not look again goes on with enforce until {wait.until:%Y-%m-%d %H:%M} UTC, if this is "
        "deployed now, and longer if max_age was longer before: what it holds cannot be called back."
        for wait in found[:1]
    ]
