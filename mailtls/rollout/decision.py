"""What `decide` returns: an action, a wait or nothing, each with its reasons as data.

    Action(kind=PROMOTE, edit=Edit(mode=enforce), reasons=(…), urgent=False)
    Wait(kind=PROMOTE, until=…, reasons=(Reason(SERVED_DAYS, have=9, want=14), …))

Every word is of a closed list and every number has its meaning beside the word, so that status, log, metric and the
body of a proposal say the same.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt.report import ResultType


class Kind(StrEnum):
    """What a decision is about; the value is part of a branch's name. One of them is proposed per domain at a time."""

    ADD_MX = "add-mx"
    """DNS has an MX host that the policy does not name."""
    DEMOTE = "demote"
    """enforce to testing."""
    RETIRE = "retire"
    """The policy becomes `none`; its mx lines stay."""
    DELETE = "delete"
    """The spec goes: nobody holds a policy any more."""
    PROMOTE = "promote"
    """testing to enforce."""
    MOVE_MX = "move-mx"
    """The policy names a host that MX records may name from a date on. Only ever a wait: DNS is not ours to edit."""
    REMOVE_MX = "remove-mx"
    """The policy names a host that takes no mail any more."""
    LOWER_MAX_AGE = "lower-max-age"
    RAISE_MAX_AGE = "raise-max-age"


class Code(StrEnum):
    """Why. The numbers of a Reason are told beside each word; what is not named there is left out."""

    # evidence for a promotion
    SERVED_DAYS = "served-days"  # have of want days in which this policy was served
    CLEAN_SESSIONS = "clean-sessions"  # have of want
    REPORTERS = "reporters"  # have of want organisations
    RECENT_WINDOW = "recent-window"  # have: days with reports among the last `want` ones
    EARLIER_WINDOW = "earlier-window"  # the same, of the days before
    REFUSALS = "refusals"  # have sessions that enforce would have refused (or did), at most want; host, result_type
    OUTSIDE_POLICY = "outside-policy"  # the same, at an MX that the policy does not name
    DAYS_UNREAD = "days-unread"  # have days of the ledger could not be read whole
    NO_REPORTS_HERE = "no-reports-here"  # reports are switched off or go elsewhere
    # looks
    MX_UNSEEN = "mx-unseen"  # host: nobody looked at its TLS, or port 25 is closed from here; said, never a bar
    MX_GOOD = "mx-good"  # host: STARTTLS and certificate are good on all of its addresses that answered
    MX_FAULT = "mx-fault"  # host: enforce would refuse it now
    MX_NOT_NAMED = "mx-not-named"  # host: in DNS and not in the policy
    MX_UNUSED = "mx-unused"  # host: in the policy and not in DNS
    MX_TO_COME = "mx-to-come"  # host: named not long ago, so it is expected in DNS
    MX_EARLY = "mx-early"  # host: in DNS and in the policy, and an earlier policy that lacks it may be held
    MX_LEFT_OUT = "mx-left-out"  # host: meant to be left out, says `suppress`
    MX_NO_NAME = "mx-no-name"  # host: no name that a policy may hold
    MX_TOO_MANY = "mx-too-many"  # have hosts, want at most
    MX_UNKNOWN = "mx-unknown"  # DNS gave no answer, or two different ones
    NO_MAIL = "no-mail"  # nothing takes mail for this domain
    SAME_PROVIDER = "same-provider"  # host: a newer name of the provider that the policy names already
    IS_IT_MEANT = "is-it-meant"  # a person has to say so: a hijack looks the same
    NOT_AT_THE_EDGE = "not-at-the-edge"  # what Git says is not what senders find yet
    HISTORY_UNREAD = "history-unread"  # no date can be promised
    # caches
    CACHED = "cached"  # until: an earlier policy may be held, by which a step would lose mail
    ENFORCED_DAYS = "enforced-days"  # have of want
    PLANNED_MOVE = "planned-move"  # until: the day of the move
    TOO_LATE = "too-late"  # until: the longer max_age is held beyond the planned day
    MX_MAY_MOVE = "mx-may-move"  # host: every policy that a sender may hold names it
    # fault of one host
    ONE_HOST = "one-host"  # host: it alone fails, and others take mail: mend it or take it out of DNS
    # what people said
    HELD = "held"
    MANUAL = "manual"
    NO_POLICY = "no-policy"  # the spec asks for no policy
    MODE_NONE = "mode-none"  # the spec asks for none, and does not say that the domain retires
    RETIRES = "retires"  # the spec says so
    IN_ORDER = "in-order"  # nothing is to be done


@dataclass(frozen=True, slots=True)
class Reason:
    """have, want: numbers, see Code. host: an MX host, or a pattern. result_type: how sessions failed.
    until: UTC."""

    code: Code
    have: int | None = None
    want: int | None = None
    host: str = ""
    result_type: ResultType | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of the spec of one domain. None and (): stays as it is. max_age: seconds. delete: the spec goes.

    suppress: rule and reason, by which the change answers the rules that ask for one (ADR 24).
    unsuppress: rules whose reason is over with this change. retire: the spec says so, which begins the way out."""

    mode: Mode | None = None
    add_mx: tuple[str, ...] = ()
    remove_mx: tuple[str, ...] = ()
    max_age: int | None = None
    delete: bool = False
    suppress: tuple[tuple[str, str], ...] = ()
    unsuppress: tuple[str, ...] = ()
    retire: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A change to propose. urgent: mail is held meanwhile, or soon. safe_from: UTC, when the change is in force at
    every sender, if it were live now; None: at once."""

    kind: Kind
    policy_domain: str
    edit: Edit
    reasons: tuple[Reason, ...]
    urgent: bool = False
    safe_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Something is on its way. kind: what; None: what was merged and is not seen yet. until: UTC, the earliest moment
    at which it can be over; None: no clock tells. What the reasons name beside has to be met as well."""

    kind: Kind | None
    policy_domain: str
    until: datetime | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is proposed. instead: what would be, if a person had not said otherwise."""

    policy_domain: str
    reasons: tuple[Reason, ...]
    instead: Action | None = None


Decision = Action | Wait | Nothing
