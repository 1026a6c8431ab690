"""A change of one spec as a command makes it: the diff first, and the file only when it is told to."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from mailtls.cli import terminal
from mailtls.cli.spec_files import write_whole
from mailtls.cli.trouble import Trouble
from mailtls.render.wrapping import wrapped

if TYPE_CHECKING:
    from mailtls.changes import Change
    from mailtls.propose.spec_edit import EditedFile
    from mailtls.propose.yaml_edit import Edit
    from mailtls.spec.load import Survey

_F = TypeVar("_F", bound=Callable[..., Any])


def change_options(command: _F) -> _F:
    """`--specs` and `--write`."""
    command = click.option("--write", is_flag=True, help="Write the file; without it nothing is changed.")(command)
    return click.option(
        "--specs",
        type=click.Path(path_type=Path),
        default="policy_specs",
        show_default=True,
        help="The folder of specs, or one spec.",
    )(command)


def edit_of(specs: Path, found: "Survey", policy_domain: str, edits: "Sequence[Edit]") -> "EditedFile | None":
    """The edit, or None where all is so already. Raises Trouble."""
    from mailtls.propose.spec_edit import EditRefused, edit_spec

    try:
        return edit_spec(specs, policy_domain, edits, found)
    except EditRefused as e:
        raise Trouble(str(e)) from e


def show(edit: "EditedFile", write: bool) -> None:
    """Print the diff, and write the file if `write`. Raises Trouble, with the file as it was."""
    from mailtls.render.unified_diff import unified_diff

    before, after = edit.before.decode(), (edit.after or b"").decode()
    click.echo(unified_diff(edit.shown, before, after).encode(), nl=False)
    if not write:
        return
    try:
        unchanged = edit.path.read_bytes() == edit.before
    except OSError as e:
        raise Trouble(f"{edit.shown} cannot be read: {e.strerror}") from e
    if not unchanged:
        raise Trouble(f"{edit.shown} has changed meanwhile; nothing is written, call the command again")
    write_whole(edit.path, after, overwrite=True)
    click.echo(f"wrote {edit.shown}", err=True)


def tell(heading: str, texts: Sequence[str], numbered: bool = False) -> None:
    """A block of sentences on standard error: the heading in the margin, one paragraph each."""
    for number, text in enumerate(texts, 1):
        first = f"{heading:<6}" if number == 1 else " " * 6
        item = f"{number} " if numbered else ""
        lines = wrapped(text, terminal.width(), first + item, " " * (6 + len(item)))
        click.echo("\n".join(lines), err=True)


def again(ctx: click.Context, policy_domain: str, specs: Path, *options: str) -> str:
    """The same command, to be typed with `--write`."""
    import shlex

    place = () if ctx.get_parameter_source("specs") is ParameterSource.DEFAULT else ("--specs", str(specs))
    return shlex.join(["mailtls", str(ctx.info_name), policy_domain, *options, *place, "--write"])


def held_enforce(change: "Change", now: datetime.datetime) -> str | None:
    """Until when a sender may go on with enforce, as a sentence; None where no policy of the spec was in enforce."""
    from mailtls.changes import WaitFor, waits

    found = [wait for wait in waits(change, now) if wait.what is WaitFor.ENFORCE_ENDS]
    if not found:
        return None
    return (
        f"A sender that does not look again goes on with enforce until {found[0].until:%Y-%m-%d %H:%M} UTC, if this is "
        "deployed now, and longer if max_age was longer before: what it holds cannot be called back."
    )
