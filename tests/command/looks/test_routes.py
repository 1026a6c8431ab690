"""Addresses that this machine has no way to are left out and told: they are no fault of the other side."""

import asyncio
import errno
import socket

import pytest

from mailtls.observe import targets
from mailtls.observe.domain import Looks, Network, look_at
from mailtls.observe.recursive import Recursive
from mailtls.observed import DnsAnswer, DnsStatus
from mailtls.verdict import Protection, judge

RECORDS = {
    ("_mta-sts.contoso.test", "TXT"): "v=STSv1; id=1;",
    ("mta-sts.contoso.test", "AAAA"): "2606:4700::1111",
    ("contoso.test", "MX"): "10 mx1.contoso.test",
    ("mx1.contoso.test", "AAAA"): "2606:4700::2222",
}


class Answers(Recursive):
    """A resolver that knows the records above."""

    async def ask(self, name: str, rdtype: str) -> DnsAnswer:
        value = RECORDS.get((name, rdtype))
        return DnsAnswer(name, rdtype, DnsStatus.ANSWERED if value else DnsStatus.NO_DATA, (value,) if value else ())


class Asking(socket.socket):
    """A machine without IPv6: what the system says there (connect(2)) to a socket that has to choose a route."""

    def connect(self, address: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")


def test_a_machine_without_ipv6_finds_no_fault_in_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets.socket, "socket", Asking)
    observed = asyncio.run(look_at("contoso.test", Looks.USUAL | Looks.SMTP, Network(Answers(["127.0.0.1"]))))
    assert (observed.https, observed.mail_hosts[0].smtp) == ((), ())
    assert len([words for words in observed.unasked if words.endswith("(no IPv6 here)")]) == 2
    verdict = judge(observed)
    assert verdict.protection is Protection.UNKNOWN
    assert "no address to connect to" in verdict.steps[8].saw


def test_a_route_is_asked_for_and_nothing_is_sent() -> None:
    assert targets.has_route("127.0.0.1")
