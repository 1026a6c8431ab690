"""Whole mails and reports from files, mailboxes and folders, one at a time, as they are: for one who sends them
again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailtls.observe.mailbox_file import BEGINS, mails
from mailtls.observe.report_sources import files_below
from mailtls.tls_rpt.message_values import LIMITS
from mailtls.tls_rpt.unpack import Kind, kind_of


@dataclass(frozen=True, slots=True)
class MailFile:
    """place: file, or mail of a mailbox. data: its bytes; None: it is nothing to send, and `told` says why. bare: it is
    a report without a mail around it, compressed or not, as one that came by HTTPS POST."""

    place: str
    data: bytes | None
    told: str = ""
    bare: bool = False


def mail_files(places: Iterable[str]) -> Iterator[MailFile]:
    """All that files and folders hold. Of a maildir only `cur` and `new` are read; links in a folder are not followed.
    Raises StoreTrouble where a folder cannot be listed."""
    for place in places:
        path = Path(place)
        for file in files_below(path) if path.is_dir() else (path,):
            if file.is_symlink() and file != path:
                yield MailFile(file.as_posix(), None, "a symbolic link, which is not followed")
            elif not file.is_file():
                yield MailFile(file.as_posix(), None, "no regular file")
            else:
                yield from _in_file(file)


def _in_file(path: Path) -> Iterator[MailFile]:
    most = LIMITS.max_mail_bytes
    try:
        with path.open("rb") as file:
            if file.peek(len(BEGINS))[: len(BEGINS)] != BEGINS:
                yield _mail(path.as_posix(), file.read(most + 1), most)
                return
            for mail in mails(file, most):
                place = f"{path.as_posix()}, mail {mail.number}"
                told = "" if mail.data is not None else f"over {most:,} bytes"
                yield MailFile(place, mail.data, told)
    except OSError as e:
        yield MailFile(path.as_posix(), None, f"cannot be read: {e.strerror}")


def _mail(place: str, data: bytes, most: int) -> MailFile:
    if len(data) > most:
        return MailFile(place, None, f"over {most:,} bytes")
    if not data:
        return MailFile(place, None, "empty")
    return MailFile(place, data, bare=kind_of(data) is not Kind.OTHER)
