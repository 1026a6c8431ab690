"""`mailtls reports`: the group of commands about TLS reports."""

import click

from mailtls.cli.lazy_group import LazyGroup

COMMANDS = {
    "parse": "read mails and files with reports, wherever they come from",
    "summary": "what reports count, by domain, day, MX and more; periods compared",
    "show": "one report whole, or one cause from first to last sight",
    "tail": "the last mails that came in, and what became of each",
    "digest": "the week of each owner's domains in plain words",
    "replay": "send mails into a sandbox's queue again, and tell what becomes of each",
    "reprocess": "have mail read again that was not taken in, or kept apart by mistake",
    "erase": "all that is kept about one domain, for a customer who leaves",
    "dashboard": "the stored reports as a static site",
}
"""Name and one line of help. The module is `mailtls.cli.reports.<name>_command` and holds `command`."""


@click.command(
    cls=LazyGroup,
    commands_of=COMMANDS,
    package="mailtls.cli.reports",
    epilog="Example:  mailtls reports summary --by mx Maildir/tlsrpt",
)
def command() -> None:
    """What senders reported about a domain's TLS (RFC 8460): from files, a mailbox, or the reports bucket.

    Each command says in its own --help what it reads and whether it writes.
    """
