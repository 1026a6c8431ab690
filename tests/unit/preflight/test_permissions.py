"""IAM policy documents as questions for the policy simulator."""

import json
from pathlib import Path

import pytest

from mailtls.preflight.permissions import BadPolicyDocument, Question, documents_for, questions
from mailtls.preflight.wanted import Kind, ReportsWanted, Wanted

IAM = Path(__file__).parents[3] / "docs" / "iam"
WANTED = Wanted(Kind.ALL, "eu-central-1", reports=ReportsWanted("reports.contoso.example", "own", activate=True))
ACCOUNT = "210987654321"


def asked(name: str, route53: bool = True) -> tuple[Question, ...]:
    return questions(name, (IAM / name).read_bytes(), WANTED, ACCOUNT, "contoso-state", route53)


@pytest.mark.parametrize("name", [*documents_for(WANTED, "contoso-state")])
def test_a_document_asks_in_ones_own_names(name: str) -> None:
    found = asked(name)
    assert found
    text = repr(found)
    assert not [
        sample
        for sample in ("123456789012", "eu-west-1", "mailhost.example", "your-state-bucket", "*'")
        if sample in text.replace("('*',)", "")
    ]


def test_every_action_of_a_document_is_asked() -> None:
    data = json.loads((IAM / "domains.json").read_text())
    listed = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in data["Statement"]]
    assert {action for one in listed for action in one} == {
        action for question in asked("domains.json") for action in question.actions
    }


def test_conditions_are_the_context() -> None:
    certificates = next(one for one in asked("domains.json") if one.actions == ("acm:RequestCertificate",))
    assert certificates == Question(
        ("acm:RequestCertificate",),
        ("*",),
        (
            ("aws:RequestedRegion", ("us-east-1",), False),
            ("acm:ValidationMethod", ("DNS",), False),
            ("acm:DomainNames", ("mta-sts.preflight",), True),
        ),
    )


def test_without_zones_at_route_53_nothing_is_asked_of_it() -> None:
    assert not [one for one in asked("domains.json", route53=False) if one.actions[0].startswith("route53:")]
    assert [one for one in asked("domains.json") if one.actions[0].startswith("route53:")]


def test_which_documents_a_stack_needs() -> None:
    assert documents_for(Wanted(Kind.DOMAINS, "eu-west-1"), None) == ("domains.json",)
    assert documents_for(Wanted(Kind.PLATFORM, "eu-west-1"), "s") == (
        "platform-pipeline.json",
        "platform-mail.json",
        "state.json",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"Statement": 1}',
        b'{"Statement": [{"Effect": "Allow", "Action": 3, "Resource": "*"}]}',
        b'{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": []}]}',
        b"[" * 50_000,
        b"\xff",
        b" " * 100_001,
    ],
)
def test_what_is_no_policy_is_refused(data: bytes) -> None:
    with pytest.raises(BadPolicyDocument, match=r"domains\.json"):
        questions("domains.json", data, WANTED, ACCOUNT, None, True)
