"""One fault of one host that several domains of a team share is one alert that grows, not one for each. Pure.

Each domain keeps its own state, with its own reporters and its own end. A gathering stands between these states and the
messages: it decides who speaks, and remembers who is to be told of in the next message about the host.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mailtls.reports.alert_rules import KEEP, QUIET, RANK
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.causes import Cause, CauseKind
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import ResultType

SAME_FAULT = timedelta(hours=24)
"""Whoever fails within this time after a message about the host is a part of it."""
NEWS_AFTER = timedelta(hours=1)
"""Reporters' mails about all domains of a day come in minutes: then one message tells of them."""


@dataclass(frozen=True, slots=True)
class Member:
    """A domain that fails at the host. mode: as deployed. seen: when it last had a message to send."""

    policy_domain: str
    mode: str
    severity: Severity
    seen: datetime


@dataclass(frozen=True, slots=True)
class Gathering:
    """cause: of its members, without a domain. owner: whose domains they are, "" for nobody's.

    told_at, severity, speaker: of the last message about the host; speaker is the domain whose own message it was.
    news, over: domains that the next message tells of.
    """

    cause: Cause
    owner: str
    members: tuple[Member, ...] = ()
    told_at: datetime | None = None
    severity: Severity = Severity.INFO
    speaker: str = ""
    news: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """12 hexadecimal digits, the same for the same fault and team."""
        return hashlib.sha256(f"{self.cause.id}\n{self.owner}".encode()).hexdigest()[:12]


def of_cause(cause: Cause, own: OwnDomain) -> Gathering | None:
    """The empty gathering that a cause of `own` belongs to; None for what no other domain can share.

    Shared are MX hosts that the policy lists by name: under a wildcard anybody can invent them.
    """
    kinds = (CauseKind.SESSIONS, CauseKind.MX_OUTSIDE_POLICY)
    if cause.kind not in kinds or not cause.host or cause.host not in own.mx:
        return None
    return Gathering(dataclasses.replace(cause, policy_domain=""), own.owner or "")


def entered(gathering: Gathering, state: AlertState, own: OwnDomain, now: datetime) -> tuple[Gathering, bool]:
    """With the message that `state` claims; True: it goes out as it is, False: the next message about the host tells of
    it, or one has just done so."""
    assert state.claim is not None  # noqa: S101  a message is never sent without a claim
    kind, severity, name = state.claim.kind, state.claim.severity, own.policy_domain
    others = tuple(m for m in gathering.members if m.policy_domain != name and now - m.seen < KEEP)
    news = tuple(other for other in gathering.news if other != name)
    over = tuple(other for other in gathering.over if other != name)
    if kind is NoticeKind.OVER:
        if not others and not over:
            return dataclasses.replace(gathering, members=(), news=news), True
        return dataclasses.replace(gathering, members=others, news=news, over=(*over, name)), False
    known = next((m for m in gathering.members if m.policy_domain == name), None)
    joined = dataclasses.replace(gathering, members=(*others, Member(name, own.mode or "", severity, now)), over=over)
    quiet = now - gathering.told_at if gathering.told_at is not None and others else None
    # whoever spoke last is held to its own quiet time, and may only be trying once more after a crash
    speaks = quiet is None or gathering.speaker == name or RANK[severity] > RANK[gathering.severity]
    if speaks or (quiet is not None and quiet >= (QUIET if kind is NoticeKind.REPEATED else SAME_FAULT)):
        return dataclasses.replace(joined, told_at=now, severity=severity, speaker=name, news=news), True
    if kind is NoticeKind.OPENED or (known is not None and RANK[severity] > RANK[known.severity]):
        joined = dataclasses.replace(joined, news=(*news, name))
    return joined, False


def has_news(gathering: Gathering, now: datetime) -> bool:
    """Is a message about domains that joined or left due?"""
    waited = gathering.told_at is None or now - gathering.told_at >= NEWS_AFTER
    return waited and bool(gathering.news or gathering.over)


def told(gathering: Gathering, sent: Gathering, now: datetime) -> Gathering:
    """Once the message made from `sent` is out; more may have joined since."""
    return dataclasses.replace(
        gathering,
        told_at=now,
        news=tuple(name for name in gathering.news if name not in sent.news),
        over=tuple(name for name in gathering.over if name not in sent.over),
    )


def to_json(gathering: Gathering) -> dict[str, Any]:
    """The content of its object."""
    return {
        "version": 1,
        "kind": gathering.cause.kind,
        "result_type": gathering.cause.result_type,
        "host": gathering.cause.host,
        "owner": gathering.owner,
        "members": [{**dataclasses.asdict(member), "seen": member.seen.isoformat()} for member in gathering.members],
        "told_at": gathering.told_at.isoformat() if gathering.told_at is not None else None,
        "severity": gathering.severity,
        "speaker": gathering.speaker,
        "news": list(gathering.news),
        "over": list(gathering.over),
    }


def from_json(data: dict[str, Any]) -> Gathering:
    """The inverse. Raises ValueError: somebody changed the object by hand."""
    try:
        result_type = ResultType(data["result_type"]) if data["result_type"] else None
        return Gathering(
            cause=Cause(CauseKind(data["kind"]), "", result_type, data["host"]),
            owner=data["owner"],
            members=tuple(
                Member(m["policy_domain"], m["mode"], Severity(m["severity"]), datetime.fromisoformat(m["seen"]))
                for m in data["members"]
            ),
            told_at=datetime.fromisoformat(data["told_at"]) if data["told_at"] else None,
            severity=Severity(data["severity"]),
            speaker=data["speaker"],
            news=tuple(data["news"]),
            over=tuple(data["over"]),
        )
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"no gathering: {e!r}") from e
