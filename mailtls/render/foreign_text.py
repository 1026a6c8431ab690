"""Text that holds a stranger's words, made safe for where it goes: a terminal, Markdown, a workflow's log.

A DNS answer, a file from a pull request and a server's error all end up in messages. None may move a cursor, mention a
person, open a link or issue a command to the machine that prints it.
"""

import re

MOST = 2000
"""Characters of one text. What is longer is cut, with `...` at the end."""

_PLAIN_WORD = re.compile(r"[A-Za-z0-9.,:;()'\"!?%/+=-]*")
"""No character of markup, and no @ or #: GitHub and GitLab make links of those."""
_MARKS = ".,:;()!?"
"""What a sentence puts around a word; it stays outside the code span."""
_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)


def plain(text: str) -> str:
    """`text` on one line: control, format and unassigned characters as `\\u001b`, line ends and tabs as one space."""
    if len(text) > MOST:
        text = text[: MOST - 3] + "..."
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\r\n\t" else _escaped(c) for c in text)


def markdown(text: str) -> str:
    """`plain(text)` as Markdown that shows these characters and does nothing else.

    A word that has a character with a meaning becomes a code span: in there nothing is a link, a mention or markup.
    """
    return " ".join(_markdown_word(word) for word in plain(text).split(" "))


def code(text: str) -> str:
    """`plain(text)` as one code span of Markdown."""
    text = plain(text) or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {text} {fence}" if longest else f"{fence}{text}{fence}"


def table_code(text: str) -> str:
    """`code(text)` inside a cell of a table: a `|` would end the cell, in a code span too."""
    return code(text).replace("|", "\\|")


def annotation(text: str) -> str:
    """`plain(text)` as the message of a GitHub workflow command."""
    return plain(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def annotation_property(text: str) -> str:
    """`plain(text)` as a property of a GitHub workflow command (`file`, `title`)."""
    return annotation(text).replace(":", "%3A").replace(",", "%2C")


def _markdown_word(word: str) -> str:
    if word.isalpha() or (_PLAIN_WORD.fullmatch(word) and not _ADDRESS.search(word)):
        return word
    body = word.strip(_MARKS)
    before, _, after = word.partition(body) if body else ("", "", "")
    return f"{before}{code(body or word)}{after}"


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
