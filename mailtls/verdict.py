"""What a sender does with a domain's mail today, step by step and host by host: one sender of RFC 8461, on paper.

    verdict = judge(observed)
    print(verdict.headline)
    for fate in verdict.fates:
        print(fate.host, fate.honouring, fate.other)

The sender has nothing in its cache: what it finds is what a new one finds. One that met the domain before goes on with
the policy that it holds until its max_age has passed (section 3.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailtls.look_words import answer_words, smtp_fault, smtp_words, tls_words
from mailtls.mta_sts.policy import InvalidPolicy, Mode, Policy
from mailtls.mta_sts.record import NoRecord, Record
from mailtls.observed import DnsStatus, HttpsLook, MxHost, Observed, SmtpLook, read_policy
from mailtls.tls_rpt import record as tls_rpt_record


class Outcome(StrEnum):
    """How a step went. OK: the sender goes on. STOPS: it goes on without MTA-STS. REFUSES: this host gets no mail.
    UNKNOWN: it was not looked at. NOTED: it would be refused, in a mode that refuses nothing."""

    OK = "ok"
    STOPS = "stops"
    REFUSES = "refuses"
    NOTED = "noted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """number: 1 to 9. title: what the sender does. outcome: how it went. saw: what it saw, one sentence a line."""

    number: int
    title: str
    outcome: Outcome
    saw: tuple[str, ...]


class Delivery(StrEnum):
    """What becomes of mail to one MX host; the values stand in tables."""

    PROTECTED = "delivered, TLS verified"
    OPPORTUNISTIC = "delivered, TLS if offered, unverified"
    CLEAR = "delivered in clear text"
    REPORTED = "delivered, failure reported"
    REFUSED = "refused"
    PARTLY = "delivered, but refused at some of its addresses"
    UNSEEN = "delivered if its TLS is good (--smtp looks)"
    HIDDEN = "delivered if its TLS is good (not seen from here)"
    UNREACHABLE = "no connection"
    UNKNOWN = "not known: the policy could not be looked at"


@dataclass(frozen=True, slots=True)
class Fate:
    """host: the MX. honouring: with a sender that honours MTA-STS. other: with one that does not.
    why: of the first, in words; "" where nothing is to be said."""

    host: str
    preference: int | None
    honouring: Delivery
    other: Delivery
    why: str = ""


class Protection(StrEnum):
    """What holds for the domain as a whole."""

    ENFORCED = "enforced"
    TESTING = "testing"
    SWITCHED_OFF = "none"
    OFF = "off"
    """Published, and no sender can use it."""
    ABSENT = "absent"
    NO_MAIL = "no mail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """policy: what a new sender gets; None when it gets none. headline: the verdict in one sentence.
    fates: one an MX host. steps: the nine steps before delivery. loses_mail: no host is left that mail may go to."""

    policy_domain: str
    protection: Protection
    headline: str
    policy: Policy | None
    fates: tuple[Fate, ...]
    steps: tuple[Step, ...]
    loses_mail: bool = False


def judge(observed: Observed) -> Verdict:
    """The verdict over one look. Questions that were not asked lead to UNKNOWN, never to a guess."""
    return _Sender(observed).verdict()


class _Sender:
    """Walks through the steps once and remembers what it found."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self._record: Record | None = None
        self._published = False
        self._policy: Policy | None = None
        self._served: HttpsLook | None = None
        self._port_25 = False
        """Some MX talked with us: that another took no connection says something about it, not about our network."""

    def verdict(self) -> Verdict:
        steps = tuple(self._steps())
        self._port_25 = any(look.seen for host in self._observed.mail_hosts for look in host.smtp or ())
        fates = tuple(self._fate(host) for host in self._observed.mail_hosts if not host.supposed)
        protection = self._protection()
        lost = bool(fates) and all(fate.honouring is Delivery.REFUSED for fate in fates)
        return Verdict(
            self._observed.policy_domain,
            protection,
            _headline(protection, fates, lost),
            self._policy,
            fates,
            steps,
            lost,
        )

    def _steps(self) -> Iterator[Step]:
        yield self._hosts_step()
        yield self._record_step()
        yield self._id_step()
        yield self._address_step()
        yield self._certificate_step()
        yield self._fetch_step()
        yield self._policy_step()
        yield self._match_step()
        yield self._tls_step()

    def _hosts_step(self) -> Step:
        def told(outcome: Outcome, *saw: str) -> Step:
            return Step(1, "asks DNS where the domain's mail goes", outcome, saw)

        answer, hosts = self._observed.mx, self._observed.mail_hosts
        if answer is None:
            return told(Outcome.UNKNOWN, "not asked")
        if answer.status is DnsStatus.FAILED:
            return told(Outcome.STOPS, answer.failure, "the mail waits in the queue and is tried again")
        if "0 ." in answer.values and not hosts:
            return told(Outcome.STOPS, "the null MX: the domain takes no mail (RFC 7505)")
        if not hosts:
            return told(Outcome.STOPS, "neither an MX record nor an address: mail bounces")
        if answer.values:
            return told(Outcome.OK, *(f"{host.preference} {host.host}" for host in hosts))
        if self._nobody_says:
            return told(Outcome.STOPS, "no MX record, and no answer for the domain's own address: the mail waits")
        return told(Outcome.OK, f"no MX record, so the domain's own address ({', '.join(hosts[0].addresses)})")

    def _record_step(self) -> Step:
        def told(outcome: Outcome, *saw: str) -> Step:
            return Step(2, "asks for the TXT record at _mta-sts", outcome, saw)

        answer = self._observed.sts
        if answer is None:
            return told(Outcome.UNKNOWN, "not asked")
        via = (f"by the alias {' -> '.join(answer.aliases)}",) if answer.aliases else ()
        if answer.status is DnsStatus.FAILED:
            return told(Outcome.STOPS, answer.failure)
        found = self._observed.read_record()
        if isinstance(found, NoRecord):
            self._published = bool(answer.values) and "discarded" in str(found)
            return told(Outcome.STOPS, *via, str(found) if answer.values else "there is none: no MTA-STS here")
        self._published = True
        if not isinstance(found, Record):
            return told(Outcome.STOPS, *via, str(found))
        self._record = found
        return told(Outcome.OK, *via, next(v for v in answer.values if v.startswith("v=STSv1;")))

    def _id_step(self) -> Step:
        title = "compares the id with the policy that it holds"
        if self._record is None:
            return Step(3, title, Outcome.STOPS, ("no id to compare",))
        saw = f"id {self._record.policy_id}: a new sender holds none and fetches; one that holds it does not"
        return Step(3, title, Outcome.OK, (saw,))

    def _address_step(self) -> Step:
        title = f"looks up {self._observed.policy_host}"
        answers = [one for one in (self._observed.host_a, self._observed.host_aaaa) if one is not None]
        if not answers:
            return Step(4, title, Outcome.UNKNOWN, ("not asked",))
        aliases = next((one.aliases for one in answers if one.aliases), ())
        via = (f"by the alias {' -> '.join(aliases)}",) if aliases else ()
        addresses = [value for one in answers for value in one.values]
        if addresses:
            return Step(4, title, Outcome.OK, (*via, ", ".join(addresses)))
        failures = tuple(one.failure for one in answers if one.failure)
        return Step(4, title, Outcome.STOPS, (*via, *(failures or ("it has no address",))))

    def _certificate_step(self) -> Step:
        title = "connects and checks the certificate of the policy host"
        looks = self._observed.https
        if not looks:
            unasked = [words for words in self._observed.unasked if words.startswith(self._observed.policy_host)]
            return Step(5, title, Outcome.UNKNOWN if unasked else Outcome.STOPS, tuple(unasked) or ("no address",))
        good = [look for look in looks if look.tls is not None and look.tls.fault is None]
        saw = tuple(f"{look.address}: {tls_words(look)}" for look in looks)
        return Step(5, title, Outcome.OK if good else Outcome.STOPS, saw)

    def _fetch_step(self) -> Step:
        title = "fetches /.well-known/mta-sts.txt"
        looks = [look for look in self._observed.https if look.tls is not None and look.tls.fault is None]
        if not looks:
            return Step(6, title, Outcome.UNKNOWN if not self._observed.https else Outcome.STOPS, ("not reached",))
        self._served = next((look for look in looks if look.body is not None), None)
        saw = tuple(f"{look.address}: {answer_words(look)}" for look in looks)
        return Step(6, title, Outcome.OK if self._served else Outcome.STOPS, saw)

    def _policy_step(self) -> Step:
        title = "reads the policy"
        policy = read_policy(self._served) if self._served else None
        if policy is None:
            return Step(7, title, Outcome.STOPS, ("there is none to read",))
        if isinstance(policy, InvalidPolicy):
            return Step(7, title, Outcome.STOPS, (str(policy), "a broken policy is none (section 3.2)"))
        saw = (
            f"mode {policy.mode}, kept for {policy.max_age} s",
            f"mx {', '.join(map(str, policy.mx)) or 'none'}",
        )
        if self._record is None:
            return Step(7, title, Outcome.STOPS, (*saw, "without a valid record no sender asks for it"))
        self._policy = policy
        return Step(7, title, Outcome.OK if policy.mode is not Mode.NONE else Outcome.STOPS, saw)

    def _match_step(self) -> Step:
        title = "compares each MX host with the policy's mx"
        if not self._acting:
            return Step(8, title, Outcome.STOPS, ("no policy to compare with",))
        hosts = self._observed.mail_hosts
        left_out = [host.host for host in hosts if not self._names(host)]
        saw = tuple(f"{host.host}: {'named' if self._names(host) else 'NOT named'}" for host in hosts)
        return Step(8, title, self._bad if left_out else Outcome.OK, saw or ("there is no MX host",))

    def _tls_step(self) -> Step:
        title = "opens SMTP: STARTTLS, and a certificate for the MX host's name"
        looked = [host for host in self._observed.mail_hosts if host.smtp]
        if not looked:
            asked = any(host.smtp is not None for host in self._observed.mail_hosts)
            why = "no address to connect to" if asked else "not looked at: --smtp asks each MX on port 25"
            return Step(9, title, Outcome.UNKNOWN, (why,))
        saw = tuple(f"{host.host} {look.address}: {smtp_words(look)}" for host in looked for look in host.smtp or ())
        faults = [look for host in looked for look in host.smtp or () if smtp_fault(look)]
        if not faults:
            seen = any(look.seen for host in looked for look in host.smtp or ())
            return Step(9, title, Outcome.OK if seen else Outcome.UNKNOWN, saw)
        return Step(9, title, self._bad if self._acting else Outcome.NOTED, saw)

    @property
    def _nobody_says(self) -> bool:
        """DNS gave no answer to where the mail goes."""
        mx = self._observed.mx
        return mx is not None and (
            mx.status is DnsStatus.FAILED or any(host.supposed for host in self._observed.mail_hosts)
        )

    @property
    def _acting(self) -> bool:
        return self._policy is not None and self._policy.mode is not Mode.NONE

    @property
    def _bad(self) -> Outcome:
        """What a failed validation leads to in the policy's mode."""
        return Outcome.REFUSES if self._policy and self._policy.mode is Mode.ENFORCE else Outcome.NOTED

    def _names(self, host: MxHost) -> bool:
        return self._policy is not None and self._policy.allows(host.host)

    def _fate(self, host: MxHost) -> Fate:
        looked = host.smtp if self._port_25 else ()
        other, fault = _without_mta_sts(looked or ()), _host_fault(host)
        if host.without_address:
            other = Delivery.UNREACHABLE
        if not self._acting or self._policy is None:
            unknown = self._protection() is Protection.UNKNOWN
            return Fate(host.host, host.preference, Delivery.UNKNOWN if unknown else other, other)
        named = self._names(host)
        why = fault if named else "the policy does not name it"
        if named and not fault:
            if other is Delivery.UNREACHABLE:
                return Fate(host.host, host.preference, other, other)
            seen = any(look.seen for look in looked or ())
            unseen = Delivery.UNSEEN if host.smtp is None else Delivery.HIDDEN
            sure = Delivery.PROTECTED if seen else unseen
            if self._policy.mode is Mode.TESTING and not seen:
                sure = Delivery.OPPORTUNISTIC
            return Fate(host.host, host.preference, sure, other)
        if self._policy.mode is not Mode.ENFORCE:
            honouring = Delivery.REPORTED
        else:
            honouring = Delivery.PARTLY if named and _has_good_address(host) else Delivery.REFUSED
        return Fate(host.host, host.preference, honouring, other, why)

    def _protection(self) -> Protection:
        observed = self._observed
        if self._nobody_says:
            return Protection.UNKNOWN
        if observed.mx is not None and not observed.mail_hosts:
            return Protection.NO_MAIL
        if self._policy is not None:
            by_mode = {Mode.ENFORCE: Protection.ENFORCED, Mode.TESTING: Protection.TESTING}
            return by_mode.get(self._policy.mode, Protection.SWITCHED_OFF)
        if observed.sts is None or observed.sts.status is DnsStatus.FAILED:
            return Protection.UNKNOWN
        if not self._published:
            return Protection.ABSENT
        blocked = not observed.https and any(words.startswith(observed.policy_host) for words in observed.unasked)
        return Protection.UNKNOWN if blocked and self._record is not None else Protection.OFF


def _headline(protection: Protection, fates: tuple[Fate, ...], loses_mail: bool) -> str:
    refused = [fate.host for fate in fates if fate.honouring is Delivery.REFUSED]
    reported = [fate.host for fate in fates if fate.honouring is Delivery.REPORTED]
    partly = [fate.host for fate in fates if fate.honouring is Delivery.PARTLY]
    match protection:
        case Protection.NO_MAIL:
            return "Nothing takes mail for this domain, so no policy is needed."
        case Protection.UNKNOWN:
            return "No verdict: what a sender would need to see could not be seen."
        case Protection.ABSENT:
            return (
                "No MTA-STS: every sender uses TLS when it is offered, and anyone on the path can take the offer away."
            )
        case Protection.OFF:
            return "MTA-STS is published and broken: new senders deliver as if there were none."
        case Protection.SWITCHED_OFF:
            return "Mode none: senders deliver as if there were no policy."
        case Protection.TESTING if reported:
            return f"Testing: mail is delivered, and enforce would refuse {_hosts(reported)}."
        case Protection.TESTING:
            return "Testing: nothing is refused; senders that report tell what enforce would refuse."
    if loses_mail:
        return "Enforced, and NO host may take mail: senders that honour MTA-STS hold it and then bounce it."
    if refused:
        return f"Enforced: senders that honour MTA-STS refuse {_hosts(refused)} and use the others."
    if partly:
        return f"Enforced: senders that honour MTA-STS refuse addresses of {_hosts(partly)} and use the others."
    return "Enforced: senders that honour MTA-STS deliver over verified TLS or not at all."


def _hosts(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} of the hosts ({', '.join(names[:3])})"


def _without_mta_sts(looks: tuple[SmtpLook, ...]) -> Delivery:
    """A sender without MTA-STS takes TLS when it is offered, and any certificate."""
    if not looks:
        return Delivery.OPPORTUNISTIC
    if all(look.unreachable for look in looks):
        return Delivery.UNREACHABLE
    return Delivery.CLEAR if any(look.starttls is False for look in looks) else Delivery.OPPORTUNISTIC


def _has_good_address(host: MxHost) -> bool:
    """A sender tries one address after the other until one takes the mail (RFC 5321 section 5.1)."""
    return any(look.seen and not smtp_fault(look) for look in host.smtp or ())


def _host_fault(host: MxHost) -> str:
    """The first fault of any address of `host`, and of how many."""
    looks = host.smtp or ()
    faults = [words for look in looks if (words := smtp_fault(look))]
    if not faults:
        return ""
    return faults[0] + (f", at {len(faults)} of {len(looks)} addresses" if len(faults) < len(looks) else "")


def reports_go_to(observed: Observed) -> tuple[str, ...]:
    """The rua of the TLS-RPT record; () when senders find none."""
    if observed.tls_rpt is None:
        return ()
    try:
        return tls_rpt_record.find(observed.tls_rpt.values).rua
    except tls_rpt_record.RecordError:
        return ()
