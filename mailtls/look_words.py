"""What was seen at one address, in words for people."""

from mailtls.observed import HttpsLook, SmtpLook


def smtp_fault(look: SmtpLook) -> str:
    """Why a sender that honours MTA-STS would not deliver there; "" when it would, or when nothing is known."""
    if not look.seen:
        return ""
    if look.starttls is False:
        return "no STARTTLS"
    if look.tls is not None and look.tls.fault is not None:
        return look.tls.trouble
    return look.failure


def smtp_words(look: SmtpLook) -> str:
    """One look at port 25 in words."""
    if fault := smtp_fault(look):
        return fault
    if not look.seen:
        return f"no connection ({look.failure})" if look.unreachable else f"not seen: {look.failure}"
    certificate = look.tls.certificate if look.tls else None
    until = f", certificate until {certificate.not_after:%Y-%m-%d}" if certificate else ""
    return f"STARTTLS, {look.tls.version if look.tls else ''}{until}"


def tls_words(look: HttpsLook) -> str:
    """The TLS session with one address of the policy host in words."""
    if look.tls is None:
        return look.failure
    if look.tls.fault is not None:
        return look.tls.trouble
    until = f", certificate until {look.tls.certificate.not_after:%Y-%m-%d}" if look.tls.certificate else ""
    return f"{look.tls.version}{until}"


def answer_words(look: HttpsLook) -> str:
    """What one address of the policy host answered, in words."""
    if look.status is None:
        return look.failure
    words = f"status {look.status}"
    if 300 <= look.status < 400:
        return f"{words}: a redirect, which no sender follows (section 3.3)"
    if look.status != 200:
        return f"{words}: only 200 counts (section 3.3)"
    return (
        look.failure or f"{words}, {look.header('content-type') or 'no content type'}, {len(look.body or b'')} octets"
    )
