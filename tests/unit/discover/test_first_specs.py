"""First specs of names that were found."""

import datetime
from pathlib import Path

import pytest

from mailtls.discover.first_specs import first_specs
from mailtls.discover.mail_names import MailName, Route
from mailtls.mta_sts.policy import Mode
from mailtls.spec.load import load
from mailtls.spec.schema_line import schema_line
from mailtls.spec.write import write_spec, write_specs

TODAY = datetime.date(2026, 11, 28)
GOOD = MailName(
    "contoso.example", "zone file z\nowner: attacker", Route.MX, ((10, "mx1.contoso.example"),), False, None, True
)


def test_a_thousand_names_become_a_thousand_specs_in_testing(tmp_path: Path) -> None:
    found = [
        MailName(f"d{number}.example", "list", Route.MX, ((10, "mx1.mailhost.example"), (20, f"mx.d{number}.example")))
        for number in range(1000)
    ]
    specs = first_specs(found, frozenset(), TODAY, None)
    written = write_specs(tmp_path / "specs", specs.texts)
    assert (len(written.made), written.kept) == (1000, ())
    loaded = {spec.policy_domain: spec for spec in load(tmp_path / "specs")}
    assert set(loaded) == {one.name for one in found}
    for one in found:
        policy = loaded[one.name].mta_sts
        assert policy is not None
        assert policy.mode is Mode.TESTING
        assert tuple(pattern.text for pattern in policy.mx) == one.hosts


def test_what_was_seen_stands_in_comments_and_stays_there(tmp_path: Path) -> None:
    (text,) = first_specs([GOOD], frozenset(), TODAY, "# yaml-language-server: $schema=x.json").texts.values()
    assert text.startswith(
        "# yaml-language-server: $schema=x.json\n# Found by mailtls discover on 2026-11-28: zone file z"
    )
    assert "# MTA-STS record: no, TLS-RPT record: not known, policy host: yes.\n" in text
    assert write_spec(tmp_path / "one.yaml", text)
    (spec,) = load(tmp_path)
    assert spec.owner is None


def test_a_published_policy_is_taken_over_first() -> None:
    published = MailName("contoso.example", "z", Route.MX, ((10, "mx1.contoso.example"),), mta_sts=True)
    (text,) = first_specs([published], frozenset(), TODAY, None).texts.values()
    assert "# 1. A policy is published already. Take it over as it is: mailtls init --adopt contoso.example\n" in text


@pytest.mark.parametrize("route", [route for route in Route if route is not Route.MX])
def test_who_gets_none_is_told_why(route: Route) -> None:
    specs = first_specs([MailName("contoso.example", "z", route)], frozenset(), TODAY, None)
    assert specs.texts == {}
    assert len(specs.left_out["contoso.example"]) > 10
    assert specs.faulty == []


def test_an_mx_that_no_policy_can_name() -> None:
    found = [GOOD, MailName("bad.example", "z", Route.MX, ((10, "_mx.bad.example"),))]
    specs = first_specs(found, frozenset(), TODAY, None)
    assert list(specs.texts) == ["contoso.example.yaml"]
    assert specs.faulty == ["bad.example"]
    assert "underscore" in specs.left_out["bad.example"]


def test_a_name_with_a_spec_gets_no_second_one() -> None:
    specs = first_specs([GOOD], frozenset({"contoso.example"}), TODAY, None)
    assert (specs.texts, list(specs.left_out)) == ({}, ["contoso.example"])


# ---------------------------------------------------------------------------------------------------- writing


def test_a_file_that_is_there_is_kept_until_told(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("mine")
    assert write_specs(tmp_path, {"a.yaml": "new", "b.yaml": "new"}).kept == (path,)
    assert path.read_text() == "mine"
    assert write_specs(tmp_path, {"a.yaml": "new"}, overwrite=True).made == (path,)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]
    assert {one.read_text() for one in tmp_path.iterdir()} == {"new"}


def test_a_link_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "elsewhere")
    assert not write_spec(tmp_path / "a.yaml", "new")
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_spec(tmp_path / "a.yaml", "whole lines\n" * 10_000 + "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    """As with any file that an editor makes: the user's own mask counts, not that of a temporary file."""
    (tmp_path / "plain").touch()
    write_spec(tmp_path / "a.yaml", "new")
    assert (tmp_path / "a.yaml").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize(
    ("schema", "folder", "line"),
    [
        ("schema/policy_spec.v1.schema.json", ".", "schema/policy_spec.v1.schema.json"),
        ("schema/policy_spec.v1.schema.json", "brands/small", "../../schema/policy_spec.v1.schema.json"),
        ("mailtls/spec/policy_spec.v1.schema.json", "policy_specs/production", None),
    ],
)
def test_the_editors_line_resolves_from_where_the_file_lies(
    tmp_path: Path, schema: str, folder: str, line: str | None
) -> None:
    (tmp_path / schema).parent.mkdir(parents=True)
    (tmp_path / schema).touch()
    found = schema_line(tmp_path / folder)
    assert found is not None
    path = found.removeprefix("# yaml-language-server: $schema=")
    assert (tmp_path / folder / path).resolve() == (tmp_path / schema).resolve() or not (tmp_path / folder).exists()
    assert path == (line or "../../mailtls/spec/policy_spec.v1.schema.json")


def test_without_a_schema_there_is_no_line(tmp_path: Path) -> None:
    assert schema_line(tmp_path / "a/b/c/d/e/f/g/h/i") is None
