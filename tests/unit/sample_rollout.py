"""A domain on its way to enforce, with its history and its reports: what tests of decisions begin with."""

import dataclasses
import datetime
from collections.abc import Iterable
from typing import Any

from sample_looks import DOMAIN, MX1, MX2, NOW, answer, mx, page, port_25, seen, txt

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import policy_id_of
from mailtls.observed import Observed
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Code, Decision
from mailtls.rollout.evidence import Evidence, evidence_of
from mailtls.rollout.history import History, Version, of_versions
from mailtls.spec.controller import BY_DEFAULT, Controller
from mailtls.spec.model import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType

DAY = datetime.timedelta(days=1)
WEEK = 604800


def policy(mode: Mode = Mode.TESTING, *hosts: str, max_age: int = 86400) -> Policy:
    return Policy(mode, max_age, tuple(map(MxPattern, hosts or (MX1, MX2))))


def spec(of: Policy, controller: Controller = BY_DEFAULT, **more: Any) -> PolicySpec:
    mta_sts = MtaSts(of.mode, of.mx, of.max_age)
    plain = PolicySpec(DOMAIN, mta_sts, TlsRpt(), None, None, Source("a.yaml", 1), {}, controller)
    return dataclasses.replace(plain, **more)


def ago(days: float) -> datetime.datetime:
    return NOW - days * DAY


def history(*policies: tuple[float, Policy | None], **more: Any) -> History:
    """(days ago, what was served from then on); None: nothing."""
    versions = [Version(f"v{n}", ago(days), one and one.render()) for n, (days, one) in enumerate(policies)]
    return of_versions(versions, **more)


def look(of: Policy, past: History, *hosts: str, **more: Any) -> Observed:
    """The domain as senders find it when `of` is served; hosts: its MX."""
    names = hosts or (MX1, MX2)
    current = past.current
    looks = more.pop("smtp", (port_25(),))
    version = next((f"v{n}" for n in range(9) if current and current.policy_id == policy_id_of(f"v{n}")), "x")
    headers = (("content-type", "text/plain"), ("x-amz-version-id", version))
    changes: dict[str, Any] = {
        "sts": txt(f"v=STSv1; id={current.policy_id if current else policy_id_of('x')};"),
        "https": tuple(page(of.render(), address=at, headers=headers) for at in ("192.0.2.1", "2001:db8::1")),
        "mx": answer(DOMAIN, "MX", *(f"10 {name}" for name in names)),
        "mail_hosts": tuple(mx(name, 10, *looks) for name in names),
    }
    return seen(**(changes | more))


def row(of: Policy, clean: int, *details: FailureDetail, failed: int | None = None, **more: Any) -> PolicyResult:
    total = sum(detail.failed_session_count or 0 for detail in details) if failed is None else failed
    lines = tuple(of.render().decode().split("\r\n")[:-1])
    plain = PolicyResult(PolicyType.STS, "sts", lines, DOMAIN, (), clean, total, details)
    return dataclasses.replace(plain, **more)


def failure(kind: ResultType, count: int | None, host: str | None = MX2) -> FailureDetail:
    return FailureDetail(kind, kind.value, receiving_mx_hostname=host, failed_session_count=count)


def entry(days: float, *rows: PolicyResult, signer: str = "google.com") -> LedgerEntry:
    """A report about the UTC day so many days ago."""
    start = ago(days).replace(hour=0)
    report = Report(signer, start, start + DAY, None, f"{signer}-{days}", rows)
    return LedgerEntry(DOMAIN, "mail", start + 2 * DAY, signer, report)


def reports(of: Policy, days: Iterable[int], clean: int = 40, signers: tuple[str, ...] = ("google.com", "mail.ru")) -> (
    list[LedgerEntry]
):  # fmt: skip
    return [entry(day, row(of, clean), signer=signer) for day in days for signer in signers]


def evidence(of: Policy, entries: Iterable[LedgerEntry], **more: Any) -> Evidence:
    return evidence_of(entries, of, ago(90).date(), **more)


def decided(
    of: Policy, past: History, *hosts: str, entries: Iterable[LedgerEntry] = (), **more: Any
) -> Decision:  # fmt: skip
    """The decision for a domain in which Git, edge and history agree. controller, suppress, tls_rpt: of the spec."""
    mine = {key: more.pop(key) for key in ("controller", "suppress", "tls_rpt") if key in more}
    return decide(spec(of, **mine), look(of, past, *hosts, **more), past, evidence(of, entries), NOW)


def codes(decision: Decision) -> list[Code]:
    return [reason.code for reason in decision.reasons]
