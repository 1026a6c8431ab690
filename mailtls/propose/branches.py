"""The branches of proposals, by the git program: one commit on the base's head, pushed only over what was seen.

All happens in a temporary repository of its own, fetched without history: nobody's checkout is touched, and a shallow
clone of CI is no trouble. The token travels in git's environment, so no list of processes shows it. A commit is the
same whoever makes it (author, date and text follow from base and content): two runs at once push the same one.
"""

import base64
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mailtls.propose.forges.forge import ForgeError, NotAllowed, Refused, Unreachable
from mailtls.propose.forges.rest import guard_transport, shown

TIME_LIMIT = 300
"""Seconds that one call of git may take: a fetch of a large repository's newest files is the longest."""
AUTHOR = "mailtls"
EMAIL = "mailtls@noreply.invalid"
"""Reserved by RFC 2606: nobody's address, so no account of a forge is credited."""
_TREE_LINE = "Mailtls-Tree: "
_BRANCH = re.compile(r"[a-z0-9][a-z0-9._/-]*")
_FILE, _LINK, _SUBMODULE = "100644", "120000", "160000"
_OF_ANOTHER = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_NAMESPACE",
    "GIT_CONFIG_COUNT",
)
"""Set where a hook of git runs us; they would lead out of our own repository."""


class Raced(ForgeError):
    """The branch is no longer what was seen: a person or another run was faster. The next run looks again."""


@dataclass(frozen=True, slots=True)
class Remote:
    """url: `https://host/owner/name.git`. user: what the forge wants beside a token (`x-access-token`, `oauth2`)."""

    url: str
    user: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Commit:
    """id: the whole hash. time: seconds since 1970. ours: made by `Branches.commit`, and nobody touched it since."""

    id: str
    tree: str
    time: int
    ours: bool


@contextmanager
def fetched(remote: Remote, base: str | None, prefix: str) -> Iterator["Branches"]:
    """The heads of `base` and of all branches that begin with `prefix`, as they are now. Raises ForgeError.

    base: None for the default branch of the repository.
    """
    guard_transport(remote.url)
    if not _BRANCH.fullmatch(prefix):
        raise Refused(f"{shown(prefix)} is not the name of a branch")
    with tempfile.TemporaryDirectory(prefix="mailtls-propose-") as folder:
        git = _Git(Path(folder), remote)
        git.run("init", "--quiet", "--bare", ".")
        base = base or git.default_branch()
        if base.startswith("-") or not base.isprintable() or " " in base:
            raise Refused(f"{shown(base)} is not the name of a branch")
        wanted = [f"+refs/heads/{base}:refs/base", f"+refs/heads/{prefix}*:refs/heads/{prefix}*"]
        git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", remote.url, *wanted)
        listed = git.run("for-each-ref", "--format=%(refname)", f"refs/heads/{prefix}*", f"refs/heads/{prefix}**")
        names = [line.removeprefix("refs/heads/") for line in listed.splitlines()]
        heads = {name: git.commit(f"refs/heads/{name}") for name in names}
        yield Branches(git, git.commit("refs/base"), heads, base)


@dataclass(slots=True)
class Branches:
    """base: the head of the branch that proposals ask for, `base_name`. heads: branch to commit, as push and delete
    leave it."""

    git: "_Git"
    base: Commit
    heads: dict[str, Commit]
    base_name: str

    def holds(self, path: str, content: bytes) -> bool:
        """Is this the file's content at the base?"""
        listed = self.git.run("ls-tree", "-z", "--full-tree", self.base.tree, "--", path)
        wanted = self.git.run("hash-object", "--stdin", question=content).strip()
        return bool(listed) and listed.partition("\t")[0].split(" ")[-1] == wanted

    def commit(self, files: Mapping[str, str | None], message: str) -> Commit | None:
        """The base with `files` (path to its new text, None: deleted) and nothing else changed. None: no difference.

        message: its first line is the subject. Raises Refused for a path that leads out of the repository or is a link.
        """
        tree = self._tree(files)
        if tree == self.base.tree:
            return None
        date = f"@{self.base.time} +0000"
        when = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        text = f"{message.strip()}\n\n{_TREE_LINE}{tree}\n"
        made = self.git.run("commit-tree", tree, "-p", self.base.id, question=text, more=when).strip()
        return self.git.commit(made)

    def push(self, branch: str, commit: Commit) -> None:
        """The branch is `commit` afterwards, if it still is what `heads` says. Raises Raced, NotAllowed, ForgeError."""
        seen = self.heads.get(branch)
        if seen is not None and seen.id == commit.id:
            return
        try:
            self._update(branch, f"{commit.id}:refs/heads/{branch}", seen)
        except Raced:  # by a run that made the same commit: what was wanted is there
            listed = self.git.run("ls-remote", self.git.remote.url, f"refs/heads/{branch}")
            if listed.split("\t")[0] != commit.id:
                raise
        self.heads[branch] = commit

    def delete(self, branch: str) -> None:
        """The branch is gone afterwards, if it still is what `heads` says."""
        if seen := self.heads.get(branch):
            self._update(branch, f":refs/heads/{branch}", seen)
            del self.heads[branch]

    def _update(self, branch: str, what: str, seen: Commit | None) -> None:
        if not _BRANCH.fullmatch(branch):
            raise Refused(f"{shown(branch)} is not the name of a branch of ours")
        lease = f"--force-with-lease=refs/heads/{branch}:{seen.id if seen else ''}"
        self.git.run("push", "--quiet", "--no-verify", lease, self.git.remote.url, what)

    def _tree(self, files: Mapping[str, str | None]) -> str:
        index = {"GIT_INDEX_FILE": str(self.git.folder / "proposal.index")}
        self.git.run("read-tree", self.base.tree, more=index)
        lines = []
        for path, text in sorted(files.items()):
            mode = self._mode(path)
            if text is None:
                lines.append(f"0 {'0' * len(self.base.tree)}\t{path}\0")
            else:
                blob = self.git.run("hash-object", "-w", "--stdin", question=text).strip()
                lines.append(f"{mode} {blob}\t{path}\0")
        self.git.run("update-index", "-z", "--index-info", question="".join(lines), more=index)
        return self.git.run("write-tree", more=index).strip()

    def _mode(self, path: str) -> str:
        """How the file stands in the base, that of a plain file where it is new."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or ".git" in parts or not path.isprintable():
            raise Refused(f"{shown(path)} is not a path in the repository")
        listed = self.git.run("ls-tree", "-z", "--full-tree", self.base.tree, "--", path)
        mode = listed.split(" ", 1)[0] if listed else _FILE
        if mode in (_LINK, _SUBMODULE) or (listed and listed.split(" ")[1] != "blob"):
            raise Refused(f"{shown(path)} is a link, a folder or a submodule in the repository, not a file of specs")
        return mode


@dataclass(frozen=True, slots=True)
class _Git:
    """The program, in a bare repository that is ours alone. The user's own configuration counts for proxies and
    certificates; what could ask a person, run a hook or add a credential of its own is off."""

    folder: Path
    remote: Remote

    def commit(self, name: str) -> Commit:
        """Read from the object itself: what `log` tells of a parent is not true where the history was left out."""
        commit_id = self.run("rev-parse", "--verify", f"{name}^{{commit}}").strip()
        head, _, message = self.run("cat-file", "commit", commit_id).partition("\n\n")
        facts = [line.partition(" ")[::2] for line in head.splitlines()]
        [tree] = [value for key, value in facts if key == "tree"]
        [committer] = [value for key, value in facts if key == "committer"]
        who, seconds, _zone = committer.rsplit(" ", 2)
        parents = sum(key == "parent" for key, _ in facts)
        ours = parents == 1 and who.endswith(f"<{EMAIL}>") and message.splitlines()[-1:] == [f"{_TREE_LINE}{tree}"]
        return Commit(commit_id, tree, int(seconds), ours)

    def default_branch(self) -> str:
        """What HEAD of the remote repository names."""
        for line in self.run("ls-remote", "--symref", self.remote.url, "HEAD").splitlines():
            if line.startswith("ref: refs/heads/") and line.endswith("\tHEAD"):
                return line.removeprefix("ref: refs/heads/").removesuffix("\tHEAD")
        raise Refused("the repository names no default branch; say which one: --base main")

    def run(self, *arguments: str, question: str | bytes = "", more: Mapping[str, str] | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
        environment |= {**self._settings(), **(more or {})}
        try:
            done = subprocess.run(
                ["git", "--no-pager", *arguments],
                cwd=self.folder,
                env=environment,
                input=question.encode("utf-8") if isinstance(question, str) else question,
                capture_output=True,
                timeout=TIME_LIMIT,
                check=False,
            )
        except FileNotFoundError as e:
            raise Refused("the git program is not installed, or not on the PATH") from e
        except subprocess.TimeoutExpired as e:
            raise Unreachable(f"git {arguments[0]} took longer than {TIME_LIMIT} s") from e
        if done.returncode:
            raise _refusal(arguments[0], done.stderr.decode("utf-8", "replace").replace(self.remote.token, "[token]"))
        return done.stdout.decode("utf-8", "replace")

    def _settings(self) -> dict[str, str]:
        secret = base64.b64encode(f"{self.remote.user}:{self.remote.token}".encode()).decode("ascii")
        header = f"http.{self.remote.url}.extraHeader"
        settings = [
            (header, ""),  # forgets what a CI's checkout wrote: two of these and the forge refuses
            (header, f"Authorization: Basic {secret}"),
            ("http.followRedirects", "false"),  # a token goes to the one host that it was given for
            ("credential.helper", ""),
            ("core.hooksPath", os.devnull),
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", "60"),
        ]
        numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (name, value) in enumerate(settings):
            numbered |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        people = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
        return (
            {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_DIR": str(self.folder)}
            | numbered
            | people
        )


_IDENTITY = {"NAME": AUTHOR, "EMAIL": EMAIL}


def _refusal(command: str, said: str) -> ForgeError:
    """What git said on standard error, as the error that a caller can act on."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    words = shown(" / ".join(line.removeprefix("fatal: ").removeprefix("error: ") for line in lines[:4]))
    if "cannot create" in said and "exists" in said:
        return Refused(f"git {command}: a branch has a name that ours needs as a folder; delete or rename it: {words}")
    if "stale info" in said or ("[remote rejected]" in said and "cannot lock ref" in said):
        return Raced("the branch moved while we worked: a person or another run was faster")
    if "Authentication failed" in said or "could not read" in said or " 401" in said or " 403" in said:
        return NotAllowed(
            f"git {command}: {words}; the token lacks the right to read or write the repository's contents"
        )
    if "not found" in said:
        return NotAllowed(f"git {command}: {words}; the name is wrong, or the token must not know of it")
    if "returned error: 5" in said or "Could not resolve" in said or "unable to access" in said:
        return Unreachable(f"git {command}: {words}")
    return Refused(f"git {command}: {words}")
