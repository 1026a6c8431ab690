"""Live rules over the policy host: addresses, certificate, answer, policy."""

from collections.abc import Iterable, Iterator

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.mta_sts.policy import MAX_POLICY_BYTES, InvalidPolicy
from mailtls.mta_sts.record import Record, policy_id_of
from mailtls.observed import DnsStatus, HttpsLook, TlsFault

_CLOUDFRONT = ".cloudfront.net"
_SLOW_SECONDS = 5
_CHALLENGES = (b"just a moment", b"captcha", b"challenge-platform", b"enable javascript", b"access denied")
_BLOCKING = frozenset({401, 403, 405, 406, 429, 503})
_ISSUERS = {
    "let's encrypt": ("letsencrypt.org",),
    "amazon": ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"),
    "google trust": ("pki.goog",),
    "digicert": ("digicert.com", "symantec.com", "thawte.com", "geotrust.com", "rapidssl.com"),
    "sectigo": ("sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"),
    "zerossl": ("sectigo.com", "zerossl.com"),
    "globalsign": ("globalsign.com",),
}
"""Words in an issuer's name to the names that CAA records know it by."""


def _unreachable(case: Case) -> Iterator[Said]:
    if not case.published:
        return
    answers = [one for one in (case.observed.host_a, case.observed.host_aaaa) if one is not None]
    if answers and not any(one.values for one in answers) and not _dangling_alias(case):
        failure = next((one.failure for one in answers if one.failure), "the name has no address")
        yield Said(f"{case.observed.policy_host}: {failure}")
    silent = [look for look in case.observed.https if look.status is None and not (look.tls and look.tls.fault)]
    yield from _together((look.address, f"no policy: {look.failure}") for look in silent)


def _not_seen(case: Case) -> Iterator[Said]:
    if case.published and not case.observed.https:
        yield from (Said(words) for words in case.observed.unasked if words.startswith(case.observed.policy_host))


def _certificate(case: Case) -> Iterator[Said]:
    if not case.published or _dangling_alias(case):
        return
    found = [(look.address, look.tls) for look in case.observed.https if look.tls is not None and look.tls.fault]
    yield from _together((address, tls.trouble) for address, tls in found)


def _expiry(case: Case) -> Iterator[Said]:
    if not case.published:
        return
    told = set()
    for look in case.observed.https:
        if look.tls is None or look.tls.fault is not None or look.tls.certificate is None:
            continue
        if found := case.expiry(look.tls.certificate):
            severity, words = found
            if words not in told:
                told.add(words)
                yield Said(f"the certificate of {case.observed.policy_host} {words}", severity=severity)


def _old_tls(case: Case) -> Iterator[Said]:
    found = [(look.address, look.tls) for look in case.observed.https if look.tls is not None]
    yield from _together(
        (address, f"also speaks {', '.join(tls.old_versions)}") for address, tls in found if tls.old_versions
    )


def _redirect(case: Case) -> Iterator[Said]:
    found = [look for look in _answered(case) if look.status and 300 <= look.status < 400]
    yield from _together(
        (look.address, f"status {look.status}, to {ascii(look.header('location') or '')[:100]}; no sender follows it")
        for look in found
    )


def _blocked(case: Case) -> Iterator[Said]:
    found = [look for look in _answered(case) if _is_challenge(look)]
    yield from _together(
        (look.address, f"status {look.status} with a page for browsers: senders are no browsers") for look in found
    )


def _is_challenge(look: HttpsLook) -> bool:
    if look.header("cf-mitigated"):
        return True
    html = (look.header("content-type") or "").lower().startswith("text/html")
    words = (look.body or b"")[:4096].lower()
    return html and (look.status in _BLOCKING - {401, 405, 406} or any(one in words for one in _CHALLENGES))


def _status(case: Case) -> Iterator[Said]:
    others = [look for look in _answered(case) if look.status != 200 and not _is_challenge(look)]
    found = [look for look in others if look.status and not 300 <= look.status < 400]
    yield from _together((look.address, f"status {look.status}; only 200 counts") for look in found)


def _too_large(case: Case) -> Iterator[Said]:
    found = [look for look in _answered(case) if "larger than" in look.failure]
    yield from _together(
        (look.address, f"{look.failure}; senders read no more than {MAX_POLICY_BYTES}") for look in found
    )


def _cut_off(case: Case) -> Iterator[Said]:
    cut = [look for look in _answered(case) if look.status == 200 and look.failure]
    found = [look for look in cut if "larger than" not in look.failure]
    yield from _together((look.address, f"the answer begins and does not end: {look.failure}") for look in found)


def _content_type(case: Case) -> Iterator[Said]:
    pages = [look for look in _answered(case) if look.body is not None and not _is_challenge(look)]
    types = [(look.address, (look.header("content-type") or "").partition(";")[0].strip().lower()) for look in pages]
    yield from _together(
        (address, f"the content type is {ascii(kind)[:60]}" if kind else "no content type")
        for address, kind in types
        if kind != "text/plain"
    )


def _invalid(case: Case) -> Iterator[Said]:
    if case.published:
        broken = [(look, policy) for look, policy in case.policies if not _is_challenge(look)]
        told = (f"{one}{_packed(look)}" for look, one in broken if isinstance(one, InvalidPolicy))
        yield from map(Said, dict.fromkeys(told))


def _packed(look: HttpsLook) -> str:
    coding = look.header("content-encoding")
    return f"; it came packed as {ascii(coding)[:40]}, which no sender asks for" if coding else ""


def _differ(case: Case) -> Iterator[Said]:
    looks = case.observed.https
    kinds = {(look.status, look.body, look.tls.fault if look.tls else None) for look in looks}
    if len(kinds) > 1 and case.published:
        seen = "; ".join(f"{look.address}: {_in_short(look)}" for look in looks)
        yield Said(f"the addresses of {case.observed.policy_host} answer differently: {seen}")


def _in_short(look: HttpsLook) -> str:
    if look.status is None:
        return look.failure
    return f"{look.status}, {len(look.body)} octets" if look.body is not None else str(look.status)


def _bytes_differ(case: Case) -> Iterator[Said]:
    if case.spec is None or case.spec.mta_sts is None:
        return
    wanted = case.spec.mta_sts.policy
    others = [
        (look, policy) for look, policy in case.policies if look.body is not None and look.body != wanted.render()
    ]
    yield from _together(
        (look.address, f"serves {_difference(policy, wanted)}")
        for look, policy in others
        if not isinstance(policy, InvalidPolicy)
    )


def _difference(served: object, wanted: object) -> str:
    for name in ("mode", "max_age", "mx"):
        now, then = getattr(served, name, None), getattr(wanted, name, None)
        if now != then:
            told = [", ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in (now, then)]
            return f"{name} {told[0] or 'none'}, and the spec says {told[1] or 'none'}"
    return "the same policy in other bytes than the spec's"


def _stale(case: Case) -> Iterator[Said]:
    if not isinstance(case.record, Record) or not _ours(case):
        return
    served = (look.header("x-amz-version-id") for look in case.observed.https if look.body is not None)
    ids = {policy_id_of(version) for version in served if version and version != "null"}
    if ids and case.record.policy_id not in ids:
        yield Said(
            f"the record says id {case.record.policy_id}, and the served file is that of {', '.join(sorted(ids))}: "
            "senders that hold the published id do not fetch this file"
        )


def _ours(case: Case) -> bool:
    """Whether the id is one of mailtls's own making: a spec of ours, or the shape of its ids."""
    return case.spec is not None or (isinstance(case.record, Record) and len(case.record.policy_id) == 24)


def _no_ipv6(case: Case) -> Iterator[Said]:
    aaaa = case.observed.host_aaaa
    if case.published and case.observed.https and aaaa is not None and not aaaa.values and not aaaa.failure:
        yield Said(f"{case.observed.policy_host} has no IPv6 address")


def _slow(case: Case) -> Iterator[Said]:
    for look in _answered(case):
        if look.body is not None and look.seconds > _SLOW_SECONDS:
            yield Said(f"{look.address} took {look.seconds:.0f} s to serve the policy")


def _dangling_alias(case: Case) -> str:
    """The alias target that leads nowhere; "" when none does."""
    a, aaaa = case.observed.host_a, case.observed.host_aaaa
    if a is None or not a.aliases or a.values or (aaaa is not None and aaaa.values):
        return ""
    return a.aliases[-1] if a.status in (DnsStatus.NO_NAME, DnsStatus.NO_DATA) else ""


def _dangling(case: Case) -> Iterator[Said]:
    if target := _dangling_alias(case):
        yield Said(f"{case.observed.policy_host} is an alias for {target}, which does not exist")
    aliases = case.observed.host_a.aliases if case.observed.host_a else ()
    edge = aliases[-1] if aliases and aliases[-1].endswith(_CLOUDFRONT) else ""
    nobody = any(look.tls is not None and look.tls.fault is TlsFault.WRONG_NAME for look in case.observed.https)
    if edge and nobody:
        yield Said(
            f"{case.observed.policy_host} is an alias for {edge}, and no distribution there answers to the name: "
            "whoever makes one takes the policy over"
        )


def _proxied(case: Case) -> Iterator[Said]:
    if case.spec is None:
        return
    for look in case.observed.https:
        if look.header("cf-ray") and case.observed.host_a and not case.observed.host_a.aliases:
            yield Said(f"{look.address}: Cloudflare's proxy stands before {case.observed.policy_host}")
            return


def _caa(case: Case) -> Iterator[Said]:
    answer = case.observed.caa
    if answer is None or not answer.values or not case.published:
        return
    parts = [value.split(maxsplit=2) for value in answer.values]  # flags, tag, value
    issue = [part[2] for part in parts if len(part) == 3 and part[1].lower() == "issue"]
    allowed = {value.strip('"').partition(";")[0].strip().lower() for value in issue}
    if not allowed:
        return
    issuer, names = _issuer(case)
    if names and not allowed.intersection(names):
        told = ", ".join(sorted(filter(None, allowed))) or "nobody"
        yield Said(f"CAA at {answer.name} allows {told}, and the certificate comes from {issuer}")


def _together(found: Iterable[tuple[str, str]]) -> Iterator[Said]:
    """Address and words of each; addresses with the same words in one finding."""
    by_words: dict[str, list[str]] = {}
    for address, words in found:
        by_words.setdefault(words, []).append(address)
    yield from (Said(f"{', '.join(addresses)}: {words}") for words, addresses in by_words.items())


def _issuer(case: Case) -> tuple[str, tuple[str, ...]]:
    """Who issues the policy host's certificate, and how CAA names them; our own hosting uses Amazon."""
    if case.spec is not None:
        return "Amazon", _ISSUERS["amazon"]
    for look in case.observed.https:
        if look.tls and look.tls.certificate:
            issuer = look.tls.certificate.issuer
            return issuer, next((names for words, names in _ISSUERS.items() if words in issuer.lower()), ())
    return "", ()


def _answered(case: Case) -> tuple[HttpsLook, ...]:
    """Answers that matter: senders come to this host."""
    return tuple(look for look in case.observed.https if look.status is not None) if case.published else ()


def _rule(identifier: str, severity: Severity, why: str, fix: str, reference: str, finds: object) -> LiveRule:
    return LiveRule(About(identifier, severity, Group.LIVE, why, fix, reference), finds)  # type: ignore[arg-type]


_OFF = "A new sender finds no policy and delivers as if there were none; nothing tells you."
_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
RULES: tuple[LiveRule, ...] = (
    _rule(
        "policy-unreachable", _E, _OFF, "Look at the host: its address, port 443, firewall.", "RFC 8461 section 3.3",
        _unreachable,
    ),
    _rule(
        "policy-not-seen",
        _W,
        "No verdict follows: what senders get there was not looked at.",
        "Look from where the policy host is meant to be seen, or allow the address: --allow-private.",
        "RFC 8461 section 3.3",
        _not_seen,
    ),
    _rule(
        "policy-host-cert-invalid", _E, _OFF,
        "Get a certificate of a public authority whose subjectAltName holds the policy host's name.",
        "RFC 8461 section 3.3", _certificate,
    ),
    _rule(
        "policy-host-cert-expiry", _W,
        "Less than a third of its own lifetime is left (error: a twelfth), so its renewal is late. When it ends, new "
        "senders find no policy.",
        "Renew it; with ACM, see that the validation CNAME is still in DNS.", "RFC 8461 section 3.3", _expiry,
    ),
    _rule(
        "policy-host-old-tls", _I, "No sender of MTA-STS uses a version below 1.2.", "Switch TLS 1.0 and 1.1 off.",
        "RFC 8461 section 7.2", _old_tls,
    ),
    _rule(
        "policy-redirect", _E, _OFF, "Serve the file at that very address, with status 200.", "RFC 8461 section 3.3",
        _redirect,
    ),
    _rule(
        "policy-blocked-for-bots", _E, _OFF, "Take /.well-known/mta-sts.txt out of the bot protection.",
        "RFC 8461 section 3.3", _blocked,
    ),
    _rule("policy-status", _E, _OFF, "Serve the file with status 200.", "RFC 8461 section 3.3", _status),
    _rule("policy-too-large", _E, _OFF, "Serve the policy alone.", "RFC 8461 section 3.3", _too_large),
    _rule("policy-cut-off", _E, _OFF, "See why the answer breaks off.", "RFC 8461 section 3.3", _cut_off),
    _rule(
        "policy-content-type", _E, "Some senders refuse a policy that is not text/plain.",
        "Serve it as text/plain.", "RFC 8461 section 3.2", _content_type,
    ),
    _rule(
        "policy-invalid", _E,
        "A broken policy counts as none: new senders deliver without one, others go on with what they hold.",
        "Correct the file, then change the id in the record.", "RFC 8461 section 3.2", _invalid,
    ),
    _rule(
        "policy-host-addresses-differ", _E, "What a sender gets depends on the address that it happens to take.",
        "Make all addresses serve the same.", "RFC 8461 section 3.3", _differ,
    ),
    _rule(
        "policy-bytes-differ", _E, "What is served is not what Git says: it was changed by hand, or not deployed.",
        "Deploy (pulumi up --refresh), or change the spec.", "docs/adr/0001", _bytes_differ,
    ),
    _rule(
        "sts-id-stale", _E, "Senders fetch a policy when the id changes: they keep the old one for up to max_age.",
        "Deploy again (pulumi up --refresh).", "RFC 8461 section 3.1", _stale,
    ),
    _rule(
        "policy-host-no-ipv6", _I, "A sender with IPv6 alone cannot fetch the policy.", "Add an AAAA record.",
        "RFC 8461 section 3.3", _no_ipv6,
    ),
    _rule(
        "policy-slow", _W, "Senders give up after a minute, some much earlier.", "See what slows the host down.",
        "RFC 8461 section 3.3", _slow,
    ),
    _rule(
        "dangling-cname", _E,
        "Whoever takes the freed name serves a policy of their own for this domain, and can hold its mail.",
        "Remove the alias, or make its target again.", "RFC 8461 section 10.3", _dangling,
    ),
    _rule(
        "mta-sts-cname-proxied", _E,
        "The proxy serves its own certificate and may ask for a browser; the file is no longer ours alone.",
        'Switch the proxy off ("DNS only").', "RFC 8461 section 8.2", _proxied,
    ),
    _rule(
        "caa-forbids-issuer", _E, "The certificate cannot be renewed, and the policy goes with it.",
        "Add the issuer to the CAA records.", "RFC 8659 section 4", _caa,
    ),
)  # fmt: skip
