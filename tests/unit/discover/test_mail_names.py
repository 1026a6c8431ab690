"""Which names of a zone receive mail, and what each one has."""

import pytest

from mailtls.discover.mail_names import MailName, Route, ZoneRecord, joined, mail_names, mx_of

ZONE = [
    ZoneRecord("contoso.example", "MX", "10 contoso-example.mail.protection.outlook.com"),
    ZoneRecord("_mta-sts.contoso.example", "TXT", "v=STSv1; id=1;"),
    ZoneRecord("_smtp._tls.contoso.example", "CNAME", "reports.mailhost.example"),
    ZoneRecord("mta-sts.contoso.example", "CNAME", "edge.mailhost.example"),
    ZoneRecord("shop.contoso.example", "MX", "20 mx2.mailhost.example"),
    ZoneRecord("shop.contoso.example", "MX", "10 MX1.contoso.example."),
    ZoneRecord("_mta-sts.shop.contoso.example", "TXT", "some other text"),
    ZoneRecord("quiet.contoso.example", "MX", "0 ."),
    ZoneRecord("*.contoso.example", "MX", "10 mx1.contoso.example"),
    ZoneRecord("www.contoso.example", "A", "192.0.2.1"),
]


def by_name(name: str) -> MailName:
    return next(one for one in mail_names(ZONE, "zone file") if one.name == name)


def test_names_with_mx_records_in_the_order_of_zones() -> None:
    assert [one.name for one in mail_names(ZONE, "zone file")] == [
        "contoso.example",
        "*.contoso.example",
        "quiet.contoso.example",
        "shop.contoso.example",
    ]


@pytest.mark.parametrize(
    ("name", "route", "receives", "hosts", "provider"),
    [
        ("contoso.example", Route.MX, True, ("contoso-example.mail.protection.outlook.com",), "Microsoft"),
        (
            "shop.contoso.example",
            Route.MX,
            True,
            ("mx1.contoso.example", "mx2.mailhost.example"),
            "own + mailhost.example",
        ),
        ("quiet.contoso.example", Route.NULL, False, (), ""),
        ("*.contoso.example", Route.WILDCARD, True, ("mx1.contoso.example",), "own"),
    ],
)
def test_how_mail_gets_there(name: str, route: Route, receives: bool, hosts: tuple[str, ...], provider: str) -> None:
    one = by_name(name)
    assert (one.route, one.receives, one.hosts, one.provider) == (route, receives, hosts, provider)


def test_what_a_name_has() -> None:
    """An alias leads out of the zone: what stands behind it is not known."""
    one, shop = by_name("contoso.example"), by_name("shop.contoso.example")
    assert (one.mta_sts, one.tls_rpt, one.policy_host) == (True, None, True)
    assert (shop.mta_sts, shop.tls_rpt, shop.policy_host) == (False, False, False)


def test_without_an_mx_record_the_name_itself_is_the_host() -> None:
    one = MailName("contoso.example", "list", Route.IMPLICIT)
    assert (one.hosts, one.provider) == (("contoso.example",), "own")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["10 a.example.", "5 B.example"], ((5, "b.example"), (10, "a.example"))),
        (["0 ."], ((0, "."),)),
        (["ten a.example", "", "10"], ((10, "."),)),
        (["123456 a.example", "-1 a.example"], ()),
    ],
)
def test_mx_values(values: list[str], found: tuple[tuple[int, str], ...]) -> None:
    assert mx_of(values) == found


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('"v=STSv1; id=1;"', "v=STSv1; id=1;"),
        ('"v=STSv1; " "id=1;"', "v=STSv1; id=1;"),
        ("v=STSv1; id=1;", "v=STSv1; id=1;"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("", ""),
    ],
)
def test_txt_as_providers_hold_it(content: str, text: str) -> None:
    assert joined(content) == text
