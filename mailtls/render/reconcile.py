"""All decisions of one run, the most pressing first, as text, JSON (`reconcile.v1.schema.json`), Markdown."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailtls.render.decisions import concern_data, decision_data, details, headline
from mailtls.render.foreign_text import code, markdown, plain
from mailtls.render.wrapping import wrapped
from mailtls.rollout.concerns import Concern
from mailtls.rollout.decision import Decision
from mailtls.rollout.standing import Group, Standing

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "reconcile.v1.schema.json"

HEADS: Mapping[Group, str] = {
    Group.URGENT: "urgent: mail is held, or soon",
    Group.CHANGE: "changes that are due",
    Group.PERSON: "waiting for a person",
    Group.UNDECIDED: "cannot be decided without --store",
    Group.DATE: "waiting for a day",
    Group.EVIDENCE: "waiting for reports or for a deployment",
    Group.NOTHING: "nothing to do",
}
MENDED_BY_HAND = "wrong, and no change of a spec mends it"
WITHOUT_STORE = (
    "Without --store nobody knows what was served and what was reported: only a new MX in DNS and the beginning of a "
    "retirement are decided; no promotion, no demotion, no removal of an MX, no max_age, and no day is promised."
)
DRY = "Nothing was changed or proposed: this command only tells. Each change is yours to make, as a commit in Git."
_TROUBLE = ("failed", "not tried", "stalled")
"""Results of a proposal by which a run ends with exit code 2."""
_COUNTED = (Group.UNDECIDED, Group.NOTHING)
"""Groups of which text and Markdown tell the number alone."""
_COLOURS = {Group.URGENT: "31", Group.CHANGE: "33", Group.PERSON: "33"}
_MOST = 60_000
"""Characters of Markdown; a comment of GitHub takes 65,536."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What became of one proposal. result: `opened`, `closed by you`, ... words: what should be known, "" for nothing.
    url: of the pull request, "" for none."""

    policy_domain: str
    kind: str
    result: str
    words: str
    url: str


@dataclass(slots=True)
class Run:
    """What a run decided, and did.

    stored: whether a store was read. concerns: by domain, those that are errors. failed: domain to what went wrong.
    holding: condition to how many domains it holds of. acts: whether proposals are made; then `proposed`, the domains
    that are `stalled` for a failure that came again, where the `dashboard` is, and what the forge refused as a whole,
    "" for nothing.
    """

    stored: bool
    acts: bool = False
    proposed: list[Proposed] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)
    dashboard: str = ""
    forge_trouble: str = ""
    decisions: list[tuple[Group, Decision]] = field(default_factory=list)
    concerns: dict[str, tuple[Concern, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    holding: Counter[str] = field(default_factory=Counter)

    def add(self, standing: Standing) -> None:
        """Keep what is told of a domain, and no more."""
        self.decisions.append((standing.group, standing.status.decision))
        self.holding.update(str(one.name) for one in standing.status.conditions if one.holds)
        if standing.errors:
            self.concerns[standing.status.policy_domain] = standing.errors

    @property
    def is_quiet(self) -> bool:
        """Nothing is due and nothing waits for a person."""
        pressing = (Group.URGENT, Group.CHANGE, Group.PERSON)
        return not self.concerns and not any(group in pressing for group, _ in self.decisions)

    @property
    def exit_code(self) -> int:
        """As the command's help tells."""
        if self.failed or self.forge_trouble or any(one.result in _TROUBLE for one in self.proposed):
            return 2
        if not self.acts:
            return 0 if self.is_quiet else 1
        return 1 if self.concerns or self.of(Group.PERSON) else 0

    def of(self, group: Group) -> list[Decision]:
        return [decision for of, decision in self.decisions if of is group]


def render_run(run: Run, output: str, *, width: int = 80, colour: bool = False) -> str:
    """width: columns, of text alone. colour: whether text may hold colour codes."""
    if output == "json":
        return json.dumps(data(run), indent=1, ensure_ascii=False) + "\n"
    return _markdown(run) if output == "markdown" else _text(run, max(width, 40), colour)


def data(run: Run) -> dict[str, Any]:
    """Plain data, as the schema has it; every domain is in it."""
    return {
        "dry_run": not run.acts,
        "store": run.stored,
        "counts": {str(group): len(run.of(group)) for group in Group}
        | {"concerns": len(run.concerns), "failed": len(run.failed)},
        "domains": [
            {
                "policy_domain": decision.policy_domain,
                "group": str(group),
                **decision_data(decision),
                "concerns": [concern_data(one) for one in run.concerns.get(decision.policy_domain, ())],
            }
            for group in Group
            for decision in run.of(group)
        ],
        "failed": [{"policy_domain": name, "told": plain(told)} for name, told in run.failed.items()],
    } | (_acted(run) if run.acts else {})


def _acted(run: Run) -> dict[str, Any]:
    return {
        "proposals": [
            {
                "policy_domain": one.policy_domain,
                "kind": one.kind,
                "result": one.result,
                "told": plain(one.words),
                "url": one.url or None,
            }
            for one in run.proposed
        ],
        "stalled": run.stalled,
        "dashboard": run.dashboard or None,
        "forge_trouble": plain(run.forge_trouble) or None,
    }


def _text(run: Run, width: int, colour: bool) -> str:
    lines: list[str] = []
    for group in Group:
        decisions = run.of(group)
        if decisions and group not in _COUNTED:
            lines += [_styled(HEADS[group].upper(), _COLOURS.get(group, "1"), colour)]
            lines += [line for decision in decisions for line in _one(decision, width)]
            lines.append("")
    if run.concerns:
        lines.append(_styled(MENDED_BY_HAND.upper(), "31", colour))
        for name, found in run.concerns.items():
            for one in found:
                lines += _wrapped(f"{name}: {one.topic}: {one.finding.message}", width, "  ", "      ")
                lines += _wrapped(f"Do: {one.finding.fix}", width, "    - ", "      ") if one.finding.fix else []
        lines.append("")
    if run.failed:
        lines.append(_styled("FAILED: NOTHING WAS DECIDED", "31", colour))
        for name, told in run.failed.items():
            lines += _wrapped(f"{name}: {told}", width, "  ", "      ")
        lines.append("")
    if run.proposed:
        lines.append(_styled("PROPOSALS", "1", colour))
        lines += [line for each in run.proposed for line in _proposal(each, width)]
        lines.append("")
    for sentence in _ends(run):
        lines += _wrapped(sentence, width, "", "")
    return "\n".join(lines) + "\n"


def _one(decision: Decision, width: int) -> list[str]:
    lines = _wrapped(f"{decision.policy_domain}: {headline(decision)}", width, "  ", "      ")
    for sentence in details(decision):
        lines += _wrapped(sentence, width, "    - ", "      ")
    return lines


def _proposal(one: Proposed, width: int) -> list[str]:
    lines = _wrapped(f"{one.policy_domain}: {one.kind}: {one.result}", width, "  ", "      ")
    lines += _wrapped(one.words, width, "    - ", "      ") if one.words else []
    return [*lines, f"    {plain(one.url)}"] if one.url else lines


def _markdown(run: Run) -> str:
    """At most _MOST characters: what is left out is counted."""
    parts = [f"### mailtls reconcile: {markdown(summary(run))}\n"]
    for group in Group:
        if (decisions := run.of(group)) and group not in _COUNTED:
            parts.append(f"\n#### {HEADS[group].capitalize()}\n\n")
            parts += [_item(decision) for decision in decisions]
    if run.concerns:
        parts.append(f"\n#### {MENDED_BY_HAND.capitalize()}\n\n")
        parts += [_mended(name, one) for name, found in run.concerns.items() for one in found]
    if run.failed:
        parts.append("\n#### Failed: nothing was decided\n\n")
        parts += [f"- {code(name)}: {markdown(told)}\n" for name, told in run.failed.items()]
    if run.proposed:
        parts.append("\n#### Proposals\n\n")
        parts += [_proposal_item(one) for one in run.proposed]
    end = "\n" + "\n\n".join(map(markdown, _ends(run)[1:])) + "\n"
    return _bounded(parts, _MOST - len(end)) + end


def _item(decision: Decision) -> str:
    lines = [f"- **{code(decision.policy_domain)}**: {markdown(headline(decision))}"]
    lines += [f"  - {markdown(sentence)}" for sentence in details(decision)]
    return "\n".join(lines) + "\n"


def _mended(name: str, concern: Concern) -> str:
    line = f"- **{code(name)}**: {concern.topic}: {markdown(concern.finding.message)}\n"
    return line + (f"  - Do: {markdown(concern.finding.fix)}\n" if concern.finding.fix else "")


def _proposal_item(one: Proposed) -> str:
    words = f" ({markdown(one.words)})" if one.words else ""
    link = f" <{plain(one.url)}>" if one.url else ""
    return f"- **{code(one.policy_domain)}**: {one.kind}: {one.result}{words}{link}\n"


def _bounded(parts: Sequence[str], most: int) -> str:
    kept: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > most - 100:
            missing = sum(other.startswith("- ") for other in parts[len(kept) :])
            return "".join([*kept, f"\n{missing} more domains are left out here; the JSON has all.\n"])
        kept.append(part)
    return "".join(kept)


def summary(run: Run) -> str:
    """`300 domains: 1 urgent, 2 changes due, ...`; says so where nothing is to be done."""
    words = {
        Group.URGENT: "urgent",
        Group.CHANGE: "due",
        Group.PERSON: "waiting for a person",
        Group.UNDECIDED: "undecided",
        Group.DATE: "waiting for a day",
        Group.EVIDENCE: "waiting for reports or a deployment",
        Group.NOTHING: "with nothing to do",
    }
    counts = [f"{len(run.of(group))} {words[group]}" for group in Group if run.of(group)]
    counts += [f"{len(run.concerns)} to be mended by hand"] if run.concerns else []
    counts += [f"{len(run.failed)} failed"] if run.failed else []
    total = len(run.decisions) + len(run.failed)
    return f"{total} domain{'s' if total != 1 else ''}: {', '.join(counts)}"


def _ends(run: Run) -> list[str]:
    """The summary, then what has to be known about the run."""
    ends = [summary(run)]
    if run.is_quiet and not run.failed and not run.of(Group.UNDECIDED):
        ends.append("Nothing is to be done now.")
    ends += [] if run.stored else [WITHOUT_STORE]
    return [*ends, *_deeds(run)] if run.acts else [*ends, DRY]


def _deeds(run: Run) -> list[str]:
    """What was done at the forge."""
    counts = Counter(one.result for one in run.proposed)
    told = ", ".join(f"{count} {result}" for result, count in counts.items())
    deeds = [f"Proposals: {told}." if told else "Nothing is proposed, and nothing stands open."]
    deeds += [f"Stalled, for they failed again and again: {', '.join(run.stalled[:20])}."] if run.stalled else []
    deeds += [f"Dashboard: {run.dashboard}"] if run.dashboard else []
    deeds += [f"THE FORGE REFUSED: {run.forge_trouble}"] if run.forge_trouble else []
    return deeds


def _wrapped(text: str, width: int, first: str, then: str) -> list[str]:
    return wrapped(plain(text), width, first, then)


def _styled(text: str, shade: str, colour: bool) -> str:
    return f"\x1b[{shade}m{text}\x1b[0m" if colour else text
