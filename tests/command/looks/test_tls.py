"""What a TLS look tells, against servers on loopback: good, broken and hostile ones."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from loopback_servers import DAY, NOW, Server, connect_proxy, serving, tls_handler, wait_for_close

from mailtls.observe.dial import NoConnection, dial
from mailtls.observe.tls import old_versions, open_tls
from mailtls.observed import TlsFault, TlsLook

HOST = "mx1.contoso.test"


def look(port: int, server_name: str = HOST, patience: float = 5, proxy: str | None = None) -> TlsLook:
    async def run() -> TlsLook:
        seen, stream = await open_tls(lambda: dial("127.0.0.1", port, proxy), server_name, patience=patience)
        assert (stream is None) == (seen.fault is not None)
        if stream is not None:
            stream.close()
        return seen

    return asyncio.run(run())


def look_at(handler: Callable[[socket.socket], None], server_name: str = HOST, patience: float = 5) -> TlsLook:
    with Server(handler) as server:
        return look(server.port, server_name, patience)


def test_a_good_server_is_seen_with_version_and_certificate(trusted: trustme.CA) -> None:
    leaf = trusted.issue_cert("MX1.contoso.test", "contoso.test", not_before=NOW - DAY, not_after=NOW + 5 * DAY)
    seen = look_at(tls_handler(serving(leaf)))
    assert (seen.version, seen.fault, seen.detail) == ("TLSv1.3", None, "")
    assert seen.certificate is not None
    assert seen.certificate.dns_ids == ("mx1.contoso.test", "contoso.test")
    assert seen.certificate.issuer == "Contoso Trust"
    assert seen.certificate.not_after == (NOW + 5 * DAY).replace(microsecond=0)
    assert seen.certificate.share_left(NOW) == pytest.approx(5 / 6, abs=0.001)


def test_a_server_of_tls_1_2_is_good(trusted: trustme.CA) -> None:
    context = serving(trusted.issue_cert(HOST), newest=ssl.TLSVersion.TLSv1_2)
    seen = look_at(tls_handler(context))
    assert (seen.version, seen.fault) == ("TLSv1.2", None)


FAULTS: dict[str, tuple[Callable[[trustme.CA], trustme.LeafCert], TlsFault, str]] = {
    "expired": (
        lambda ca: ca.issue_cert(HOST, not_before=NOW - 2 * DAY, not_after=NOW - DAY),
        TlsFault.EXPIRED,
        "certificate has expired",
    ),
    "not valid yet": (
        lambda ca: ca.issue_cert(HOST, not_before=NOW + DAY, not_after=NOW + 2 * DAY),
        TlsFault.NOT_YET_VALID,
        "certificate is not yet valid",
    ),
    "another name": (
        lambda ca: ca.issue_cert("mx2.contoso.test"),
        TlsFault.WRONG_NAME,
        "Hostname mismatch, certificate is not valid for 'mx1.contoso.test'",
    ),
    "the name in the common name only": (
        lambda ca: ca.issue_cert("postmaster@contoso.test", common_name=HOST),  # OpenSSL asks it where no DNS-ID is
        TlsFault.WRONG_NAME,
        "Hostname mismatch, certificate is not valid for 'mx1.contoso.test'",
    ),
    "a wildcard two labels up": (
        lambda ca: ca.issue_cert("*.test"),
        TlsFault.WRONG_NAME,
        "Hostname mismatch, certificate is not valid for 'mx1.contoso.test'",
    ),
    "expired and another name: the name is told first": (
        lambda ca: ca.issue_cert("mx2.contoso.test", not_before=NOW - 2 * DAY, not_after=NOW - DAY),
        TlsFault.WRONG_NAME,
        "Hostname mismatch, certificate is not valid for 'mx1.contoso.test'",
    ),
    "an authority that nobody trusts": (
        lambda _ca: trustme.CA().issue_cert(HOST),
        TlsFault.UNTRUSTED,
        "unable to get local issuer certificate",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_certificate_that_is_refused_is_told_and_shown(case: str, trusted: trustme.CA) -> None:
    issue, fault, detail = FAULTS[case]
    leaf = issue(trusted)
    seen = look_at(tls_handler(serving(leaf)))
    assert (seen.version, seen.fault, seen.detail) == ("", fault, detail)
    assert seen.certificate is not None
    assert bool(seen.certificate.dns_ids) == (case != "the name in the common name only")
    assert seen.certificate.issuer == ("Contoso Trust" if fault is not TlsFault.UNTRUSTED else seen.certificate.issuer)


def test_a_self_signed_certificate_is_untrusted_and_shown(trusted: trustme.CA, tmp_path: Path) -> None:
    own = trustme.CA(organization_name="Nobody")
    (tmp_path / "own.pem").write_bytes(own.private_key_pem.bytes() + own.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    seen = look_at(tls_handler(context))
    assert (seen.fault, seen.detail) == (TlsFault.UNTRUSTED, "self-signed certificate")
    assert seen.certificate is not None
    assert seen.certificate.issuer == "Nobody"


def test_a_wildcard_for_the_left_most_label_is_good(trusted: trustme.CA) -> None:
    assert look_at(tls_handler(serving(trusted.issue_cert("*.contoso.test")))).fault is None


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_server_without_tls_1_2_is_too_old_and_its_certificate_is_shown(
    newest: ssl.TLSVersion, trusted: trustme.CA
) -> None:
    seen = look_at(tls_handler(serving(trusted.issue_cert(HOST), ssl.TLSVersion.TLSv1, newest)))
    assert seen.fault is TlsFault.TOO_OLD
    assert seen.detail
    assert seen.certificate is not None
    assert seen.certificate.dns_ids == (HOST,)


@pytest.mark.parametrize(
    ("oldest", "newest", "told"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, ()),
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3, ("TLSv1.1", "TLSv1")),
        (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ("TLSv1.1",)),
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, ("TLSv1",)),
    ],
)
def test_old_versions_that_are_taken_beside_the_new_ones(
    oldest: ssl.TLSVersion, newest: ssl.TLSVersion, told: tuple[str, ...], trusted: trustme.CA
) -> None:
    with Server(tls_handler(serving(trusted.issue_cert(HOST), oldest, newest))) as server:
        found = asyncio.run(old_versions(lambda: dial("127.0.0.1", server.port), HOST, patience=5))
    assert found == told


def test_a_question_about_old_versions_that_is_not_answered_says_nothing() -> None:
    with Server(wait_for_close) as server:
        assert asyncio.run(old_versions(lambda: dial("127.0.0.1", server.port), HOST, patience=0.3)) is None
    assert asyncio.run(old_versions(lambda: dial("127.0.0.1", server.port), HOST, patience=0.3)) is None  # it is gone


def talk(first: bytes, again: bytes = b"") -> Callable[[socket.socket], None]:
    """Sends `first`, then `again` without end; with neither it is silent."""

    def handle(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(first)
        while again:
            connection.sendall(again)
        wait_for_close(connection)

    return handle


def reset(connection: socket.socket) -> None:
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


HELLO_REQUEST = b"\x16\x03\x03\x00\x04" + bytes(4)
"""A client that waits for ServerHello passes over these (RFC 5246 section 7.4.1.1), without end."""
HOSTILE = {
    "clear text": (talk(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "wrong version number"),
    "closed at once": (
        lambda connection: None,
        "Connection reset by peer|Connection lost|unexpected eof while reading",
    ),
    "reset": (reset, "Connection reset by peer|Connection lost"),
    "an endless handshake": (talk(b"", HELLO_REQUEST * 64), "the server sent more than 262144 octets"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_handshake_that_fails_says_why(case: str, trusted: trustme.CA) -> None:
    handler, words = HOSTILE[case]
    seen = look_at(handler)
    assert (seen.version, seen.certificate, seen.fault) == ("", None, TlsFault.HANDSHAKE)
    assert re.match(words, seen.detail), seen.detail


def test_a_server_that_never_answers_is_left_after_the_patience_once(trusted: trustme.CA) -> None:
    with Server(wait_for_close) as server:
        seen = look(server.port, patience=0.3)
        assert server.connections == 1  # no second look at a server that hangs
    assert (seen.fault, seen.detail) == (TlsFault.HANDSHAKE, "it was not done within 0.3 s")


def test_a_chain_without_end_is_refused(trusted: trustme.CA, tmp_path: Path) -> None:
    leaf = trusted.issue_cert(HOST)
    chain = [leaf.private_key_pem, *leaf.cert_chain_pems, *[trusted.cert_pem] * 400]
    (tmp_path / "chain.pem").write_bytes(b"".join(pem.bytes() for pem in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    seen = look_at(tls_handler(context))
    assert (seen.fault, seen.detail) == (TlsFault.HANDSHAKE, "excessive message size")


@pytest.mark.parametrize("name", ["mx..contoso.test", ".contoso.test", "a" * 64 + ".test", ""])
def test_a_name_that_no_host_can_have_is_a_wrong_name(name: str, trusted: trustme.CA) -> None:
    seen = look_at(tls_handler(serving(trusted.issue_cert(HOST))), server_name=name)
    assert (seen.fault, seen.certificate) == (TlsFault.WRONG_NAME, None)


def test_the_name_is_sent_as_sni(trusted: trustme.CA) -> None:
    asked = []
    context = serving(trusted.issue_cert(HOST))
    context.sni_callback = lambda _connection, name, _context: asked.append(name)
    look_at(tls_handler(context))
    assert asked == [HOST]


def test_where_nothing_listens_there_is_no_connection(trusted: trustme.CA) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NoConnection, match=r"^Connection refused$"):
        look(port)


def test_through_a_proxy(trusted: trustme.CA) -> None:
    asked: list[bytes] = []
    with (
        Server(tls_handler(serving(trusted.issue_cert(HOST)))) as server,
        connect_proxy(server.port, asked=asked) as proxy,
    ):
        assert look(server.port, proxy=f"http://127.0.0.1:{proxy.port}").fault is None
        assert asked == [f"CONNECT 127.0.0.1:{server.port} HTTP/1.1".encode()]


def test_a_proxy_that_refuses_is_told(trusted: trustme.CA) -> None:
    with (
        connect_proxy(1, status=b"407 Who are you") as proxy,
        pytest.raises(NoConnection, match=r"^the proxy says 'HTTP/1\.1 407 Who are you'$"),
    ):
        look(1, proxy=f"http://127.0.0.1:{proxy.port}")


def test_another_bundle_of_authorities_is_read_anew(trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server(tls_handler(serving(trusted.issue_cert(HOST)))) as server:
        assert look(server.port).fault is None
        with trustme.CA().cert_pem.tempfile() as other:
            monkeypatch.setenv("SSL_CERT_FILE", other)
            assert look(server.port).fault is TlsFault.UNTRUSTED
