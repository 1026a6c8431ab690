"""What counts as live, and what counts as somebody else's record: pure, as tables."""

import re

import pytest

from components.publish_gates.edge import cause_not_live
from components.publish_gates.foreign_records import Beside
from mailtls.mta_sts.record import policy_id_of
from mailtls.observe.https import PolicyResponse

BODY = b"version: STSv1\r\nmode: testing\r\nmx: mx1.contoso.example\r\nmax_age: 86400\r\n"
VERSION = "L4kqtJlcpXroDTDmpUMLUo"


def response(status: int = 200, body: bytes = BODY, **headers: str | None) -> PolicyResponse:
    given = {"content_type": "text/plain; charset=utf-8", "x_amz_version_id": VERSION, **headers}
    fields = tuple((name.replace("_", "-"), value) for name, value in given.items() if value is not None)
    return PolicyResponse(status, fields, body)


@pytest.mark.parametrize(
    "answer",
    [
        response(),
        response(content_type="text/plain"),
        response(content_type="TEXT/PLAIN ;charset=us-ascii"),
    ],
)
def test_the_new_version_in_the_right_shape_is_live(answer: PolicyResponse) -> None:
    assert cause_not_live(answer, BODY, policy_id_of(VERSION)) is None


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (response(301, location="https://www.contoso.example/"), r"redirects to https://www.*\(301\)"),
        (response(304), "redirects to None"),
        (response(403), "answers 403"),
        (response(201), "answers 201"),
        (response(content_type="text/html"), "text/html, not text/plain"),
        (response(content_type=None), "missing, not text/plain"),
        (response(body=BODY.replace(b"\r\n", b"\n")), r"another text \(68 octets, 72 expected\)"),
        (response(body=BODY + b"\r\n"), "another text"),
        (response(x_amz_version_id=None), "without x-amz-version-id"),
        (response(x_amz_version_id="null"), "not versioned"),
        (response(x_amz_version_id="older"), r"serves version older, whose id is [a-z2-7]{24}, not [a-z2-7]{24}"),
    ],
)
def test_anything_else_is_not_and_the_cause_is_told(answer: PolicyResponse, cause: str) -> None:
    told = cause_not_live(answer, BODY, policy_id_of(VERSION))
    assert told is not None
    assert re.search(cause, told)


@pytest.mark.parametrize(
    ("values", "candidates", "others"),
    [
        ((), (), ()),
        (("google-site-verification=1",), (), ("google-site-verification=1",)),
        (("v=STSv1; id=ours;",), (), ()),
        (("v=STSv1; id=older;",), (), ()),
        (("other", "v=STSv1; id=theirs;"), ("v=STSv1; id=theirs;",), ("other",)),
        (("v=STSv1; id=ours;", "v=STSv1; id=theirs;"), ("v=STSv1; id=theirs;",), ()),
        # senders count these as a record too
        (("v=STSv1; id=ours;", "v=STSv1 ; id=theirs;"), ("v=STSv1 ; id=theirs;",), ()),
        (("v=STSv1; id=ours;", "v=STSv1"), ("v=STSv1",), ()),
        (("v=STSv1; id=ours;", "d111.cloudfront.net"), (), ("d111.cloudfront.net",)),
    ],
)
def test_what_senders_count_and_is_neither_old_nor_new_stands_beside_ours(
    values: tuple[str, ...], candidates: tuple[str, ...], others: tuple[str, ...]
) -> None:
    beside = Beside.of(values, ("v=STSv1; id=ours;", "v=STSv1; id=older;"), "v=STSv1")
    assert (beside.candidates, beside.others) == (candidates, others)
