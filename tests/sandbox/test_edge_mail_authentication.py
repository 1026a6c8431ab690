"""SPF, DMARC and the author's domain, as the SMTP edge judges them."""

import socket
from collections.abc import Callable

import pytest

from sandbox.cloud.emulator.name_server import NameServer
from sandbox.edges.mail_authentication import SpfResult, dkim_results, dmarc_result, from_domain, spf_result
from sandbox.edges.mail_dns import MailDns


@pytest.fixture(scope="module")
def dns(names: NameServer) -> MailDns:
    return MailDns(names.address)


@pytest.mark.parametrize(
    ("records", "result"),
    [
        (['"v=spf1 ip4:127.0.0.0/8 -all"'], "pass"),
        (['"v=spf1 ip6:::1 ip4:192.0.2.1 -all"'], "fail"),
        (['"v=spf1 ~all"'], "softfail"),
        (['"v=spf1 ?all"'], "neutral"),
        (['"v=spf1"'], "neutral"),
        (['"v=spf1 exp=e.test ip4:127.0.0.1"'], "pass"),
        (['"v=spf1 mx -all"'], "none"),
        (['"v=spf1 redirect=other.test"'], "none"),
        (['"v=spf1 ip4:nonsense -all"'], "permerror"),
        (['"v=spf1 -all"', '"v=spf1 +all"'], "permerror"),
        (['"v=spf10 +all"', '"other"'], "none"),
        ([], "none"),
    ],
)
def test_spf(dns: MailDns, names: NameServer, unique: Callable[..., str], records: list[str], result: str) -> None:
    domain = f"{unique('spf')}.test"
    if records:
        names.add(domain, "TXT", *records)
    assert spf_result(domain, "127.0.0.1", dns).result == result


def test_dmarc_looks_upwards_and_wants_alignment(dns: MailDns, names: NameServer) -> None:
    names.add("_dmarc.dm.test", "TXT", '"v=DMARC1; p=none"')
    assert dmarc_result("dm.test", ("dm.test",), dns) == "pass"
    assert dmarc_result("sub.dm.test", ("dm.test",), dns) == "pass"
    assert dmarc_result("dm.test", ("other.test", "test"), dns) == "fail"
    assert dmarc_result("other.test", ("other.test",), dns) == "none"
    assert dmarc_result("", (), dns) == "none"


def test_without_dns_nothing_is_known() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        silent = MailDns(f"127.0.0.1:{deaf.getsockname()[1]}")
        silent._resolver.lifetime = 0.05
        assert spf_result("a.test", "127.0.0.1", silent).result == "temperror"
        assert dmarc_result("a.test", (), silent) == "temperror"
        data = b"DKIM-Signature: v=1; a=rsa-sha256; b=AAAA; bh=AAAA; d=a.test; s=s; h=from\r\nFrom: a\r\n\r\n"
        assert [one.result for one in dkim_results(data, silent)] == ["temperror"]


@pytest.mark.parametrize(
    ("head", "domain"),
    [
        (b"From: a@B.test", "b.test"),
        (b'X: y\r\nfrom:\r\n "a <x@y.test>"\r\n <a@b.test>', "b.test"),
        (b"Subject: From: a@b.test", ""),
        (b"From: nobody", ""),
        (b"From: a@[192.0.2.1]", ""),
    ],
)
def test_the_authors_domain(head: bytes, domain: str) -> None:
    assert from_domain(head + b"\r\n\r\nFrom: c@body.test\r\n") == domain


def test_the_comment_names_who_was_asked(dns: MailDns) -> None:
    assert spf_result("none.test", "127.0.0.1", dns) == SpfResult(
        "none", "spfCheck: 127.0.0.1 is neither permitted nor denied by domain of none.test"
    )
