"""`mailtls status`: mode, conditions, next step and evidence of each domain, in three forms."""

import json
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

import jsonschema
import pytest

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
    assert conditions(found["ready.example"])["Reconciling"] == (True, "ChangeDue")
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


def test_a_day_to_come_can_be_asked_about(mailtls: Any) -> None:
    later = datetime.now(UTC) + timedelta(days=12)
    done = mailtls("status", "--store", "store", "--at", f"{later:%Y-%m-%d}", "--format", "json", "young.example")
    served = {one["code"]: one["have"] for one in json.loads(done.stdout)["domains"][0]["next"]["reasons"]}
    assert served["served-days"] in (14, 15)  # midnight is before the hour at which the policy was served
    assert done.stderr == f"as if it were {later:%Y-%m-%d} 00:00 UTC, with what is known now\n"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2001-01-01", "is past; what was known then is not kept"),
        ("9999-12-31", "is more than 400 days ahead"),
        ("tomorrow", "'tomorrow' is no moment; write 2026-12-24"),
        ("0001-01-01T00:00+14:00", "is no moment"),
    ],
)
def test_what_is_no_day_to_come_is_trouble(mailtls: Any, moment: str, words: str) -> None:
    done = mailtls("status", "--store", "store", "--at", moment)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
