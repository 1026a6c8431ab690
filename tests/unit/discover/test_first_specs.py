"""First specs of names that were found."""

import datetime
from pathlib import Path

import pytest

from mailtls.discover.first_specs import first_specs
from mailtls.discover.mail_names import MailName, Route
from mailtls.mta_sts.policy import Mode
from mailtls.spec.load import load

TODAY = datetime.date(2026, 11, 28)
GOOD = MailName(
    "contoso.example", "zone file z\nowner: attacker", Route.MX, ((10, "mx1.contoso.example"),), False, None, True
)


def test_a_thousand_names_become_a_thousand_specs_in_testing(tmp_path: Path) -> None:
    found = [
        MailName(f"d{number}.example", "list", Route.MX, ((10, "mx1.mailhost.example"), (20, f"mx.d{number}.example")))
        for number in range(1000)
    ]
    specs = first_specs(found, frozenset(), TODAY, None, "specs")
    for name, text in specs.texts.items():
        (tmp_path / name).write_text(text)
    loaded = {spec.policy_domain: spec for spec in load(tmp_path)}
    assert set(loaded) == {one.name for one in found}
    for one in found:
        policy = loaded[one.name].mta_sts
        assert policy is not None
        assert policy.mode is Mode.TESTING
        assert tuple(pattern.text for pattern in policy.mx) == one.hosts


def test_what_was_seen_stands_in_comments_and_stays_there(tmp_path: Path) -> None:
    (text,) = first_specs([GOOD], frozenset(), TODAY, "# yaml-language-server: $schema=x.json", "specs").texts.values()
    assert text.startswith(
        "# yaml-language-server: $schema=x.json\n# Found by mailtls discover on 2026-11-28: zone file z"
    )
    assert "# MTA-STS record: no, TLS-RPT record: not known, policy host: yes.\n" in text
    (tmp_path / "one.yaml").write_text(text)
    (spec,) = load(tmp_path)
    assert spec.owner is None


def test_a_published_policy_is_taken_over_first() -> None:
    published = MailName("contoso.example", "z", Route.MX, ((10, "mx1.contoso.example"),), mta_sts=True)
    (text,) = first_specs([published], frozenset(), TODAY, None, "specs").texts.values()
    assert (
        "# 1. A policy is published already. Take it over as it is: "
        "mailtls init --adopt --overwrite --folder specs contoso.example\n"
    ) in text


@pytest.mark.parametrize("route", [route for route in Route if route is not Route.MX])
def test_who_gets_none_is_told_why(route: Route) -> None:
    specs = first_specs([MailName("contoso.example", "z", route)], frozenset(), TODAY, None, "specs")
    assert specs.texts == {}
    assert len(specs.left_out["contoso.example"]) > 10
    assert specs.faulty == []


def test_an_mx_that_no_policy_can_name() -> None:
    found = [GOOD, MailName("bad.example", "z", Route.MX, ((10, "_mx.bad.example"),))]
    specs = first_specs(found, frozenset(), TODAY, None, "specs")
    assert list(specs.texts) == ["contoso.example.yaml"]
    assert specs.faulty == ["bad.example"]
    assert "underscore" in specs.left_out["bad.example"]


def test_a_name_with_a_spec_gets_no_second_one() -> None:
    specs = first_specs([GOOD], frozenset({"contoso.example"}), TODAY, None, "specs")
    assert (specs.texts, list(specs.left_out)) == ({}, ["contoso.example"])
