"""An alert as Slack's incoming webhooks take it (https://api.slack.com/reference/block-kit/blocks). Pure.

Mattermost takes the same body. Words of strangers stand in it: in Slack a link, a mention and an emoji begin with <, &
or :, so these are escaped or lie inside a block of code, which no back-quote of theirs can end.
"""

from collections.abc import Mapping
from typing import Any

LONGEST_HEADER = 150
LONGEST_SECTION = 3000
MAX_SECTIONS = 5
"""A message has 50 blocks at most."""
CUT = "This is not all. The rest stands in the mail."


def body(alert: Mapping[str, Any]) -> dict[str, Any]:
    """alert: a document of alert.v1."""
    summary, _, rest = str(alert["text"]).partition("\n")
    links = " · ".join(
        f"<{address}|{name}>" for name, address in alert["links"].items() if address.startswith("https://")
    )
    return {
        "text": _escaped(summary),  # what a notification shows
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": summary[:LONGEST_HEADER], "emoji": False}},
            *_sections(rest.strip("\n")),
            *([_section(links)] if links else []),
        ],
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _sections(text: str) -> list[dict[str, Any]]:
    parts = _parts(text)
    shown = parts if len(parts) <= MAX_SECTIONS else parts[: MAX_SECTIONS - 1]
    return [*(_section(f"```\n{part}\n```") for part in shown), *([] if shown == parts else [_section(CUT)])]


def _parts(text: str) -> list[str]:
    """Escaped, and divided at line ends into pieces that a section holds."""
    room = LONGEST_SECTION - len("```\n\n```")
    parts = [""]
    for line in _escaped(text).replace("`", "'").splitlines():
        while len(line) > room:  # an entity that is torn here shows as its letters
            line, rest = line[:room], line[room:]
            parts += [line]
            line = rest
        if len(parts[-1]) + 1 + len(line) > room:
            parts.append(line)
        else:
            parts[-1] += f"\n{line}" if parts[-1] else line
    return [part for part in parts if part]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
