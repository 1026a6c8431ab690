"""The walk to a zone's own servers, against a DNS server on loopback."""

from typing import Any

import dns.rcode
import dns.rrset
import pytest

from mailtls.observe.dns import DnsError, MailHosts, MailRoute, Resolver

NAME = "_mta-sts.contoso.example"


@pytest.fixture
def resolver(dns_server: Any) -> Resolver:
    dns_server.zones |= {"contoso.example."}
    return Resolver("127.0.0.1", dns_server.port, timeout=1)


def test_strings_of_one_txt_record_are_joined_and_records_are_kept_apart(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records[NAME + ".", "TXT"] = ['"v=STSv1; " "id=1;"', '"else"']
    assert sorted(resolver.authoritative_txt(NAME)) == ["else", "v=STSv1; id=1;"]


@pytest.mark.parametrize("hint", [None, "contoso.example"])
def test_the_name_itself_is_never_asked_of_the_recursive_resolver(
    dns_server: Any, resolver: Resolver, hint: str | None
) -> None:
    assert resolver.authoritative_txt(NAME, hint) == ()
    asked = {(name, recursive) for name, _, recursive in dns_server.questions}
    assert (NAME + ".", False) in asked
    assert (NAME + ".", True) not in asked


def test_a_name_with_other_records_only_has_no_txt_values(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records[NAME + ".", "A"] = ["192.0.2.1"]
    assert resolver.authoritative_txt(NAME) == ()


def test_an_alias_is_followed_into_another_zone_by_a_walk_of_its_own(dns_server: Any, resolver: Resolver) -> None:
    dns_server.zones.add("mailhost.example.")
    dns_server.records[NAME + ".", "CNAME"] = ["_mta-sts.mailhost.example."]
    dns_server.records["_mta-sts.mailhost.example.", "TXT"] = ['"v=STSv1; id=2;"']
    assert resolver.authoritative_txt(NAME) == ("v=STSv1; id=2;",)
    assert ("_mta-sts.mailhost.example.", "TXT", True) not in dns_server.questions


def test_a_delegated_part_of_the_zone_is_asked_of_its_own_servers(dns_server: Any, resolver: Resolver) -> None:
    dns_server.delegated.add("shop.contoso.example.")
    dns_server.records["ns1.shop.contoso.example.", "A"] = ["127.0.0.1"]
    dns_server.records["_mta-sts.shop.contoso.example.", "TXT"] = ['"v=STSv1; id=3;"']
    assert resolver.authoritative_txt("_mta-sts.shop.contoso.example", "contoso.example") == ("v=STSv1; id=3;",)
    assert not dns_server.delegated


def test_a_content_networks_name_is_left_to_the_recursive_resolver(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records["mta-sts.contoso.example.", "CNAME"] = ["d1.cdn.test."]
    dns_server.records["d1.cdn.test.", "A"] = ["192.0.2.7", "192.0.2.8"]
    dns_server.records["d1.cdn.test.", "AAAA"] = ["2001:db8::7"]
    found = resolver.authoritative_addresses("mta-sts.contoso.example", "contoso.example")
    assert sorted(found[:2]) == ["192.0.2.7", "192.0.2.8"]
    assert found[2:] == ("2001:db8::7",)
    assert ("d1.cdn.test.", "A", True) in dns_server.questions


def test_aliases_that_go_round_end(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records["a.contoso.example.", "CNAME"] = ["b.contoso.example."]
    dns_server.records["b.contoso.example.", "CNAME"] = ["a.contoso.example."]
    with pytest.raises(DnsError, match="aliases in a row"):
        resolver.authoritative_txt("a.contoso.example")


def test_a_server_that_fails_is_named(dns_server: Any, resolver: Resolver) -> None:
    dns_server.rcodes[NAME + "."] = dns.rcode.SERVFAIL
    with pytest.raises(DnsError, match=r"contoso\.example: ns1\.contoso\.example\. \(127\.0\.0\.1\): SERVFAIL"):
        resolver.authoritative_txt(NAME)


def test_a_lame_server_is_no_witness_that_nothing_is_published(dns_server: Any, resolver: Resolver) -> None:
    """It refers to the root, with NOERROR and no data, whatever the zone holds."""
    dns_server.records[NAME + ".", "TXT"] = ['"v=STSv1; id=theirs;"']
    dns_server.lame[NAME + "."] = 1
    with pytest.raises(DnsError, match=r"ns1\.contoso\.example\. \(127\.0\.0\.1\): not authoritative"):
        resolver.authoritative_txt(NAME)


def test_the_next_server_is_asked_after_a_lame_one(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records["contoso.example.", "NS"] = ["ns1.contoso.example.", "ns2.contoso.example."]
    dns_server.records["ns2.contoso.example.", "A"] = ["127.0.0.1"]
    dns_server.records[NAME + ".", "TXT"] = ['"v=STSv1; id=theirs;"']
    dns_server.lame[NAME + "."] = 1
    assert resolver.authoritative_txt(NAME) == ("v=STSv1; id=theirs;",)


@pytest.mark.parametrize("published", [[], ['"v=STSv1; id=old;"']])
def test_what_a_cache_holds_is_no_answer(dns_server: Any, resolver: Resolver, published: list[str]) -> None:
    """Neither data nor their absence: whoever answers on port 53 may be a resolver that a firewall put there."""
    if published:
        dns_server.records[NAME + ".", "TXT"] = published
    dns_server.cached.add(NAME + ".")
    with pytest.raises(DnsError, match="not authoritative"):
        resolver.authoritative_txt(NAME)


def test_what_a_cache_adds_behind_an_alias_is_not_taken(dns_server: Any, resolver: Resolver) -> None:
    """AA speaks of the first name of an answer (RFC 1035 section 4.1.1)."""
    target = "_mta-sts.mailhost.example."
    dns_server.zones.add("mailhost.example.")
    dns_server.records[NAME + ".", "CNAME"] = [target]
    dns_server.behind[NAME + "."] = dns.rrset.from_text(target, 300, "IN", "TXT", '"v=STSv1; id=old;"')
    dns_server.records[target, "TXT"] = ['"v=STSv1; id=new;"']
    assert resolver.authoritative_txt(NAME) == ("v=STSv1; id=new;",)


def test_an_alias_within_the_zone_is_followed(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records[NAME + ".", "CNAME"] = ["_mta-sts.shared.contoso.example."]
    dns_server.records["_mta-sts.shared.contoso.example.", "TXT"] = ['"v=STSv1; id=4;"']
    assert resolver.authoritative_txt(NAME) == ("v=STSv1; id=4;",)


def test_a_zone_that_nobody_knows_is_told(dns_server: Any, resolver: Resolver) -> None:
    with pytest.raises(DnsError, match=r"no name servers are known for fabrikam\.example"):
        resolver.authoritative_txt("_mta-sts.fabrikam.example", "fabrikam.example")


DOMAIN = "contoso.example"


def test_mail_goes_to_the_preferred_host_first(dns_server: Any, resolver: Resolver) -> None:
    dns_server.records[DOMAIN + ".", "MX"] = ["20 b.contoso.example.", "10 C.contoso.example.", "20 a.contoso.example."]
    found = resolver.authoritative_mail_hosts(DOMAIN, DOMAIN)
    assert found == MailHosts(MailRoute.MX, ("c.contoso.example", "a.contoso.example", "b.contoso.example"))


@pytest.mark.parametrize(
    ("rdtype", "data", "found"),
    [
        ("MX", "0 .", MailHosts(MailRoute.NULL)),
        ("A", "192.0.2.1", MailHosts(MailRoute.IMPLICIT, (DOMAIN,))),
        ("AAAA", "2001:db8::1", MailHosts(MailRoute.IMPLICIT, (DOMAIN,))),
        ("TXT", '"v=spf1 -all"', MailHosts(MailRoute.NONE)),
    ],
)
def test_where_mail_goes_without_an_mx_host(
    dns_server: Any, resolver: Resolver, rdtype: str, data: str, found: MailHosts
) -> None:
    dns_server.records[DOMAIN + ".", rdtype] = [data]
    assert resolver.authoritative_mail_hosts(DOMAIN, DOMAIN) == found
