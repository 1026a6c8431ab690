"""Live rules over the hosts that take mail."""

from collections.abc import Callable, Iterable, Iterator

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.mta_sts.mx_coverage import MxCoverage
from mailtls.mta_sts.policy import Mode
from mailtls.observed import DnsStatus, MxHost, SmtpLook, TlsFault

_NAMED = 5
"""A stranger's policy may name hosts by the thousand."""


def _host_names(case: Case) -> tuple[str, ...]:
    return tuple(host.host for host in case.observed.mail_hosts if not host.supposed)


def _not_in_policy(case: Case) -> Iterator[Said]:
    if case.policy is None or case.policy.mode is Mode.NONE or not (hosts := _host_names(case)):
        return
    left_out = MxCoverage.of(case.policy, hosts).uncovered
    held = case.policy.mode is Mode.ENFORCE
    for host in left_out:
        what = "senders refuse to deliver there" if held else "enforce would refuse it"
        yield Said(f"MX {host} is not in the policy: {what}", severity=case.harm)


def _unused(case: Case) -> Iterator[Said]:
    if case.policy is None or case.policy.mode is Mode.NONE or not (hosts := _host_names(case)):
        return
    unused = tuple(map(str, MxCoverage.of(case.policy, hosts).unused))
    if len(unused) > _NAMED:
        yield Said(f"{len(unused)} mx of the policy match no live MX: {', '.join(unused[:_NAMED])}, ...")
    else:
        yield from (Said(f"mx {pattern} matches no live MX") for pattern in unused)


def _null_mx(case: Case) -> Iterator[Said]:
    mx = case.observed.mx
    if mx is not None and mx.status is DnsStatus.ANSWERED and not case.observed.mail_hosts and case.published:
        yield Said("the domain has the null MX and takes no mail, so a policy changes nothing")


def _implicit(case: Case) -> Iterator[Said]:
    if case.observed.mail_hosts and case.observed.mail_hosts[0].preference is None:
        yield Said("there is no MX record: mail goes to the domain's own address")


def _no_address(case: Case) -> Iterator[Said]:
    for host in case.observed.mail_hosts:
        if host.a is None or host.addresses:
            continue
        failure = next((one.failure for one in (host.a, host.aaaa) if one and one.failure), "it has no address")
        yield Said(f"MX {host.host}: {failure}")


def _alias(case: Case) -> Iterator[Said]:
    for host in case.observed.mail_hosts:
        if host.preference is not None and host.a is not None and host.a.aliases:
            yield Said(f"MX {host.host} is an alias for {host.a.aliases[-1]}")


def _each(case: Case) -> Iterator[tuple[MxHost, SmtpLook]]:
    for host in case.observed.mail_hosts:
        for look in host.smtp or ():
            yield host, look


def _by_host(
    found: Iterable[tuple[MxHost, SmtpLook, str]],
    fix: str | None = None,
    severity: Severity | None = None,
    sentence: str = "{where}: {words}",
) -> Iterator[Said]:
    """Host, address and words of each; addresses of a host with the same words are one finding."""
    addresses: dict[tuple[str, str], list[str]] = {}
    total: dict[str, int] = {}
    for host, look, words in found:
        addresses.setdefault((host.host, words), []).append(look.address)
        total[host.host] = len(host.smtp or ())
    for (name, words), ours in addresses.items():
        where = f"all its {len(ours)} addresses" if 2 < len(ours) == total[name] else ", ".join(ours)
        yield Said(sentence.format(where=f"{name} at {where}", words=words), fix, severity)


def _unreachable(case: Case) -> Iterator[Said]:
    looks = [look for _, look in _each(case)]
    if looks and all(look.unreachable for look in looks):
        yield Said(
            f"no MX takes a connection on port 25 from here ({looks[0].failure}): nothing is known about their TLS",
            "Most home, office and cloud networks close port 25: check from one that does not.",
        )
        return
    unreached = [(host, look) for host, look in _each(case) if look.unreachable]
    yield from _by_host((host, look, f"no connection to port 25 ({look.failure})") for host, look in unreached)
    turned_away = [(host, look) for host, look in _each(case) if not look.seen and not look.unreachable]
    yield from _by_host(
        ((host, look, f"{look.failure}; nothing is known about its TLS") for host, look in turned_away),
        "Many servers turn away addresses that send no mail: check from one that does.",
    )


def _starttls(case: Case) -> Iterator[Said]:
    without = [(host, look, "no STARTTLS is offered") for host, look in _each(case) if look.starttls is False]
    broken = [(host, look, look.failure) for host, look in _each(case) if look.starttls and look.failure]
    yield from _by_host([*without, *broken], severity=case.harm)


def _with_fault(*faults: TlsFault) -> Callable[[Case], Iterator[Said]]:
    def finds(case: Case) -> Iterator[Said]:
        found = [(host, look, look.tls) for host, look in _each(case) if look.tls and look.tls.fault in faults]
        yield from _by_host(((host, look, tls.trouble) for host, look, tls in found), severity=case.harm)

    return finds


def _expiry(case: Case) -> Iterator[Said]:
    yield from _with_fault(TlsFault.EXPIRED, TlsFault.NOT_YET_VALID)(case)
    found: dict[Severity, list[tuple[MxHost, SmtpLook, str]]] = {}
    for host, look in _each(case):
        trusted = look.tls.certificate if look.tls and look.tls.fault is None else None
        if trusted and (expiry := case.expiry(trusted)):
            severity, words = expiry
            found.setdefault(severity, []).append((host, look, words))
    for severity, looks in found.items():
        yield from _by_host(looks, severity=severity, sentence="the certificate of {where} {words}")


def _old_tls(case: Case) -> Iterator[Said]:
    found = [(host, look, look.tls.old_versions) for host, look in _each(case) if look.tls and look.tls.old_versions]
    told = ((host, look, f"also speaks {', '.join(versions)}") for host, look, versions in found)
    yield from _by_host(told, sentence="{where} {words}")


def _rule(
    identifier: str, severity: Severity, why: str, fix: str, reference: str, finds: Callable[[Case], Iterator[Said]]
) -> LiveRule:
    return LiveRule(About(identifier, severity, Group.LIVE, why, fix, reference), finds)


_HELD = "In enforce senders do not deliver to this host; when no other takes the mail, it waits and then bounces."
_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
RULES: tuple[LiveRule, ...] = (
    _rule(
        "mx-not-in-policy", _E, _HELD,
        "Add the very name to the spec's mx; if nobody meant that MX, remove it: a hijack looks the same.",
        "RFC 8461 section 4.1", _not_in_policy,
    ),
    _rule(
        "policy-mx-unused", _I, "A host that is still to come, one that has gone, or a typing error.",
        "Remove it once every policy that senders may hold has run out.", "RFC 8461 section 4.1", _unused,
    ),
    _rule("null-mx-with-policy", _I, "Nothing is delivered there.", "Remove the policy by way of mode none.",
          "RFC 7505 section 3", _null_mx),
    _rule("implicit-mx", _I, "Senders treat the domain's own name as its only MX.", "Publish an MX record.",
          "RFC 5321 section 5.1", _implicit),
    _rule("mx-without-address", _W, "Senders cannot connect to it.", "Give it an address, or remove the MX record.",
          "RFC 5321 section 5.1", _no_address),
    _rule(
        "mx-is-alias", _I,
        "An MX record shall name a host, not an alias; the policy and the certificate go by the name in the record.",
        "Name the host itself.", "RFC 2181 section 10.3", _alias,
    ),
    _rule("mx-unreachable", _W, "A sender tries the next MX. Seen from here only: port 25 is closed in many networks.",
          "See whether the host is up and takes connections from outside.", "RFC 5321 section 5.1", _unreachable),
    _rule("mx-starttls-missing", _E, _HELD, "Switch STARTTLS on, on every address of the host.", "RFC 8461 section 4",
          _starttls),
    _rule("mx-cert-expiry", _E, _HELD, "Renew the certificate and reload the mail server.", "RFC 8461 section 4.2",
          _expiry),
    _rule("mx-cert-name", _E, _HELD, "Get a certificate whose subjectAltName holds the name in the MX record.",
          "RFC 8461 section 4.2", _with_fault(TlsFault.WRONG_NAME)),
    _rule("mx-cert-untrusted", _E, _HELD,
          "Get a certificate of a public authority, and send the whole chain.", "RFC 8461 section 4.2",
          _with_fault(TlsFault.UNTRUSTED)),
    _rule("mx-tls-failed", _E, _HELD, "Offer TLS 1.2 or 1.3.", "RFC 8461 section 7.2",
          _with_fault(TlsFault.HANDSHAKE, TlsFault.TOO_OLD)),
    _rule("mx-old-tls", _I, "No sender of MTA-STS uses a version below 1.2.", "Switch TLS 1.0 and 1.1 off.",
          "RFC 8461 section 7.2", _old_tls),
)  # fmt: skip
