"""The digest that `dane-mismatch` tells one to publish, beside the one that openssl computes by the usual recipe."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
import trustme
from loopback_servers import Server, SmtpScript, serving

from mailtls.lint.live.dane_rules import Tlsa
from mailtls.observe.smtp import look_at_mx

HOST = "mx1.contoso.test"
RECIPE = "openssl x509 -in {} -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -r"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: make programs")
@pytest.mark.parametrize("key_type", list(trustme.KeyType))
def test_the_digest_of_openssl_fits_the_certificate_that_was_seen(
    key_type: trustme.KeyType, trusted: trustme.CA, tmp_path: Path
) -> None:
    leaf = trusted.issue_cert(HOST, key_type=key_type)
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "leaf.pem"))
    said = subprocess.run(
        ["sh", "-c", RECIPE.format(tmp_path / "leaf.pem")], capture_output=True, text=True, check=True
    )
    digest = said.stdout.split()[0]
    with Server(SmtpScript(serving(leaf)).handle) as server:
        (seen,) = asyncio.run(look_at_mx(HOST, ["127.0.0.1"], patience=5, port=server.port, old_versions=False))
    assert seen.tls is not None
    assert seen.tls.certificate is not None
    record, other = Tlsa.parse(f"3 1 1 {digest}"), Tlsa.parse(f"3 1 1 {'0' * 64}")
    assert record is not None
    assert other is not None
    assert record.fits(seen.tls.certificate.der)
    assert not other.fits(seen.tls.certificate.der)
