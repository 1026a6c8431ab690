"""The proxy: leads HTTPS to the edge, for clients that nobody here wrote, and nothing anywhere else."""

import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
from edge_callers import POLICY_PATH, address, hung_up

from mailtls.observe.https import fetch_policy
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.edges.certificates import Authority
from sandbox.edges.faults import Faults
from sandbox.edges.https import HttpsEdge
from sandbox.edges.proxy import Proxy
from sandbox.edges.webhook import Webhook

GOOD = "mta-sts.good.outside.example"
URL = f"https://{GOOD}{POLICY_PATH}"


@dataclass
class Internet:
    authority: Authority
    names: NameServer
    https: str
    any_name: str
    """Proxy that asks no DNS."""
    proxy: str
    """Proxy that does."""


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    names = NameServer()
    dns = names.start()
    edge = HttpsEdge(authority, Faults(), lambda: None, Webhook(lambda: None))
    https = edge.start()
    proxies = (Proxy(https), Proxy(https, dns))
    yield Internet(authority, names, https, *(proxy.start() for proxy in proxies))
    for part in (*proxies, edge, names):
        part.stop()


def trusting(internet: Internet) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(internet.authority.ca))


def test_httpx_fetches_through_it(internet: Internet) -> None:
    with httpx.Client(proxy=internet.any_name, verify=trusting(internet), trust_env=False) as client:
        for _ in range(3):
            answer = client.get(URL)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain")


def test_urllib_fetches_through_it(internet: Internet) -> None:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": internet.any_name}),
        urllib.request.HTTPSHandler(context=trusting(internet)),
    )
    with opener.open(URL, timeout=10) as answer:
        assert answer.read().startswith(b"version: STSv1\r\n")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_fetches_through_it(internet: Internet) -> None:
    command = ["curl", "--silent", "--show-error", "--proxy", internet.any_name]
    command += ["--cacert", str(internet.authority.ca), URL]
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout.startswith(b"version: STSv1\r\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_publish_gate_fetches_through_it_by_address(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(internet.authority.ca))
    for proxy in (internet.any_name, internet.proxy):
        assert fetch_policy(GOOD, [host], proxy).status == 200


def test_names_are_looked_up_where_it_is_told_to(internet: Internet) -> None:
    with httpx.Client(proxy=internet.proxy, verify=trusting(internet), trust_env=False) as client:
        with pytest.raises(httpx.ProxyError, match="502"):
            client.get(URL)
        internet.names.add(GOOD, "A", "192.0.2.104")  # there, but not on this machine
        with pytest.raises(httpx.ProxyError, match="502"):
            client.get(URL)
        internet.names.add(GOOD, "A", "127.0.0.1")
        assert client.get(URL).status_code == 200


def says(proxy: str, request: bytes) -> bytes:
    with socket.create_connection(address(proxy), 10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("CONNECT mta-sts.good.outside.example:80", 403),
        ("CONNECT mta-sts.good.outside.example:25", 403),
        ("CONNECT mta-sts.good.outside.example", 403),
        ("CONNECT 127.0.0.1:4430", 403),
        ("GET http://www.example.com/", 403),
        ("GET https://www.example.com:443", 403),
        ("CONNECT 192.0.2.104:443", 502),
        ("CONNECT [2001:db8::104]:443", 502),
    ],
)
def test_nothing_else_leaves_the_machine(internet: Internet, line: str, status: int) -> None:
    answer = says(internet.any_name, f"{line} HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("request_head", [b"nonsense\r\n\r\n", b"\r\n\r\n", b"CONNECT a:443\r\n\r\n"])
def test_nonsense_is_no_request(internet: Internet, request_head: bytes) -> None:
    assert says(internet.any_name, request_head).startswith(b"HTTP/1.1 400 ")


def test_an_endless_request_is_cut_off(internet: Internet) -> None:
    with socket.create_connection(address(internet.any_name), 10) as connection:
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(b"X" * (1 << 24))
        assert hung_up(connection)


def test_what_a_client_says_too_early_goes_into_the_tunnel(internet: Internet) -> None:
    context = trusting(internet)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=GOOD)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    with socket.create_connection(address(internet.any_name), 10) as connection:
        connection.sendall(f"CONNECT {GOOD}:443 HTTP/1.1\r\n\r\n".encode() + outgoing.read())
        answer = b""
        while len(answer.partition(b"\r\n\r\n")[2]) < 6:
            answer += connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.partition(b"\r\n\r\n")[2][5:6] == b"\x02"  # ServerHello


def test_an_edge_that_is_gone_ends_the_tunnel(internet: Internet) -> None:
    gone = socket.create_server(("127.0.0.1", 0))
    where = f"127.0.0.1:{gone.getsockname()[1]}"
    gone.close()
    proxy = Proxy(where)
    try:
        assert says(proxy.start(), b"CONNECT a.example:443 HTTP/1.1\r\n\r\n") == b""
    finally:
        proxy.stop()


def test_a_stopped_proxy_ends_its_tunnels(internet: Internet) -> None:
    proxy = Proxy(internet.https)
    with socket.create_connection(address(proxy.start()), 10) as connection:
        connection.sendall(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        proxy.stop()
        assert hung_up(connection)


def test_the_environment_is_not_needed(internet: Internet) -> None:
    with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
        urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": internet.any_name}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        ).open(URL, timeout=10)
