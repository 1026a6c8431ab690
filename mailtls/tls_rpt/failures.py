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
    remedy: steps in order, with the words `{policy_domain}`, `{mx}` and `{policy_host}` to fill in (`str.format`).
    A line of a step that begins with two spaces is a command to type.
    """

    meaning: str
    section: str
    remedy: tuple[str, ...]


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


_SHOW_CERTIFICATE = "  openssl s_client -starttls smtp -connect {mx}:25 -servername {mx}"
_FETCH_POLICY = "  curl -v https://{policy_host}/.well-known/mta-sts.txt"
PUT_BACK = "pulumi up --refresh --skip-preview --continue-on-error"
"""Makes the cloud again what Git says. Without --refresh the engine does not look at what somebody else changed."""

_DEPLOY_AGAIN = f"Changed by hand, or by somebody else? Put back what Git says:\n  {PUT_BACK}"

_EXPLANATIONS: Mapping[ResultType, Explanation] = {
    ResultType.STARTTLS_NOT_SUPPORTED: Explanation(
        "The MX did not offer STARTTLS, so no TLS session could begin.",
        "4.3.1",
        (
            "Ask each address of {mx}; the answer to EHLO must list STARTTLS:\n"
            "  dig +short {mx} A {mx} AAAA\n"
            "  openssl s_client -starttls smtp -connect ADDRESS:25 -servername {mx}",
            "Not offered? Switch TLS on in that MTA, and compare it with the others of its pool.",
            "Offered to you? Then something on the way takes it out: look for SMTP inspection (firewall, antispam "
            "proxy) before that address. None there? Treat it as an attack on the path of those senders.",
        ),
    ),
    ResultType.CERTIFICATE_HOST_MISMATCH: Explanation(
        "The certificate that the MX showed does not hold the name that the policy asks for.",
        "4.3.1",
        (
            "See which names it holds; one must be {mx}, as the MX record spells it, or a wildcard for it:\n"
            f"{_SHOW_CERTIFICATE} </dev/null | openssl x509 -noout -ext subjectAltName",
            "Get a certificate with that name, reload the MTA. A server with several certificates must show this one "
            "to senders without SNI too.",
            "The MX record should name another host? Put that one into the policy's mx first and wait until the "
            "longest max_age served before has run out; then change the MX record.",
        ),
    ),
    ResultType.CERTIFICATE_EXPIRED: Explanation(
        "The MX showed a certificate that has run out.",
        "4.3.1",
        (f"Renew it on {{mx}}, reload the MTA; verify:\n{_SHOW_CERTIFICATE}",),
    ),
    ResultType.CERTIFICATE_NOT_TRUSTED: Explanation(
        "The certificate that the MX showed leads to no authority that the sender trusts.",
        "4.3.1",
        (
            f"See the chain; the certificates between must be sent too:\n{_SHOW_CERTIFICATE} -showcerts",
            "Most often the chain is incomplete: install it in full (fullchain.pem, not cert.pem), reload the MTA.",
            "Self-signed, or of a private authority? Senders of MTA-STS trust public authorities only: replace it.",
        ),
    ),
    ResultType.VALIDATION_FAILURE: Explanation(
        "Something else was wrong; the sender gives no type for it, and often no reason.",
        "4.3.3",
        (
            "Compare the MX records with the policy first: many report an MX that is not listed by this word:\n"
            "  dig +short MX {policy_domain}\n"
            "  curl https://{policy_host}/.well-known/mta-sts.txt",
            f"Then the certificate of {{mx}}: names, dates, chain:\n{_SHOW_CERTIFICATE} -showcerts",
            "Where the sender gave a failure-reason-code, it is in the report.",
        ),
    ),
    ResultType.TLSA_INVALID: Explanation(
        "None of the TLSA records of the MX is valid for the certificate that it showed.",
        "4.3.2.1",
        (
            "Compare the records with the key in use (the digest of a 3 1 1 record):\n"
            "  dig +short TLSA _25._tcp.{mx}\n"
            f"{_SHOW_CERTIFICATE} </dev/null | openssl x509 -noout -pubkey | openssl pkey -pubin -outform DER "
            "| openssl sha256",
            "Publish a record for the key in use, beside the others. Before the next change of the key: publish its "
            "record first, wait two TTLs.",
            "Not within the hour? Remove the whole TLSA set of {mx}: senders then go by MTA-STS alone.",
        ),
    ),
    ResultType.DNSSEC_INVALID: Explanation(
        "The sender's resolver got no valid DNSSEC answer about the MX.",
        "4.3.2.1",
        (
            "Validate as the sender does:\n  delv MX {policy_domain}\n  delv A {mx}\n  delv TLSA _25._tcp.{mx}",
            "Expired signatures: sign the zone again and see why the signer stopped. A DS record that fits no key: "
            "correct it at the registrar; removing it turns DNSSEC, and so DANE, off.",
        ),
    ),
    ResultType.DANE_REQUIRED: Explanation(
        "The sender demands DANE of the MX, and found no TLSA record.",
        "4.3.2.1",
        (
            "Should there be records? See whether they are gone:\n  dig +short TLSA _25._tcp.{mx}",
            "Never had any? The demand is a setting at that sender for {policy_domain}: ask them to lift it, or "
            "publish TLSA records in a signed zone.",
        ),
    ),
    ResultType.STS_POLICY_FETCH_ERROR: Explanation(
        "Senders could not fetch the policy.",
        "4.3.2.2",
        (
            "Fetch it as a sender does: status 200, text/plain, no redirect, over IPv4 and IPv6:\n"
            f"{_FETCH_POLICY}\n"
            "  dig +short {policy_host} A {policy_host} AAAA",
            "It works? Then it is over, or only some cannot reach it: look for a firewall or a bot check before "
            "{policy_host}. One sender alone may have a fault of its own.",
        ),
    ),
    ResultType.STS_POLICY_INVALID: Explanation(
        "Senders fetched the policy, and it breaks the rules of RFC 8461 section 3.2.",
        "4.3.2.2",
        (
            f"Read what is served, byte by byte:\n{_FETCH_POLICY} | cat -A",
            _DEPLOY_AGAIN,
        ),
    ),
    ResultType.STS_WEBPKI_INVALID: Explanation(
        "The HTTPS certificate of the policy host is not valid to senders.",
        "4.3.2.2",
        (
            "See it:\n"
            "  openssl s_client -connect {policy_host}:443 -servername {policy_host} -verify_hostname {policy_host}",
            "Its name must be {policy_host}, its end ahead, its chain complete. Does the alias still point to our "
            "distribution?\n  dig +short CNAME {policy_host}",
            _DEPLOY_AGAIN,
        ),
    ),
    ResultType.OTHER: Explanation(
        "The report does not say how, in the words that RFC 8460 has.",
        "",
        (
            "The sender's own word for it stands above, if it used one. Read the report: it may say more.",
            f"Look at what the MX shows:\n{_SHOW_CERTIFICATE} -showcerts",
        ),
    ),
}
