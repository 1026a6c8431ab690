"""A TLS fault in a sentence: what an admin has to know to mend it."""

import datetime

import pytest

from mailtls.observed import Certificate, TlsFault, TlsLook


def certificate(*names: str) -> Certificate:
    first, last = (datetime.datetime(2026, month, 1, tzinfo=datetime.UTC) for month in (3, 9))
    return Certificate(names, first, last, "Contoso Trust")


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (TlsLook("TLSv1.3", certificate("a.example")), ""),
        (
            TlsLook("", certificate(), TlsFault.EXPIRED, "certificate has expired"),
            "the certificate has expired, on 2026-09-01",
        ),
        (
            TlsLook("", certificate(), TlsFault.NOT_YET_VALID, "certificate is not yet valid"),
            "the certificate is not valid yet, but from 2026-03-01 on",
        ),
        (
            TlsLook("", certificate("a.example", "*.b.example"), TlsFault.WRONG_NAME, "Hostname mismatch"),
            "the certificate is for another name: it holds a.example, *.b.example",
        ),
        (
            TlsLook("", certificate(*"abcde"), TlsFault.WRONG_NAME),
            "the certificate is for another name: it holds a, b, c and 2 more",
        ),
        (
            TlsLook("", certificate(), TlsFault.WRONG_NAME),
            "the certificate is for another name: it holds no DNS name",
        ),
        (
            TlsLook("", certificate("a.example"), TlsFault.UNTRUSTED, "self-signed certificate"),
            "no trusted authority stands behind the certificate: self-signed certificate",
        ),
        (
            TlsLook("", None, TlsFault.EXPIRED, "certificate has expired"),
            "the certificate has expired",
        ),
        (TlsLook("", None, TlsFault.HANDSHAKE), "the TLS handshake failed"),
    ],
)
def test_the_sentence(look: TlsLook, told: str) -> None:
    assert look.trouble == told
