"""How domains stand, as text, JSON (`status.v1.schema.json`), Markdown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mailtls.render.decisions import concern_data, decision_data, details, headline
from mailtls.render.foreign_text import code, markdown, plain
from mailtls.render.wrapping import wrapped
from mailtls.rollout.conditions import Condition, Name, Why
from mailtls.rollout.standing import Standing

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "status.v1.schema.json"
SCREENS = 3
"""More domains than these get one line each."""

MEANINGS: Mapping[Why, str] = {
    Why.ENFORCED: "senders that honour MTA-STS deliver over verified TLS or not at all",
    Why.TESTING: "nothing is refused yet",
    Why.MODE_NONE: "the policy is switched off",
    Why.REPORTS_ONLY: "the spec asks for no policy",
    Why.NOT_AT_THE_EDGE: "what Git says is not what senders find",
    Why.URGENT_CHANGE: "a change is due, and mail is held meanwhile, or soon",
    Why.CONCERN: "something is wrong that no change of the spec mends",
    Why.CHANGE_DUE: "a change is due",
    Why.WAITING: "for a day, for reports, or for the deployment of what is merged",
    Why.HELD: "`hold: true` in the spec",
    Why.MANUAL: "`rollout: manual` in the spec",
    Why.NEEDS_A_PERSON: "nothing goes on until somebody mends, decides or looks",
    Why.IN_ORDER: "nothing is to be done",
    Why.DRIFT: "senders find something else",
    Why.NOTHING_FOUND: "nothing of the kind",
}
"""Each reason of a condition, in words."""
_WELL = {Name.STALLED: False, Name.DRIFT_DETECTED: False}
_LABEL = 17


def is_well(standing: Standing) -> bool:
    """Not stalled, no drift, nothing wrong and nothing urgent. That testing goes on is well."""
    if standing.errors or any(standing.status.condition(name).holds for name in _WELL):
        return False
    return standing.status.condition(Name.READY).why not in (Why.URGENT_CHANGE, Why.NEEDS_A_PERSON, Why.CONCERN)


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
        names = min(max((len(standing.status.policy_domain) for standing in standings), default=0), width // 2)
        parts = ["".join(_line(standing, names, width, colour) for standing in standings)]
    parts += ["".join(_failed(name, told, width) for name, told in failed.items())]
    return "\n".join(part for part in parts if part)


def mode_words(standing: Standing) -> str:
    """`testing since 2026-11-14, id 0a3f`: what is served."""
    status = standing.status
    if status.mode is None:
        return "no policy is served"
    since = f" since {status.since:%Y-%m-%d}" if status.since else ""
    return f"{status.mode}{since}" + (f", id {status.policy_id}" if status.policy_id else "")


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
        "domains": [_domain(standing) for standing in standings],
        "failed": [{"policy_domain": name, "told": plain(told)} for name, told in failed.items()],
    }


def _domain(standing: Standing) -> dict[str, Any]:
    status = standing.status
    return {
        "policy_domain": status.policy_domain,
        "mode": str(status.mode) if status.mode else None,
        "since": status.since.isoformat(timespec="seconds") if status.since else None,
        "policy_id": status.policy_id or None,
        "group": str(standing.group),
        "conditions": [
            {"type": str(one.name), "status": one.holds, "reason": str(one.why), "message": MEANINGS[one.why]}
            for one in status.conditions
        ],
        "next": decision_data(status.decision),
        "evidence": _evidence(standing),
        "concerns": [concern_data(one) for one in status.concerns],
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
    status = standing.status
    lines = _wrapped(f"{status.policy_domain}: {mode_words(standing)}", width, "", "  ")
    if colour:
        lines[0] = lines[0].replace(status.policy_domain, f"\x1b[1m{status.policy_domain}\x1b[0m", 1)
    for one in status.conditions:
        wrapped = _labelled(str(one.name), f"{_yes(one)}, {one.why}: {MEANINGS[one.why]}", width)
        lines += [_shaded(one, wrapped[0]) if colour else wrapped[0], *wrapped[1:]]
    lines += _labelled("next", headline(status.decision), width)
    for sentence in details(status.decision):
        lines += _wrapped(sentence, width, " " * _LABEL + "- ", " " * _LABEL + "  ")
    lines += _labelled("evidence", evidence_words(standing), width)
    for concern in status.concerns:
        finding = concern.finding
        lines += _labelled(str(concern.topic), f"{finding.severity}: {finding.message}", width)
        lines += _wrapped(f"Do: {finding.fix}", width, " " * _LABEL, " " * _LABEL) if finding.fix else []
    return "\n".join(lines) + "\n"


def _yes(condition: Condition) -> str:
    return "yes" if condition.holds else "no"


def _shaded(condition: Condition, line: str) -> str:
    if condition.name not in _WELL:
        return line
    shade = "31" if condition.holds else "32"
    return line.replace(f" {_yes(condition)},", f" \x1b[{shade}m{_yes(condition)}\x1b[0m,", 1)


def _line(standing: Standing, names: int, width: int, colour: bool) -> str:
    """Name, mode, whether it is ready or the first thing against it, what is next."""
    status = standing.status
    bad = next((name for name in _WELL if status.condition(name).holds), None)
    ready = status.condition(Name.READY)
    word = str(bad) if bad else "Ready" if ready.holds else f"not Ready ({ready.why})"
    text = f"{status.policy_domain:<{names}}  {status.mode or '-':<7}  {word}: {plain(headline(status.decision))}"
    text = text if len(text) <= width else text[: width - 3] + "..."
    return (f"\x1b[31m{text}\x1b[0m" if colour and not is_well(standing) else text) + "\n"


def _failed(name: str, told: str, width: int) -> str:
    return "\n".join(_wrapped(f"{name}: failed: {told}", width, "", "  ")) + "\n"


def _markdown(standings: Sequence[Standing], failed: Mapping[str, str]) -> str:
    heads = ["domain", "served", *map(str, Name), "next", "evidence"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for standing in standings:
        cells = [
            code(standing.status.policy_domain),
            _cell(mode_words(standing)),
            *(f"{_yes(one)}, {one.why}" for one in standing.status.conditions),
            _cell(headline(standing.status.decision)),
            _cell(evidence_words(standing)),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {code(name)} | failed: {_cell(told)} | | | | | | |" for name, told in failed.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return markdown(text).replace("|", "\\|")


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(text, width, f"  {label:<{_LABEL - 2}}", " " * _LABEL)


def _wrapped(text: str, width: int, first: str, then: str) -> list[str]:
    return wrapped(plain(text), width, first, then)
