"""May this mail be believed? Judged from the headers that SES put on top of it. Pure.

RFC 8460 section 3: a mailed report carries a valid DKIM signature of the reporting domain, without the tag `l=`, and
reports without one are ignored. SES verifies signatures but says nothing of alignment and never rejects by itself.

What SES adds, in this order (developer guide, "Email-receiving authentication and malware scanning"): Return-Path,
Received, X-SES-Spam-Verdict, X-SES-Virus-Verdict, Received-SPF, Authentication-Results, X-SES-RECEIPT,
X-SES-DKIM-SIGNATURE; then the sender's own headers, in which the sender may write anything, forged results included.
So only the first Authentication-Results counts, only with SES's name in it, and only with nothing but SES's headers
above it.

Its value is SES's, but not every word in it is: HELO, the envelope sender and `i=` of a signature stand there as the
sender wrote them, and nothing says whether SES escapes them. So nothing of theirs is parsed. A mail in which one of
them holds a character that could begin, end or hide a clause is not believed: HELO and envelope sender are looked at
where they stand alone (Received, Return-Path), `i=` in the signatures, and what is left of the value may hold no
quote, no backslash, and no bracket but one plain comment behind a result.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import getaddresses

from mailtls import names
from mailtls.tls_rpt.contract import QuarantineReason

Header = tuple[str, str]

AUTHSERV_ID = "amazonses.com"
ABOVE_THE_RESULTS = frozenset(
    {"return-path", "received", "x-ses-spam-verdict", "x-ses-virus-verdict", "received-spf"},
)
"""What SES writes above its Authentication-Results; any other name there means the results are the sender's."""

_CLAUSE = re.compile(r"""([a-z]+)=([a-z]+)(?:\s+\([^();"\\]*\))?((?:\s+[^\s();"\\]+)*)\s*""", re.IGNORECASE)
"""`method=result (comment) property=value …`, or one of SES's own bare properties (`helo=…`)."""
_PLAIN_PROPERTY = re.compile(r"""(?:client-ip|envelope-from|helo|header\.[a-z]+)=[^\s();"\\]*""", re.IGNORECASE)
_PLAIN = re.compile(r"""[^\s();"\\<>]*""")
_PLAIN_AGENT = re.compile(r"(?:[A-Za-z0-9.!#$&'*+/?^_`{|}~-]*+@)?[^\s();\"\\<>@=]++")
"""i= (RFC 6376 section 3.5): a local part without quotes and without `=`, which would begin an encoded octet. Nothing
is tried twice: the sender may write as much as a header block holds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """reason: None when the mail may be believed. signer: d= of the aligned signature, "" unless believed.

    detail: one line for the person who reads the quarantine.
    """

    reason: QuarantineReason | None
    detail: str
    signer: str = ""


class _Refused(Exception):
    def __init__(self, reason: QuarantineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Signature:
    """Tags of one DKIM-Signature (RFC 6376 section 3.5). agent_domain: the domain of i=, at or under d=, which is its
    default."""

    domain: str
    agent_domain: str
    has_length: bool
    signs_from: bool


def judge(headers: Sequence[Header]) -> Verdict:
    """The verdict on a mail whose top header block is `headers`, in order, unfolded. Never raises."""
    above, results = _results_of_ses(headers)
    try:
        _refuse_virus(above)
        _refuse_forged_words(above, headers)
        return Verdict(None, "DKIM passed and is aligned", _aligned_signer(headers, results))
    except _Refused as refused:
        return Verdict(refused.reason, str(refused))


def _results_of_ses(headers: Sequence[Header]) -> tuple[list[Header], str | None]:
    """The headers above SES's Authentication-Results, and its value; None when SES wrote none."""
    above: list[Header] = []
    for name, value in headers:
        if name.lower() == "authentication-results":
            authserv_id = re.split(r"[\s;]", value.strip(), maxsplit=1)[0]
            return above, value if authserv_id.lower() == AUTHSERV_ID else None
        if name.lower() not in ABOVE_THE_RESULTS or (name.lower() == "received" and _has(above, "received")):
            return above, None  # the sender's own headers have begun
        above.append((name, value))
    return above, None


def _refuse_virus(above: list[Header]) -> None:
    for name, value in above:
        if name.lower() == "x-ses-virus-verdict" and value.strip().upper() == "FAIL":
            raise _Refused(QuarantineReason.VIRUS, "X-SES-Virus-Verdict: FAIL")


def _refuse_forged_words(above: list[Header], headers: Sequence[Header]) -> None:
    """What the sender wrote, and SES copies into its results, must be words that can form no clause there."""
    for name, value in above:
        # one `;` stands before the date (RFC 5321 section 4.4); more, or a quote, came with HELO
        if name.lower() == "received" and (value.count(";") > 1 or '"' in value or "\\" in value):
            raise _Refused(QuarantineReason.DKIM_FAILED, "HELO holds characters that no host name has")
        if name.lower() == "return-path" and not _PLAIN.fullmatch(value.strip().removeprefix("<").removesuffix(">")):
            raise _Refused(
                QuarantineReason.DKIM_FAILED, "the envelope sender holds characters that could forge results"
            )
    for name, value in headers:
        if name.lower() == "dkim-signature" and not all(map(_PLAIN_AGENT.fullmatch, _tags_named(value, "d", "i"))):
            raise _Refused(QuarantineReason.DKIM_FAILED, "a DKIM-Signature whose i= or d= could forge results")


def _tags_named(signature: str, *wanted: str) -> list[str]:
    """Values of the tags, in either case, as often as they are there."""
    tags = (part.partition("=") for part in signature.split(";"))
    return [text.strip() for name, equals, text in tags if equals and name.strip().lower() in wanted]


def _aligned_signer(headers: Sequence[Header], results: str | None) -> str:
    """d= of a signature that passed, covers the From header, bears no l=, and is the From domain or its parent."""
    found = [_signature(value) for name, value in headers if name.lower() == "dkim-signature"]
    if not found:
        raise _Refused(QuarantineReason.DKIM_MISSING, "no DKIM-Signature header")
    if results is None:
        raise _Refused(QuarantineReason.DKIM_MISSING, "no Authentication-Results of SES above the sender's headers")

    signatures = [signature for signature in found if signature is not None]
    clauses = _dkim_clauses(results)
    passed = [agent_domain for result, agent_domain in clauses if result == "pass"]
    if len(passed) > len(signatures) or sum(result != "none" for result, _ in clauses) > len(found):
        # SES writes one result per signature; HELO and envelope sender stand in the same header and are the sender's
        raise _Refused(QuarantineReason.DKIM_FAILED, "more DKIM results than signatures: somebody wrote into them")
    if not passed:
        said = ", ".join(f"{result} {domain}".strip() for result, domain in clauses) or "nothing about DKIM"
        raise _Refused(QuarantineReason.DKIM_FAILED, f"SES says: {said}")

    from_domain = _from_domain(headers)
    refusals = []
    for agent_domain in passed:
        try:
            return _signer_of(agent_domain, signatures, from_domain)
        except _Refused as refused:
            refusals.append(refused)
    # the most telling one: an aligned signature that is unfit says more than a foreign one that is fit
    raise min(refusals, key=lambda refused: refused.reason is QuarantineReason.DKIM_UNALIGNED)


def _signer_of(agent_domain: str, signatures: list[_Signature], from_domain: str) -> str:
    made_by = [s for s in signatures if agent_domain in (s.agent_domain, s.domain)]
    if not made_by:
        raise _Refused(QuarantineReason.DKIM_FAILED, f"a DKIM result for {agent_domain}, but no such signature")
    if len(signers := {s.domain for s in made_by}) > 1:
        # signed by `attacker.host.example`, and beside it a worthless one says d=host.example; i=@attacker.host.example
        raise _Refused(
            QuarantineReason.DKIM_FAILED,
            f"nobody can tell which of {', '.join(sorted(signers))} signed for {agent_domain}",
        )
    # at least two labels: a signature by `com` would be the parent of everybody
    aligned = [s for s in made_by if "." in s.domain and names.is_under(from_domain, s.domain)]
    if not aligned:
        raise _Refused(
            QuarantineReason.DKIM_UNALIGNED,
            f"signed by {made_by[0].domain}, which is not the From domain {from_domain} or its parent",
        )
    if any(s.has_length for s in aligned):  # of two by one domain nobody can tell which one passed: any l= counts
        raise _Refused(QuarantineReason.DKIM_LENGTH_TAG, f"the signature of {aligned[0].domain} has a length tag (l=)")
    if not all(s.signs_from for s in aligned):
        raise _Refused(QuarantineReason.DKIM_FAILED, f"the signature of {aligned[0].domain} does not cover From")
    return aligned[0].domain


def _from_domain(headers: Sequence[Header]) -> str:
    values = [value for name, value in headers if name.lower() == "from"]
    try:
        addresses = [address for _, address in getaddresses(values) if address]
    except RecursionError:  # comments or groups in each other by the thousand
        addresses = []
    if len(values) != 1 or len(addresses) != 1:
        raise _Refused(QuarantineReason.DKIM_UNALIGNED, "not exactly one From address: nothing to be aligned with")
    try:
        return names.a_labels(addresses[0].rpartition("@")[2])
    except names.InvalidName as e:
        raise _Refused(QuarantineReason.DKIM_UNALIGNED, f"no domain in the From address: {e}") from e


def _dkim_clauses(results: str) -> list[tuple[str, str]]:
    """(result, domain of header.i or header.d) of each `dkim=` in an Authentication-Results value (RFC 8601).

    Raises _Refused where the value holds anything but plain clauses: somebody else wrote into it.
    """
    clauses = []
    for part in results.split(";")[1:]:
        if not part.strip():
            continue
        clause = _CLAUSE.fullmatch(part.strip())
        if clause is None:
            if _PLAIN_PROPERTY.fullmatch(part.strip()):
                continue
            raise _Refused(QuarantineReason.DKIM_FAILED, "Authentication-Results holds more than plain results")
        method, result, properties = clause.groups()
        if method.lower() == "dkim":
            clauses.append((result.lower(), _agent_domain(properties.split())))
    return clauses


def _agent_domain(properties: list[str]) -> str:
    """The domain of header.i or header.d; "" where there is not exactly one of the first that is there."""
    for wanted in ("header.i", "header.d"):
        values = [text for name, _, text in (word.partition("=") for word in properties) if name.lower() == wanted]
        if values:
            return _domain_or_nothing(values[0].rpartition("@")[2]) if len(values) == 1 else ""
    return ""


def _signature(value: str) -> _Signature | None:
    """None when it is none by RFC 6376: a tag twice (section 3.2), no domain, i= not at or under d= (section 3.5).

    Tag names are case-sensitive: `D=` is a tag that nobody knows. Beside a `d=` it is there to deceive somebody, so it
    counts as a second one. `L=` counts as a length, too.
    """
    tags: dict[str, str] = {}
    known: set[str] = set()
    for part in value.split(";"):
        name, equals, text = part.partition("=")
        name = name.strip()
        if equals and name.lower() in known:
            return None
        if equals:
            known.add(name.lower())
            tags[name] = "".join(text.split())
    domain = _domain_or_nothing(tags.get("d", ""))
    agent_domain = _domain_or_nothing(tags["i"].rpartition("@")[2]) if "i" in tags else domain
    if not domain or not names.is_under(agent_domain, domain):
        return None
    return _Signature(
        domain=domain,
        agent_domain=agent_domain,
        has_length="l" in known,
        signs_from="from" in tags.get("h", "").lower().split(":"),
    )


def _domain_or_nothing(text: str) -> str:
    try:
        return names.a_labels(text)
    except names.InvalidName:
        return ""


def _has(headers: Sequence[Header], name: str) -> bool:
    return any(have.lower() == name for have, _ in headers)
