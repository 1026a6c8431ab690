"""Which domain a mail that was kept apart says to be about, by the headers that are copied beside it. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from mailtls import names

_SUBJECT = re.compile(r"report\s+domain:\s*(\S+)", re.IGNORECASE)
"""RFC 8460 section 5.3: `Report Domain: <domain> Submitter: <domain> Report-ID: <id>`."""


def said_domains(headers: Iterable[Any]) -> set[str]:
    """A-labels. headers: pairs of name and value, as `quarantine/*.json` has them; whatever is none is passed over.

    Nobody has proven them: whoever wrote the mail chose them.
    """
    found = set()
    for pair in headers:
        match pair:
            case [str(name), str(value)] if name.lower() == "tls-report-domain":
                found.add(_name(value))
            case [str(name), str(value)] if name.lower() == "subject":
                found |= {_name(text) for text in _SUBJECT.findall(value)}
    return found - {""}


def _name(text: str) -> str:
    try:
        return names.a_labels(text.strip())
    except names.InvalidName:
        return ""
