"""A mailbox in one file (mbox, RFC 4155): its mails one at a time, each bounded, however large the file is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

BEGINS = b"From "
_LINE = 64 * 1024
"""Bytes of a line that are read at once; a longer one comes in pieces."""


@dataclass(frozen=True, slots=True)
class BoxedMail:
    """number: of the mail in its file, from 1. line: on which its `From ` line stands, from 1. data: without that line;
    None: the mail is longer than was asked for."""

    number: int
    line: int
    data: bytes | None


def mails(file: IO[bytes], limit: int) -> Iterator[BoxedMail]:
    """The mails of an mbox that is open at its beginning. A mail begins with a `From ` line behind an empty one.
    limit: bytes of one mail; a longer one is passed over, and told."""
    number, began, size, pieces = 0, 0, 0, list[bytes]()
    line, blank, whole = 0, True, True
    while piece := file.readline(_LINE):
        line += whole  # else: the rest of a long one
        if whole and blank and piece.startswith(BEGINS):
            if number:
                yield BoxedMail(number, began, b"".join(pieces) if size <= limit else None)
            number, began, size, pieces = number + 1, line, 0, []
        else:
            size += len(piece)
            if size <= limit:
                pieces.append(piece)
            else:
                pieces.clear()
        blank = whole and piece in (b"\n", b"\r\n")
        whole = piece.endswith(b"\n")
    if number:
        yield BoxedMail(number, began, b"".join(pieces) if size <= limit else None)
