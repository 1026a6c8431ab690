"""What a failure means, how bad it is, what to do (RFC 8460 section 4.3): the words of alerts and of `explain`.

>>> severity(ResultType.CERTIFICATE_EXPIRED, Mode.ENFORCE)
<Severity.CRITICAL: 'critical'>
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt.report_values import ResultType


class Severity(StrEnum):
    """How soon a person should look. A closed set: it is a metric dimension and a message attribute."""

    CRITICAL = "critical"
    """Now: mail is held, and is lost to its senders after some days."""
    WARNING = "warning"
    """Within days: mail flows, but without the protection that was asked for, or it would be held in enforce."""
    INFO = "info"
    """Nobody asked for protection."""


OF_THE_POLICY_HOST = frozenset(
    {ResultType.STS_POLICY_FETCH_ERROR, ResultType.STS_POLICY_INVALID, ResultType.STS_WEBPKI_INVALID}
)
"""Section 4.3.2.2: no MX is at fault, and no mail is held: without a policy senders deliver, with a cached one they go
on with that."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One result type.

    meaning: a sentence. section: of RFC 8460, "" for what it does not have.
    look: steps that change nothing, for everybody. mend: for those who run the MX. after: for those who own the policy
    domain, whoever runs its MX. All hold the words `{policy_domain}`, `{mx}` and `{policy_host}` to fill in
    (`str.format`). A line of a step that begins with two spaces is a command to type; each ends by itself.
    """

    meaning: str
    section: str
    look: tuple[str, ...]
    mend: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def remedy(self) -> tuple[str, ...]:
        """All steps, in order."""
        return (*self.look, *self.mend, *self.after)


def severity(result_type: ResultType, mode: Mode | None) -> Severity:
    """How bad failures of this type are where senders applied `mode`; None: it is not known."""
    if mode is Mode.NONE:
        return Severity.INFO
    if mode is Mode.ENFORCE and result_type not in OF_THE_POLICY_HOST:
        return Severity.CRITICAL
    return Severity.WARNING


def says_mx_is_outside(reason: str | None) -> bool:
    """Does a word or text of the sender's choice say that an MX is not one of those that the policy lists?

    There is no list of such texts: RFC 8460 section 4.4 leaves failure-reason-code open. A text about a certificate,
    whose names may mismatch too, is none.
    """
    words = " ".join(re.findall("[a-z]+", (reason or "")[:MAX_REASON].lower()))
    if "cert" in words:
        return False
    _, mx, behind = f" {words} ".partition(" mx ")  # by hand: one expression would look again from each "mx"
    return bool(mx and _UNLISTED.search(behind)) or _HOSTS_UNLISTED.search(words) is not None


MAX_REASON = 300
"""Characters of a reason that are looked at."""
_UNLISTED = re.compile(r"\b(mismatch|unlisted|not (in|listed|allowed|authori[sz]ed|match\w*|part))\b")
_HOSTS_UNLISTED = re.compile(r"\bhosts? not (in|listed)\b.*\bpolicy\b")


def explain(result_type: ResultType) -> Explanation:
    """What is known about the type; there is something for each."""
    return _EXPLANATIONS[result_type]


_SESSION = "  openssl s_client -starttls smtp -connect {mx}:25 -servername {mx} </dev/null"
"""Ends when the handshake is done: without the empty input it would wait for somebody to type mail."""
_SHOW_CERTIFICATE = f"{_SESSION} | openssl x509 -noout -subject -dates -ext subjectAltName"
_SHOW_CHAIN = f"{_SESSION} | grep -e ' [si]:' -e Verif"
"""Subject and issuer of each certificate that is sent, and what OpenSSL thinks of them."""
_SHOW_KEY = f"{_SESSION} | openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER | openssl sha256"
_ASK_FOR_STARTTLS = "  curl -sv -m 20 smtp://ADDRESS:25"
"""curl shows the whole answer to EHLO and ends; s_client would begin TLS all the same, and may then wait."""
_FETCH_POLICY = "  curl -sv -m 20 https://{policy_host}/.well-known/mta-sts.txt"
_SHOW_WEB_CERTIFICATE = (
    "  openssl s_client -connect {policy_host}:443 -servername {policy_host} -verify_hostname {policy_host} </dev/null"
)
PUT_BACK = "pulumi up --refresh --continue-on-error"
"""Makes the cloud again what Git says. Without --refresh the engine does not look at what somebody else changed."""

_DEPLOY_AGAIN = f"Changed by hand, or by somebody else? Put back what Git says:\n  {PUT_BACK}"

_EXPLANATIONS: Mapping[ResultType, Explanation] = {
    ResultType.STARTTLS_NOT_SUPPORTED: Explanation(
        "The MX did not offer STARTTLS, so no TLS session could begin.",
        "4.3.1",
        look=(
            "Ask each address of {mx} (IPv6: in brackets). Where TLS is on, a line of the answer says 250-STARTTLS or "
            "250 STARTTLS:\n"
            "  dig +short {mx} A {mx} AAAA\n"
            f"{_ASK_FOR_STARTTLS}",
        ),
        mend=("Not offered? Switch TLS on in that MTA, and compare it with the others of its pool.",),
        after=(
            "Offered to you? Then something on the way to that address takes it out: look for SMTP inspection "
            "(firewall, antispam proxy). None there? Treat it as an attack on the path of those senders.",
        ),
    ),
    ResultType.CERTIFICATE_HOST_MISMATCH: Explanation(
        "The certificate that the MX showed does not hold the name that the policy asks for.",
        "4.3.1",
        look=(
            "See which names it holds (DNS: in the last line); one must be {mx}, or a wildcard for it:\n"
            f"{_SHOW_CERTIFICATE}",
        ),
        mend=(
            "Get a certificate with that name, reload the MTA. A server with several certificates must show this one "
            "to senders without SNI too.",
        ),
        after=(
            "The MX record should name another host? Put that one into the policy's mx first and wait until the "
            "longest max_age served before has run out; then change the MX record.",
        ),
    ),
    ResultType.CERTIFICATE_EXPIRED: Explanation(
        "The MX showed a certificate that has run out.",
        "4.3.1",
        look=(f"See its end, the line notAfter; each address behind {{mx}} may show another:\n{_SHOW_CERTIFICATE}",),
        mend=("Renew it on {mx}, reload the MTA, and look once more.",),
    ),
    ResultType.CERTIFICATE_NOT_TRUSTED: Explanation(
        "The certificate that the MX showed leads to no authority that the sender trusts.",
        "4.3.1",
        look=(
            "See the chain: s: is a certificate, i: who signed it, and each i: must be the s: of the next. The last "
            f"line must say 0 (ok):\n{_SHOW_CHAIN}",
        ),
        mend=(
            "Most often the chain is incomplete: install it in full (fullchain.pem, not cert.pem), reload the MTA.",
            "Self-signed, or of a private authority? Senders of MTA-STS trust public authorities only: replace it.",
        ),
    ),
    ResultType.VALIDATION_FAILURE: Explanation(
        "Something else was wrong; the sender gives no type for it, and often no reason.",
        "4.3.3",
        look=(
            "Compare the MX records with the policy first: many report an MX that is not listed by this word:\n"
            "  dig +short MX {policy_domain}\n"
            "  curl -s -m 20 https://{policy_host}/.well-known/mta-sts.txt",
            "Then the certificate of {mx}: names, dates, and the chain, whose last line must say 0 (ok):\n"
            f"{_SHOW_CERTIFICATE}\n{_SHOW_CHAIN}",
            "Where the sender gave a failure-reason-code, it is in the report.",
        ),
    ),
    ResultType.TLSA_INVALID: Explanation(
        "None of the TLSA records of the MX is valid for the certificate that it showed.",
        "4.3.2.1",
        look=(
            "Compare the records with the key in use (the digest of a 3 1 1 record; upper or lower case is the "
            "same):\n"
            "  dig +short TLSA _25._tcp.{mx}\n"
            f"{_SHOW_KEY}",
        ),
        mend=(
            "Publish a record for the key in use, beside the others. Before the next change of the key: publish its "
            "record first, wait two TTLs.",
            "Not within the hour? Remove the whole TLSA set of {mx}: senders then go by MTA-STS alone.",
        ),
    ),
    ResultType.DNSSEC_INVALID: Explanation(
        "The sender's resolver got no valid DNSSEC answer about the MX.",
        "4.3.2.1",
        look=("Validate as the sender does:\n  delv MX {policy_domain}\n  delv A {mx}\n  delv TLSA _25._tcp.{mx}",),
        after=(
            "Expired signatures: sign the zone again and see why the signer stopped. A DS record that fits no key: "
            "correct it at the registrar; removing it turns DNSSEC, and so DANE, off.",
        ),
    ),
    ResultType.DANE_REQUIRED: Explanation(
        "The sender demands DANE of the MX, and found no TLSA record.",
        "4.3.2.1",
        look=("Should there be records? See whether they are gone:\n  dig +short TLSA _25._tcp.{mx}",),
        after=(
            "Never had any? The demand is a setting at that sender for {policy_domain}: ask them to lift it, or "
            "publish TLSA records in a signed zone.",
        ),
    ),
    ResultType.STS_POLICY_FETCH_ERROR: Explanation(
        "Senders could not fetch the policy.",
        "4.3.2.2",
        look=(
            "Fetch it as a sender does: status 200, text/plain, no redirect, over IPv4 and IPv6:\n"
            f"{_FETCH_POLICY}\n"
            "  dig +short {policy_host} A {policy_host} AAAA",
        ),
        after=(
            "It works? Then it is over, or only some cannot reach it: look for a firewall or a bot check before "
            "{policy_host}. One sender alone may have a fault of its own.",
        ),
    ),
    ResultType.STS_POLICY_INVALID: Explanation(
        "Senders fetched the policy, and it breaks the rules of RFC 8461 section 3.2.",
        "4.3.2.2",
        look=(f"Read what is served, byte by byte:\n{_FETCH_POLICY} | cat -A",),
        after=(_DEPLOY_AGAIN,),
    ),
    ResultType.STS_WEBPKI_INVALID: Explanation(
        "The HTTPS certificate of the policy host is not valid to senders.",
        "4.3.2.2",
        look=(
            "See its name and dates, and whether it is trusted (the last line must say 0 (ok)):\n"
            f"{_SHOW_WEB_CERTIFICATE} | openssl x509 -noout -subject -dates -ext subjectAltName\n"
            f"{_SHOW_WEB_CERTIFICATE} | grep -e ' [si]:' -e Verif",
            "Its name must be {policy_host}, its end ahead, its chain complete. Does the alias still point to our "
            "distribution?\n  dig +short CNAME {policy_host}",
        ),
        after=(_DEPLOY_AGAIN,),
    ),
    ResultType.OTHER: Explanation(
        "The report counts failed sessions and does not say what failed, or not in a word of RFC 8460.",
        "",
        look=(
            "Read the report: it may have a word of the sender's own for it, or say more.",
            f"Look at what {{mx}} shows: names, dates, and the chain, whose last line must say 0 (ok):\n"
            f"{_SHOW_CERTIFICATE}\n{_SHOW_CHAIN}",
        ),
    ),
}
