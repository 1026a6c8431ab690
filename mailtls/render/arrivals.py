"""Mails that came in, one line each, and what became of them: text, JSON lines."""

import json

from mailtls.render.foreign_text import plain
from mailtls.totals.arrival import Arrival

FORMATS = ("text", "json")
IN_FLIGHT = "not dealt with: in the queue, or among the dead letters"


def arrival_lines(arrival: Arrival, output: str) -> str:
    """One mail, with the end of its line."""
    if output == "json":
        return json.dumps(_data(arrival)) + "\n"
    became = arrival.became or "waiting"
    about = ", ".join(arrival.policy_domains[:3]) + (", ..." if len(arrival.policy_domains) > 3 else "")
    told = arrival.told or ("" if arrival.became else IN_FLIGHT)
    words = "  ".join(filter(None, (about, arrival.signer and f"signed by {arrival.signer}", told)))
    return (
        f"{arrival.at:%Y-%m-%d %H:%M:%SZ}  {became:11}  {plain(arrival.mail[:40]):40}  {plain(words)}".rstrip() + "\n"
    )


def _data(arrival: Arrival) -> dict[str, object]:
    return {
        "mail": arrival.mail,
        "at": arrival.at.isoformat(),
        "size": arrival.size,
        "disposition": arrival.became,
        "told": arrival.told,
        "signer": arrival.signer,
        "policy_domains": list(arrival.policy_domains),
        "reports": list(arrival.reports),
    }
