"""What becomes of a proposal, by what people did: each rule on a real Gitea with real Git."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from house import BAD, BODY, ENFORCE, GOOD, PENDING, TESTING, House, path_of, promote

from mailtls.propose.branches import fetched
from mailtls.propose.forges.forge import PullRequest
from mailtls.propose.forges.gitea import Gitea
from mailtls.propose.proposal import PREFIX
from mailtls.propose.proposals import Limits, Outcome, Result, Run

pytestmark = pytest.mark.forge

BRANCH = "mailtls/promote/contoso.example"


def results(outcomes: list[Outcome]) -> list[Result]:
    return [outcome.result for outcome in outcomes]


def test_a_proposal_is_one_commit_on_the_head_of_the_base_with_all_that_a_person_needs(house: House) -> None:
    before = house.branches()["main"]
    [outcome] = house.run(promote(labels=("mail",), reviewers=("bob", "nobody-knows-him")))
    assert outcome.result is Result.OPENED
    assert "nobody-knows-him" in outcome.words
    assert "bob" not in outcome.words
    pull = house.pull()
    assert outcome.url == pull["html_url"]
    assert pull["title"] == "contoso.example: testing → enforce"
    assert pull["head"]["ref"] == BRANCH
    assert {label["name"] for label in pull["labels"]} == {"mailtls", "mail"}
    assert [who["login"] for who in pull["requested_reviewers"]] == ["bob"]
    headings = [line for line in pull["body"].splitlines() if line.startswith("## ")]
    assert headings == [
        "## What changes",
        "## Why now",
        "## What happens on merge",
        "## What happens if you wait",
        "## How to refuse",
    ]
    [commit] = house.commits(pull["number"])
    assert [parent["sha"] for parent in commit["parents"]] == [before]
    assert [file["filename"] for file in commit["files"]] == [path_of("contoso.example")]
    assert house.read(path_of("contoso.example"), BRANCH) == ENFORCE
    assert house.read(path_of("contoso.example")) == TESTING
    assert house.evidence(commit["sha"]) == [("success", GOOD.words)]


def test_a_second_run_changes_nothing(house: House) -> None:
    house.run(promote())
    before = house.pull()
    assert results(house.run(promote())) == [Result.UNCHANGED]
    found_out_later = {"mergeable": None}  # by Gitea, when it has time
    assert house.pull() | found_out_later == before | found_out_later
    assert len(house.evidence(before["head"]["sha"])) == 1


def test_another_content_is_the_same_proposal_updated_in_place(house: House) -> None:
    house.run(promote())
    first = house.pull()
    text = ENFORCE.replace("May", "June")
    new = promote(title="contoso.example: enforce, since June", files={path_of("contoso.example"): text})
    assert results(house.run(new)) == [Result.UPDATED]
    second = house.pull()
    assert second["number"] == first["number"]
    assert second["title"] == "contoso.example: enforce, since June"
    assert len(house.commits(second["number"])) == 1
    assert house.read(path_of("contoso.example"), BRANCH) == text


@pytest.mark.parametrize("branch_stays", [True, False])
def test_closed_by_a_person_is_an_answer_until_what_it_is_about_changes(house: House, branch_stays: bool) -> None:
    house.run(promote())
    number = house.pull()["number"]
    house.close(number)
    if not branch_stays:
        house.as_alice("DELETE", f"/branches/{BRANCH}")
    house.write("README.md", "the base moved\n")
    [outcome] = house.run(promote())
    assert outcome.result is Result.ANSWERED
    assert outcome.url.endswith(f"/pulls/{number}")
    assert house.pulls() == []
    assert results(house.run(promote(unique="enforce, and two more reporters"))) == [Result.OPENED]
    assert house.pull()["number"] != number


def test_closed_by_a_person_who_emptied_the_body_is_an_answer_by_its_title(house: House) -> None:
    house.run(promote())
    number = house.pull()["number"]
    house.as_alice("PATCH", f"/pulls/{number}", {"body": "no thanks", "state": "closed"})
    assert results(house.run(promote())) == [Result.ANSWERED]
    assert results(house.run(promote(title="contoso.example: another thing"))) == [Result.OPENED]


def test_asked_again_a_closed_one_comes_again_and_can_be_closed_again(house: House) -> None:
    house.run(promote())
    house.close(house.pull()["number"])
    assert results(house.run(promote(), asked_again={BRANCH})) == [Result.OPENED]
    house.close(house.pull()["number"])
    assert results(house.run(promote())) == [Result.ANSWERED]


def test_after_a_persons_commit_the_branch_is_theirs_and_only_the_evidence_goes_on(house: House) -> None:
    house.run(promote(evidence_status=PENDING))
    number = house.pull()["number"]
    house.write(path_of("contoso.example"), ENFORCE + "# mine\n", BRANCH)
    house.write("README.md", "the base moved\n")
    [outcome] = house.run(promote(title="contoso.example: another title"))
    assert outcome.result is Result.TAKEN_OVER
    pull = house.pull()
    assert pull["title"] == "contoso.example: testing → enforce"
    assert house.read(path_of("contoso.example"), BRANCH) == ENFORCE + "# mine\n"
    assert len(house.commits(number)) == 2
    assert house.evidence(house.branches()[BRANCH]) == [("success", GOOD.words)]
    [outcome] = house.run(settled={"contoso.example": "the owner wants testing"})
    assert outcome.result is Result.TAKEN_OVER
    assert house.pull()["number"] == number


def test_when_the_base_moved_the_one_commit_is_made_again_on_its_head(house: House) -> None:
    house.run(promote())
    number = house.pull()["number"]
    house.write("README.md", "the base moved\n")
    assert results(house.run(promote())) == [Result.UPDATED]
    [commit] = house.commits(number)
    assert [parent["sha"] for parent in commit["parents"]] == [house.branches()["main"]]
    assert house.evidence(commit["sha"]) == [("success", GOOD.words)]


def test_what_is_obsolete_is_closed_with_its_reason_and_is_no_answer_of_a_person(house: House) -> None:
    house.run(promote())
    number = house.pull()["number"]
    [outcome] = house.run(settled={"contoso.example": "40 failures came"})
    assert outcome.result is Result.CLOSED
    assert house.pulls() == []
    assert BRANCH not in house.branches()
    assert any("40 failures came" in comment for comment in house.comments(number))
    assert results(house.run(promote())) == [Result.OPENED]


def test_a_domain_that_nobody_judged_keeps_its_proposal(house: House) -> None:
    house.run(promote())
    assert house.run() == []
    assert house.run(settled={"fabrikam.example": "in enforce"}) == []
    assert house.pull()["head"]["ref"] == BRANCH


def test_another_step_of_the_same_domain_takes_the_place_of_the_first(house: House) -> None:
    house.run(promote())
    text = TESTING + "  mx: [mx3.contoso.example]\n"
    add = promote(
        kind="add-mx", title="contoso.example: add mx3", files={path_of("contoso.example"): text}, unique="mx3"
    )
    assert results(house.run(add)) == [Result.CLOSED, Result.OPENED]
    assert house.pull()["head"]["ref"] == "mailtls/add-mx/contoso.example"


def test_without_a_difference_there_is_no_proposal_and_an_open_one_closes(house: House) -> None:
    same = promote(files={path_of("contoso.example"): TESTING})
    assert results(house.run(same)) == [Result.NO_DIFFERENCE]
    assert house.pulls("all") == []
    house.run(promote())
    house.write(path_of("contoso.example"), ENFORCE)
    assert results(house.run(promote())) == [Result.CLOSED]
    assert house.pulls() == []
    assert BRANCH not in house.branches()


def test_forty_domains_come_ten_at_a_time_and_urgent_ones_pass_and_say_so(house: House) -> None:
    many = [promote(f"brand{number:02}.example") for number in range(40)]
    limits = Limits(most_open=10, most_new=6)
    first = results(house.run(*many, limits=limits))
    assert (first.count(Result.OPENED), first.count(Result.LIMITED)) == (6, 34)
    second = results(house.run(*many, limits=limits))
    assert (second.count(Result.OPENED), second.count(Result.UNCHANGED), second.count(Result.LIMITED)) == (4, 6, 30)
    urgent = promote("contoso.example", urgent=True)
    third = house.run(*many, urgent, limits=limits)
    assert third[0].result is Result.OPENED
    assert "passes the limit" in third[0].words
    assert results(third).count(Result.LIMITED) == 30
    assert len(house.pulls()) == 11
    house.merge(house.pulls()[0]["number"])
    house.merge(house.pulls()[0]["number"])
    fourth = house.run(*many[2:], urgent, limits=limits)
    assert results(fourth).count(Result.OPENED) == 1


def test_evidence_that_turns_bad_after_green_is_said_on_the_same_commit(house: House) -> None:
    house.run(promote(evidence_status=PENDING))
    head = house.pull()["head"]["sha"]
    house.run(promote(evidence_status=GOOD))
    house.run(promote(evidence_status=BAD))
    assert house.evidence(head) == [("failure", BAD.words), ("success", GOOD.words), ("pending", PENDING.words)]
    combined = house.as_alice("GET", f"/commits/{head}/status")
    assert combined["state"] == "failure"


def test_the_next_step_waits_until_the_last_is_seen_at_the_edge(house: House) -> None:
    house.run(promote())
    house.merge(house.pull()["number"], delete=True)
    text = ENFORCE + "  max_age: 4w\n"
    raise_age = promote(kind="max-age", title="contoso.example: max_age 4w", files={path_of("contoso.example"): text})
    held = promote(kind="max-age", title=raise_age.title, files=raise_age.files, held="enforce is not yet served")
    [outcome] = house.run(held)
    assert (outcome.result, outcome.words) == (Result.HELD, "enforce is not yet served")
    assert house.pulls() == []
    assert results(house.run(raise_age)) == [Result.OPENED]


@pytest.mark.parametrize(("how", "person"), [("merge", False), ("squash", True), ("rebase", False)])
def test_a_branch_left_over_from_a_merge_is_used_again(house: House, how: str, person: bool) -> None:
    house.run(promote())
    if person:
        house.write("notes.md", "mine\n", BRANCH)
    house.merge(house.pull()["number"], how)
    assert BRANCH in house.branches()
    house.write(path_of("contoso.example"), TESTING)  # taken back
    assert results(house.run(promote())) == [Result.OPENED]
    assert len(house.commits(house.pull()["number"])) == 1


def test_a_branch_left_over_goes_when_nothing_is_wanted_any_more(house: House) -> None:
    house.run(promote())
    house.merge(house.pull()["number"])
    assert house.run(settled={"contoso.example": "in enforce"}) == []
    assert BRANCH not in house.branches()


def test_a_branch_that_a_person_left_without_a_pull_request_is_not_written_over(house: House) -> None:
    house.as_alice("POST", "/branches", {"new_branch_name": BRANCH, "old_branch_name": "main"})
    house.write("notes.md", "mine\n", BRANCH)
    [outcome] = house.run(promote())
    assert outcome.result is Result.TAKEN_OVER
    assert BRANCH in outcome.words
    assert house.read("notes.md", BRANCH) == "mine\n"
    assert house.run(settled={"contoso.example": "in enforce"}) == []
    assert BRANCH in house.branches()


def test_two_runs_that_saw_the_same_make_one_proposal(house: House) -> None:
    with (
        fetched(house.remote(), "main", PREFIX) as one,
        fetched(house.remote(), "main", PREFIX) as other,
    ):
        first = Run(house.client(), one, "main", [promote()], {})
        second = Run(SawNothing(house.client()), other, "main", [promote()], {})
        assert results(list(first.outcomes())) == [Result.OPENED]
        assert results(list(second.outcomes())) == [Result.UNCHANGED]
    assert len(house.commits(house.pull()["number"])) == 1


def test_of_two_runs_with_other_contents_the_later_one_steps_back(house: House) -> None:
    other, third = (promote(files={path_of("contoso.example"): f"{ENFORCE}# {word}\n"}) for word in ("other", "third"))
    house.run(promote())
    with fetched(house.remote(), "main", PREFIX) as late:
        house.run(other)
        [outcome] = list(Run(house.client(), late, "main", [third], {}).outcomes())
    assert outcome.result is Result.FAILED
    assert "faster" in outcome.words
    assert house.read(path_of("contoso.example"), BRANCH).endswith("# other\n")


def test_a_pull_request_from_a_fork_with_our_branchs_name_is_not_ours(house: House) -> None:
    name = house.name.partition("/")[2]
    house.forge.ask("POST", f"/repos/{house.name}/forks", {"name": f"{name}-fork"}, "bob")
    fork = f"/repos/bob/{name}-fork"
    house.forge.ask("POST", f"{fork}/branches", {"new_branch_name": BRANCH, "old_branch_name": "main"}, "bob")
    change = {"content": "aGk=", "branch": BRANCH, "message": "hi"}
    house.forge.ask("POST", f"{fork}/contents/hi.txt", change, "bob")
    asked = {"base": "main", "head": f"bob:{BRANCH}", "title": promote().title, "body": promote().described()}
    strange = house.as_alice("POST", "/pulls", asked, "bob")
    label = house.as_alice("POST", "/labels", {"name": "mailtls", "color": "#000000"})
    house.as_alice("POST", f"/issues/{strange['number']}/labels", {"labels": [label["id"]]})  # someone was too helpful
    house.close(strange["number"])
    assert results(house.run(promote())) == [Result.OPENED]


def test_domains_that_cannot_be_proposed_stop_no_other(house: House) -> None:
    wrong = [promote(f"brand{number}.example", files={"../outside.yaml": "x"}) for number in range(4)]
    outcomes = house.run(*wrong, promote())
    assert results(outcomes) == [Result.FAILED] * 4 + [Result.OPENED]
    assert "not a path in the repository" in outcomes[0].words


def test_a_branch_in_the_way_of_ours_is_told_and_left(house: House) -> None:
    house.as_alice("POST", "/branches", {"new_branch_name": "mailtls/promote", "old_branch_name": "main"})
    [outcome] = house.run(promote())
    assert outcome.result is Result.FAILED
    assert "delete or rename it" in outcome.words
    assert "mailtls/promote" in house.branches()


def test_two_runs_at_the_same_time_leave_one_proposal_a_domain(house: House) -> None:
    many = [promote(f"brand{number}.example") for number in range(4)]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(house.run, *many) for _ in range(2)]
        outcomes = [outcome for run in runs for outcome in run.result()]
    assert [outcome for outcome in outcomes if outcome.result is Result.FAILED] == []
    assert [len(house.commits(pull["number"])) for pull in house.pulls()] == [1, 1, 1, 1]
    assert results(house.run(*many)) == [Result.UNCHANGED] * 4


def test_of_two_open_ones_for_a_branch_the_first_stays(house: House) -> None:
    house.run(promote(), promote("fabrikam.example"))
    first, second = (pull["number"] for pull in house.pulls())
    with fetched(house.remote(), "main", PREFIX) as branches:
        forge = SeesTwin(house.client(), second)
        outcomes = list(Run(forge, branches, "main", [promote()], {}).outcomes())
    assert results(outcomes) == [Result.UNCHANGED]
    assert house.pull()["number"] == first
    assert "another one for the same branch" in house.comments(second)[-1]


def test_a_file_that_goes_is_deleted(house: House) -> None:
    house.run(promote(kind="retire", files={path_of("contoso.example"): None, "policy_specs/é.yaml": "x: 1\n"}))
    [commit] = house.commits(house.pull()["number"])
    assert sorted(file["status"] for file in commit["files"]) == ["added", "removed"]


def test_a_body_that_is_too_long_is_cut_in_the_evidence_and_says_so(house: House) -> None:
    rows = "\n".join(f"| {number} | mx1.contoso.example |" for number in range(10_000))
    house.run(promote(body=type(BODY)("a", rows, "b", "c", "Close this pull request.")))
    body = house.pull()["body"]
    assert len(body) <= 61_000
    assert "more lines" in body
    assert "Close this pull request." in body
    assert results(house.run(promote(body=type(BODY)("a", rows, "b", "c", "Close this pull request.")))) == [
        Result.UNCHANGED
    ]


class SawNothing:
    """A forge as a run knows it that looked before another run acted: its first look at a branch finds nothing."""

    def __init__(self, forge: Gitea) -> None:
        self._forge, self._looked = forge, False

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        return []

    def pull_requests_of(self, base: str, branch: str) -> list[PullRequest]:
        before, self._looked = self._looked, True
        return self._forge.pull_requests_of(base, branch) if before else []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forge, name)


class SeesTwin(SawNothing):
    """A forge where the pull request `number` asks for BRANCH as well, which Gitea allows only by a race."""

    def __init__(self, forge: Gitea, number: int) -> None:
        super().__init__(forge)
        self._number = number

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        found = self._forge.open_pull_requests(base, prefix)
        return [replace(pull, branch=BRANCH) if pull.number == self._number else pull for pull in found]
