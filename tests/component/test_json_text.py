"""Every JSON document among the program's inputs is written in one form: SQS's own, which shows no difference."""

import json
from typing import Any

import pytest
from sample_pipeline import deploy
from strict_mocks import Recording, run

from components.certificate_events import CertificateEvents
from components.policy_store import PolicyStore

FILTERED = {"protocol": "https", "endpoint": "https://alerts.mailhost.example/", "severity": ["critical"], "owner": "a"}
EVERYONE = {"protocol": "email", "endpoint": "postmaster@mailhost.example"}


def documents(value: Any) -> list[str]:
    """Every text in `value`, at any depth, that is a JSON object or list."""
    if isinstance(value, dict):
        return [found for below in value.values() for found in documents(below)]
    if isinstance(value, list):
        return [found for below in value for found in documents(below)]
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return []
    try:
        json.loads(value)
    except ValueError:
        return []
    return [value]


def platform_and_policy_store() -> list[Recording]:
    def store() -> None:
        PolicyStore("policy-store", {"account_id": "123456789012"})
        CertificateEvents(
            "certificates",
            {"region": "eu-west-1", "account_id": "123456789012", "function_name": "f", "function_arn": "arn:f"},
        )

    return [deploy(subscriptions=[EVERYONE, FILTERED]), run(store)]


@pytest.fixture(scope="module")
def inputs() -> dict[str, list[str]]:
    """JSON documents by the resource and input that take them."""
    return {
        f"{resource.type} {resource.name} {key}": found
        for recording in platform_and_policy_store()
        for resource in recording.resources
        for key, value in resource.inputs.items()
        if (found := documents(value))
    }


def test_every_document_is_compact_and_its_keys_are_in_order(inputs: dict[str, list[str]]) -> None:
    other = {
        place: text
        for place, found in inputs.items()
        for text in found
        if text != json.dumps(json.loads(text), separators=(",", ":"), sort_keys=True)
    }
    assert not other


def test_the_kinds_of_documents_are_among_them(inputs: dict[str, list[str]]) -> None:
    kinds = {place.rpartition(" ")[2] for place in inputs}
    assert kinds >= {
        *("policy", "assumeRolePolicy", "redrivePolicy", "redriveAllowPolicy", "filterPolicy", "eventPattern"),
    }
