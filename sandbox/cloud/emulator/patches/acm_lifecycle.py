"""The life of an ACM certificate that is validated by DNS: pending, issued, renewed, expired. Asks DNS, so it blocks.

(ACM User Guide, "DNS validation", "Managed certificate renewal"; API reference, CertificateDetail)
"""

import hashlib
import threading
from typing import Any

from ministack.core.responses import get_account_id

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.outside import OUTSIDE

DAY = 86400
VALIDATION_WINDOW = 72 * 3600
"""Seconds in which the record must appear."""
LIFETIME = 198 * DAY
RENEWAL = 45 * DAY
"""Before its end a certificate is renewed, if its record is still there and something uses it."""

Certificate = dict[str, Any]
"""The emulator's record of a certificate. Times are seconds since 1970 on the emulator's clock."""

_changing = threading.Lock()


def validation_record(domain: str) -> dict[str, str]:
    """The CNAME that proves `domain` for this account; `*.x` and `x` share one. The same for every certificate."""
    base = domain.removeprefix("*.").lower()
    proof = hashlib.sha256(f"{get_account_id()} {base}".encode()).hexdigest()
    zone = "".join(chr(ord("a") + int(digit, 16)) for digit in proof[:10])
    target = hashlib.sha256(f"target {proof}".encode()).hexdigest()[:32]
    return {
        "Name": f"_{proof[-32:]}.{base}.",
        "Type": "CNAME",
        "Value": f"_{target}.{zone}.acm-validations.aws.",
    }


def begin(certificate: Certificate) -> None:
    """A request was taken: nothing is issued yet."""
    certificate.update(Status="PENDING_VALIDATION", CreatedAt=CLOCK.now())
    for name in ("IssuedAt", "NotBefore", "NotAfter"):
        certificate.pop(name, None)


def follow(certificate: Certificate, in_use: bool) -> None:
    """Bring the certificate to where it is by now. Blocks on DNS when its state depends on it."""
    if certificate.get("Type") != "AMAZON_ISSUED" or certificate.get("ValidationMethod") != "DNS":
        return
    if certificate["Status"] == "PENDING_VALIDATION":
        proven = _proven(certificate)
        with _changing:
            _validate(certificate, proven)
    elif certificate["Status"] == "ISSUED" and CLOCK.now() >= certificate["NotAfter"] - RENEWAL:
        proven = _proven(certificate)
        with _changing:
            _renew(certificate, in_use and len(proven) == len(certificate["DomainValidationOptions"]))


def _proven(certificate: Certificate) -> set[str]:
    """Those names of the certificate whose record DNS shows."""
    options = certificate["DomainValidationOptions"]
    records = {option["ResourceRecord"]["Name"]: option["ResourceRecord"]["Value"] for option in options}
    shown = {name for name, value in records.items() if OUTSIDE.cname(name) == {value.rstrip(".").lower()}}
    return {option["DomainName"] for option in options if option["ResourceRecord"]["Name"] in shown}


def _validate(certificate: Certificate, proven: set[str]) -> None:
    if certificate["Status"] != "PENDING_VALIDATION":
        return
    late = CLOCK.now() - certificate["CreatedAt"] >= VALIDATION_WINDOW
    for option in certificate["DomainValidationOptions"]:
        if option["DomainName"] in proven:
            option["ValidationStatus"] = "SUCCESS"
        elif option["ValidationStatus"] != "SUCCESS":
            option["ValidationStatus"] = "FAILED" if late else "PENDING_VALIDATION"
    if all(option["ValidationStatus"] == "SUCCESS" for option in certificate["DomainValidationOptions"]):
        _issue(certificate)
    elif late:
        certificate["Status"] = "VALIDATION_TIMED_OUT"


def _issue(certificate: Certificate) -> None:
    now = CLOCK.now()
    certificate.update(Status="ISSUED", NotBefore=now, NotAfter=now + LIFETIME)
    certificate.setdefault("IssuedAt", now)


def _renew(certificate: Certificate, renewable: bool) -> None:
    if renewable:
        # Also past its end: the clock was moved over the days on which it would have been renewed.
        _issue(certificate)
        certificate["RenewalStatus"] = "SUCCESS"
    else:
        certificate["RenewalStatus"] = "PENDING_VALIDATION"
        if CLOCK.now() >= certificate["NotAfter"]:
            certificate["Status"] = "EXPIRED"
