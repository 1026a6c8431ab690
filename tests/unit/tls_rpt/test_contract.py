"""What the rooms agree on about the bucket: the domain list, key segments, the metric table."""

import dataclasses
import datetime
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_strategies import domain_lists

from mailtls.tls_rpt.contract import (
    METRICS,
    Dimension,
    Disposition,
    DomainListError,
    Environment,
    OwnDomain,
    Prefix,
    QuarantineReason,
    domain_list_key,
    parse_domain_list,
    render_domain_list,
)

CONTOSO = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example",), "mail-team", "a@b.example", "p/c.yaml")


@given(domain_lists)
def test_a_domain_list_is_read_back(domains: list[OwnDomain]) -> None:
    text = render_domain_list(domains)
    assert parse_domain_list(text) == tuple(sorted(domains, key=lambda own: own.policy_domain))
    assert parse_domain_list(text.encode()) == parse_domain_list(text)


@given(domain_lists, st.randoms(use_true_random=False))
def test_the_same_domains_are_the_same_object(domains: list[OwnDomain], random: object) -> None:
    """Its ETag tells the Lambda whether to read it anew, and Pulumi whether to write it."""
    shuffled = list(domains)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert render_domain_list(shuffled) == render_domain_list(domains)


def test_the_form_that_deployed_functions_read() -> None:
    """An old function meets a new list, and the other way round: this text changes with its version number only."""
    assert json.loads(render_domain_list([CONTOSO, OwnDomain("a.example")])) == {
        "version": 1,
        "policy_domains": [
            {"policy_domain": "a.example", "mode": None, "mx": [], "owner": None, "contact": None, "spec": None},
            {
                "policy_domain": "contoso.example",
                "mode": "enforce",
                "mx": ["mx1.contoso.example"],
                "owner": "mail-team",
                "contact": "a@b.example",
                "spec": "p/c.yaml",
            },
        ],
    }


def test_an_address_of_files_is_in_the_list_where_there_is_one() -> None:
    """Without one the list is the one of before: an upgrade changes no object."""
    addressed = dataclasses.replace(CONTOSO, files_url="https://git.contoso.example/main")
    assert parse_domain_list(render_domain_list([addressed])) == (addressed,)
    assert "files_url" not in render_domain_list([CONTOSO])


def test_a_list_from_before_specs_were_named_is_read() -> None:
    old = json.loads(render_domain_list([CONTOSO]))
    del old["policy_domains"][0]["spec"]
    assert parse_domain_list(json.dumps(old)) == (
        OwnDomain("contoso.example", "enforce", ("mx1.contoso.example",), "mail-team", "a@b.example"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a domain list"),
        ("[]", "not a domain list"),
        ("{}", "version"),
        ('{"version": 2, "policy_domains": []}', "version 2 is not known here"),
        ('{"version": 1}', "policy_domains"),
        ('{"version": 1, "policy_domains": [{}]}', "policy_domain"),
        ('{"version": 1, "policy_domains": 3}', "not a domain list"),
        ('{"version": 1, "policy_domains": ["contoso.example"]}', "not a domain list"),
        (b"\xff\xfe", "not a domain list"),
        ("[" * 100_000, "not a domain list"),
    ],
)
def test_what_is_no_domain_list_is_named_so(text: str | bytes, said: str) -> None:
    with pytest.raises(DomainListError, match=said):
        parse_domain_list(text)


def test_the_key_of_a_list_is_its_stack() -> None:
    assert domain_list_key("domains-eu") == "domains/domains-eu.json"
    assert domain_list_key("a") != domain_list_key("b")


def test_prefixes_are_apart() -> None:
    """A lifecycle rule or an IAM statement on one must not reach into another."""
    for prefix in Prefix:
        assert prefix.endswith("/")
        assert not any(other is not prefix and other.startswith(prefix) for other in Prefix)


@pytest.mark.parametrize("word", [*QuarantineReason, *Disposition])
def test_words_are_key_segments_and_dimension_values(word: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", word)


def test_metrics_are_a_closed_table() -> None:
    """No dimension but our own, no name twice, the per-domain ones only where somebody pays for them."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", metric.name)
        assert metric.meaning
        assert metric.unit == "Count"
        assert metric.dimensions
        for dimensions in metric.dimensions:
            assert set(dimensions) <= set(Dimension) - {Dimension.POLICY_DOMAIN}


def test_environment_variables_are_ours() -> None:
    assert all(re.fullmatch(r"MAILTLS_[A-Z_]+", name) for name in Environment)


def test_a_mute_and_links_survive_the_list_and_leave_others_as_they_were() -> None:
    until = datetime.datetime(2026, 12, 1, 6, tzinfo=datetime.UTC)
    links = {"dashboard_url": "https://tls.contoso.example", "runbook_url": "https://wiki.contoso.example"}
    own = dataclasses.replace(CONTOSO, mute_until=until, mute_reason="mx2 is replaced", **links)
    assert parse_domain_list(render_domain_list([own])) == (own,)
    assert not {"mute_until", "mute_reason", *links} & set(
        json.loads(render_domain_list([CONTOSO]))["policy_domains"][0]
    )


def test_a_mute_without_a_time_zone_is_no_list() -> None:
    until = datetime.datetime(2026, 12, 1, 6, tzinfo=datetime.UTC)
    text = render_domain_list([dataclasses.replace(CONTOSO, mute_until=until)])
    with pytest.raises(DomainListError, match="names no time zone"):
        parse_domain_list(text.replace("+00:00", ""))
