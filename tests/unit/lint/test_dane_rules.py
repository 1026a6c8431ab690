"""TLSA records beside the certificate that an MX shows (RFC 6698, RFC 7672)."""

import dataclasses
import hashlib

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sample_looks import MX1, answer, mx, port_25, seen, tls

from mailtls.lint.findings import Finding
from mailtls.lint.live import live_findings
from mailtls.lint.live.dane_rules import Tlsa
from mailtls.observed import MxHost, SmtpLook, TlsFault

_CERTIFICATE = x509.load_pem_x509_certificate(trustme.CA().issue_cert(MX1).cert_chain_pems[0].bytes())
DER = _CERTIFICATE.public_bytes(Encoding.DER)
KEY = _CERTIFICATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
OTHER = "ab" * 32
FITTING = {
    "3 0 0": DER.hex(),
    "3 0 1": hashlib.sha256(DER).hexdigest(),
    "3 0 2": hashlib.sha512(DER).hexdigest(),
    "3 1 0": KEY.hex(),
    "3 1 1": hashlib.sha256(KEY).hexdigest(),
    "3 1 2": hashlib.sha512(KEY).hexdigest(),
}


def look(fault: TlsFault | None = None, address: str = "192.0.2.25", der: bytes = DER) -> SmtpLook:
    shown = tls(fault)
    assert shown.certificate is not None
    certificate = dataclasses.replace(shown.certificate, der=der)
    return port_25(address=address, tls=dataclasses.replace(shown, certificate=certificate))


def host(*records: str, looks: tuple[SmtpLook, ...] = (), authenticated: bool = True) -> MxHost:
    tlsa = answer(f"_25._tcp.{MX1}", "TLSA", *records, authenticated=authenticated)
    return mx(MX1, 10, *(looks or (look(),)), tlsa=tlsa)


def mismatches(one: MxHost) -> list[Finding]:
    return [f for f in live_findings(seen(mail_hosts=(one,))) if f.rule == "dane-mismatch"]


@pytest.mark.parametrize("kind", FITTING)
def test_each_kind_of_record_that_fits_is_good(kind: str) -> None:
    assert mismatches(host(f"{kind} {FITTING[kind]}")) == []
    assert mismatches(host(f"{kind} {FITTING[kind].upper()[:20]} {FITTING[kind][20:]}")) == []  # a zone file's blanks


@pytest.mark.parametrize("kind", FITTING)
def test_a_record_of_each_kind_for_another_certificate_is_told(kind: str) -> None:
    (found,) = mismatches(host(f"{kind} {OTHER}"))
    assert found.message == (
        f"{MX1} at 192.0.2.25: its certificate fits none of its TLSA records; senders that honour DANE refuse it"
    )
    assert f"_25._tcp.{MX1} TLSA 3 1 1 {FITTING['3 1 1']}. " in found.fix


def test_one_that_fits_is_enough_as_in_a_roll_over() -> None:
    assert mismatches(host(f"3 1 1 {OTHER}", f"3 1 1 {FITTING['3 1 1']}")) == []


def test_dane_asks_neither_for_an_authority_nor_for_dates() -> None:
    """RFC 7672 section 3.1.1."""
    for fault in (TlsFault.UNTRUSTED, TlsFault.EXPIRED):
        assert mismatches(host(f"3 1 1 {FITTING['3 1 1']}", looks=(look(fault),))) == []


@pytest.mark.parametrize(
    "records",
    [
        (f"2 1 1 {OTHER}",),  # an authority of the chain, which was not seen
        (f"3 1 1 {OTHER}", f"2 0 1 {OTHER}"),
        (f"1 1 1 {OTHER}",),  # section 3.1.3: no sender uses it
        (f"0 0 1 {OTHER}",),
        (f"3 1 9 {OTHER}",),
        (f"3 7 1 {OTHER}",),
        ("3 1 1 not-hex",),
        ("3 1",),
        (),
    ],
)
def test_what_proves_nothing_is_no_finding(records: tuple[str, ...]) -> None:
    assert mismatches(host(*records)) == []


def test_a_host_that_is_an_alias_is_left_alone() -> None:
    """RFC 7672 section 2.2.2: senders ask at the end of the alias first."""
    one = dataclasses.replace(host(f"3 1 1 {OTHER}"), a=answer(MX1, "A", "192.0.2.25", aliases=("mx.contoso.example",)))
    assert mismatches(one) == []


def test_records_that_dnssec_does_not_prove_are_used_by_nobody() -> None:
    assert mismatches(host(f"3 1 1 {OTHER}", authenticated=False)) == []


def test_addresses_with_one_certificate_are_one_finding_and_others_are_good() -> None:
    bad, good = look(address="192.0.2.1"), look(address="192.0.2.3", der=b"another")
    one = host(f"3 0 1 {hashlib.sha256(b'another').hexdigest()}", looks=(bad, look(address="192.0.2.2"), good))
    (found,) = mismatches(one)
    assert found.message.startswith(f"{MX1} at 192.0.2.1, 192.0.2.2: ")


def test_a_host_with_records_has_to_offer_starttls() -> None:
    (found,) = mismatches(host(f"3 1 1 {OTHER}", looks=(port_25(False),)))
    assert "no STARTTLS is offered" in found.message


def test_a_certificate_that_cannot_be_read_is_no_mismatch_of_its_key() -> None:
    record = Tlsa.parse(f"3 1 1 {OTHER}")
    assert record is not None
    assert record.fits(b"no certificate")
