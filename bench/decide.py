"""How many decisions a second: domains in every state, each with looks, a history and two weeks of evidence.

    python bench/decide.py [--domains 2000]

CPU time of one core, best of nine rounds. The floor is what it takes to read the policies that each domain serves; both
take turns, so that a machine whose speed changes meanwhile changes it for both. The goal is 20,000 decisions a second.
"""

import argparse
import datetime
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import policy_id_of
from mailtls.observed import DnsAnswer, DnsStatus, HttpsLook, MxHost, Observed, SmtpLook, TlsLook, read_policy
from mailtls.rollout.decide import decide
from mailtls.rollout.evidence import Evidence, EvidenceDay, Refusal
from mailtls.rollout.history import History, Version, of_versions
from mailtls.spec.controller import Controller
from mailtls.spec.model import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.tls_rpt.report import ResultType

ROUNDS = 9
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
Domain = tuple[PolicySpec, Observed, History, Evidence, datetime.datetime]


def main() -> int:
    """Make the domains, time both, print the table."""
    parser = argparse.ArgumentParser(description="time the decisions")
    parser.add_argument("--domains", type=int, default=2000, help="how many (default 2000)")
    domains = [domain(number) for number in range(parser.parse_args().domains)]
    kinds = Counter(type(decide(*one)).__name__ for one in domains)
    works: dict[str, Callable[[Domain], object]] = {
        "reading the served policies (the floor)": lambda one: [read_policy(look) for look in one[1].https],
        "mailtls.rollout.decide": lambda one: decide(*one),
    }
    rounds = [{name: rate(domains, work) for name, work in works.items()} for _ in range(ROUNDS)]
    rates = {name: max(one[name] for one in rounds) for name in works}  # the other rounds were disturbed
    floor = next(iter(rates.values()))
    print(f"| {len(domains):,} domains ({', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))}) | a second "
          "| of the floor |\n|---|---:|---:|")  # fmt: skip
    for name, per_second in rates.items():
        print(f"| {name} | {per_second:,.0f} | {per_second / floor:.2f} |")
    return 0


def rate(domains: Sequence[Domain], work: Callable[[Domain], object]) -> float:
    """Domains a second of CPU time."""
    began = time.process_time()
    for one in domains:
        work(one)
    return len(domains) / (time.process_time() - began)


def domain(number: int) -> Domain:
    """One of ten states, by its number."""
    name, state = f"domain{number}.example", number % 10
    hosts = tuple(f"mx{n}.{name}" for n in (1, 2, 3))
    mode = (Mode.TESTING, Mode.ENFORCE)[state % 2]
    policy = Policy(mode, 86400 * (1, 7)[state % 2], tuple(map(MxPattern, hosts[: 2 + (state == 3)])))
    before = Policy(Mode.TESTING, 86400, policy.mx[:1])
    versions = [Version(f"v{n}", NOW - datetime.timedelta(days=days), body.render())
                for n, (days, body) in enumerate(((200, before), (90, before), (30, policy)))]  # fmt: skip
    history = of_versions(versions)
    spec = PolicySpec(
        name, MtaSts(mode, policy.mx, policy.max_age), TlsRpt(), None, None, Source("domains.yaml", 1), {},
        Controller(retire=state == 7, hold=state == 8),
    )  # fmt: skip
    live = hosts if state == 5 else hosts[:2]
    return spec, look(name, policy, live), history, evidence(policy, hosts[1], bad=state == 2), NOW


def look(name: str, policy: Policy, live: tuple[str, ...]) -> Observed:
    """As `mailtls.observe` sees such a domain."""
    good = SmtpLook("192.0.2.25", True, TlsLook("TLSv1.3", None))
    record = f"v=STSv1; id={policy_id_of('v2')};"
    return Observed(
        name,
        NOW,
        sts=DnsAnswer(f"_mta-sts.{name}", "TXT", DnsStatus.ANSWERED, (record,)),
        mx=DnsAnswer(name, "MX", DnsStatus.ANSWERED, tuple(f"10 {host}" for host in live)),
        mail_hosts=tuple(MxHost(host, 10, smtp=(good,)) for host in live),
        https=tuple(HttpsLook(at, status=200, body=policy.render()) for at in ("192.0.2.1", "2001:db8::1")),
    )


def evidence(policy: Policy, host: str, bad: bool) -> Evidence:
    """Two weeks of reports by three organisations; `bad`: forty sessions of one of them would have been refused."""
    reporters = frozenset({"google.com", "microsoft.com", "mail.ru"})
    refusal = (Refusal(host, ResultType.CERTIFICATE_HOST_MISMATCH, False, 40),) if bad else ()
    days = (NOW.date() - datetime.timedelta(days=n) for n in range(14, 0, -1))
    return Evidence(policy, tuple(EvidenceDay(day, 700, 740, reporters, reporters, refusal) for day in days))


if __name__ == "__main__":
    sys.exit(main())
