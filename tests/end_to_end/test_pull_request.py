"""examples/ci on a pull request, step by step as CI runs it: the real command from a real checkout of a real merge.

What GitHub and GitLab do themselves is done by local equals: the checkout is a clone, the artifact a folder, the
comments are kept by a small server. The jobs that need an account run in test_ci_deployment.py.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.append(str(Path(__file__).parent))
from comment_api import Comments, served
from workflow_runner import SHELLS, Ran, Runner, python_of

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples" / "ci"
WORKFLOW = yaml.safe_load((EXAMPLES / "github" / "mailtls-pull-request.yml").read_text())
GITLAB = yaml.safe_load((EXAMPLES / "gitlab" / ".gitlab-ci.yml").read_text())
SPECS = Path("policy_specs/production")
MARK = "<!-- mailtls: what this pull request changes -->\n"
JUDGE, TELL, WRITE = "Judge the specs and the change", "Say what the change means", "Write it into the same comment"
ENFORCED = """policy_domain: contoso.example
mta_sts:
  mode: enforce
  mx: [mx1.contoso.example, mx2.contoso.example]
  max_age: 2w
owner: mail-team
contact: hostmaster@fabrikam.example
suppress: {first-in-enforce: weeks of clean reports came first}
"""
TESTED = """policy_domain: fabrikam.example
mta_sts:
  mode: testing
  mx: [mx1.fabrikam.example]
owner: mail-team
contact: hostmaster@contoso.example
"""
IDENTITY = {
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "A Person"), ("EMAIL", "person@contoso.example"))},
    "GIT_CONFIG_GLOBAL": os.devnull,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """The repository on the server, with `main` and a pull request from a branch."""

    folder: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def propose(self, change: Callable[[Path], None]) -> None:
        """The pull request is `change`, in one commit. GitHub makes the merge that its checks run on."""
        self.git("checkout", "--quiet", "-B", "topic", "main")
        self.commit(change)
        self.merge()

    def commit(self, change: Callable[[Path], None]) -> None:
        change(self.folder / SPECS)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change of specs")

    def merge(self) -> None:
        """Again when `main` has moved on."""
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", "merge of the pull request", "topic")
        self.git("update-ref", "refs/pull/7/merge", "HEAD")
        self.git("checkout", "--quiet", "main")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's fork of this repository: the working tree as it is, and two domains."""
    fork = Origin(tmp_path_factory.mktemp("fork"))
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for file in filter(None, listed.split("\0")):
        if (REPOSITORY / file).is_file():
            (fork.folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / file, fork.folder / file)
    (fork.folder / SPECS / "contoso.example.yaml").write_text(ENFORCED)
    (fork.folder / SPECS / "fabrikam.example.yaml").write_text(TESTED)
    fork.git("init", "--quiet", "--initial-branch", "main")
    fork.git("add", "--all")
    fork.git("commit", "--quiet", "--message", "two domains")
    return fork.folder


@pytest.fixture
def origin(base: Path, tmp_path: Path) -> Origin:
    return Origin(Path(shutil.copytree(base, tmp_path / "origin", symlinks=True)))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return python_of(tmp_path_factory.mktemp("python") / "environment")


@pytest.fixture
def comments() -> Iterator[Comments]:
    with served(Comments()) as api:
        yield api


@pytest.fixture
def run(origin: Origin, python: Path, comments: Comments, tmp_path: Path) -> Callable[..., Runner]:
    """Pushes to the pull request: all its jobs run, one after the other. Returns the run."""
    pushes = iter(range(100))

    def push(
        head: str = "contoso/mailtls", depth: int | None = None, event: str | None = None, **variables: str
    ) -> Runner:
        folder = tmp_path / f"push-{next(pushes)}"
        artifacts = folder / "artifacts"

        def checkout(workspace: Path, given: Mapping[str, Any]) -> None:
            shallow = depth if depth is not None else int(given.get("fetch-depth", 1))
            some = [f"--depth={shallow}"] if shallow else []
            clone = Origin(workspace)
            clone.git("init", "--quiet")
            clone.git("remote", "add", "origin", origin.folder.as_uri())
            clone.git("fetch", "--quiet", *some, "origin", "+refs/heads/*:refs/remotes/origin/*",
                      "+refs/pull/7/merge:refs/remotes/pull/7/merge")  # fmt: skip
            clone.git("checkout", "--quiet", "--detach", "refs/remotes/pull/7/merge")

        def upload(workspace: Path, given: Mapping[str, Any]) -> None:
            (artifacts / given["name"]).mkdir(parents=True)
            shutil.copy2(workspace / given["path"], artifacts / given["name"])

        runner = Runner(
            WORKFLOW,
            event={
                "repository": "contoso/mailtls",
                "actor": "a-person",
                "api_url": comments.url,
                "token": comments.token,
                "event": {
                    "pull_request": {
                        "number": 7,
                        "base": {"sha": event or origin.git("rev-parse", "main")},
                        "head": {"repo": {"full_name": head}},
                    }
                },
            },
            actions={
                "actions/checkout": checkout,
                "actions/setup-python": lambda _workspace, _given: None,
                "actions/upload-artifact": upload,
                "actions/download-artifact": lambda workspace, given: shutil.copytree(
                    artifacts / given["name"], workspace, dirs_exist_ok=True
                ) and None,
            },
            folder=folder,
            path=python,
            variables=variables,
        )  # fmt: skip
        for job in ("check", "comment", "preview"):
            runner.run(job)
        return runner

    return push


def add_an_mx(specs: Path) -> None:
    spec = specs / "contoso.example.yaml"
    spec.write_text(spec.read_text().replace("mx2.contoso.example]", "mx2.contoso.example, mx3.contoso.example]"))


def remove_a_spec(specs: Path) -> None:
    (specs / "contoso.example.yaml").unlink()


def break_a_spec(specs: Path) -> None:
    (specs / "fabrikam.example.yaml").write_text(TESTED.replace("testing", "tested"))


def what_was_said(ran: Ran) -> str:
    return "\n".join([*ran.said.values(), *ran.complained.values()])


def test_a_good_change_passes_and_is_told(origin: Origin, run: Callable[..., Runner], comments: Comments) -> None:
    origin.propose(add_an_mx)
    jobs = run().done
    assert (jobs["check"].result, jobs["comment"].result) == ("success", "success"), what_was_said(jobs["check"])
    (comment,) = comments.comments
    assert comment["body"].startswith(MARK)
    assert "contoso.example" in comment["body"]
    assert "mx3.contoso.example" in comment["body"]
    assert "fabrikam.example" not in comment["body"]
    assert comment["body"] == MARK + jobs["check"].summary


def test_the_next_push_writes_over_the_comment(origin: Origin, run: Callable[..., Runner], comments: Comments) -> None:
    """Of the same job, and of nobody else: not even of a person who copied the mark, nor of one who is gone."""
    strangers = [comments.write({"login": "a-person", "id": 2}, f"{MARK}mine"), comments.write(None, f"{MARK}lost")]
    origin.propose(add_an_mx)
    run()
    origin.propose(remove_a_spec)
    run()
    assert [comment["body"] for comment in comments.comments[:2]] == [each["body"] for each in strangers]
    (ours,) = comments.comments[2:]
    assert "spec-removed-while-live" in ours["body"]
    assert "mx3.contoso.example" not in ours["body"]


def test_what_others_merged_meanwhile_is_not_told(
    origin: Origin, run: Callable[..., Runner], comments: Comments
) -> None:
    """GitHub's event names the base of an earlier moment, and the merge is made anew."""
    origin.propose(add_an_mx)
    event = origin.git("rev-parse", "main")
    origin.commit(lambda specs: (specs / "another.yaml").write_text(TESTED.replace("fabrikam", "wingtip")) and None)
    origin.merge()
    run(event=event)
    assert "mx3.contoso.example" in comments.comments[0]["body"]
    assert "wingtip" not in comments.comments[0]["body"]


def test_the_comment_is_found_on_a_later_page(origin: Origin, run: Callable[..., Runner], comments: Comments) -> None:
    for number in range(130):
        comments.write({"login": "a-person", "id": 2}, f"talk {number}")
    ours = comments.write(comments.me, f"{MARK}of the push before")
    origin.propose(add_an_mx)
    run()
    assert len(comments.comments) == 131
    assert "mx3.contoso.example" in ours["body"]


def test_a_spec_that_is_removed_while_live_fails(
    origin: Origin, run: Callable[..., Runner], comments: Comments
) -> None:
    origin.propose(remove_a_spec)
    jobs = run(MAILTLS_PREVIEW_ROLE="arn:aws:iam::123456789012:role/mailtls-preview").done
    check = jobs["check"]
    assert check.outcomes[JUDGE] == "failure"
    (annotation,) = (line for line in check.said[JUDGE].splitlines() if "spec-removed-while-live" in line)
    assert annotation.startswith("::error ")
    assert "policy_specs/production/contoso.example.yaml" in annotation
    assert (check.outcomes[TELL], check.result, jobs["preview"].result) == ("success", "failure", "skipped")
    (comment,) = comments.comments  # the one who proposes it reads why
    assert "spec-removed-while-live" in comment["body"]


def test_a_spec_that_cannot_be_read_is_told_too(origin: Origin, run: Callable[..., Runner], comments: Comments) -> None:
    """The comment of the push before would say that all is well."""
    comments.write(comments.me, f"{MARK}all is well")
    origin.propose(break_a_spec)
    check = run().done["check"]
    assert (check.outcomes[JUDGE], check.outcomes[TELL]) == ("failure", "failure")
    assert "file=policy_specs/production/fabrikam.example.yaml" in check.said[JUDGE]
    (comment,) = comments.comments
    assert comment["body"].startswith(f"{MARK}### mailtls: this change could not be judged\n")
    assert '"tested" is not a mode' in comment["body"]


def test_a_fork_gets_the_summary_and_no_job_with_rights(
    origin: Origin, run: Callable[..., Runner], comments: Comments
) -> None:
    origin.propose(add_an_mx)
    jobs = run(head="stranger/mailtls", MAILTLS_PREVIEW_ROLE="arn:aws:iam::123456789012:role/mailtls-preview").done
    assert {name: ran.result for name, ran in jobs.items()} == {
        "check": "success",
        "comment": "skipped",
        "preview": "skipped",
    }
    assert "mx3.contoso.example" in jobs["check"].summary
    assert comments.asked == []


def test_a_shallow_clone_fails_and_says_what_to_do(origin: Origin, run: Callable[..., Runner]) -> None:
    origin.propose(add_an_mx)
    check = run(depth=1).done["check"]
    assert check.outcomes[JUDGE] == check.outcomes[TELL] == "failure"
    assert "fetch-depth: 0" in check.complained[JUDGE]


def test_a_comment_is_never_longer_than_it_may_be(
    origin: Origin, run: Callable[..., Runner], comments: Comments
) -> None:
    def add_hundreds(specs: Path) -> None:
        for number in range(400):
            text = TESTED.replace("fabrikam.example", f"brand{number:03}-with-a-long-name.example")
            (specs / f"brand{number:03}.yaml").write_text(text.replace("contoso.example", "fabrikam.example"))

    origin.propose(add_hundreds)
    jobs = run().done
    assert jobs["comment"].result == "success", what_was_said(jobs["comment"])
    assert comments.comments[0]["body"].startswith(MARK)


def gitlab_notes() -> Comments:
    return Comments(
        token="a-project-token",
        collection="/projects/3/merge_requests/7/notes",
        single="/projects/3/merge_requests/7/notes",
        header="PRIVATE-TOKEN",
        author="author",
        me={"id": 5, "username": "project_3_bot"},
    )


def gitlab_job(
    name: str, folder: Path, gitlab: Comments, python: Path, base: str = ""
) -> subprocess.CompletedProcess[str]:
    """The script of one job, run in `folder`. base: the commit that the merge request goes into."""
    environment = {
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
        "SPECS": GITLAB["variables"]["SPECS"],
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_API_V4_URL": gitlab.url,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "MAILTLS_NOTE_TOKEN": gitlab.token,
    }
    script = folder / f"{name}.sh"
    script.write_text("\n".join(GITLAB[name]["script"]))
    return subprocess.run(
        [*SHELLS["bash"], script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def test_gitlabs_note_gives_no_order(python: Path, tmp_path: Path) -> None:
    """A line of a note that begins with a slash is an order, and it runs with the rights of the token. What the job
    `check` hands over may be written by the code of the change."""
    (tmp_path / "comment.md").write_text("### mailtls\n/close\r\n  /label ~urgent\r/approve\npolicy/x\n")
    gitlab = gitlab_notes()
    with served(gitlab):
        assert gitlab_job("note", tmp_path, gitlab, python).returncode == 0
    (note,) = gitlab.comments
    assert note["body"].splitlines()[1:] == ["### mailtls", "\\/close", "  \\/label ~urgent", "\\/approve", "policy/x"]


def test_gitlabs_jobs_write_one_note(origin: Origin, python: Path, run: Callable[..., Runner], tmp_path: Path) -> None:
    """The same change through the scripts of .gitlab-ci.yml; the run of GitHub's has installed the command."""
    origin.propose(remove_a_spec)
    checkout = run().folder / "check"
    gitlab = gitlab_notes()
    base = origin.git("rev-parse", "main")
    checked = gitlab_job("check", checkout, gitlab, python, base)
    assert checked.returncode == 1, checked.stderr
    assert "spec-removed-while-live" in checked.stdout
    elsewhere = tmp_path / "elsewhere"  # no code of the change is there
    elsewhere.mkdir()
    shutil.copy2(checkout / "comment.md", elsewhere)
    with served(gitlab):
        gitlab.write({"id": 9, "username": "a-person"}, "<!-- mailtls: what this merge request changes -->\nmine")
        for _ in range(2):
            noted = gitlab_job("note", elsewhere, gitlab, python, base)
            assert noted.returncode == 0, noted.stderr
    _, note = gitlab.comments
    assert "spec-removed-while-live" in note["body"]
