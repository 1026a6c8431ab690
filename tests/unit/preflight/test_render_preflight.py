"""Checks of an account, as they are shown."""

import json
from importlib import resources

import jsonschema
import pytest

from mailtls.preflight.check import Check, State
from mailtls.render.preflight import FORMATS, SCHEMA_FILE, render_preflight

CHECKS = (
    Check("aws-identity", "account 123456789012", State.OK, "arn:aws:iam::123456789012:role/ci/deployer"),
    Check("aws-permissions", "", State.NOT_ASKED, "AWS does not let this identity ask", "allow it iam:GetRole"),
    Check("zone", "contoso.example", State.PROBLEM, "the token may not edit records there", "give the token the right"),
)
HOSTILE = Check("zone", "a|b\x1b[2J", State.PROBLEM, "| \x1b[31m @everyone https://evil.example\n", "`x` | y")

TEXT = """\
ok         aws-identity account 123456789012:
           arn:aws:iam::123456789012:role/ci/deployer
not asked  aws-permissions: AWS does not let this
           identity ask
           Do: allow it iam:GetRole
problem    zone contoso.example: the token may not
           edit records there
           Do: give the token the right

1 ok, 1 problem, 1 could not be asked
"""


def test_text_is_wrapped_to_the_terminal() -> None:
    assert render_preflight(CHECKS, "text", width=50) == TEXT


def test_colours_are_of_the_state_alone() -> None:
    coloured = render_preflight(CHECKS, "text", width=50, colour=True)
    assert coloured.count("\x1b[") == 6
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == TEXT


def test_many_that_are_well_are_one_line_and_no_problem_is_lost() -> None:
    zones = [Check("zone", f"z{number}.example", State.OK, "fine") for number in range(40)]
    zones[7] = Check("zone", "z7.example", State.PROBLEM, "pending", "wait")
    text = render_preflight(zones, "text", width=200)
    assert text.splitlines()[0].startswith("ok         zone (39): all is well at z0.example, z1.example, ")
    assert text.splitlines()[0].endswith(", z10.example and 29 more")
    assert "problem    zone z7.example: pending\n" in text
    assert text.endswith("\n39 ok, 1 problem, 0 could not be asked\n")
    assert len(json.loads(render_preflight(zones, "json"))["checks"]) == 40


@pytest.mark.parametrize("checks", [(), CHECKS, (*CHECKS, HOSTILE)])
def test_json_fits_its_schema(checks: tuple[Check, ...]) -> None:
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(render_preflight(checks, "json")), schema)


def test_ready_is_said_only_when_all_was_asked_and_well() -> None:
    assert json.loads(render_preflight(CHECKS[:1], "json"))["ready"] is True
    assert json.loads(render_preflight(CHECKS[:2], "json"))["ready"] is False


@pytest.mark.parametrize("output", FORMATS)
def test_a_strangers_text_moves_nothing(output: str) -> None:
    text = render_preflight([HOSTILE], output, width=120)
    assert "\x1b" not in text
    if output == "markdown":
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert {line.replace("\\|", "").count("|") for line in rows} == {5}
        assert " @everyone" not in text
