"""`mailtls status`: mode, conditions, next step and evidence of each domain, in three forms."""

import json
from importlib import resources
from typing import Any

import jsonschema

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("status.v1.schema.json").read_text("utf-8"))


def domains(mailtls: Any, *arguments: str) -> dict[str, Any]:
    data = json.loads(mailtls("status", "--store", "store", "--format", "json", *arguments).stdout)
    jsonschema.validate(data, SCHEMA)
    return {one["policy_domain"]: one for one in data["domains"]}


def conditions(one: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    return {condition["type"]: (condition["status"], condition["reason"]) for condition in one["conditions"]}


def test_a_domain_in_enforce_is_ready(mailtls: Any) -> None:
    done = mailtls("status", "--store", "store", "quiet.example")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("quiet.example: enforce since ")
    assert "  Ready          yes, Enforced: " in done.stdout
    assert "400 clean and 0 refused sessions on 5 days, 2 organisations" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_every_domain_has_its_four_conditions(mailtls: Any) -> None:
    found = domains(mailtls)
    assert conditions(found["quiet.example"])["Ready"] == (True, "Enforced")
    assert conditions(found["ready.example"])["Reconciling"] == (True, "Proposed")
    assert conditions(found["newmx.example"])["Ready"] == (False, "UrgentChange")
    assert conditions(found["refused.example"])["Stalled"] == (True, "NeedsAPerson")
    assert conditions(found["young.example"])["Reconciling"] == (True, "Waiting")
    assert found["young.example"]["next"]["until"]
    assert found["refused.example"]["evidence"]["refused"] == 40
    assert mailtls("status", "--store", "store").returncode == 1


def test_drift_is_told_with_what_to_do(mailtls: Any) -> None:
    path = mailtls.folder / "policy_specs/quiet.example.yaml"
    path.write_text(path.read_text().replace("2419200", "604800"))
    done = mailtls("status", "--store", "store", "quiet.example")
    assert done.returncode == 1
    assert "DriftDetected  yes, Drift" in done.stdout
    assert "Do: " in done.stdout


def test_many_domains_get_a_line_each(mailtls: Any) -> None:
    lines = mailtls("status", "--store", "store").stdout.splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 80
    assert len(mailtls("status", "--store", "store", "--long").stdout.splitlines()) > 20


def test_markdown_is_one_table(mailtls: Any) -> None:
    lines = mailtls("status", "--store", "store", "--format", "markdown").stdout.splitlines()
    assert len(lines) == 2 + 5
    assert {line.replace("\\|", "").count("|") for line in lines} == {9}


def test_a_domain_without_spec_and_a_missing_store_are_trouble(mailtls: Any) -> None:
    done = mailtls("status", "--store", "store", "other.example")
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no spec of other.example" in done.stderr
    done = mailtls("status")
    assert done.returncode == 2
    assert "mailtls check --specs" in done.stderr
