"""The demo's promises can fail: what it would be shown by a cloud that does not keep them ends the story."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from rich.console import Console

from sandbox.demo import judging, updating
from sandbox.demo.reporting import Bucket
from sandbox.demo.scene import Scene
from sandbox.demo.specs import Expected
from sandbox.demo.story import DemoError, Story
from sandbox.demo.updating import Sample, Sender

CONTOSO = Expected("contoso.example", "enforce", ("mx1.contoso.example",))
OLD, NEW = "version: STSv1\nmx: mx1.contoso.example\n", "version: STSv1\nmx: mx3.contoso.example\n"
FAILED = "STS policy fetch for domain 'x' failed with error: "


def valid(domain: str, mode: str = "testing", mx: tuple[str, ...] = ("mx.outside.example",)) -> dict[str, Any]:
    return {"domain": domain, "verdict": "VALID", "policy": {"mode": mode, "mx": list(mx)}, "words": ["Parsed policy"]}


def refused(domain: str, words: str | None, verdict: str = "FETCH_ERROR") -> dict[str, Any]:
    return {"domain": domain, "verdict": verdict, "policy": None, "words": [] if words is None else [words]}


@dataclass
class Shown:
    """A world as it should be, in place of a Scene: what the judges say, what DNS and the hosts give out."""

    story: Story = field(default_factory=lambda: Story(Console(file=io.StringIO())))
    expected: dict[str, Expected] = field(default_factory=lambda: {CONTOSO.policy_domain: CONTOSO})
    client: list[dict[str, Any]] = field(
        default_factory=lambda: [
            valid("contoso.example", CONTOSO.mode or "", CONTOSO.mx),
            valid("good.outside.example"),
            refused("badcert.outside.example", f"{FAILED}Hostname mismatch, certificate is not valid for it."),
            refused("redirect.outside.example", FAILED),
            refused("html.outside.example", FAILED),
            refused("twotxt.outside.example", None, "NONE"),
        ]
    )
    hosts: dict[str, str] = field(
        default_factory=lambda: {
            "mta-sts.redirect.outside.example": "HTTP 301",
            "mta-sts.html.outside.example": "<!DOCTYPE html><title>Welcome</title>",
            "mta-sts.twotxt.outside.example": OLD,
        }
    )
    records: tuple[str, ...] = ("v=STSv1; id=1;", "v=STSv1; id=2;")

    def judge(self, script: str, *domains: str) -> list[dict[str, Any]]:
        if script == "mta_sts_client.py":
            return self.client
        good = {"valid": True}
        return [{"domain": domain, "mta_sts": good, "tls_rpt": good} for domain in domains]

    def txt(self, name: str) -> tuple[str, ...]:
        return self.records

    def policy_id(self, policy_domain: str) -> str:
        return "old"

    def fetch(self, host: str) -> str:
        return self.hosts[host]

    def put(self, answer: dict[str, Any]) -> None:
        """What the client says of a domain, in place of what it said."""
        self.client = [answer if one["domain"] == answer["domain"] else one for one in self.client]

    def scene(self) -> Scene:
        return cast(Scene, self)


def test_a_world_as_it_should_be_is_judged_so() -> None:
    shown = Shown()
    judging.judge(shown.scene())
    assert [claim.partition(" ")[0] for claim, _ in shown.story.proofs] == ["every", "the", "checkdmarc"]


def forget(shown: Shown) -> None:
    shown.client = [one for one in shown.client if one["domain"] != "contoso.example"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (forget, "the client was asked about"),
        (lambda shown: shown.put(refused("contoso.example", FAILED)), "contoso.example: FETCH_ERROR"),
        (lambda shown: shown.put(valid("contoso.example", "testing", CONTOSO.mx)), "the spec says"),
        (lambda shown: shown.put(refused("good.outside.example", FAILED)), "the control"),
        (lambda shown: shown.put(valid("badcert.outside.example")), "badcert.* not refused for its fault"),
        (lambda shown: shown.put(refused("badcert.outside.example", FAILED)), "badcert.* not refused for its fault"),
        (
            lambda shown: shown.put(refused("redirect.outside.example", f"{FAILED}502, message='Bad Gateway'")),
            "redirect.* not refused for its fault",
        ),
        (lambda shown: shown.hosts.update({"mta-sts.redirect.outside.example": "HTTP 502"}), "redirect.*HTTP 502"),
        (lambda shown: shown.hosts.update({"mta-sts.html.outside.example": "HTTP 404"}), "html.*HTTP 404"),
        (lambda shown: shown.hosts.update({"mta-sts.twotxt.outside.example": "HTTP 404"}), "twotxt.*HTTP 404"),
        (lambda shown: shown.put(refused("twotxt.outside.example", FAILED)), "twotxt.* not refused for its fault"),
        (lambda shown: setattr(shown, "records", ()), "without two records"),
    ],
)
def test_a_judge_that_says_something_else_ends_the_story(spoil: Callable[[Shown], None], told: str) -> None:
    shown = Shown()
    spoil(shown)
    with pytest.raises(DemoError, match=told):
        judging.judge(shown.scene())


WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def looks(*seen: tuple[float, str, str]) -> list[Sample]:
    """(seconds after the new file was written, id, policy)"""
    return [Sample(policy_id, WRITTEN + timedelta(seconds=at), policy) for at, policy_id, policy in seen]


BEFORE, LATE, AFTER = (-1, "old", OLD), (1.5, "old", OLD), (3, "new", NEW)


def test_a_slow_edge_that_the_gate_waited_for() -> None:
    samples = looks(BEFORE, LATE, LATE, (2.9, "old", NEW), *[AFTER] * updating.SAMPLES)
    assert updating.counted(samples, "old", "new", WRITTEN) == (updating.SAMPLES, 2)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        pytest.param([BEFORE, LATE, *[AFTER] * 19], "19 of 21", id="too few"),
        pytest.param([BEFORE, LATE, *[AFTER] * 19, (4, "new", OLD)], "1 of 20 .* old policy", id="stale"),
        pytest.param([BEFORE, LATE, (2, "", OLD), *[AFTER] * 20], "other ids too: {''}", id="no record"),
        pytest.param([BEFORE, LATE, (2, "odd", OLD), *[AFTER] * 20], "other ids too: {'odd'}", id="another id"),
        pytest.param([BEFORE, (2, "old", "HTTP 504"), *[AFTER] * 20], "no policy: {'HTTP 504'}", id="no policy"),
        pytest.param([BEFORE, (0.9, "old", OLD), *[AFTER] * 20], "the edge was not slow", id="not slow"),
    ],
)
def test_samples_that_break_the_promise_or_prove_nothing(seen: list[tuple[float, str, str]], told: str) -> None:
    with pytest.raises(DemoError, match=told):
        updating.counted(looks(*seen), "old", "new", WRITTEN)


@pytest.mark.timeout(30)
def test_whatever_stops_the_sender_is_told_at_once() -> None:
    class Broken(Shown):
        def fetch(self, host: str) -> str:
            raise ZeroDivisionError

    sender = Sender(Broken().scene())
    with pytest.raises(ZeroDivisionError), sender.watching():
        sender.wait_for("new")


def test_a_bucket_that_does_not_answer_is_named() -> None:
    bucket = Bucket("reports-store-bucket-1", "http://127.0.0.1:1")
    for ask in (bucket.keys, bucket.json):
        with pytest.raises(DemoError, match="reports-store-bucket-1"):
            ask("raw/")
