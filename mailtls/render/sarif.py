"""Findings as SARIF 2.1.0 (OASIS), which GitHub code scanning, GitLab and editors read."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from mailtls.lint.about import About
from mailtls.lint.catalogue import rule_address, rules
from mailtls.lint.findings import Finding, Severity
from mailtls.render.foreign_text import markdown, plain

SCHEMA_ADDRESS = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(findings: Sequence[Finding]) -> str:
    """One run with every finding in its order, and what is to be said about each rule that found something."""
    found = sorted({finding.rule for finding in findings})
    about = rules()
    places = {rule: index for index, rule in enumerate(found)}
    seen: Counter[tuple[str, str, str]] = Counter()
    results = []
    for finding in findings:
        thing = (finding.rule, finding.policy_domain, finding.location.file if finding.location else "")
        seen[thing] += 1
        results.append(_result(finding, places[finding.rule], _fingerprint(*thing, seen[thing])))
    driver = {
        "name": "mailtls",
        "version": version("mailtls"),
        "informationUri": "https://www.rfc-editor.org/rfc/rfc8461",
        "rules": [_rule(rule, about.get(rule)) for rule in found],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA_ADDRESS, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: str, about: About | None) -> dict[str, Any]:
    """A rule as code scanning shows it beside the finding."""
    if about is None:
        return {"id": rule}
    text = f"{about.why} What to do: {about.fix} Reference: {about.reference}."
    described: dict[str, Any] = {
        "id": rule,
        "name": rule,
        "shortDescription": {"text": about.why.partition(". ")[0].rstrip(".") + "."},
        "fullDescription": {"text": about.why},
        "help": {
            "text": text,
            "markdown": f"{about.why}\n\n**What to do:** {about.fix}\n\n**Reference:** {about.reference}",
        },
        "defaultConfiguration": {"level": _LEVELS[about.severity]},
    }
    if address := rule_address(about):
        described["helpUri"] = address
    return described


def _result(finding: Finding, rule_index: int, fingerprint: str) -> dict[str, Any]:
    message = f"{finding.message}. Do: {finding.fix}" if finding.fix else finding.message
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _without_links(plain(message)), "markdown": markdown(message)},
        "locations": [_location(finding)],
        "partialFingerprints": {"mailtls/v1": fingerprint},
    }


def _without_links(text: str) -> str:
    """Brackets that are text: SARIF's plain messages know `[text](link)` (section 3.11.6)."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.policy_domain:
        location["logicalLocations"] = [{"fullyQualifiedName": plain(finding.policy_domain), "kind": "resource"}]
    if source := finding.location:
        region = {"startLine": source.line} | ({"startColumn": source.column} if source.column else {})
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(os.fsencode(source.file))}, "region": region}
    return location


def _fingerprint(rule: str, policy_domain: str, file: str, ordinal: int) -> str:
    """The same for the same thing after lines moved or a number in the message changed."""
    thing = os.fsencode("\0".join((rule, policy_domain, file, str(ordinal))))
    return hashlib.sha256(thing).hexdigest()[:32]
