"""The grammar of policy documents, which AWS checks when a document is stored. Pure.

IAM guide, "IAM JSON policy element reference". AWS words its refusals tersely; where its own words are known they are
kept, the rest says what is wrong.
"""

import json
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What the document is attached to."""

    IDENTITY = "a role's own policy"
    TRUST = "a role's trust policy"
    RESOURCE = "a resource's policy"


VERSIONS = ("2012-10-17", "2008-10-17")
SYNTAX = "Syntax errors in policy."
_TOP = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_OPERATOR = re.compile(
    r"(ForAllValues:|ForAnyValue:)?"
    r"(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|Numeric(Not)?Equals|Numeric(Less|Greater)Than(Equals)?"
    r"|Date(Not)?Equals|Date(Less|Greater)Than(Equals)?|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like)|Null)"
    r"(IfExists)?"
)
_KEY = re.compile(r"[a-z0-9-]+:[^\s:][^\s]*", re.IGNORECASE)
_SERVICE = re.compile(r"[a-z0-9.-]+\.(amazonaws\.com|amazon\.com|aws)")


def actions(text: str) -> set[str]:
    """All actions that a well-formed document names, in lower case."""
    statements = json.loads(text)["Statement"]
    listed = [statements] if isinstance(statements, dict) else statements
    return {one.lower() for each in listed for one in _texts(each.get("Action", each.get("NotAction")))}


def fault(text: object, kind: Kind) -> str | None:
    """What AWS would refuse in the document; None when it is well formed."""
    return next(_faults(text, kind), None)


def _faults(text: object, kind: Kind) -> Iterator[str]:
    try:
        document = json.loads(text if isinstance(text, str) else "")
    except ValueError:
        yield SYNTAX
        return
    if not isinstance(document, dict) or not set(document) <= _TOP:
        yield SYNTAX
        return
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        yield "The policy must contain a valid version string"
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(isinstance(one, dict) for one in statements):
        yield SYNTAX
        return
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    if len(set(map(str, sids))) != len(sids):
        yield "Statement IDs (SID) in a single policy must be unique."
    for statement in statements:
        yield from _statement(statement, kind)


def _statement(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    if not set(statement) <= _ELEMENTS:
        yield SYNTAX
    if "Effect" not in statement:
        yield "Missing required field Effect"
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield f"Invalid effect: {statement['Effect']}"
    sid = statement.get("Sid", "")
    if not isinstance(sid, str) or (kind is not Kind.RESOURCE and not re.fullmatch(r"[0-9A-Za-z]*", sid)):
        yield "Statement IDs (SID) must be alpha-numeric."
    yield from _actions(statement, kind)
    yield from _principal(statement, kind)
    yield from _resources(statement, kind)
    yield from _conditions(statement.get("Condition", {}))


def _actions(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    if ("Action" in statement) == ("NotAction" in statement):
        yield "Policy statement must contain actions."
        return
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    if not actions:
        yield "Policy statement must contain actions."
        return
    for action in actions:
        if not _ACTION.fullmatch(action):
            yield "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
        elif kind is Kind.TRUST and not action.lower().startswith("sts:"):
            yield "AssumeRole policy may only specify STS AssumeRole actions."


def _principal(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    present = {"Principal", "NotPrincipal"} & set(statement)
    if kind is Kind.IDENTITY:
        if present:
            yield "Policy document should not specify a principal."
        return
    if len(present) != 1:
        yield "Missing required field Principal"
        return
    principal = statement[present.pop()]
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or not set(principal) <= _PRINCIPALS:
        yield f"Invalid principal in policy: {json.dumps(principal)}"
        return
    for kind_of_principal, value in principal.items():
        for one in _texts(value) or [""]:
            if not one or (kind_of_principal == "Service" and not _SERVICE.fullmatch(one)):
                yield f'Invalid principal in policy: "{kind_of_principal.upper()}":"{one}"'


def _resources(statement: dict[str, Any], kind: Kind) -> Iterator[str]:
    present = {"Resource", "NotResource"} & set(statement)
    if kind is Kind.TRUST:
        if present:
            yield "Has prohibited field Resource"
        return
    if len(present) != 1:
        yield "Policy statement must contain resources."
        return
    resources = _texts(statement[present.pop()])
    if not resources:
        yield "Policy statement must contain resources."
    for resource in resources:
        if resource != "*" and not re.fullmatch(r"arn:[a-z*-]+:[a-z0-9*-]+:[^:]*:[^:]*:.+", resource):
            yield f'Resource {resource} must be in ARN format or "*".'


def _conditions(conditions: object) -> Iterator[str]:
    if not isinstance(conditions, dict):
        yield SYNTAX
        return
    for operator, keys in conditions.items():
        if not _OPERATOR.fullmatch(operator):
            yield f"Invalid Condition type : {operator}"
        if not isinstance(keys, dict) or not keys:
            yield SYNTAX
            continue
        for key, value in keys.items():
            if not _KEY.fullmatch(key):
                yield f"Invalid condition key: {key}"
            if not _values(value):
                yield SYNTAX


def _values(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str | bool | int | float) for one in value)
    return isinstance(value, str | bool | int | float)


def _texts(value: object) -> list[str]:
    """A text or a list of them as a list; empty for anything else."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return []
