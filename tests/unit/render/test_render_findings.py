"""Findings in every format: what a person or a machine gets, and that a stranger's text stays text."""

import json
import re
from importlib import resources

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.lint import Finding, Severity
from mailtls.render.findings import FORMATS, SCHEMA_FILE, render_findings
from mailtls.spec.model import Source

TWO_LABELS = Finding(
    rule="m365-two-label-wildcard",
    severity=Severity.ERROR,
    message='"*.mx.microsoft" matches no host of Microsoft 365',
    location=Source("policy_specs/a.yaml", 4, 9),
    reference="RFC 8461 section 4.1",
    fix="write the very name that the MX record has",
    policy_domain="a.example",
)
SHORT = Finding(
    rule="max-age-under-a-day",
    severity=Severity.WARNING,
    message="max_age is 43200 seconds, and some senders ignore a policy for less than a day",
    location=Source("policy_specs/a.yaml", 1),
    reference="RFC 8461 section 3.2",
    fix="write 1d",
    policy_domain="a.example",
)
LIVE = Finding(
    rule="policy-host-no-ipv6",
    severity=Severity.INFO,
    message="mta-sts.b.example has no IPv6 address",
    location=None,
    reference="RFC 8461 section 3.3",
    fix="",
    policy_domain="b.example",
)
ALL = (TWO_LABELS, SHORT, LIVE)

HOSTILE = (
    "\x1b[2Jgone\u202e\n::error file=x::owned\r\n`code` <img src=x> [a](https://evil.example) @team #1 "
    "https://evil.example ![x](y) %0A**b**"
)
STRANGER = Finding("mx-not-in-policy", Severity.ERROR, HOSTILE, Source("a,b:c%.yaml", 1), HOSTILE, HOSTILE, "c.example")


def test_text_is_grouped_by_domain_and_tells_where_what_and_what_to_do() -> None:
    assert render_findings(ALL, "text", width=70) == (
        "a.example\n"
        "  error m365-two-label-wildcard  policy_specs/a.yaml:4:9\n"
        '    "*.mx.microsoft" matches no host of Microsoft 365\n'
        "    Do: write the very name that the MX record has\n"
        "    See: RFC 8461 section 4.1\n"
        "  warning max-age-under-a-day  policy_specs/a.yaml:1\n"
        "    max_age is 43200 seconds, and some senders ignore a policy for\n"
        "    less than a day\n"
        "    Do: write 1d\n"
        "    See: RFC 8461 section 3.2\n"
        "\n"
        "b.example\n"
        "  info policy-host-no-ipv6\n"
        "    mta-sts.b.example has no IPv6 address\n"
        "    See: RFC 8461 section 3.3\n"
    )


@pytest.mark.parametrize("width", [40, 80, 120])
def test_text_keeps_to_its_width(width: int) -> None:
    assert max(map(len, render_findings(ALL, "text", width=width).splitlines())) <= max(width, 56)  # a path stays whole


def test_colour_only_where_it_is_asked_for() -> None:
    assert "\x1b" not in render_findings(ALL, "text")
    coloured = render_findings(ALL, "text", colour=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == render_findings(ALL, "text")
    assert "\x1b[31merror\x1b[0m" in coloured


def test_json_is_as_its_schema_says() -> None:
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(render_findings((*ALL, STRANGER), "json"))
    jsonschema.validate(data, schema)
    assert data["findings"][0] == {
        "rule": "m365-two-label-wildcard",
        "severity": "error",
        "policy_domain": "a.example",
        "location": {"file": "policy_specs/a.yaml", "line": 4, "column": 9},
        "message": '"*.mx.microsoft" matches no host of Microsoft 365',
        "fix": "write the very name that the MX record has",
        "reference": "RFC 8461 section 4.1",
    }
    assert data["findings"][2]["location"] is None
    data["findings"][0]["more"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)


def test_markdown_shows_names_as_code() -> None:
    assert render_findings((TWO_LABELS, LIVE), "markdown") == (
        "#### `a.example`\n\n"
        '- **error** `m365-two-label-wildcard` at `policy_specs/a.yaml:4:9`: `"*.mx.microsoft"` matches no host of '
        "Microsoft 365 **Do:** write the very name that the MX record has (RFC 8461 section 4.1)\n\n"
        "#### `b.example`\n\n"
        "- **info** `policy-host-no-ipv6`: mta-sts.b.example has no IPv6 address (RFC 8461 section 3.3)\n"
    )


def test_an_annotation_names_file_line_and_column() -> None:
    assert render_findings((TWO_LABELS, LIVE), "github") == (
        "::error file=policy_specs/a.yaml,line=4,col=9,title=m365-two-label-wildcard%3A a.example::"
        '"*.mx.microsoft" matches no host of Microsoft 365. Do: write the very name that the MX record has\n'
        "::notice title=policy-host-no-ipv6%3A b.example::mta-sts.b.example has no IPv6 address\n"
    )


def test_nothing_found() -> None:
    assert render_findings((), "text") == ""
    assert render_findings((), "github") == ""
    assert render_findings((), "markdown") == "No findings.\n"
    assert json.loads(render_findings((), "json")) == {"findings": []}
    assert json.loads(render_findings((), "sarif"))["runs"][0]["results"] == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="xml is not one of"):
        render_findings((), "xml")


@pytest.mark.parametrize("output", ["text", "markdown", "github"])
def test_no_control_character_of_a_stranger_comes_through(output: str) -> None:
    assert all(c.isprintable() or c == "\n" for c in render_findings((STRANGER,), output))


def test_a_stranger_issues_no_workflow_command() -> None:
    lines = render_findings((STRANGER,), "github").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=a%2Cb%3Ac%25.yaml,line=1,title=")
    assert "%250A" in lines[0]  # a stranger's own escape is shown, not undone


def test_a_strangers_markdown_is_shown_and_does_nothing() -> None:
    text = render_findings((STRANGER,), "markdown")
    outside = re.sub(r"(`+) ?.*?[^`]?\1(?!`)", "", text)
    for active in ("<", "](", "@", "#1", "://", "**b**", "!["):
        assert active not in outside.replace("#### ", ""), active


@given(st.text(), st.text(), st.sampled_from(FORMATS))
def test_any_text_in_any_format(message: str, name: str, output: str) -> None:
    finding = Finding("mx-not-in-policy", Severity.WARNING, message, Source(name or "a", 1), name, message, name)
    rendered = render_findings((finding,), output)
    rendered.encode("utf-8", "strict" if output != "json" else "surrogatepass")
    if output == "github":
        assert rendered.count("\n") == 1
    if output in ("json", "sarif"):
        json.loads(rendered)
