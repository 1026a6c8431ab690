"""Every entry that is written fits the schema of stored reports."""

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
import sample_ledger
from hypothesis import given
from hypothesis import strategies as st
from referencing import Registry, Resource

from mailtls.tls_rpt import report
from mailtls.tls_rpt.ledger import LedgerEntry

NAMES = ("stored_report", "report")
TEXTS = {
    name: resources.files("mailtls.render").joinpath(f"{name}.v1.schema.json").read_text("utf-8") for name in NAMES
}
SCHEMAS: dict[str, Any] = {name: json.loads(text) for name, text in TEXTS.items()}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
STORED = jsonschema.Draft202012Validator(SCHEMAS["stored_report"], registry=REGISTRY)


def fits(entry: LedgerEntry) -> None:
    STORED.validate(json.loads(entry.render()))


def test_what_the_samples_hold_fits() -> None:
    entries = [*sample_ledger.contoso(), *sample_ledger.fabrikam(), *sample_ledger.hostile()]
    assert len(entries) > 200
    for entry in entries:
        fits(entry)


@given(
    organization=st.text(max_size=20),
    successes=st.one_of(st.none(), st.integers(-5, 10**20), st.text(max_size=5)),
    kind=st.one_of(st.sampled_from(["sts", "tlsa", "no-policy-found", "STS", ""]), st.text(max_size=9)),
    extra=st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    result=st.text(max_size=12),
)
def test_whatever_a_sender_writes_is_stored_in_that_shape(
    organization: str, successes: Any, kind: str, extra: dict[str, int], result: str
) -> None:
    text = json.dumps(
        {
            "organization-name": organization,
            "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
            "report-id": "r",
            "policies": [
                {
                    "policy": {"policy-type": kind, "policy-domain": "contoso.example"},
                    "summary": {"total-successful-session-count": successes},
                    "failure-details": [{"result-type": result, "failed-session-count": successes}],
                }
            ],
            **extra,
        }
    )
    try:
        read = report.parse(text.encode())
    except report.InvalidReport:
        return
    fits(LedgerEntry("contoso.example", "m", sample_ledger.entry("a.example", sample_ledger.LAST, "s", "n").stored_at,
                     "google.com", read))  # fmt: skip


@pytest.mark.parametrize("member", ["version", "policy_domain", "mail", "stored_at", "signer", "report"])
def test_a_member_that_is_missing_is_found(member: str) -> None:
    data = json.loads(next(sample_ledger.contoso()).render())
    del data[member]
    with pytest.raises(jsonschema.ValidationError):
        STORED.validate(data)
