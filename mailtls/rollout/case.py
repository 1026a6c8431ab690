"""One domain as `decide` sees it: what is wanted, seen, remembered and reported, and what follows at once. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from mailtls.mta_sts.policy import Policy
from mailtls.mta_sts.record import Record
from mailtls.observed import DnsStatus, HttpsLook, MxHost, Observed, SmtpLook, read_policy
from mailtls.reports.applied import allows
from mailtls.rollout.evidence import Evidence
from mailtls.rollout.history import History, says_the_same
from mailtls.spec.model import MtaSts, PolicySpec


@dataclass(frozen=True)
class Case:
    """mta_sts: of `desired`, which asks for a policy. now: aware, UTC.

    live: the hosts that take mail; None where DNS gave no answer, not all of it, or two different ones.
    unnamed: those of them that the policy which Git asks for does not allow (RFC 8461 section 4.1).
    """

    desired: PolicySpec
    mta_sts: MtaSts
    observed: Observed
    history: History
    evidence: Evidence
    now: datetime
    live: tuple[MxHost, ...] | None = field(init=False)
    unnamed: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        live = _live(self.observed)
        patterns = frozenset([pattern.text for pattern in self.mta_sts.mx])
        unnamed = tuple([host.host for host in live or () if not allows(patterns, host.host.lower())])
        object.__setattr__(self, "live", live)
        object.__setattr__(self, "unnamed", unnamed)

    @property
    def policy_domain(self) -> str:
        return self.desired.policy_domain

    @property
    def at_the_edge(self) -> bool:
        """Do senders find what Git says: the policy, whole, under the id of the version that is served?"""
        current, wanted = self.history.current, self.mta_sts.policy
        if current is None or not says_the_same(current.policy, wanted) or not self._has_id(current.policy_id):
            return False
        rendered = wanted.render()  # as we publish it: nothing to parse
        served = [look for look in self.observed.https if look.body is not None]
        others = [look for look in served if look.body != rendered]
        return bool(served) and all(_reads_as(look, wanted) for look in others)

    def _has_id(self, policy_id: str) -> bool:
        """Do senders find this id in the record? "": a bucket without versions, any id will do."""
        if self.observed.sts is not None and self.observed.sts.values == (f"v=STSv1; id={policy_id};",):
            return True
        record = self.observed.read_record()
        return isinstance(record, Record) and record.policy_id == (policy_id or record.policy_id)

    @property
    def may_leave_out(self) -> bool:
        """Does the spec say that an MX host is left out on purpose? Only while another one takes the mail."""
        return len(self.unnamed) < len(self.live or ()) and "mx-not-in-policy" in self.desired.suppress


def _live(observed: Observed) -> tuple[MxHost, ...] | None:
    answer, other = observed.mx, observed.mx_authoritative
    if answer is None or answer.status is DnsStatus.FAILED or answer.left_out:
        return None
    told = other is not None and other.status is not DnsStatus.FAILED  # many networks let nobody ask a zone's servers
    if told and other is not None and set(other.values) != set(answer.values):
        return None
    return None if any([host.supposed for host in observed.mail_hosts]) else observed.mail_hosts


def fault_of(look: SmtpLook) -> bool:
    """Does one look at port 25 show what enforce refuses? What was not seen is no fault."""
    return look.starttls is False or (look.tls is not None and look.tls.fault is not None)


def is_good(host: MxHost) -> bool:
    """Was its TLS seen, on all addresses that answered, and was all of it good?"""
    looks = [look for look in host.smtp or () if look.seen]
    return bool(looks) and all([look.starttls and look.tls is not None and look.tls.fault is None for look in looks])


def _reads_as(look: HttpsLook, wanted: Policy) -> bool:
    found = read_policy(look)
    return isinstance(found, Policy) and says_the_same(found, wanted)
