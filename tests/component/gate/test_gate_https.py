"""The fetch of a policy as a sending MTA does it, against an HTTPS server on loopback."""

from typing import Any

import pytest
import trustme

from mailtls.observe.https import FetchError, fetch_policy

HOST = "mta-sts.contoso.example"
HERE = ("127.0.0.1",)


def test_url_sni_and_host_keep_the_name_while_the_address_is_ours(policy_host_server: Any) -> None:
    headers = {"Content-Type": "text/plain", "X-Amz-Version-Id": "v1"}
    policy_host_server.says(200, headers, b"version: STSv1\r\n")
    response = fetch_policy(HOST, HERE, port=policy_host_server.port)
    assert (response.status, response.body) == (200, b"version: STSv1\r\n")
    assert response.header("x-amz-version-id") == "v1"
    assert policy_host_server.seen == [(HOST, HOST, "/.well-known/mta-sts.txt")]


def test_a_redirect_is_an_answer_and_not_followed(policy_host_server: Any) -> None:
    policy_host_server.says(301, {"Location": f"https://{HOST}/elsewhere"})
    assert fetch_policy(HOST, HERE, port=policy_host_server.port).status == 301
    assert len(policy_host_server.seen) == 1


def test_proxy_variables_of_the_environment_are_not_read(
    policy_host_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch_policy(HOST, HERE, port=policy_host_server.port).status == 200


def test_a_proxy_is_asked_for_the_address_that_we_looked_up(policy_host_server: Any, proxy: Any) -> None:
    assert fetch_policy(HOST, ("192.0.2.7",), proxy.url).status == 200
    assert fetch_policy(HOST, ("2001:db8::7",), proxy.url).status == 200
    assert proxy.connects == ["CONNECT 192.0.2.7:443 HTTP/1.1", "CONNECT [2001:db8::7]:443 HTTP/1.1"]


def test_a_proxy_that_refuses_is_quoted(proxy: Any) -> None:
    proxy.status = "403 Forbidden"
    with pytest.raises(FetchError, match=r"192\.0\.2\.7: the proxy says 'HTTP/1\.1 403 Forbidden'"):
        fetch_policy(HOST, ("192.0.2.7",), proxy.url)


def test_the_next_address_is_tried_when_one_takes_no_connection(policy_host_server: Any) -> None:
    assert fetch_policy(HOST, ("127.0.0.99", "127.0.0.1"), port=policy_host_server.port).status == 200


def test_a_certificate_for_another_name_is_refused(policy_host_server: Any) -> None:
    with pytest.raises(FetchError, match=r"certificate is not valid: .*'mta-sts\.fabrikam\.example'$"):
        fetch_policy("mta-sts.fabrikam.example", HERE, port=policy_host_server.port)


def test_a_certificate_of_an_unknown_authority_is_refused(
    policy_host_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    with pytest.raises(FetchError, match="certificate is not valid: unable to get local issuer certificate"):
        fetch_policy(HOST, HERE, port=policy_host_server.port)


def test_a_body_over_the_limit_is_not_read_to_its_end(policy_host_server: Any) -> None:
    policy_host_server.says(200, {}, b"x" * 65537)
    with pytest.raises(FetchError, match="larger than 65536 octets"):
        fetch_policy(HOST, HERE, port=policy_host_server.port)


def test_a_trickle_of_octets_ends_at_the_limit(policy_host_server: Any) -> None:
    policy_host_server.says(200, {}, b"x" * 1000, trickle=0.02)
    with pytest.raises(FetchError, match=r"no whole answer within 0\.3 s"):
        fetch_policy(HOST, HERE, port=policy_host_server.port, timeout=0.3)


@pytest.mark.parametrize(("addresses", "cause"), [((), "has no address"), (("127.0.0.1",), "Connection refused")])
def test_no_connection_is_told(addresses: tuple[str, ...], cause: str) -> None:
    with pytest.raises(FetchError, match=cause):
        fetch_policy(HOST, addresses, port=1)
