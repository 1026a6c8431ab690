"""A forge that is busy or broken, a token that lacks a right, and that no token is ever shown."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import Fault, Proxy, before
from house import RIGHTS, House, promote

from mailtls.propose.forges.forge import ForgeError, NotAllowed, Refused
from mailtls.propose.forges.gitea import Gitea
from mailtls.propose.proposals import Limits, Result

pytestmark = pytest.mark.forge


@pytest.fixture
def proxy(house: House) -> Iterator[Proxy]:
    with before(house.forge.url) as proxy:
        yield proxy


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
@pytest.mark.parametrize(("method", "path"), [("GET", r"/pulls\?"), ("POST", r"/pulls$"), ("POST", "/statuses/")])
def test_a_forge_that_says_later_is_asked_again(house: House, proxy: Proxy, code: int, method: str, path: str) -> None:
    proxy.faults = [Fault(method, path, code, 2)]
    waits: list[float] = []
    [outcome] = house.run(promote(), url=proxy.url, sleep=waits.append)
    assert outcome.result is Result.OPENED
    assert waits == [1, 2]
    assert len(house.evidence(house.pull()["head"]["sha"])) == 1


def test_the_forges_own_wait_is_kept(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("POST", r"/pulls$", 429, 1, {"Retry-After": "37"})]
    waits: list[float] = []
    house.run(promote(), url=proxy.url, sleep=waits.append)
    assert waits == [37]


def test_a_pull_request_that_was_made_though_the_answer_was_lost_is_found(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("POST", r"/pulls$", 502, 1, done=True)]
    [outcome] = house.run(promote(), url=proxy.url)
    assert outcome.result in (Result.UPDATED, Result.UNCHANGED)
    assert len(house.pulls()) == 1


def test_a_forge_that_stays_broken_fails_the_domain_and_then_the_rest_is_not_tried(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("POST", r"/pulls$", 500, 1000)]
    many = [promote(f"brand{number}.example") for number in range(6)]
    outcomes = house.run(*many, url=proxy.url)
    assert [outcome.result for outcome in outcomes] == [Result.FAILED] * 3 + [Result.NOT_TRIED] * 3
    assert "tried 4 times" in outcomes[0].words
    proxy.faults = []
    again = house.run(*many, url=proxy.url, limits=Limits(10, 10))
    assert [outcome.result for outcome in again] == [Result.OPENED] * 6


def test_one_domain_for_which_the_forge_fails_stops_no_other(house: House, proxy: Proxy) -> None:
    house.run(promote("brand1.example"), promote("brand2.example"))
    number = house.pulls()[0]["number"]
    proxy.faults = [Fault("PATCH", f"/pulls/{number}$", 500, 1000)]
    reworded = [promote(f"brand{number}.example", title=f"brand{number}.example: other") for number in (1, 2)]
    outcomes = house.run(*reworded, url=proxy.url)
    assert [outcome.result for outcome in outcomes] == [Result.FAILED, Result.UPDATED]


def test_a_wait_that_is_longer_than_a_run_is_told_at_once(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("GET", r"/pulls\?", 429, 1, {"Retry-After": "3600"})]
    with pytest.raises(ForgeError, match=r"come back later; it asks to wait 3600 s"):
        house.run(promote(), url=proxy.url)


def test_git_that_is_answered_with_500_is_told(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("POST", "git-receive-pack", 500, 1000)]
    [outcome] = house.run(promote(), url=proxy.url)
    assert outcome.result is Result.FAILED
    assert "500" in outcome.words
    assert house.pulls() == []


def test_a_redirect_does_not_take_the_token_to_another_host(house: House, proxy: Proxy) -> None:
    proxy.faults = [Fault("GET", r"/pulls\?", 301, 1, {"Location": f"{proxy.url}/api/v1/elsewhere"})]
    with pytest.raises(Refused, match="at another address now"):
        house.run(promote(), url=proxy.url)
    assert not [asked for asked in proxy.asked if "elsewhere" in asked]


@pytest.mark.parametrize(
    ("scopes", "told"),
    [
        (["read:repository", "read:issue"], "the token lacks the right to read or write the repository's contents"),
        (["write:repository", "read:issue"], "the token lacks a right here"),
        (["read:issue"], "the token lacks"),
    ],
)
def test_a_token_without_a_right_says_which_and_leaves_nothing_half(house: House, scopes: list[str], told: str) -> None:
    token = house.forge.token("robot", scopes)
    try:
        words = [outcome.words for outcome in house.run(promote(), token=token)]
    except NotAllowed as e:
        words = [str(e)]
    assert told in words[0]
    assert token not in words[0]
    assert house.pulls() == []


def test_a_token_that_nobody_knows(house: House) -> None:
    with pytest.raises(NotAllowed) as told:
        house.run(promote(), token="0" * 40)
    assert "0" * 40 not in str(told.value)


def test_a_repository_that_is_not_there(house: House) -> None:
    house.name = "alice/nowhere"
    with pytest.raises(NotAllowed, match="the name is wrong"):
        house.run(promote())


def test_no_token_on_a_command_line_or_in_a_text(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.which("git")
    (tmp_path / "git").write_text(f'#!/bin/sh\necho "$0 $@" >> {tmp_path}/seen\nexec {real} "$@"\n')
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert house.run(promote())[0].result is Result.OPENED
    seen = (tmp_path / "seen").read_text()
    assert "push" in seen
    assert house.token not in seen
    assert "Authorization" not in seen
    client, remote = house.client(), house.remote()
    assert house.token not in repr(client) + repr(remote) + str(client)


@pytest.mark.parametrize(
    "url", ["http://git.contoso.example", "ftp://git.contoso.example", "https://me:secret@x.example"]
)
def test_a_token_goes_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(Refused) as told:
        Gitea.of(url, "owner/name", "token-of-ours")
    assert "secret" not in str(told.value)


def test_the_rights_that_the_docs_name_are_enough(house: House) -> None:
    assert RIGHTS == ["write:repository", "write:issue"]
    assert house.run(promote(), token=house.forge.token("robot", RIGHTS))[0].result is Result.OPENED
