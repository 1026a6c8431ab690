"""The specs as a branch had them, and what they said before: git's history as the memory of what was served.

A change is measured against the merge base, as a pull request is. What was served earlier follows from the commits that
changed the files in question; the loader that reads today's specs reads those of each commit, from a temporary folder.
"""

import contextlib
import dataclasses
import datetime
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from mailtls.changes import Base, Change, ChangeSet, Served, compare
from mailtls.mta_sts.policy import MAX_AGE
from mailtls.observe.git import Commit, GitError, Repository
from mailtls.spec import PolicySpec, SpecErrors
from mailtls.spec.files import DEFAULTS_FILE
from mailtls.spec.load import load, survey
from mailtls.spec.model import MtaSts

MAX_COMMITS = 50
"""Commits whose specs are read to learn what was served before. One that is older than the longest max_age tells
nothing; where there are more than this, the oldest are left out."""


class BaseSpecsFaulty(GitError):
    """The base's own specs cannot be loaded, so no change can be measured. The text has the loader's errors."""


def compare_with(root: Path, ref: str, now: datetime.datetime) -> ChangeSet:
    """Load the specs at `root` as they are, and as they were where HEAD left `ref`.

    Where nothing is left at `root`, everything that the base has there was removed. Raises SpecErrors for the specs as
    they are, BaseSpecsFaulty for those of the base, GitError for what git refuses.
    """
    found = survey(root)
    if found.errors != found.empty:
        raise SpecErrors(found.errors)
    is_file = root.suffix == ".yaml" and not root.is_dir()
    repository = Repository.around(root.parent if is_file else root)
    base = repository.merge_base(ref)
    history = _History(repository, root, frozenset((root.name, DEFAULTS_FILE)) if is_file else None)
    try:
        before = history.specs(base)
    except SpecErrors as e:
        raise BaseSpecsFaulty(
            f"the specs at the base ({ref}, commit {base.short}) cannot be loaded:\n{e}\n"
            "Mend them on that branch first, or name a base that loads"
        ) from e
    if found.empty and not before:
        raise SpecErrors(found.empty)
    changes = history.explained(base, compare(before, found.specs), now)
    return ChangeSet(Base(ref, base.id, base.at, repository.commits_since(base, ref)), len(found.specs), changes)


@dataclass(frozen=True, slots=True)
class SpecAt:
    """A commit that changed a domain's files. about: author, committer, subject. file: the spec's, below the
    repository's root. spec: None where there was none then, or it could not be read."""

    commit: Commit
    about: tuple[str, str, str]
    file: str
    spec: PolicySpec | None


class SpecHistory:
    """The commits behind HEAD that changed the specs at `root`, domain by domain. Raises GitError."""

    def __init__(self, root: Path) -> None:
        is_file = root.suffix == ".yaml" and not root.is_dir()
        repository = Repository.around(root.parent if is_file else root)
        self._history = _History(repository, root, frozenset((root.name, DEFAULTS_FILE)) if is_file else None)
        self._head = repository.merge_base("HEAD")

    def of(self, spec: PolicySpec, since: datetime.datetime, most: int = MAX_COMMITS) -> Iterator[SpecAt]:
        """Newest first, down to the first one before `since`; at most `most`. A file that was renamed begins anew."""
        files = self._history._files([spec])
        repository = self._history.repository
        own = PurePosixPath(repository.folder, *_below(spec, self._history.folder).parts).as_posix()
        for commit in repository.commits_that_changed(self._head, files, most):
            try:
                found = self._history.specs(commit, files)
            except SpecErrors:
                found = ()
            there = next((one for one in found if one.policy_domain == spec.policy_domain), None)
            yield SpecAt(commit, repository.about(commit), own, there)
            if commit.at < since:
                return


def spec_at(repository: Repository, commit: str, file: str, policy_domain: str) -> SpecAt:
    """The spec of `policy_domain` in `file` (below the repository's root) at `commit`, and what the commit says of
    itself. commit: the whole hash. Raises GitError, also where there is no such commit."""
    repository.folder = ""
    at = repository.commit(commit)
    if at.id != commit:
        raise GitError(f"{commit[:100]!r} is not the hash of a commit")
    parts = PurePosixPath(file).parts
    if not parts or ".." in parts or PurePosixPath(file).is_absolute():
        raise GitError(f"{file[:100]!r} is no file of a repository")
    own = PurePosixPath(*parts).as_posix()
    wanted = {own} | {(parent / DEFAULTS_FILE).as_posix() for parent in PurePosixPath(file).parents}
    found: Sequence[PolicySpec] = ()
    with tempfile.TemporaryDirectory(prefix="mailtls-commit-") as temporary:
        if own in repository.write(at, Path(temporary), wanted):
            with contextlib.suppress(SpecErrors):
                found = load(Path(temporary))
    spec = next((spec for spec in found if spec.policy_domain == policy_domain), None)
    return SpecAt(at, repository.about(at), own, spec)


@dataclass(slots=True)
class _History:
    """root: as the user typed it. only: where it is one file, the files of its folder that count; None: all."""

    repository: Repository
    root: Path
    only: frozenset[str] | None

    def specs(self, commit: Commit, only: Collection[str] | None = None) -> tuple[PolicySpec, ...]:
        """The specs at `commit`, () where there was none; places as if they lay where they lie today."""
        with tempfile.TemporaryDirectory(prefix="mailtls-base-") as temporary:
            folder = Path(temporary, "specs")
            folder.mkdir()
            written = self.repository.write(commit, folder, self.only if only is None else only)
            if all(PurePosixPath(path).name == DEFAULTS_FILE for path in written):
                return ()
            if self.only is None:
                return load(folder, shown=self.root)
            if self.root.name not in written:
                return ()
            return load(folder / self.root.name, shown=self.root)

    def explained(self, base: Commit, changes: Sequence[Change], now: datetime.datetime) -> tuple[Change, ...]:
        """`changes` with what was served before each of them."""
        files = self._files(change.base for change in changes if change.before)
        if not files:
            return tuple(changes)
        oldest = now - datetime.timedelta(seconds=MAX_AGE)
        versions: list[tuple[Commit, dict[str, MtaSts]]] = []
        for commit in self.repository.commits_that_changed(base, files, MAX_COMMITS):
            try:
                specs = self.specs(commit, files)
            except SpecErrors:
                continue  # could not be deployed, so it was never served
            versions.append((commit, {spec.policy_domain: spec.mta_sts for spec in specs if spec.mta_sts}))
            if commit.at < oldest:
                break
        return tuple(_with_history(change, versions) if change.before else change for change in changes)

    @property
    def folder(self) -> Path:
        """The one that files are named below."""
        return self.root if self.only is None else self.root.parent

    def _files(self, specs: Iterable[PolicySpec | None]) -> frozenset[str]:
        """The files that have a say in `specs`, below the repository's folder: their own and every defaults.yaml."""
        files: set[str] = set()
        for spec in specs:
            if spec is not None:
                path = _below(spec, self.folder)
                files.add(path.as_posix())
                files.update((parent / DEFAULTS_FILE).as_posix() for parent in path.parents)
        return frozenset(files)


def _below(spec: PolicySpec, folder: Path) -> PurePosixPath:
    return PurePosixPath(spec.source.file).relative_to(_shown(folder))


def _shown(folder: Path) -> str:
    """How the loader begins the names of files in `folder`."""
    return folder.name if folder.is_absolute() else folder.as_posix()


def _with_history(change: Change, versions: Iterable[tuple[Commit, dict[str, MtaSts]]]) -> Change:
    """versions: the policies after each commit, newest first; the first is the base as it is."""
    runs: list[tuple[MtaSts | None, datetime.datetime]] = []  # a policy and since when, newest first
    for commit, policies in versions:
        policy = policies.get(change.policy_domain)
        if runs and runs[-1][0] == policy:
            runs.pop()
        runs.append((policy, commit.at))
    if not runs or runs[0][0] != change.before:
        return change
    earlier = (Served(policy, until, since) for (_, until), (policy, since) in pairwise(runs) if policy)
    return dataclasses.replace(change, since=runs[0][1], earlier=tuple(earlier))
