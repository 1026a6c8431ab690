"""GitHub's and GitLab's clients: their requests are such as the forge describes, its refusals are understood."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from described import TOKEN, Described, serving
from github_stand_in import GitHubStandIn
from gitlab_stand_in import GitLabStandIn
from house import BAD, GOOD, PENDING, promote

from mailtls.propose import dashboard
from mailtls.propose.dashboard import Row, RowState
from mailtls.propose.forges.forge import (
    AlreadyThere,
    EvidenceState,
    EvidenceStatus,
    Forge,
    NewPullRequest,
    NotAllowed,
    Refused,
)
from mailtls.propose.forges.github import GitHub
from mailtls.propose.forges.gitlab import GitLab
from mailtls.propose.forges.rest import Api

HEAD = "a" * 40
BRANCH = promote().branch
ROWS = [Row("contoso.example", RowState.CLOSED_BY_YOU, "testing → enforce", "", BRANCH)]


@dataclass
class Case:
    """client: takes a token."""

    stand_in: GitHubStandIn | GitLabStandIn
    served: Described
    client: Callable[[str], Forge]

    @property
    def forge(self) -> Forge:
        return self.client(TOKEN)


@pytest.fixture(params=["github", "gitlab"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    branches = {BRANCH: HEAD, "main": "b" * 40}
    stand_in = (GitHubStandIn if request.param == "github" else GitLabStandIn)(branches, {"bob"})
    with serving(stand_in) as served:

        def client(token: str) -> Forge:
            if request.param == "github":
                return GitHub.of("alice/specs", token, served.url)
            return GitLab.of("alice/specs", token, served.url)

        yield Case(stand_in, served, client)
        assert served.wrong == []


def wanted(**other: object) -> NewPullRequest:
    fields = {"title": promote().title, "body": promote().described(), "reviewers": ("bob",), **other}
    return NewPullRequest(branch=BRANCH, base="main", labels=("mail",), **fields)  # type: ignore[arg-type]


def test_a_pull_request_is_opened_found_edited_and_closed(case: Case) -> None:
    made, missing = case.forge.open_pull_request(wanted())
    assert (made.branch, made.head, made.is_open, made.merged, missing) == (BRANCH, HEAD, True, False, "")
    assert case.stand_in.pulls[0]["reviewers"] == ["bob"]
    assert case.forge.open_pull_requests("main", "mailtls/") == [made]
    assert case.forge.open_pull_requests("main", "renovate/") == []
    case.forge.edit_pull_request(made.number, "another", "text")
    case.forge.close_pull_request(made.number, "no longer needed")
    assert case.stand_in.comments == ["no longer needed"]
    assert case.forge.open_pull_requests("main", "mailtls/") == []
    [closed] = case.forge.pull_requests_of("main", BRANCH)
    assert (closed.title, closed.body, closed.is_open, closed.merged) == ("another", "text", False, False)


def test_what_was_proposed_is_known_again_by_its_body(case: Case) -> None:
    made, _ = case.forge.open_pull_request(wanted())
    case.forge.close_pull_request(made.number, "x")
    [closed] = case.forge.pull_requests_of("main", BRANCH)
    assert promote(title="contoso.example: another title").answered_by(closed)
    assert not promote(unique="another").answered_by(closed)


def test_a_second_one_for_the_branch_is_known_as_there(case: Case) -> None:
    case.forge.open_pull_request(wanted())
    with pytest.raises(AlreadyThere):
        case.forge.open_pull_request(wanted())


def test_a_branch_that_is_gone_is_refused_in_the_forges_words(case: Case) -> None:
    del case.stand_in.branches[BRANCH]
    with pytest.raises(Refused, match=r"invalid|does not exist"):
        case.forge.open_pull_request(wanted())


def test_a_fork_with_our_branchs_name_is_not_ours(case: Case) -> None:
    case.stand_in.fork_asks(BRANCH)
    assert case.forge.open_pull_requests("main", "mailtls/") == []
    assert case.forge.pull_requests_of("main", BRANCH) == []


def test_reviewers_whom_nobody_knows_are_told_and_cost_nothing(case: Case) -> None:
    _, missing = case.forge.open_pull_request(wanted(reviewers=("nobody", "bob", "alice/no-team")))
    assert "nobody" in missing
    assert "alice/no-team" in missing
    assert case.stand_in.pulls[0]["reviewers"] == ["bob"]


def test_more_than_a_page_is_read_whole(case: Case) -> None:
    for number in range(120):
        case.stand_in.branches[f"mailtls/promote/brand{number}.example"] = HEAD
        case.forge.open_pull_request(NewPullRequest(f"mailtls/promote/brand{number}.example", "main", "t", "b", (), ()))
    assert len(case.forge.open_pull_requests("main", "mailtls/")) == 120


def test_the_evidence_goes_on_from_day_to_day_and_from_good_to_bad(case: Case) -> None:
    later = EvidenceStatus(EvidenceState.PENDING, "day 10 of 14, 3,900 of 5,000 sessions")
    assert case.forge.evidence_status(HEAD) is None
    for status in (PENDING, later, GOOD, BAD, PENDING):
        case.forge.set_evidence_status(HEAD, status)
        assert case.forge.evidence_status(HEAD) == status


def test_words_that_are_too_long_for_a_status_are_cut(case: Case) -> None:
    case.forge.set_evidence_status(HEAD, EvidenceStatus(EvidenceState.FAILURE, "x" * 500))
    said = case.forge.evidence_status(HEAD)
    assert said
    assert said.words == "x" * 137 + "..."


def test_a_body_as_long_as_ours_may_be_is_taken(case: Case) -> None:
    body = type(promote().body)("a", "| x |\n" * 30_000, "b", "c", "d")
    case.forge.open_pull_request(wanted(body=promote(body=body).described()))


def test_a_line_that_would_be_a_command_is_shown_and_not_obeyed(case: Case) -> None:
    made, _ = case.forge.open_pull_request(wanted(body="words\n/merge\n  /close\n"))
    case.forge.edit_pull_request(made.number, "t", "/approve\n")
    case.forge.close_pull_request(made.number, "/reopen")
    [closed] = case.forge.pull_requests_of("main", BRANCH)
    assert closed.body == "/approve\n"


def test_the_dashboard_is_one_issue(case: Case) -> None:
    assert dashboard.find(case.forge) is None
    dashboard.write(case.forge, ROWS, ())
    dashboard.write(case.forge, [*ROWS, Row("fabrikam.example", RowState.READY, "in enforce")], ())
    assert len(case.stand_in.issues) == 1
    found = dashboard.find(case.forge)
    assert found
    assert "2 domains" in found.body
    assert dashboard.asked_again(found.body.replace("[ ]", "[x]")) == {BRANCH}


def test_a_token_that_nobody_knows_is_told_without_it(case: Case) -> None:
    with pytest.raises(NotAllowed) as told:
        case.client("token-of-nobody").open_pull_requests("main", "mailtls/")
    assert "token-of-nobody" not in str(told.value)


def test_a_request_that_the_description_has_not_is_seen(case: Case) -> None:
    forge = case.forge
    assert isinstance(forge, GitHub | GitLab)
    api: Api = forge.api
    with pytest.raises(Refused):
        api.get(case.served.asked[-1].split(" ")[1] if case.served.asked else _list_of(forge), {"invented": "x"})
    assert case.served.wrong
    case.served.wrong.clear()


def _list_of(forge: GitHub | GitLab) -> str:
    return f"{forge.repository}/pulls" if isinstance(forge, GitHub) else f"{forge.project}/merge_requests"
