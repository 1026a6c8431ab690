"""The mail's subject, where SNS takes 99 characters: what goes, and what stays."""

import pytest

from mailtls.reports.message_layout import MAX_SUBJECT, mail_subject, steps

DOMAINS = ("contoso.example", "a-long-name-of-a-brand.contoso-holding.example", f"{'a' * 60}.{'b' * 60}.example")
HOSTS = ("mx2.contoso.example", "contoso-holding-example.mail.protection.outlook.com", f"{'m' * 60}.{'n' * 60}.example")
HEADLINES = (
    ("[critical] ", "certificate of {host} names other hosts", ", senders hold mail"),
    ("[warning, possible downgrade, again] ", "no STARTTLS on {host}", " for some senders only"),
    ("[critical] ", "MX {host} is not in the MTA-STS policy", ""),
    ("[warning] ", "MTA-STS policy cannot be fetched", ""),
)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(("start", "headline", "effect"), HEADLINES)
def test_a_cut_subject_keeps_domain_and_cause(domain: str, host: str, start: str, headline: str, effect: str) -> None:
    subject = mail_subject(
        f"{start}{domain}: {headline.format(host=host)}{effect}", domain=domain, host=host, effect=effect
    )
    assert len(subject) <= MAX_SUBJECT
    told_domain, _, told = subject.removeprefix(start).partition(": ")
    too_long = len(f"{start}{domain}: {headline.format(host='...')}") > MAX_SUBJECT
    assert told_domain == domain or (too_long and told_domain.startswith(domain[:8]))
    before, _, after = headline.partition("{host}")
    assert told.startswith(before)
    assert after in told


def test_what_is_short_enough_is_left_alone() -> None:
    subject = "[critical] contoso.example: certificate of mx2.contoso.example expired, senders hold mail"
    assert mail_subject(subject, domain="contoso.example", host="mx2.contoso.example", effect="x") == subject


def test_the_name_of_the_host_is_cut_before_the_effect_goes() -> None:
    host = "contoso-example.mail.protection.outlook.com"
    effect = ", senders hold mail"
    subject = f"[critical] contoso.example: certificate of {host} expired{effect}"
    cut = mail_subject(subject, domain="contoso.example", host=host, effect=effect)
    assert cut.endswith(f" expired{effect}")
    assert "contoso-examp...n.outlook.com expired" in cut


def test_a_policy_domain_that_is_its_own_mx_is_not_cut() -> None:
    domain = "mail.a-long-name-of-a-brand.contoso.example"
    cut = mail_subject(
        f"[critical] {domain}: certificate of {domain} names other hosts, senders hold mail",
        domain=domain,
        host=domain,
        effect=", senders hold mail",
    )
    assert cut.startswith(f"[critical] {domain}: certificate of mail.")


def test_a_wide_command_goes_on_behind_its_pipes() -> None:
    wide = "openssl s_client -connect mta-sts.contoso.example:443 </dev/null | openssl x509 -noout -subject | cat"
    first, *others = steps("DO", [f"See it:\n  {wide}\n  dig +short a | cat"]).splitlines()[1:]
    assert first.endswith("</dev/null |")
    assert [line.strip() for line in others] == ["openssl x509 -noout -subject |", "cat", "dig +short a | cat"]
