"""Whose MX is it: who can reload it, and who can only tell somebody."""

import pytest

from mailtls.reports.mx_operator import is_own, provider_of


@pytest.mark.parametrize(
    ("mx", "policy_domain", "own", "provider"),
    [
        ("mx1.contoso.example", "contoso.example", True, ""),
        ("contoso.example", "contoso.example", True, ""),
        ("mx1.contoso.example", "shop.contoso.example", True, ""),
        ("mx1.mailhost.example", "contoso.example", False, ""),
        ("mx1.notcontoso.example", "contoso.example", False, ""),
        ("mailhost.example", "contoso.example", False, ""),  # a top-level domain makes no neighbours
        ("contoso-example.mail.protection.outlook.com", "contoso.example", False, "Microsoft"),
        ("contoso-example.h-v1.mx.microsoft", "contoso.example", False, "Microsoft"),
        ("aspmx.l.google.com", "contoso.example", False, "Google"),
        ("alt1.gmail-smtp-in.l.google.com", "google.com", True, ""),
        ("aspmx.l.google.com.evil.test", "contoso.example", False, ""),
        ("evilgoogle.com", "contoso.example", False, ""),
    ],
)
def test_whose_mx(mx: str, policy_domain: str, own: bool, provider: str) -> None:
    assert is_own(mx, policy_domain) is own
    assert provider_of(mx, policy_domain) == provider
