"""IAM policy documents turned into questions for the policy simulator. Pure.

A document's own conditions say in what context its actions are called, so they are the context of the question.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailtls.preflight.wanted import Kind, Wanted

SAMPLE_ACCOUNT = "123456789012"
SAMPLE_REGION = "eu-west-1"
SAMPLE_REPORTS_DOMAIN = "reports.mailhost.example"
SAMPLE_STATE_BUCKET = "your-state-bucket"
"""What stands in docs/iam/*.json in place of one's own."""
_FILLED = "preflight"
"""In place of a `*`: the simulator asks about one resource, not about a pattern."""
MAX_DOCUMENT_BYTES = 100_000

_DOCUMENTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.ALL: ("platform-pipeline.json", "platform-mail.json", "domains.json"),
    Kind.PLATFORM: ("platform-pipeline.json", "platform-mail.json"),
    Kind.DOMAINS: ("domains.json",),
}


class BadPolicyDocument(ValueError):
    """A file of the folder is no IAM policy; the text names it."""


@dataclass(frozen=True, slots=True)
class Question:
    """actions: `service:Action`. resources: ARNs, or `*`. context: key, values, and whether it is a list, for the
    simulator's ContextEntries."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    context: tuple[tuple[str, tuple[str, ...], bool], ...] = ()


def documents_for(wanted: Wanted, state_bucket: str | None) -> tuple[str, ...]:
    """The files of docs/iam that this stack's deployment needs."""
    return (*_DOCUMENTS[wanted.kind], *(("state.json",) if state_bucket else ()))


def questions(
    name: str, data: bytes, wanted: Wanted, account: str, state_bucket: str | None, route53: bool
) -> tuple[Question, ...]:
    """What to ask about the document `name`. account: one's own. route53: whether the stack writes there.

    Raises BadPolicyDocument.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise BadPolicyDocument(f"{name}: larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        statements = json.loads(_with_own_names(data.decode(), wanted, account, state_bucket))["Statement"]
        return tuple(
            _question(one)
            for one in statements
            if one["Effect"] == "Allow" and (route53 or not _is_route53(one)) and not _other_key(one)
        )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as e:
        raise BadPolicyDocument(f"{name}: not an IAM policy in JSON; take the file from docs/iam again") from e


def _with_own_names(text: str, wanted: Wanted, account: str, state_bucket: str | None) -> str:
    text = text.replace(SAMPLE_ACCOUNT, account).replace(SAMPLE_REGION, wanted.region)
    if wanted.reports:
        text = text.replace(SAMPLE_REPORTS_DOMAIN, wanted.reports.domain)
    return text.replace(SAMPLE_STATE_BUCKET, state_bucket) if state_bucket else text


def _question(statement: Mapping[str, Any]) -> Question:
    resources = tuple(one if one == "*" else one.replace("*", _FILLED) for one in _listed(statement["Resource"]))
    return Question(tuple(_listed(statement["Action"])), resources, tuple(_context(statement.get("Condition", {}))))


def _context(condition: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    for operator, keys in condition.items():
        for key, values in keys.items():
            filled = tuple(value.replace("*", _FILLED) for value in _listed(values))
            several = operator.startswith(("ForAllValues:", "ForAnyValue:"))
            yield key, filled if several else filled[:1], several


def _is_route53(statement: Mapping[str, Any]) -> bool:
    return all(action.startswith("route53:") for action in _listed(statement["Action"]))


def _other_key(statement: Mapping[str, Any]) -> bool:
    """The key of the state's secrets has an id that only its owner knows."""
    return any(
        resource.endswith(":key/00000000-0000-0000-0000-000000000000") for resource in _listed(statement["Resource"])
    )


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in values):
        raise TypeError("text is wanted")
    return values
