"""What is proposed, as plain data, and how it reads on a forge: five parts in one order, never too long.

The body ends with a line that a person does not see: what the proposal is about (`unique`), as a hash. That line and
the title are all that a closed pull request has to remember. One that we closed ourselves says so instead: it is no
answer of a person.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailtls.propose.forges.forge import EvidenceStatus, PullRequest

PREFIX = "mailtls/"
"""Every branch of ours begins so, and none of anybody else should."""
MOST_BODY = 60_000
"""Characters; GitHub takes 65,536."""
MOST_TITLE = 200
"""Characters; Gitea and GitLab take 255."""
_PARTS = (
    ("what_changes", "What changes"),
    ("why_now", "Why now"),
    ("on_merge", "What happens on merge"),
    ("if_you_wait", "What happens if you wait"),
    ("how_to_refuse", "How to refuse"),
)
_KIND = re.compile(r"[a-z][a-z0-9-]*")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_WITHDRAWN = "<!-- mailtls withdrawn -->"
_ASKED = "<!-- mailtls asked -->"
_MARK = re.compile(r"<!-- mailtls proposal ([0-9a-f]{16}) -->")


@dataclass(frozen=True, slots=True)
class Body:
    """Each part is Markdown, in the order in which it is read. why_now holds the evidence and may be long: it is what
    is cut first."""

    what_changes: str
    why_now: str
    on_merge: str
    if_you_wait: str
    how_to_refuse: str

    def text(self) -> str:
        """At most MOST_BODY characters."""
        parts = [(heading, getattr(self, name).strip()) for name, heading in _PARTS]
        room = MOST_BODY - sum(len(heading) + 8 for heading, _ in parts)
        for heading in (
            "Why now",
            "What changes",
            "What happens on merge",
            "What happens if you wait",
            "How to refuse",
        ):
            over = sum(len(words) for _, words in parts) - room
            parts = [(h, _cut(words, len(words) - over) if h == heading and over > 0 else words) for h, words in parts]
        return "".join(f"## {heading}\n\n{words}\n\n" for heading, words in parts)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change of one domain.

    kind: the subject, a word of a closed set (`promote`, `add-mx`). policy_domain: A-labels, lower case.
    files: path in the repository to its new text; None: the file goes.
    unique: what a person would be refusing (`enforce`, `mx3.contoso.example`): when it changes, a refusal is over.
    urgent: passes the limits. held: why it may not be opened yet, "" for no reason: a step before it is not live.
    reviewers: names on the forge; `group/team` asks a team.
    asked: a person asked for it by a command, so it passes the limits, and only a person says that it is obsolete.
    """

    kind: str
    policy_domain: str
    title: str
    body: Body
    files: Mapping[str, str | None]
    unique: str
    urgent: bool = False
    held: str = ""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    evidence_status: EvidenceStatus | None = field(default=None)
    asked: bool = False

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind) or not _DOMAIN.fullmatch(self.policy_domain):
            raise ValueError(f"{self.kind}/{self.policy_domain} is not a kind and a policy domain in A-labels")
        if not self.title.strip() or not self.title.isprintable() or len(self.title) > MOST_TITLE:
            raise ValueError(f"{self.policy_domain}: a title is one line of at most {MOST_TITLE} characters")

    @property
    def branch(self) -> str:
        """The key: one branch for each domain and subject."""
        return f"{PREFIX}{self.kind}/{self.policy_domain}"

    @property
    def message(self) -> str:
        return f"{self.title}\n\n{self.body.what_changes.strip()}"

    def described(self) -> str:
        """The body as the forge gets it, with our line at its end."""
        asked = f"{_ASKED}\n" if self.asked else ""
        return f"{self.body.text()}{asked}<!-- mailtls proposal {_hash(self.unique)} -->\n"

    def answered_by(self, closed: PullRequest) -> bool:
        """Is this closed one a person's no to just this? Without our line in its body the title decides."""
        if closed.is_open or closed.merged or closed.body.rstrip().endswith(_WITHDRAWN):
            return False
        marks = _MARK.findall(closed.body)
        return marks[-1] == _hash(self.unique) if marks else closed.title == self.title


def withdrawn(body: str) -> str:
    """The body of one that we close ourselves."""
    return f"{_MARK.sub('', body).rstrip()}\n\n{_WITHDRAWN}\n"


def was_asked(pull: PullRequest) -> bool:
    """Did a person ask for it by a command?"""
    return any(line.rstrip() == _ASKED for line in pull.body.splitlines())


def key_of(branch: str) -> tuple[str, str] | None:
    """Kind and policy domain of a branch of ours; None for one that we would not make."""
    kind, slash, policy_domain = branch.removeprefix(PREFIX).partition("/")
    ours = branch.startswith(PREFIX) and slash and _KIND.fullmatch(kind) and _DOMAIN.fullmatch(policy_domain)
    return (kind, policy_domain) if ours else None


def _hash(unique: str) -> str:
    return hashlib.sha256(unique.encode("utf-8")).hexdigest()[:16]


def _cut(text: str, most: int) -> str:
    """Whole lines of at most `most` characters together, and a line that says what is missing."""
    most = max(most - 60, 0)
    kept = text[:most].rpartition("\n")[0]
    missing = text.count("\n") - kept.count("\n")
    return f"{kept}\n\n({missing} more lines: `mailtls status` shows all.)"
