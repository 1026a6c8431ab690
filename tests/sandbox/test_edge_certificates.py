"""The sandbox's authority: what OpenSSL makes of its certificates, good and bad."""

import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from edge_callers import handshake, names_in_certificate, s_client, serve_tls

from sandbox.edges.certificates import Authority, Kind
from sandbox.edges.connections import Listener

HOST = "mta-sts.contoso.example"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def served(context: ssl.SSLContext) -> Iterator[str]:
    listener = Listener("tls", serve_tls(context))
    yield listener.start()
    listener.stop()


def test_a_good_certificate_is_valid_for_its_name_by_dns_id(authority: Authority) -> None:
    with served(authority.context_for(HOST)) as where:
        assert names_in_certificate(where, HOST, authority.ca) == [HOST]
        with handshake(where, HOST, authority.ca) as secured:
            assert secured.version() == "TLSv1.3"


def test_openssl_verifies_it(authority: Authority) -> None:
    with served(authority.context_for(HOST)) as where:
        assert "Verification: OK" in s_client(where, HOST, "-CAfile", str(authority.ca))


def test_a_wildcard_covers_one_label(authority: Authority) -> None:
    with served(authority.context_for("*.cloudfront.net")) as where:
        handshake(where, "d111.cloudfront.net", authority.ca).close()
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            handshake(where, "a.d111.cloudfront.net", authority.ca)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.WRONG_NAME, "Hostname mismatch"),
        (Kind.EXPIRED, "certificate has expired"),
        (Kind.SELF_SIGNED, "self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_bad_in_its_own_way_only(authority: Authority, kind: Kind, words: str) -> None:
    with served(authority.context_for(HOST, kind)) as where, pytest.raises(ssl.SSLCertVerificationError, match=words):
        handshake(where, HOST, authority.ca)


def test_the_oldest_version_is_the_one_asked_for(authority: Authority) -> None:
    old = ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    with served(authority.context_for(HOST)) as where:
        assert "alert protocol version" in s_client(where, HOST, *old)
    with served(authority.context_for(HOST, minimum=ssl.TLSVersion.TLSv1_3)) as where:
        assert "alert protocol version" in s_client(where, HOST, "-tls1_2")
    with served(authority.context_for(HOST, minimum=ssl.TLSVersion.MINIMUM_SUPPORTED)) as where:
        assert "TLSv1.1" in s_client(where, HOST, *old)


def test_a_context_is_made_once(authority: Authority) -> None:
    assert authority.context_for(HOST) is authority.context_for(HOST)
    assert authority.context_for(HOST) is not authority.context_for(HOST, Kind.EXPIRED)


def test_an_authority_is_the_same_when_it_is_loaded_again(tmp_path: Path) -> None:
    first = Authority(tmp_path / "authority")
    trusted = first.ca.read_bytes()
    again = Authority(tmp_path / "authority")
    assert again.ca.read_bytes() == trusted
    with served(again.context_for(HOST)) as where:
        handshake(where, HOST, first.ca).close()


def test_its_key_is_for_its_owner_only(tmp_path: Path) -> None:
    Authority(tmp_path)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
