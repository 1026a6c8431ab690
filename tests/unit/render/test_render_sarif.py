"""SARIF: what code scanning reads, held against the shape that the official schema gives these objects."""

import json
from typing import Any

import jsonschema
import pytest

from mailtls.lint import Finding, Severity
from mailtls.lint.catalogue import rules
from mailtls.render.findings import render_findings
from mailtls.spec.model import Source

FINDING = Finding(
    rule="rua-several",
    severity=Severity.WARNING,
    message="2 report URIs",
    location=Source("policy specs/ä.yaml", 4, 9),
    reference="RFC 8460 section 3",
    fix="name one",
    policy_domain="a.example",
)


def closed(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": properties}


TEXT = {"type": "string"}
MESSAGE_STRING = closed(("text",), text=TEXT, markdown=TEXT, properties={"type": "object"})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SHAPE = closed(
    ("version", "runs"),
    **{"$schema": TEXT},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "items": closed(
            ("tool",),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            tool=closed(
                ("driver",),
                driver=closed(
                    ("name",),
                    name=TEXT,
                    version=TEXT,
                    informationUri={"type": "string", "pattern": "^https://"},
                    rules={
                        "type": "array",
                        "uniqueItems": True,
                        "items": closed(
                            ("id",),
                            id=TEXT,
                            name=TEXT,
                            shortDescription=MESSAGE_STRING,
                            fullDescription=MESSAGE_STRING,
                            help=MESSAGE_STRING,
                            helpUri={"type": "string", "pattern": "^https://"},
                            defaultConfiguration=closed((), level=LEVEL),
                        ),
                    },
                ),
            ),
            results={
                "type": "array",
                "items": closed(
                    ("message",),
                    ruleId=TEXT,
                    ruleIndex={"type": "integer", "minimum": -1},
                    level=LEVEL,
                    message=closed((), text=TEXT, markdown=TEXT),
                    partialFingerprints={"type": "object", "additionalProperties": TEXT},
                    locations={
                        "type": "array",
                        "items": closed(
                            (),
                            physicalLocation=closed(
                                ("artifactLocation",),
                                artifactLocation=closed((), uri=TEXT),
                                region=closed(
                                    (),
                                    startLine={"type": "integer", "minimum": 1},
                                    startColumn={"type": "integer", "minimum": 1},
                                ),
                            ),
                            logicalLocations={
                                "type": "array",
                                "uniqueItems": True,
                                "items": closed((), fullyQualifiedName=TEXT, kind=TEXT),
                            },
                        ),
                    },
                ),
            },
        ),
    },
)
"""The objects of sarif-schema-2.1.0.json (OASIS) that are written here: every one of them is closed there too."""


def sarif(*findings: Finding) -> Any:
    data = json.loads(render_findings(findings, "sarif"))
    jsonschema.validate(data, SHAPE)
    return data["runs"][0]


def test_a_result_names_its_rule_its_place_and_its_domain() -> None:
    run = sarif(FINDING)
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert result["ruleId"] == rule["id"] == "rua-several"
    assert result["level"] == "warning"
    assert result["message"]["text"] == "2 report URIs. Do: name one"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "policy%20specs/%C3%A4.yaml"},
        "region": {"startLine": 4, "startColumn": 9},
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "a.example"
    assert rule["helpUri"] == "https://www.rfc-editor.org/rfc/rfc8460#section-3"
    assert "Name one" in rule["help"]["text"]


@pytest.mark.parametrize("rule", rules())
def test_every_rule_has_a_help_text(rule: str) -> None:
    about = rules()[rule]
    run = sarif(about.finding("m", "a.example", Source("a.yaml", 1)))
    (described,) = run["tool"]["driver"]["rules"]
    assert about.fix in described["help"]["text"]
    assert described["shortDescription"]["text"].count(". ") == 0


def test_rules_are_listed_once_and_pointed_to_by_index() -> None:
    other = rules()["max-age-at-maximum"].finding("m", "b.example", Source("b.yaml", 1))
    run = sarif(FINDING, other, FINDING)
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert listed == ["max-age-at-maximum", "rua-several"]
    assert [listed[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]


def fingerprints(*findings: Finding) -> list[str]:
    return [result["partialFingerprints"]["mailtls/v1"] for result in sarif(*findings)["results"]]


def test_a_fingerprint_outlives_a_moved_line_and_a_changed_number() -> None:
    def at(line: int, message: str, domain: str = "a.example") -> Finding:
        return rules()["rua-several"].finding(message, domain, Source("a.yaml", line))

    assert fingerprints(at(1, "2 URIs")) == fingerprints(at(7, "3 URIs"))
    assert len(set(fingerprints(at(1, "x"), at(1, "x"), at(1, "x", "b.example")))) == 3


def test_without_a_file_the_domain_is_the_place() -> None:
    finding = rules()["rua-several"].finding("m", "a.example")
    (location,) = sarif(finding)["results"][0]["locations"]
    assert list(location) == ["logicalLocations"]


def test_a_rule_that_nobody_knows_is_still_a_result() -> None:
    finding = Finding("to-come", Severity.INFO, "m", None, "", "", "a.example")
    assert sarif(finding)["results"][0]["level"] == "note"


def test_brackets_of_a_stranger_make_no_link() -> None:
    finding = rules()["rua-several"].finding("[a](https://evil.example)", "a.example")
    assert sarif(finding)["results"][0]["message"]["text"].startswith(r"\[a\](https://evil.example)")
