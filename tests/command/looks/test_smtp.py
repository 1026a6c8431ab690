"""What a look at an MX tells, against SMTP servers on loopback that keep to a script."""

import asyncio
import re
import socket
import ssl
import time
from typing import Any

import pytest
import trustme
from loopback_servers import DAY, NOW, Server, SmtpScript, connect_proxy, serving, wait_for_close

from mailtls.observe.smtp import look_at_mx
from mailtls.observed import SmtpLook, TlsFault

HOST = "mx1.contoso.test"


def look(port: int, patience: float = 5, **options: Any) -> SmtpLook:
    (seen,) = asyncio.run(look_at_mx(HOST, ["127.0.0.1"], port=port, patience=patience, **options))
    return seen


def look_at(script: SmtpScript, patience: float = 5) -> SmtpLook:
    with Server(script.handle) as server:
        return look(server.port, patience)


def test_a_good_mx(trusted: trustme.CA) -> None:
    seen = look_at(SmtpScript(serving(trusted.issue_cert(HOST))))
    assert (seen.address, seen.starttls, seen.failure, seen.unreachable) == ("127.0.0.1", True, "", False)
    assert seen.tls is not None
    assert (seen.tls.fault, seen.tls.version, seen.tls.old_versions) == (None, "TLSv1.3", ())
    assert seen.tls.certificate is not None
    assert seen.tls.certificate.dns_ids == (HOST,)


def test_old_versions_are_asked_for_when_wanted(trusted: trustme.CA) -> None:
    context = serving(trusted.issue_cert(HOST), oldest=ssl.TLSVersion.TLSv1)
    with Server(SmtpScript(context).handle) as server:
        asked, unasked = look(server.port).tls, look(server.port, old_versions=False).tls
    assert asked is not None
    assert unasked is not None
    assert (asked.old_versions, unasked.old_versions) == (("TLSv1.1", "TLSv1"), None)


@pytest.mark.parametrize(
    ("lifetime", "name", "fault"),
    [
        ((-2, -1), HOST, TlsFault.EXPIRED),
        ((1, 2), HOST, TlsFault.NOT_YET_VALID),
        ((-1, 1), "mx2.contoso.test", TlsFault.WRONG_NAME),
    ],
)
def test_a_bad_certificate_is_told_and_shown(
    lifetime: tuple[int, int], name: str, fault: TlsFault, trusted: trustme.CA
) -> None:
    first, last = (NOW + days * DAY for days in lifetime)
    seen = look_at(SmtpScript(serving(trusted.issue_cert(name, not_before=first, not_after=last))))
    assert (seen.starttls, seen.failure) == (True, "")
    assert seen.tls is not None
    assert seen.tls.fault is fault
    assert seen.tls.certificate is not None
    assert seen.tls.certificate.dns_ids == (name,)


ENDED = {
    "greets with 554": (
        SmtpScript(greeting=b"554 no service for you\r\n"),
        None,
        "it greets with 554 'no service for you'",
    ),
    "greets on many lines": (
        SmtpScript(greeting=b"220-mx.test\r\n220-be patient\r\n220 ESMTP\r\n", ehlo=b"250 mx.test\r\n"),
        False,
        "it does not offer STARTTLS",
    ),
    "no STARTTLS": (SmtpScript(ehlo=b"250-mx.test\r\n250 SIZE 1000\r\n"), False, "it does not offer STARTTLS"),
    "STARTTLS as the server's name is no offer": (
        SmtpScript(ehlo=b"250-STARTTLS\r\n250 SIZE 1000\r\n"),
        False,
        "it does not offer STARTTLS",
    ),
    "STARTTLS inside another word is no offer": (
        SmtpScript(ehlo=b"250-mx.test\r\n250 XSTARTTLS\r\n"),
        False,
        "it does not offer STARTTLS",
    ),
    "EHLO unknown": (
        SmtpScript(ehlo=b"502 what?\r\n"),
        False,
        r"it answers EHLO with 502 'what\?': it does not offer STARTTLS",
    ),
    "EHLO refused": (SmtpScript(ehlo=b"550 5.7.1 listed\r\n"), None, "it answers EHLO with 550 '5.7.1 listed'"),
    "STARTTLS refused": (
        SmtpScript(starttls=b"454 TLS not available\r\n"),
        True,
        "it offers STARTTLS and answers it with 454 'TLS not available'",
    ),
    "clear text behind STARTTLS": (
        SmtpScript(behind=b"250 evil\r\n"),
        True,
        "10 octets in clear text follow its answer to STARTTLS: anyone on the path may have put them there "
        r"\(CVE-2011-0411\)",
    ),
    "not SMTP": (SmtpScript(greeting=b"SSH-2.0-OpenSSH_9.2\r\n"), None, "it says 'SSH-2.0-OpenSSH_9.2.*', which is no"),
    "a reply without a code": (SmtpScript(ehlo=b"250-mx\r\nyes\r\n"), None, "it says 'yes.*', which is no SMTP reply"),
    "a line without end": (SmtpScript(greeting=b"220 " + b"x" * 20000), None, "a reply of more than 16384 octets"),
    "a reply of short lines without end": (
        SmtpScript(greeting=b"220-x\r\n" * 1000),
        None,
        "a reply of more than 128 lines",
    ),
    "a reply of long lines without end": (
        SmtpScript(greeting=(b"220-" + b"x" * 500 + b"\r\n") * 100),
        None,
        "a reply of more than 16384 octets",
    ),
    "controls in a reply are escaped": (
        SmtpScript(greeting=b"554 \x1b[2Jgone\r\n"),
        None,
        r"it greets with 554 '\\x1b\[2Jgone'",
    ),
    "a long reply is shortened": (SmtpScript(greeting=b"554 " + b"x" * 500 + b"\r\n"), None, "it greets .{,100}$"),
}


@pytest.mark.parametrize("case", ENDED)
def test_a_conversation_that_ends_before_tls_says_why(case: str) -> None:
    script, starttls, failure = ENDED[case]
    seen = look_at(script)
    assert (seen.starttls, seen.tls, seen.unreachable) == (starttls, None, False)
    assert re.match(failure, seen.failure), seen.failure


def test_any_case_of_the_keyword_and_bare_line_feeds_are_read(trusted: trustme.CA) -> None:
    context = serving(trusted.issue_cert(HOST))
    script = SmtpScript(context, greeting=b"220 hi\n", ehlo=b"250-mx\n250 starttls\n", starttls=b"220 go\n")
    seen = look_at(script)
    assert seen.tls is not None
    assert seen.tls.fault is None


def test_a_server_that_closes_after_its_ready_has_no_handshake(trusted: trustme.CA) -> None:
    seen = look_at(SmtpScript(context=None))
    assert seen.starttls is True
    assert seen.tls is not None
    assert seen.tls.fault is TlsFault.HANDSHAKE


def test_clear_text_that_comes_later_breaks_the_handshake(trusted: trustme.CA) -> None:
    def handle(connection: socket.socket) -> None:
        for reply in (b"220 hi\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            connection.sendall(reply)
            connection.recv(4096)
        connection.sendall(b"250 evil\r\n")
        wait_for_close(connection)

    with Server(handle) as server:
        seen = look(server.port)
    assert seen.tls is not None
    assert (seen.tls.fault, seen.tls.detail) == (TlsFault.HANDSHAKE, "wrong version number")


def test_a_server_that_closes_at_once_was_reached() -> None:
    with Server(lambda connection: None) as server:
        seen = look(server.port)
    assert (seen.unreachable, seen.starttls, seen.failure) == (False, None, "it closed the connection")


def test_a_silent_server_was_reached() -> None:
    with Server(wait_for_close) as server:
        seen = look(server.port, patience=0.3)
    assert (seen.unreachable, seen.failure) == (False, "no whole answer within 0.3 s")


def test_a_server_that_trickles_does_not_stretch_the_patience() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.settimeout(0.05)
        while True:
            connection.sendall(b"220-x\r\n")
            try:
                if not connection.recv(10):
                    return
            except TimeoutError:
                pass

    with Server(trickle) as server:
        seen = look(server.port, patience=0.5)
    assert seen.failure == "no whole answer within 0.5 s"


def test_where_nothing_listens_the_address_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seen = look(port)
    assert (seen.unreachable, seen.starttls, seen.tls) == (True, None, None)
    assert seen.failure == "Connection refused"


def test_every_address_is_looked_at_and_one_bad_one_stops_no_other(trusted: trustme.CA) -> None:
    good = SmtpScript(serving(trusted.issue_cert(HOST)))
    bad = SmtpScript(serving(trusted.issue_cert(HOST, not_before=NOW - 2 * DAY, not_after=NOW - DAY)))
    with Server(good.handle, "127.0.0.1") as first, Server(bad.handle, "127.0.0.2", first.port):
        addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        seen = asyncio.run(look_at_mx(HOST, addresses, port=first.port, patience=5))
    assert [each.address for each in seen] == addresses
    assert seen[0].tls is not None
    assert seen[1].tls is not None
    assert (seen[0].tls.fault, seen[1].tls.fault) == (None, TlsFault.EXPIRED)
    assert seen[2].unreachable


def test_through_a_proxy(trusted: trustme.CA) -> None:
    asked: list[bytes] = []
    with (
        Server(SmtpScript(serving(trusted.issue_cert(HOST))).handle) as server,
        connect_proxy(server.port, asked=asked) as proxy,
    ):
        seen = look(25, proxy=f"http://127.0.0.1:{proxy.port}", old_versions=False)
    assert seen.tls is not None
    assert seen.tls.fault is None
    assert asked == [b"CONNECT 127.0.0.1:25 HTTP/1.1"]


def test_an_ipv6_address_through_a_proxy_stands_in_brackets() -> None:
    """RFC 9110 section 9.3.6 with RFC 3986 section 3.2.2."""
    asked: list[bytes] = []
    with Server(SmtpScript(ehlo=b"250 mx.test\r\n").handle) as server, connect_proxy(server.port, asked=asked) as proxy:
        (seen,) = asyncio.run(look_at_mx(HOST, ["2001:db8::25"], patience=5, proxy=f"http://127.0.0.1:{proxy.port}"))
    assert seen.starttls is False
    assert asked == [b"CONNECT [2001:db8::25]:25 HTTP/1.1"]


@pytest.mark.parametrize(
    "script",
    [SmtpScript(ehlo=b"250 mx.test\r\n"), SmtpScript(starttls=b"454 not now\r\n"), SmtpScript(ehlo=b"550 no\r\n")],
)
def test_a_conversation_that_ends_early_ends_with_quit(script: SmtpScript) -> None:
    """RFC 5321 section 4.1.1.10."""
    with Server(script.handle) as server:
        look(server.port)
        for _ in range(500):  # we do not wait for the server to read it
            if b"QUIT" in script.heard:
                break
            time.sleep(0.01)
    assert script.heard[-1] == b"QUIT"
    assert script.heard[0].startswith(b"EHLO ")


def test_ehlo_gives_a_name_or_an_address_that_the_rfc_allows() -> None:
    """RFC 5321 section 4.1.1.1: a full domain name or an address literal."""
    said: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"220 hi\r\n")
        said.append(connection.recv(4096))

    with Server(handle) as server:
        look(server.port)
    assert re.fullmatch(rb"EHLO (\[127\.0\.0\.1\]|[a-z0-9-]+(\.[a-z0-9-]+)+)\r\n", said[0]), said
