"""A certificate that nobody stands behind may hold anything: it is read, or it is None, and never an error."""

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailtls.observe.tls import read_certificate

PEM = trustme.CA(organization_name="Contoso Trust").issue_cert("MX1.contoso.test", "192.0.2.1").cert_chain_pems[0]
DER = x509.load_pem_x509_certificate(PEM.bytes()).public_bytes(Encoding.DER)
ORGANISATION = DER.index(b"Contoso Trust")


def test_names_dates_and_issuer() -> None:
    certificate = read_certificate(DER)
    assert certificate is not None
    assert (certificate.dns_ids, certificate.issuer) == (("mx1.contoso.test",), "Contoso Trust")
    assert certificate.not_before < certificate.not_after


@settings(max_examples=500)
@given(st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(DER)))
@example([(ORGANISATION - 2, 3)], len(DER))  # a bit string where text belongs
@example([(ORGANISATION, 27)], len(DER))  # an escape in a name
def test_broken_ones_are_read_or_none(changes: list[tuple[int, int]], length: int) -> None:
    octets = bytearray(DER)
    for place, octet in changes:
        octets[place] = octet
    certificate = read_certificate(bytes(octets[:length]))
    if certificate is not None:
        for name in (certificate.issuer, *certificate.dns_ids):
            assert name.isprintable()
            assert len(name) <= 253
