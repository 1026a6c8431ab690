"""An alert as a Teams workflow takes it ("when a Teams webhook request is received"): an Adaptive Card. Pure.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
Words of strangers stand in it, and a TextBlock reads Markdown with links. A TextRun is shown as it stands.
"""

import json
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 24 * 1024
"""Teams takes 28 KB."""
COLOURS = {"critical": "Attention", "warning": "Warning", "info": "Accent"}
CUT = "The rest does not fit into a card: it stands in the mail."


def body(alert: Mapping[str, Any]) -> dict[str, Any]:
    """alert: a document of alert.v1."""
    summary, *lines = str(alert["text"]).splitlines() or [""]
    colour = "Good" if alert["status"] == "over" else COLOURS.get(str(alert["severity"]), "Default")
    head = _run(summary[:500], weight="Bolder", size="Medium", color=colour)
    links = [
        {"type": "Action.OpenUrl", "title": name, "url": address}
        for name, address in alert["links"].items()
        if address.startswith("https://")
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [head, *_fitting(lines)],
        **({"actions": links} if links else {}),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _fitting(lines: list[str]) -> list[dict[str, Any]]:
    """A block for each line, as many as fit."""
    blocks: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        block = _run("\u00a0" * indent + line[indent:] or "\u00a0", fontType="Monospace", size="Small")
        size += len(json.dumps(block))
        if size > MAX_BYTES - 2048:  # head, links and frame
            return [*blocks, _run(CUT, weight="Bolder")]
        blocks.append(block)
    return blocks


def _run(text: str, **how: str) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text, **how}
    return {"type": "RichTextBlock", "spacing": "None", "inlines": [run]}
