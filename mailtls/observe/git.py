"""What a repository holds at an earlier commit, through the git program: no checkout, and nothing is written into it.

`git archive` would apply export attributes of the tree itself, so files come by `ls-tree` and `cat-file --batch`. What
is read may be a stranger's pull request: time and octets of every answer are bounded, and the sizes of the files are
known before one of them is read. The ref is a person's word: it never becomes an option of git.
"""

import datetime
import os
import subprocess
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

TIME_LIMIT = 60
"""Seconds that one call of git may take."""
MAX_LISTING = 32 << 20
"""Octets of a listing: about 200,000 files."""
MAX_FILES = 50_000
MAX_FILE_OCTETS = 1 << 20
"""As much as a file of specs may have."""
MAX_OCTETS = 128 << 20
"""Octets of all files of one commit together."""
_MAX_PATHS = 500
"""Paths in one command line; beyond it the whole folder is asked for."""
_QUIET = {
    "LC_ALL": "C",  # the words of git in our messages, always in one language
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",  # a partial clone may ask its server for files, and nobody for a password
}
_NOT_OURS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")
"""What git sets for its hooks. A relative GIT_DIR would be looked for below the folder of specs."""
_TREE, _LINK, _SUBMODULE = "040000", "120000", "160000"


class GitError(Exception):
    """The question has no answer. The text says why, and what to do."""


class HistoryUnavailable(GitError):
    """The clone is shallow: what came before is not in it. The text has the command that fetches it."""


@dataclass(frozen=True, slots=True)
class Commit:
    """id: the whole hash. at: when it was committed, UTC."""

    id: str
    at: datetime.datetime

    @property
    def short(self) -> str:
        return self.id[:12]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of `ls-tree`. path: below the folder that was listed."""

    mode: str
    object_id: str
    octets: int
    path: str


@dataclass(slots=True)
class Repository:
    """place: a folder in it, where git is called. folder: the one that is asked about, below the repository's root, ""
    for the root itself, with `/` between its parts."""

    place: Path
    folder: str = ""
    _files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def around(cls, folder: Path) -> Self:
        """The repository that holds `folder`, or held it: git keeps no empty folder, so with its last file it is gone.

        Raises GitError where there is none, or none that has its whole history (HistoryUnavailable).
        """
        place = next((above for above in (folder, *folder.parents) if above.is_dir()), folder)
        found = cls(place)
        prefix = found._git("rev-parse", "--show-prefix").removesuffix(b"\n")
        gone = folder.relative_to(place).as_posix()
        found.folder = (os.fsdecode(prefix) + (gone if gone != "." else "")).removesuffix("/")
        if found._git("rev-parse", "--is-shallow-repository").strip() == b"true":
            raise HistoryUnavailable(
                "history-unavailable: this clone is shallow, so nobody can tell what was served before. Fetch the "
                "rest: git fetch --unshallow (GitHub Actions: fetch-depth: 0 for actions/checkout; GitLab: "
                'GIT_DEPTH: "0")'
            )
        return found

    def merge_base(self, ref: str) -> Commit:
        """Where HEAD left `ref`: what a pull request is compared with. Raises GitError."""
        tip = self._commit_id(ref)
        if not self._answers("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            raise GitError("HEAD has no commit yet, so there is nothing to compare")
        found = self._answers("merge-base", "HEAD", tip).split()
        if not found:
            raise GitError(f"HEAD and {_shown(ref)} have no commit in common, so there is no base to compare with")
        return self._commit(found[0])

    def commits_since(self, base: Commit, ref: str) -> int:
        """How many commits `ref` has that `base` has not and that change files below `folder`."""
        tip = self._commit_id(ref)
        return int(self._git("rev-list", "--count", tip, f"^{base.id}", *self._paths(())))

    def commits_that_changed(self, base: Commit, paths: Collection[str], most: int) -> tuple[Commit, ...]:
        """The commits up to `base` that changed one of `paths` (below `folder`), newest first, at most `most`.

        By first parents: a merge counts once, on the day it came in.
        """
        lines = self._git(
            "rev-list", "--first-parent", "--timestamp", f"--max-count={most}", base.id, *self._paths(paths)
        )
        found = (line.split() for line in lines.decode("ascii").splitlines())
        return tuple(Commit(commit_id, _time(seconds)) for seconds, commit_id in found)

    def commit(self, ref: str) -> Commit:
        """The commit that a branch, a tag or a hash names. Raises GitError."""
        return self._commit(self._commit_id(ref).encode("ascii"))

    def about(self, commit: Commit) -> tuple[str, str, str]:
        """Author, committer and subject, one line each, as the commit has them. Raises GitError."""
        said = self._git("show", "--no-patch", "--no-show-signature", "--format=%an%x00%cn%x00%s", commit.id, "--")
        author, committer, subject = said.decode("utf-8", "replace").removesuffix("\n").split("\0")
        return author, committer, subject

    def write(self, commit: Commit, into: Path, only: Collection[str] | None = None) -> tuple[str, ...]:
        """Write the files below `folder`, as they were at `commit`, into the empty folder `into`.

        only: the paths that are wanted; None: all. Returns the paths that were written; () also where `folder` was not
        there. Links are made as they are and followed by nobody here. Raises GitError.
        """
        entries = [entry for entry in self._listed(commit) if only is None or entry.path in only]
        contents = self._contents(commit, entries)
        try:
            for entry in sorted(entries, key=lambda entry: entry.mode == _LINK):  # links last: no file goes through one
                _write(into, entry, contents[entry.object_id])
        except OSError as e:
            raise GitError(f"{commit.short} holds a path that cannot be written: {e}") from e
        return tuple(entry.path for entry in entries)

    def _listed(self, commit: Commit) -> list[_Entry]:
        """All files and links below `folder`."""
        if self.folder:
            top = [*_entries(self._git("ls-tree", "-l", "-z", "--full-tree", commit.id, "--", self.folder))]
            if not top:
                return []
            if top[0].mode != _TREE:
                raise GitError(f"at {commit.short}, {_shown(self.folder)} is not a folder of this repository")
        below = f"{self.folder}/" if self.folder else ""
        listing = self._git("ls-tree", "-r", "-l", "-z", "--full-tree", commit.id, "--", *([below] if below else []))
        entries = []
        for entry in _entries(listing):
            path = entry.path.removeprefix(below)
            if entry.mode == _SUBMODULE:
                raise GitError(
                    f"at {commit.short}, {_shown(entry.path)} is a submodule; its specs cannot be compared from here"
                )
            if entry.octets > MAX_FILE_OCTETS and path.endswith(".yaml"):
                raise GitError(
                    f"at {commit.short}, {_shown(entry.path)} has {entry.octets} octets; {MAX_FILE_OCTETS} is the most"
                )
            if path.endswith((".yaml", ".yml")):  # no other file is a spec
                entries.append(_Entry(entry.mode, entry.object_id, entry.octets, path))
        if len(entries) > MAX_FILES:
            raise GitError(f"{len(entries)} files of specs at {commit.short}; {MAX_FILES} is the most")
        return entries

    def _contents(self, commit: Commit, entries: Sequence[_Entry]) -> dict[str, bytes]:
        """Object id to octets. What was read once, for another commit, is not read again."""
        wanted = {entry.object_id: entry.octets for entry in entries if entry.object_id not in self._files}
        if sum(wanted.values()) > MAX_OCTETS:
            raise GitError(f"the specs at {commit.short} have more than {MAX_OCTETS} octets together")
        if wanted:
            question = "".join(f"{object_id}\n" for object_id in wanted).encode("ascii")
            answer = self._git("cat-file", "--batch", question=question, most=MAX_OCTETS + 128 * len(wanted))
            self._files.update(_objects(answer))
        missing = wanted.keys() - self._files.keys()
        if missing:
            raise GitError(f"git has no object {min(missing)} of {commit.short}; is the clone whole? (git fsck)")
        return {entry.object_id: self._files[entry.object_id] for entry in entries}

    def _paths(self, paths: Collection[str]) -> tuple[str, ...]:
        """The end of a command line that limits it to `paths` below the folder; to the folder when they are many."""
        below = f"{self.folder}/" if self.folder else ""
        if paths and len(paths) <= _MAX_PATHS:
            return ("--", *(f":(top,literal){below}{path}" for path in sorted(paths)))
        return ("--", f":(top,literal){self.folder}")

    def _commit_id(self, ref: str) -> str:
        if not ref or ref.startswith("-") or not ref.isprintable():
            raise GitError(f"{_shown(ref)} is not the name of a commit; write a branch, a tag or a hash (origin/main)")
        found = self._answers("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").split()
        if not found:
            raise GitError(
                f"git knows no commit {_shown(ref)}; fetch it (git fetch origin), or name another branch, tag or hash"
            )
        return found[0].decode("ascii")

    def _commit(self, commit_id: bytes) -> Commit:
        name = commit_id.decode("ascii")
        shown = self._git("rev-list", "--timestamp", "--max-count=1", name).split()
        return Commit(name, _time(shown[0].decode("ascii")))

    def _answers(self, *arguments: str) -> bytes:
        """What git says; nothing where it says no."""
        return self._git(*arguments, no_is_an_answer=True)

    def _git(
        self, *arguments: str, question: bytes = b"", most: int = MAX_LISTING, no_is_an_answer: bool = False
    ) -> bytes:
        """The answer of one call. Raises GitError with git's own first line where it fails."""
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as complaint:
            asked.write(question)
            asked.seek(0)
            try:
                process = subprocess.Popen(
                    ["git", "--no-pager", *arguments],
                    cwd=self.place,
                    env={name: value for name, value in os.environ.items() if name not in _NOT_OURS} | _QUIET,
                    stdin=asked,
                    stdout=subprocess.PIPE,
                    stderr=complaint,
                )
            except FileNotFoundError as e:
                raise GitError("the git program is not installed, or not on the PATH") from e
            answer, late = _answer(process, most)
            complaint.seek(0)
            said = complaint.read(2000).decode("utf-8", "replace")
        if late:
            raise GitError(f"git {arguments[0]} took longer than {TIME_LIMIT} s")
        if len(answer) > most:
            raise GitError(f"git {arguments[0]} answers with more than {most} octets")
        if process.returncode and not (no_is_an_answer and process.returncode == 1):
            raise GitError(_refusal(arguments[0], said, self.place))
        return answer if process.returncode == 0 else b""


def _answer(process: "subprocess.Popen[bytes]", most: int) -> tuple[bytes, bool]:
    """Octets of standard output, at most one more than `most`, and whether time ran out."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(TIME_LIMIT, stop)
    timer.start()
    try:
        with process:
            answer = process.stdout.read(most + 1) if process.stdout else b""
            if len(answer) > most:
                process.kill()
    finally:
        timer.cancel()
    return answer, late.is_set()


def _refusal(command: str, said: str, place: Path) -> str:
    lines = ["".join(c if c.isprintable() else "?" for c in line) for line in said.strip().splitlines()]
    first = lines[0].removeprefix("fatal: ") if lines else "it gave no reason"
    if "not a git repository" in first:
        return f"{place} is not in a git repository, so there is no base to compare with"
    advice = next((line.strip() for line in lines if "safe.directory" in line), "")
    return f"git {command}: {first}" + (f"; run: {advice}" if advice else "")


def _entries(listing: bytes) -> Iterator[_Entry]:
    """`<mode> <type> <object> <octets>\\t<path>` and NUL, each."""
    for line in listing.split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _kind, object_id, octets = facts.decode("ascii").split()
            yield _Entry(mode, object_id, 0 if octets == "-" else int(octets), os.fsdecode(path))


def _objects(answer: bytes) -> Iterator[tuple[str, bytes]]:
    """`<object> <type> <octets>` LF, content, LF, each; `<object> missing` LF for one that is not there."""
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        facts = answer[at:end].decode("ascii").split()
        at = end + 1
        if len(facts) == 3:
            octets = int(facts[2])
            yield facts[0], answer[at : at + octets]
            at += octets + 1


def _write(into: Path, entry: _Entry, content: bytes) -> None:
    parts = PurePosixPath(entry.path).parts
    if not parts or ".." in parts or entry.path.startswith("/"):
        raise GitError(f"the tree holds the path {_shown(entry.path)}, which leads out of it")
    target = into.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.mode == _LINK:
        target.symlink_to(os.fsdecode(content))
    else:
        with target.open("xb") as file:  # a tree that names a file twice is no tree of git's making
            file.write(content)


def _time(seconds: str) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
