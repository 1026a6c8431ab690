"""What a proposal says to the person who decides about it, kind by kind. Pure: a decision in, Markdown out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailtls.propose.forges.forge import EvidenceState, EvidenceStatus
from mailtls.propose.proposal import MOST_TITLE, Body
from mailtls.render.decisions import headline, moment, told
from mailtls.render.foreign_text import markdown, plain, table_code
from mailtls.rollout.concerns import Concern
from mailtls.rollout.conditions import FOR_A_PERSON
from mailtls.rollout.decision import Action, Code, Edit, Kind, Reason, Wait
from mailtls.rollout.promote import RECENT_DAYS
from mailtls.spec import duration
from mailtls.spec.model import PolicySpec

MOST_HOSTS = 20
"""Hosts that one cell of a table names."""
_NUMBERS: Mapping[Code, str] = {
    Code.SERVED_DAYS: "days in which this very policy was served",
    Code.ENFORCED_DAYS: "days in enforce",
    Code.CLEAN_SESSIONS: "sessions over TLS that enforce accepts",
    Code.REPORTERS: "organisations that reported them",
    Code.RECENT_WINDOW: f"of the last {RECENT_DAYS} days, with reports",
    Code.EARLIER_WINDOW: "days with reports before those",
    Code.REFUSALS: "sessions that enforce refuses",
    Code.DAYS_UNREAD: "days of the ledger that could not be read whole",
}
"""The left column of the evidence, for the reasons that are a number against a number."""
_AT_MOST = frozenset({Code.REFUSALS, Code.DAYS_UNREAD})
_ORDER = (
    "The deployment publishes the policy first and its new id when senders can fetch it. They look again within five "
    "minutes of that (the TTL of the record)."
)
_ON_MERGE: Mapping[Kind, str] = {
    Kind.PROMOTE: (
        "Senders that honour MTA-STS then deliver to an MX that the policy names, over TLS with a certificate that"
        " is valid for its name, and to nobody else. What cannot be delivered so waits at the sender, and goes "
        "back to its author after days. A sender holds this for max_age; `mailtls rollback` is the way back."
    ),
    Kind.ADD_MX: "Senders that fetch the new policy deliver to the host too.",
    Kind.REMOVE_MX: (
        "Senders that fetch the new policy deliver to these hosts no more. No policy that a sender may hold needs them."
    ),
    Kind.DEMOTE: (
        "Senders that fetch the new policy deliver again, also where TLS fails. One that holds enforce and does "
        "not look again goes on refusing until its max_age is over. The hosts in mx stay."
    ),
    Kind.RETIRE: (
        "Senders that fetch the new policy stop asking for TLS. The mx lines stay: a big sender calls mode none "
        "without them invalid. The spec goes later, when nobody holds an earlier policy."
    ),
    Kind.DELETE: (
        "The next deployment takes policy, records, certificate and distribution of this domain away. Nobody holds"
        " a policy of it any more."
    ),
    Kind.LOWER_MAX_AGE: (
        "Senders that fetch the new policy hold it for the shorter time: a mistake during the move lasts as long."
    ),
    Kind.RAISE_MAX_AGE: (
        "Senders hold the policy for longer, so somebody on the path has to hide it for longer before protection "
        "ends. A mistake lasts longer too."
    ),
}
_IF_YOU_WAIT: Mapping[Kind, str] = {
    Kind.PROMOTE: (
        "Nothing breaks. Until then whoever is on the path can strip TLS, and senders deliver in the clear."
    ),
    Kind.ADD_MX: (
        "A sender that holds enforce does not deliver to a host that its policy lacks: its mail goes to the "
        "others, and where they fail it waits, and goes back after days."
    ),
    Kind.REMOVE_MX: "Nothing breaks. The policy allows a host that takes no mail for you any more.",
    Kind.DEMOTE: "Mail that is refused waits at the senders, and goes back to its authors after one to five days.",
    Kind.RETIRE: "Nothing breaks. The wait until the spec may go begins with this change.",
    Kind.DELETE: "Nothing breaks. What is left costs a little, and its certificate is renewed for nobody.",
    Kind.LOWER_MAX_AGE: "The longer max_age is still held on the day of the move.",
    Kind.RAISE_MAX_AGE: "Nothing breaks. A sender asks again more often, and protection ends sooner when it cannot.",
}
_IS_IT_MEANT = (
    "\n\n**Is the host meant?** If nobody here put it into the MX records, do not merge: remove the record, and read "
    "the log of the DNS account. A hijack looks the same."
)


def title(action: Action) -> str:
    """One line of at most MOST_TITLE characters."""
    text = plain(f"{action.policy_domain}: {headline(action)}")
    return text if len(text) <= MOST_TITLE else text[: MOST_TITLE - 3] + "..."


def body(kind: Kind, desired: PolicySpec, decision: Action | Wait, edit: Edit, errors: tuple[Concern, ...]) -> Body:
    """decision: the one that is proposed, or the wait of one that was proposed and is not to be merged now.
    errors: what is wrong with the domain beside it."""
    return Body(
        _what_changes(desired, edit),
        _why_now(decision, errors),
        _on_merge(kind, decision),
        _IF_YOU_WAIT[kind],
        _how_to_refuse(desired.policy_domain, kind),
    )


def evidence(decision: Action | Wait) -> EvidenceStatus:
    """The commit status: success for what is due; pending where only time or reports lack; failure with its cause."""
    numbers = _numbers(decision.reasons)
    if isinstance(decision, Action):
        return EvidenceStatus(EvidenceState.SUCCESS, numbers or plain(told(decision.reasons[0])))
    if cause := cause_of(decision):
        return EvidenceStatus(EvidenceState.FAILURE, cause)
    return EvidenceStatus(EvidenceState.PENDING, numbers or plain(told(decision.reasons[0])))


def cause_of(decision: Wait) -> str:
    """What somebody has to mend, decide or look at, with host and count; "" where time and reports are all it needs."""
    against = [reason for reason in decision.reasons if reason.code in FOR_A_PERSON and _is_over(reason)]
    named = [reason for reason in against if reason.host] or against
    return plain(told(named[0])) if named else ""


def _numbers(reasons: tuple[Reason, ...]) -> str:
    """`day 9 of 14, 3,100 of 5,000 sessions, 1 of 2 organisations`, in this order, without the bar where it is reached;
    "" where none is told."""
    by_code = {reason.code: reason for reason in reversed(reasons)}
    texts = (
        (Code.SERVED_DAYS, "day {have:,} of {want:,}", "{have:,} days"),
        (Code.ENFORCED_DAYS, "day {have:,} of {want:,} in enforce", "{have:,} days in enforce"),
        (Code.CLEAN_SESSIONS, "{have:,} of {want:,} sessions", "{have:,} sessions"),
        (Code.REPORTERS, "{have:,} of {want:,} organisations", "{have:,} organisations"),
    )
    parts: list[str] = []
    for code, short_of, reached in texts:
        if (reason := by_code.get(code)) and reason.want is not None:
            have = reason.have or 0
            parts.append((reached if have >= reason.want else short_of).format(have=have, want=reason.want))
    refused = by_code.get(Code.REFUSALS)
    if parts and refused is not None and not refused.host:
        parts.append(f"{refused.have or 0:,} refused")
    return ", ".join(parts)


def _what_changes(desired: PolicySpec, edit: Edit) -> str:
    name = markdown(desired.policy_domain)
    if edit.delete or desired.mta_sts is None:
        return f"The spec of **{name}** goes."
    mta_sts = desired.mta_sts
    rows: list[tuple[str, str, str]] = []
    if edit.mode is not None:
        rows.append(("mode", table_code(str(mta_sts.mode)), f"**{table_code(str(edit.mode))}**"))
    if edit.max_age is not None:
        kept = (duration.written(mta_sts.max_age), duration.written(edit.max_age))
        rows.append(("max_age", table_code(kept[0]), f"**{table_code(kept[1])}**"))
    if edit.add_mx or edit.remove_mx:
        before = [pattern.text for pattern in mta_sts.mx]
        stay = [host for host in before if host not in edit.remove_mx]
        after = [*map(table_code, stay), *(f"**{table_code(host)}**" for host in edit.add_mx)]
        rows.append(("mx", _hosts(list(map(table_code, before))), _hosts(after)))
    table = ["| | now | after merge |", "|---|---|---|", *(f"| {key} | {a} | {b} |" for key, a, b in rows)]
    where = f"`{desired.source.file}`" if desired.source.file.isprintable() and "`" not in desired.source.file else ""
    return f"**{name}** {where}\n\n" + "\n".join(table)


def _hosts(cells: list[str]) -> str:
    left = len(cells) - MOST_HOSTS
    return ", ".join(cells[:MOST_HOSTS] if left <= 0 else [*cells[:MOST_HOSTS], f"{left} more"])


def _why_now(decision: Action | Wait, errors: tuple[Concern, ...]) -> str:
    parts: list[str] = []
    reasons = [one if one.until is None else replace(one, until=_midnight_after(one.until)) for one in decision.reasons]
    if isinstance(decision, Wait):
        until = f", at the earliest {moment(_midnight_after(decision.until))}" if decision.until else ""
        parts.append(f"**Do not merge now**: what it needs is not there any more, or not yet{until}.")
    else:
        reasons = [one for one in reasons if one.code is not Code.CACHED]  # told below, as what happens on merge
    if table := list(_table(reasons)):
        parts.append("\n".join(["| seen | | asked for |", "|---:|---|---|", *table]))
    if bullets := [f"- {markdown(told(one))}" for one in reasons if not _is_number(one)]:
        parts.append("\n".join(bullets))
    if errors:
        wrong = [f"- {one.topic}: {markdown(one.finding.message)}" for one in errors[:20]]
        parts.append("Wrong at this domain, and not mended by this change:\n\n" + "\n".join(wrong))
    return "\n\n".join(parts)


def _midnight_after(when: datetime) -> datetime:
    """The same on each run of a day, so that the text of a proposal does not change with every run."""
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == when else midnight + timedelta(days=1)


def _table(reasons: Sequence[Reason]) -> Iterator[str]:
    for reason in reasons:
        if _is_number(reason):
            want = f"{'at most' if reason.code in _AT_MOST else 'at least'} {reason.want or 0:,}"
            yield f"| {reason.have or 0:,} | {_NUMBERS[reason.code]} | {want} |"


def _is_number(reason: Reason) -> bool:
    return reason.code in _NUMBERS and reason.want is not None and not reason.host and reason.result_type is None


def _is_over(reason: Reason) -> bool:
    return reason.have is None or reason.want is None or reason.have > reason.want


def _on_merge(kind: Kind, decision: Action | Wait) -> str:
    parts = [_ON_MERGE[kind]] if kind is Kind.DELETE else [_ORDER, _ON_MERGE[kind]]
    if isinstance(decision, Action) and decision.safe_from is not None:
        when = moment(_midnight_after(decision.safe_from))
        what = {
            Kind.ADD_MX: "may hold a policy without the host",
            Kind.DEMOTE: "may hold enforce",
            Kind.RETIRE: "may hold an earlier policy, so the spec stays,",
        }.get(kind, "may hold the earlier policy")
        parts.append(f"If it is deployed today, a sender {what} until {when} at the latest.")
    text = " ".join(parts)
    if any(reason.code is Code.IS_IT_MEANT for reason in decision.reasons):
        text += _IS_IT_MEANT
    return text


def _how_to_refuse(policy_domain: str, kind: Kind) -> str:
    own = (
        "Take `retire: true` out of the spec."
        if kind in (Kind.RETIRE, Kind.DELETE)
        else "`hold: true` in the spec freezes the domain; `rollout: manual` leaves its changes to you."
    )
    return (
        "Close this pull request: it does not come again until what it proposes is another thing, or until you tick "
        f"its box in the dashboard issue. {own} A commit of yours on this branch takes it over: then only the "
        f"evidence is told here. `mailtls status {policy_domain}` shows all that is known."
    )
