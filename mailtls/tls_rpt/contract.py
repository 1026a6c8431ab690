"""What the components, the Lambda and those who look into the bucket agree on, as data.

Three rooms meet in one bucket: the program creates it and writes the domain lists, SES writes raw mail, the Lambda
writes everything else. Whatever two of them must spell the same way stands here and nowhere else: object keys,
environment variables, message attributes, the domain list, the metric table.

Standard library only: this file ships in the Lambda's zip.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailtls.mta_sts.policy import WELL_KNOWN_PATH

# ---------------------------------------------------------------------------------------------------- object keys


class Prefix(StrEnum):
    """First segment of every key in the reports bucket. Lifecycle rules and IAM statements name these."""

    RAW = "raw/"
    """Mail as SES stored it, one object per mail: `raw/<mail id>`. Never changed, never moved."""
    DISPOSITIONS = "dispositions/"
    """What became of each raw mail: `dispositions/<mail id>.json`, exactly one per raw mail once it is dealt with."""
    REPORTS = "reports/"
    """The ledger: `reports/<policy domain>/<day the report's period began>/<digest>.json`, written once."""
    POSTED = "posted/"
    """As the ledger, of reports that came by HTTPS POST. Apart from it, so that who decides by the ledger meets none of
    them: anybody may have written them, and as many as he likes."""
    OTHER_CONTENT = "other-content/"
    """Later reports that say something else under the identity of one in the ledger. Kept, alerted, in no sum."""
    QUARANTINE = "quarantine/"
    """Mail that is kept but not acted on: `quarantine/<reason>/<mail id>.eml`, the reason in full beside it (.json)."""
    DOMAINS = "domains/"
    """Which policy domains are ours: `domains/<stack>.json`, one object per `domains` stack."""
    ALERTS = "alerts/"
    """State of each alert, one object per cause: `alerts/<policy domain>/<cause>.json`."""
    REPORTERS = "reporters/"
    """Who reports about a domain, and how often: `reporters/<policy domain>.json`."""
    HOSTS = "hosts/"
    """Domains that share a fault of a host: `hosts/<fault and team>.json`."""
    HOURS = "hours/"
    """Messages of each hour, sent and held back: `hours/<day>T<hour>.json`."""
    DIGESTS = "digests/"
    """The sums of an owner's week, and whether the digest was sent: `digests/<year>-W<week>/<owner>.json`."""
    ACCOUNTING = "accounting/"
    """Whether each raw mail has its disposition: how far the hourly look has come, and what it found."""


POSTED_MAIL = "https-"
"""How the id of a raw "mail" begins that came by HTTPS POST. SES chooses its ids itself, without a hyphen: no mail can
have such a one. Who posts proves nothing about itself."""
SES_SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
"""Name of the test object that SES writes under the prefix when a receipt rule is created."""


class Disposition(StrEnum):
    """What became of one raw mail. Exactly one of these per mail."""

    STORED = "stored"  # at least one new report of ours went into the ledger
    DUPLICATE = "duplicate"  # all its reports of ours were in the ledger already
    QUARANTINED = "quarantined"  # kept apart, with a reason
    SETUP = "setup"  # SES's own test object


class QuarantineReason(StrEnum):
    """Why a mail is kept apart. A closed set: it is a metric dimension and a key segment."""

    DKIM_MISSING = "dkim-missing"  # RFC 8460 section 3: reports without a valid signature are ignored
    DKIM_FAILED = "dkim-failed"
    DKIM_UNALIGNED = "dkim-unaligned"  # valid, but of a domain that is not the From domain or its parent
    DKIM_LENGTH_TAG = "dkim-length-tag"  # RFC 8460 section 3: l= must not be used
    VIRUS = "virus"
    FOREIGN_DOMAIN = "foreign-domain"  # a report about domains that are not ours
    NOT_A_REPORT = "not-a-report"
    UNREADABLE = "unreadable"  # meant to be a report, but broken
    TOO_LARGE = "too-large"


# ---------------------------------------------------------------------------------------------------- environment


class Environment(StrEnum):
    """Environment variables of the Lambda function. Few on purpose: 4 KB in all, domain lists are objects."""

    BUCKET = "MAILTLS_BUCKET"
    TOPIC_ARN = "MAILTLS_TOPIC_ARN"
    POLICY_BUCKET = "MAILTLS_POLICY_BUCKET"  # whose object versions tell what was served, and when
    ALERT_LIMITS = "MAILTLS_ALERT_LIMITS"  # JSON, see reports/alert_limits.py
    PER_DOMAIN_METRICS = "MAILTLS_PER_DOMAIN_METRICS"  # "true" or "false"
    DIGEST = "MAILTLS_DIGEST"  # when the week's digest is due, `1T07` for Monday, 07:00 UTC; not there: never


class Attribute(StrEnum):
    """SNS message attributes of an alert; a subscription's filter policy names them."""

    POLICY_DOMAIN = "policy_domain"
    OWNER = "owner"
    SEVERITY = "severity"
    CAUSE = "cause"


# ---------------------------------------------------------------------------------------------------- domain list


LONGEST_MUTE = timedelta(days=30)
"""From now on, of alerts during planned work."""


class DomainListError(ValueError):
    """The object is not a domain list; the stack that wrote it must be deployed again."""


@dataclass(frozen=True, slots=True)
class OwnDomain:
    """One policy domain as the Lambda needs to know it.

    policy_domain: A-labels, lower case, no trailing dot.
    mode: `none`, `testing` or `enforce` as deployed; None when only TLS-RPT is published.
    mx: the patterns of the deployed policy, in order.
    owner, contact: who is told; None when the spec names nobody.
    spec: path of the spec in the repository, so that an alert can name the file to edit.
    files_url: where people read the repository's files, without a slash at the end; None: alerts name files by path.
    dashboard_url, runbook_url: where people read the dashboard, and a runbook of their own; likewise.
    mute_until: UTC; until then failures that reports count are told to nobody. mute_reason: why.
    """

    policy_domain: str
    mode: str | None = None
    mx: tuple[str, ...] = ()
    owner: str | None = None
    contact: str | None = None
    spec: str | None = None
    files_url: str | None = None
    dashboard_url: str | None = None
    runbook_url: str | None = None
    mute_until: datetime | None = None
    mute_reason: str | None = None

    def is_muted(self, now: datetime) -> bool:
        """Are alerts held back now? An end that is further off than LONGEST_MUTE is a mistake, and mutes nothing."""
        return self.mute_until is not None and now < self.mute_until <= now + LONGEST_MUTE


_LATER = ("files_url", "dashboard_url", "runbook_url", "mute_reason")
"""Texts of the list that came later, and stand in it only where they are set: else every list would be new."""


def policy_key(policy_domain: str) -> str:
    """Key of the domain's policy file in the policy bucket."""
    return f"{policy_domain}{WELL_KNOWN_PATH}"


def domain_list_key(stack: str) -> str:
    """Key of the list that the stack `stack` publishes."""
    return f"{Prefix.DOMAINS}{stack}.json"


def render_domain_list(domains: Iterable[OwnDomain]) -> str:
    """The object's text: sorted and stable, so that an unchanged set of specs is an unchanged object."""
    entries = [
        {
            "policy_domain": d.policy_domain,
            "mode": d.mode,
            "mx": list(d.mx),
            "owner": d.owner,
            "contact": d.contact,
            "spec": d.spec,
            **{name: value for name in _LATER if (value := getattr(d, name)) is not None},
            **({"mute_until": d.mute_until.isoformat()} if d.mute_until is not None else {}),
        }
        for d in sorted(domains, key=lambda d: d.policy_domain)
    ]
    return json.dumps({"version": 1, "policy_domains": entries}, indent=1, sort_keys=True) + "\n"


def parse_domain_list(text: str | bytes) -> tuple[OwnDomain, ...]:
    """The inverse of `render_domain_list`. Raises DomainListError."""
    try:
        data = json.loads(text)
        if data["version"] != 1:
            raise DomainListError(f"domain list version {data['version']!r} is not known here (1 is)")
        return tuple(
            OwnDomain(
                e["policy_domain"],
                e["mode"],
                tuple(e["mx"]),
                e["owner"],
                e["contact"],
                e.get("spec"),
                **{name: e.get(name) for name in _LATER},
                mute_until=_moment(e["mute_until"]) if e.get("mute_until") else None,
            )
            for e in data["policy_domains"]
        )
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        if isinstance(e, DomainListError):
            raise
        raise DomainListError(f"not a domain list: {e!r}") from e


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise DomainListError(f"mute_until {text!r} names no time zone")
    return moment


# -------------------------------------------------------------------------------------------------------- metrics

NAMESPACE = "MailTLS"


class Dimension(StrEnum):
    """Closed enumerations and our own domain list only: never text that a report's sender chose."""

    REASON = "Reason"  # QuarantineReason
    POLICY_TYPE = "PolicyType"  # sts, tlsa, no-policy-found, other
    RESULT_TYPE = "ResultType"  # RFC 8460 section 4.3, or other
    SEVERITY = "Severity"  # critical, warning, info
    POLICY_DOMAIN = "PolicyDomain"  # only when per-domain metrics are switched on; each name costs money


@dataclass(frozen=True, slots=True)
class Metric:
    """One CloudWatch metric. Every entry of `dimensions` is one dimension set, and each set is paid for by name."""

    name: str
    meaning: str
    dimensions: tuple[tuple[Dimension, ...], ...] = ((),)
    per_domain: bool = False
    unit: str = "Count"


MAILS_RECEIVED = Metric("MailsReceived", "raw mails dealt with; the heartbeat of the pipeline")
MAILS_QUARANTINED = Metric("MailsQuarantined", "raw mails kept apart, in all and by reason", ((), (Dimension.REASON,)))
MAILS_WITHOUT_DISPOSITION = Metric(
    "MailsWithoutDisposition",
    "raw mails older than two hours that nothing became of yet, counted every hour; dead letters are among them",
)
REPORTS_STORED = Metric("ReportsStored", "reports that entered the ledger")
REPORTS_UNAUTHENTICATED = Metric(
    "ReportsUnauthenticated", "reports that came by HTTPS POST and entered the ledger; their sessions are in no metric"
)
REPORTS_DUPLICATE = Metric("ReportsDuplicate", "reports that were in the ledger already")
SUCCESSFUL_SESSIONS = Metric(
    "SuccessfulSessions",
    "sum of total-successful-session-count; policies of different types may count one session twice, so never add them",
    ((Dimension.POLICY_TYPE,),),
    per_domain=True,
)
FAILED_SESSIONS = Metric(
    "FailedSessions",
    "sum of total-failure-session-count, by policy type",
    ((Dimension.POLICY_TYPE,),),
    per_domain=True,
)
FAILURES = Metric(
    "Failures",
    "sum of failed-session-count in failure-details by result type, a session under two policy types once; details "
    "overlap, so it adds up to no total",
    ((Dimension.RESULT_TYPE,),),
)
ALERTS_SENT = Metric("AlertsSent", "messages published to the alert topic", ((Dimension.SEVERITY,),))

RECONCILE_RUNS = Metric("ReconcileRuns", "runs of the controller that came to their end; its heartbeat")
DOMAINS_BY_CONDITION: dict[str, Metric] = {
    condition: Metric(f"Domains{condition}", f"domains of the last run of which the condition {condition} holds")
    for condition in ("Ready", "Reconciling", "Stalled", "DriftDetected")
}
DOMAINS_FAILED = Metric("DomainsFailed", "domains of the last run that could not be looked at")

METRICS: tuple[Metric, ...] = (
    MAILS_RECEIVED,
    MAILS_QUARANTINED,
    MAILS_WITHOUT_DISPOSITION,
    REPORTS_STORED,
    REPORTS_UNAUTHENTICATED,
    REPORTS_DUPLICATE,
    SUCCESSFUL_SESSIONS,
    FAILED_SESSIONS,
    FAILURES,
    ALERTS_SENT,
)
"""What the Lambda counts. A metric with `per_domain` gets, when the setting is on, each of its dimension sets once more
with `PolicyDomain` in front."""

CONTROLLER_METRICS: tuple[Metric, ...] = (RECONCILE_RUNS, *DOMAINS_BY_CONDITION.values(), DOMAINS_FAILED)
"""What a run of the controller puts, without dimensions: six names, $1.80 a month at the list price."""
