"""What git says about earlier commits: real repositories, and what is refused."""

import datetime
import os
import stat
import subprocess
from pathlib import Path

import pytest
from spec_repository import SpecRepository

from mailtls.observe import git
from mailtls.observe.git import GitError, HistoryUnavailable, Repository

MONDAY = datetime.datetime(2026, 11, 2, 8, 30, tzinfo=datetime.UTC)


def days_later(days: int) -> datetime.datetime:
    return MONDAY + datetime.timedelta(days=days)


@pytest.fixture
def repository(tmp_path: Path) -> SpecRepository:
    made = SpecRepository(tmp_path / "repository")
    made.commit({"specs/a.yaml": "one\n", "specs/b/c.yaml": "two\n", "README.md": "not a spec\n"}, MONDAY)
    return made


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder outside the repository."""
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_merge_base_is_where_head_left_the_branch(repository: SpecRepository, into: Path) -> None:
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "change")
    repository.commit({"specs/a.yaml": "changed here\n"}, days_later(2))
    repository.git("checkout", "--quiet", "main")
    repository.commit({"specs/a.yaml": "changed there\n"}, days_later(1))
    repository.commit({"README.md": "no spec\n"}, days_later(3))
    repository.git("checkout", "--quiet", "change")
    found = Repository.around(repository.place / "specs")
    commit = found.merge_base("main")
    assert (commit.id, commit.at) == (base, MONDAY)
    assert found.commits_since(commit, "main") == 1, "the commit that changes no spec does not count"
    assert sorted(found.write(commit, into)) == ["a.yaml", "b/c.yaml"]
    assert files(into) == {"a.yaml": "one\n", "b/c.yaml": "two\n"}


def test_a_folder_that_was_not_there_holds_nothing(repository: SpecRepository, into: Path) -> None:
    (repository.place / "new").mkdir()
    found = Repository.around(repository.place / "new")
    assert found.write(found.merge_base("main"), into) == ()


def test_names_are_taken_as_they_are(repository: SpecRepository, into: Path) -> None:
    odd = {
        "specs/a b*.yaml": "1\n",
        "specs/zwei\nzeilen.yaml": "2\n",
        "specs/bücher.yaml": "3\n",
        "specs/a b.yaml": "4\n",
    }
    repository.commit({**odd, "specs/a.yaml": None, "specs/b/c.yaml": None}, days_later(1))
    found = Repository.around(repository.place / "specs")
    found.write(found.merge_base("main"), into)
    assert files(into) == {name.removeprefix("specs/"): text for name, text in odd.items()}
    repository.commit({"specs/a bc.yaml": "5\n"}, days_later(2))
    (changed,) = found.commits_that_changed(found.merge_base("main"), ["a b*.yaml"], 5)
    assert changed.at == days_later(1), "the day of that file, not of one that the name would match as a pattern"


def test_export_attributes_hide_nothing(repository: SpecRepository, into: Path) -> None:
    repository.commit({".gitattributes": "*.yaml export-ignore export-subst\n", "specs/a.yaml": "$Format:%H$\n"})
    found = Repository.around(repository.place / "specs")
    found.write(found.merge_base("HEAD"), into)
    assert files(into)["a.yaml"] == "$Format:%H$\n"


@pytest.mark.parametrize("ref", ["--output=stolen", "-n1", "", "ma\nin", "main..HEAD"])
def test_a_ref_is_never_an_option(repository: SpecRepository, ref: str) -> None:
    with pytest.raises(GitError) as refused:
        Repository.around(repository.place).merge_base(ref)
    assert "is not the name of a commit" in str(refused.value) or "git knows no commit" in str(refused.value)
    assert not (repository.place / "stolen").exists()


def test_the_environment_of_a_hook_leads_nowhere_else(
    repository: SpecRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert Repository.around(repository.place / "specs").merge_base("main").at == MONDAY


def test_an_unknown_ref_says_how_to_get_it(repository: SpecRepository) -> None:
    with pytest.raises(GitError, match=r"git knows no commit 'origin/main'; fetch it \(git fetch origin\)"):
        Repository.around(repository.place).merge_base("origin/main")


def test_a_shallow_clone_fails_with_the_command_that_fetches(repository: SpecRepository, tmp_path: Path) -> None:
    repository.commit({"specs/a.yaml": "two\n"}, days_later(1))
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", repository.place.as_uri(), str(clone))
    with pytest.raises(HistoryUnavailable) as refused:
        Repository.around(clone)
    assert str(refused.value).startswith("history-unavailable: ")
    assert "git fetch --unshallow" in str(refused.value)
    assert "fetch-depth: 0" in str(refused.value)
    subprocess.run(["git", "fetch", "--quiet", "--unshallow"], cwd=clone, check=True)
    assert Repository.around(clone).folder == ""


def test_no_repository_and_no_commit_are_told(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not in a git repository"):
        Repository.around(tmp_path)
    empty = SpecRepository(tmp_path / "empty")
    with pytest.raises(GitError, match="git knows no commit 'main'"):
        Repository.around(empty.place).merge_base("main")


def test_two_histories_have_no_base(repository: SpecRepository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.commit({"specs/a.yaml": "another beginning\n"})
    with pytest.raises(GitError, match="have no commit in common"):
        Repository.around(repository.place).merge_base("main")


def test_a_missing_git_program_is_told(
    repository: SpecRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="the git program is not installed"):
        Repository.around(repository.place)


def test_commits_count_on_the_day_they_came_in(repository: SpecRepository) -> None:
    repository.git("checkout", "--quiet", "-b", "change")
    repository.commit({"specs/a.yaml": "long in review\n"}, days_later(1))
    repository.git("checkout", "--quiet", "main")
    repository.commit({"README.md": "meanwhile\n"}, days_later(2))
    repository.git("merge", "--quiet", "--no-ff", "--message=merge", "change", at=days_later(9))
    found = Repository.around(repository.place / "specs")
    commits = found.commits_that_changed(found.merge_base("main"), ["a.yaml"], 10)
    assert [commit.at for commit in commits] == [days_later(9), MONDAY]
    assert found.commits_that_changed(found.merge_base("main"), ["a.yaml"], 1)[0].at == days_later(9)


def test_a_submodule_and_a_file_in_the_folders_place_are_refused(
    repository: SpecRepository, tmp_path: Path, into: Path
) -> None:
    commit = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},specs/customers")
    repository.git("commit", "--quiet", "--message=submodule")
    found = Repository.around(repository.place / "specs")
    with pytest.raises(GitError, match="'specs/customers' is a submodule"):
        found.write(found.merge_base("main"), into)
    repository.git("rm", "-r", "--quiet", "--cached", "specs")
    (repository.place / "specs").rename(tmp_path / "away")
    repository.commit({"specs": "a file\n"})
    (repository.place / "specs").unlink()
    (repository.place / "specs").mkdir()
    found = Repository.around(repository.place / "specs")
    with pytest.raises(GitError, match="'specs' is not a folder"):
        found.write(found.merge_base("main"), into)


def test_a_link_is_written_as_a_link_and_nothing_is_written_through_it(
    repository: SpecRepository, tmp_path: Path, into: Path
) -> None:
    """A tree that no git would make: a link and a folder of the same name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    blob = repository.git("hash-object", "-w", "README.md")
    (repository.place / "target").write_text(str(outside))
    link = repository.git("hash-object", "-w", "target")
    tree = _mktree(repository, f"100644 blob {blob}\tstolen.yaml")
    specs = _mktree(repository, f"120000 blob {link}\ta.yaml", f"040000 tree {tree}\ta.yaml")
    root = _mktree(repository, f"040000 tree {specs}\tspecs")
    commit = repository.git("commit-tree", root, "-m", "hostile")
    found = Repository.around(repository.place / "specs")
    with pytest.raises(GitError, match="cannot be written"):
        found.write(git.Commit(commit, MONDAY), into)
    assert not any(outside.iterdir())


def _mktree(repository: SpecRepository, *lines: str) -> str:
    done = subprocess.run(
        ["git", "mktree"],
        cwd=repository.place,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_large_file_is_refused_before_it_is_read(repository: SpecRepository, into: Path) -> None:
    repository.commit({"specs/huge.yaml": "#" * (git.MAX_FILE_OCTETS + 1)})
    found = Repository.around(repository.place / "specs")
    with pytest.raises(GitError, match=f"'specs/huge.yaml' has {git.MAX_FILE_OCTETS + 1} octets"):
        found.write(found.merge_base("HEAD"), into)
    assert not any(into.iterdir())


def test_a_git_that_does_not_end_is_ended(
    repository: SpecRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{slow.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(git, "TIME_LIMIT", 0.2)
    with pytest.raises(GitError, match=r"git rev-parse took longer than 0\.2 s"):
        Repository.around(repository.place)


def test_a_git_that_does_not_stop_talking_is_ended(
    repository: SpecRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = tmp_path / "bin" / "git"
    endless.parent.mkdir()
    endless.write_text("#!/bin/sh\nexec yes\n")
    endless.chmod(endless.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{endless.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(GitError, match="answers with more than"):
        Repository.around(repository.place)
