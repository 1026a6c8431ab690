"""`mailtls explain`: a rule, a result type or a domain in plain words."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.lint.explained import Explained


@click.command(epilog="Example:  mailtls explain certificate-host-mismatch")
@click.argument("what", metavar="RULE|RESULT-TYPE|DOMAIN")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    default="policy_specs",
    show_default=True,
    help="Where the spec of a DOMAIN lies.",
)
@format_option("text", "json", "markdown")
def command(what: str, specs: Path, output: str) -> None:
    """Say in plain words what something means, why it matters and what to do.

    RULE is one that `mailtls validate`, `check` or `diff` named. RESULT-TYPE is a word of a TLS report. What has a dot
    is a DOMAIN: what its spec publishes, and what senders do with that.
    """
    from mailtls.lint.explained import explained_word, words
    from mailtls.render.explained import render_explained

    explained = explained_word(what)
    if explained is None:
        if "." not in what:
            raise Trouble(f"{what!r} is no rule and no result type{_near(what, words())}; docs/rules.md has all rules")
        explained = _explained_domain(what, specs)
    colour = terminal.takes_colour()
    click.echo(render_explained(explained, output, width=terminal.width(), colour=colour), nl=False, color=colour)


def _explained_domain(name: str, folder: Path) -> "Explained":
    from mailtls import names
    from mailtls.lint.explained import explained_spec
    from mailtls.lint.specs import spec_findings
    from mailtls.spec.load import survey

    try:
        domain = names.host_name(name)
    except names.InvalidName as e:
        raise Trouble(f"{name!r} is no rule, no result type and no domain: {e}") from e
    found = survey(folder)
    if not found.asked:
        raise Trouble("\n".join(map(str, found.errors)))
    spec = next((spec for spec in found.specs if spec.policy_domain == domain), None)
    if spec is None:
        faults = f"; {_counted_faults(len(found.errors))} there, see mailtls validate {folder}" if found.errors else ""
        near = _near(domain, [spec.policy_domain for spec in found.specs])
        raise Trouble(f"{domain} has no spec under {folder}{near}{faults}; for a live look: mailtls check {domain}")
    return explained_spec(spec, [f for f in spec_findings(found.specs) if f.policy_domain == domain])


def _near(word: str, known: "list[str] | tuple[str, ...]") -> str:
    near = difflib.get_close_matches(word.lower()[:80], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _counted_faults(number: int) -> str:
    return "1 fault" if number == 1 else f"{number} faults"
