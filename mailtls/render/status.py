"""How domains stand, as text, JSON (`status.v1.schema.json`), Markdown. The words are those of `rollout/conditions.py`."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from mailtls.render.decisions import decision_data, details, headline
from mailtls.render.foreign_text import code, markdown, plain
from mailtls.rollout.conditions import Condition, Name, Standing, State

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "status.v1.schema.json"
SCREENS = 3
"""More domains than these get one line each."""

_GOOD = {Name.READY: State.TRUE, Name.STALLED: State.FALSE, Name.DRIFT_DETECTED: State.FALSE}
_LABEL = 15


def is_well(standing: Standing) -> bool:
    """Ready, not stalled, and no drift. Whether a next step is on its way does not count."""
    return all(standing.condition(name).state is state for name, state in _GOOD.items())


def render_status(
    standings: Sequence[Standing],
    failed: Mapping[str, str],
    output: str,
    *,
    width: int = 80,
    colour: bool = False,
    long: bool = False,
) -> str:
    """failed: domain to what went wrong. width: columns, of text alone. long: a whole screen for each of many."""
    if output == "json":
        return json.dumps(_data(standings, failed), indent=1, ensure_ascii=False) + "\n"
    if output == "markdown":
        return _markdown(standings, failed)
    width = max(width, 40)
    if long or len(standings) + len(failed) <= SCREENS:
        parts = [_screen(standing, width, colour) for standing in standings]
    else:
        names = min(max((len(standing.policy_domain) for standing in standings), default=0), width // 2)
        parts = ["".join(_line(standing, names, width, colour) for standing in standings)]
    parts += ["".join(_failed(name, told, width) for name, told in failed.items())]
    return "\n".join(part for part in parts if part)


def mode_words(standing: Standing) -> str:
    """`testing since 2026-11-14, id 0a3f`: what senders find, and what Git asks for where that differs."""
    mode = str(standing.mode) if standing.mode else "no policy seen"
    since = f" since {standing.since:%Y-%m-%d}" if standing.since else ""
    policy_id = f", id {standing.policy_id}" if standing.policy_id else ""
    asked = f" (Git asks for {standing.asked or 'no policy'})" if standing.asked is not standing.mode else ""
    return f"{mode}{since}{policy_id}{asked}"


def evidence_words(standing: Standing) -> str:
    """What reports say so far about the policy that is served now."""
    reported = standing.reported
    if reported is None:
        return "not read: no --store"
    if not reported.days:
        return "no reports about this policy yet"
    unread = f"; {reported.unread} days not read whole" if reported.unread else ""
    return (
        f"{reported.clean:,} clean and {reported.refused:,} refused sessions on {reported.days} days, "
        f"{reported.reporters} organisations, last {reported.last}{unread}"
    )


def _data(standings: Sequence[Standing], failed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "domains": [
            {
                "policy_domain": standing.policy_domain,
                "mode": str(standing.mode) if standing.mode else None,
                "asked": str(standing.asked) if standing.asked else None,
                "since": standing.since.isoformat(timespec="seconds") if standing.since else None,
                "policy_id": standing.policy_id or None,
                "group": str(standing.group),
                "conditions": [
                    {"type": str(one.name), "status": str(one.state), "reason": str(one.why), "message": one.told}
                    for one in standing.conditions
                ],
                "next": decision_data(standing.decision),
                "evidence": _evidence(standing),
            }
            for standing in standings
        ],
        "failed": [{"policy_domain": name, "told": plain(told)} for name, told in failed.items()],
    }


def _evidence(standing: Standing) -> dict[str, Any] | None:
    reported = standing.reported
    if reported is None:
        return None
    return {
        "days": reported.days,
        "clean": reported.clean,
        "refused": reported.refused,
        "reporters": reported.reporters,
        "unread_days": reported.unread,
        "last": reported.last.isoformat() if reported.last else None,
    }


def _screen(standing: Standing, width: int, colour: bool) -> str:
    lines = _wrapped(f"{standing.policy_domain}: {mode_words(standing)}", width, "", "  ")
    if colour:
        lines[0] = lines[0].replace(standing.policy_domain, f"\x1b[1m{standing.policy_domain}\x1b[0m", 1)
    for one in standing.conditions:
        wrapped = _labelled(str(one.name), f"{one.state}, {one.why}: {one.told}", width)
        lines += [_shaded(one, wrapped[0]) if colour else wrapped[0], *wrapped[1:]]
    lines += _labelled("next", headline(standing.decision), width)
    for sentence in details(standing.decision):
        lines += _wrapped(sentence, width, " " * _LABEL + "- ", " " * _LABEL + "  ")
    lines += _labelled("evidence", evidence_words(standing), width)
    return "\n".join(lines) + "\n"


def _shaded(condition: Condition, line: str) -> str:
    if condition.name not in _GOOD:
        return line
    shade = "32" if condition.state is _GOOD[condition.name] else "31"
    return line.replace(str(condition.state), f"\x1b[{shade}m{condition.state}\x1b[0m", 1)


def _line(standing: Standing, names: int, width: int, colour: bool) -> str:
    """Name, mode, the first condition that is not as it should be, what is next."""
    bad = next((one for one in standing.conditions if one.state is not _GOOD.get(one.name, one.state)), None)
    word = f"{bad.name} {bad.state} ({bad.why})" if bad else "Ready"
    text = f"{standing.policy_domain:<{names}}  {standing.mode or '-':<7}  {word}: {plain(headline(standing.decision))}"
    text = text if len(text) <= width else text[: width - 3] + "..."
    return (f"\x1b[31m{text}\x1b[0m" if colour and bad else text) + "\n"


def _failed(name: str, told: str, width: int) -> str:
    return "\n".join(_wrapped(f"{name}: failed: {told}", width, "", "  ")) + "\n"


def _markdown(standings: Sequence[Standing], failed: Mapping[str, str]) -> str:
    lines = ["| domain | what senders find | Ready | Stalled | DriftDetected | next | evidence |", "|" + "---|" * 7]
    for standing in standings:
        states = [standing.condition(name) for name in (Name.READY, Name.STALLED, Name.DRIFT_DETECTED)]
        cells = [
            code(standing.policy_domain),
            _cell(mode_words(standing)),
            *(f"{one.state}, {one.why}" for one in states),
            _cell(headline(standing.decision)),
            _cell(evidence_words(standing)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {code(name)} | failed: {_cell(told)} | | | | | |" for name, told in failed.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return markdown(text).replace("|", "\\|")


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(text, width, f"  {label:<{_LABEL - 2}}", " " * _LABEL)


def _wrapped(text: str, width: int, first: str, then: str) -> list[str]:
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
