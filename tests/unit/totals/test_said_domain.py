"""The domain that a mail without any proof says to be about."""

from typing import Any

import pytest

from mailtls.totals.said_domain import said_domains


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([["TLS-Report-Domain", " Contoso.example "]], {"contoso.example"}),
        ([["subject", "Report Domain: contoso.example Submitter: google.com Report-ID: <1>"]], {"contoso.example"}),
        ([["Subject", "report  domain:bücher.example"]], {"xn--bcher-kva.example"}),
        ([["Subject", "about contoso.example"], ["From", "a@contoso.example"]], set()),
        (
            [["TLS-Report-Domain", "a b"], ["TLS-Report-Domain"], "x", 7, [1, "contoso.example"], ["Subject", None]],
            set(),
        ),
    ],
)
def test_of_headers(headers: list[Any], said: set[str]) -> None:
    assert said_domains(headers) == said
