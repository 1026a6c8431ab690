"""An explanation as text, JSON or Markdown. JSON is described by `explanation.v1.schema.json`."""

import json
import re
from collections.abc import Iterator

from mailtls.lint.explained import Explained, Section
from mailtls.render.foreign_text import markdown, plain
from mailtls.render.wrapping import wrapped

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "explanation.v1.schema.json"
_COLUMN = 9
"""Where the sentences begin, behind the longest heading."""
_CODE = re.compile(r"`([^`]*)`")


def render_explained(explained: Explained, output: str, *, width: int = 80, colour: bool = False) -> str:
    """The explanation in the format `output` (one of FORMATS), with a line end. width, colour: of text alone."""
    match output:
        case "text":
            return "\n".join(_text(explained, width, colour)) + "\n"
        case "json":
            sections = [{"heading": section.heading, "items": list(section.items)} for section in explained.sections]
            return json.dumps({"title": explained.title, "sections": sections}, indent=2, ensure_ascii=False) + "\n"
        case "markdown":
            return "\n".join(_markdown(explained)) + "\n"
    raise ValueError(f"{output} is not one of {', '.join(FORMATS)}")


def _text(explained: Explained, width: int, colour: bool) -> Iterator[str]:
    title = "\n".join(wrapped(plain(explained.title), width))
    yield f"\x1b[1m{title}\x1b[0m" if colour else title
    for section in explained.sections:
        yield ""
        yield from _text_section(section, width)


def _text_section(section: Section, width: int) -> Iterator[str]:
    label = section.heading.upper().ljust(_COLUMN)
    bullet = "- " if len(section.items) > 1 else ""
    for item in section.items:
        first = bullet
        for line in item.split("\n"):
            if line.startswith("  "):
                yield label + " " * (len(bullet) + 2) + plain(line.strip())
            else:
                further = " " * (_COLUMN + len(bullet))
                yield from wrapped(plain(line), width, label + first, further)
            label, first = " " * _COLUMN, " " * len(bullet)


def _markdown(explained: Explained) -> Iterator[str]:
    yield f"### {markdown(explained.title)}"
    for section in explained.sections:
        yield f"\n**{section.heading.capitalize()}**\n"
        for item in section.items:
            bullet = "- "
            for line in item.split("\n"):
                if line.startswith("  "):
                    yield from ("", "  ```sh", f"  {plain(line.strip())}", "  ```", "")
                else:
                    yield bullet + _markdown_sentence(line)
                bullet = "  "


def _markdown_sentence(line: str) -> str:
    """Our own code spans stay what they are; everything else is shown and does nothing."""
    parts = _CODE.split(line)
    return "".join(f"`{plain(part)}`" if index % 2 else markdown(part) for index, part in enumerate(parts))
