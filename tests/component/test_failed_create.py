"""A create that is refused because the thing is there: the one command that takes it over."""

import pulumi
import pytest

from components.failed_create import LEFT_OVER, advice
from stacks.killed_runs import ids_of

ROUTE53 = {"zoneId": "Z1", "name": "mta-sts.contoso.example", "type": "CNAME"}
THERE = ["creating: it already exists"]


@pytest.mark.parametrize(
    "words",
    [
        "InvalidChangeBatch: [Tried to create resource record set [name='a.', type='TXT'] but it already exists]",
        "CNAMEAlreadyExists: One or more of the CNAMEs you provided are already associated with a different resource",
        "ResourceAlreadyExistsException: The specified log group already exists",
        "AlreadyExists: Rule set already exists: mailtls-production-reports",
        "ResourceConflictException: Function already exist: mailtls-production-reports-function",
        "ResourceConflictException: An event source mapping with SQS arn (…) and function (…) already exists.",
        "POST /zones/1/dns_records: 400: An identical record already exists. (81058)",
        "POST /zones/1/dns_records: 400: An A, AAAA, or CNAME record with that host already exists. (81053)",
    ],
)
def test_the_clouds_words_for_there_already(words: str) -> None:
    assert advice("aws:route53/record:Record", "contoso.example-mta-sts-cname", ROUTE53, [words]) is not None


@pytest.mark.parametrize("errors", [[], ["AccessDenied: not authorized"], ["Throttling", "it already exists"]])
def test_another_error_has_no_such_advice(errors: list[str]) -> None:
    assert advice("aws:route53/record:Record", "contoso.example-mta-sts-cname", ROUTE53, errors) is None


def test_what_gets_its_name_from_the_engine_is_never_in_the_way() -> None:
    assert advice("aws:s3/bucket:Bucket", "policy-store-bucket", {}, THERE) is None
    assert "aws:sns/topic:Topic" not in LEFT_OVER


def test_the_command_names_resource_and_id() -> None:
    said = advice("aws:route53/record:Record", "contoso.example-mta-sts-cname", ROUTE53, THERE)
    assert said is not None
    assert (
        '  MAILTLS_ADOPT="contoso.example-mta-sts-cname=Z1_mta-sts.contoso.example_CNAME" pulumi up --refresh' in said
    )


def test_the_variable_holds_ids_by_resource() -> None:
    assert ids_of("") == {}
    assert ids_of("a=1 b=zone_name_TXT  c=x:y") == {"a": "1", "b": "zone_name_TXT", "c": "x:y"}


@pytest.mark.parametrize("text", ["a", "a=", "=1", "a=None", "a=zone/"])
def test_a_look_up_that_found_nothing_is_told(text: str) -> None:
    with pytest.raises(pulumi.RunError, match="MAILTLS_ADOPT"):
        ids_of(text)
