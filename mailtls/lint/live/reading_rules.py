"""Live rules over a valid policy that programs read in more than one way. The RFC decides, and mail goes by what each
sender does: `tests/command/judges/` shows the client that differs."""

import difflib
from collections import Counter
from collections.abc import Iterator

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.mta_sts.policy import Policy
from mailtls.observed import HttpsLook

_ONCE = ("version", "mode", "max_age")
_KNOWN = (*_ONCE, "mx")
_ALIKE = 0.7
"""As similar as a typing error is: `nmx`, `max-age`, `Mode`; difflib's ratio."""
_UNKNOWN = 20
"""Unknown fields that are looked at: a stranger's policy may hold thousands."""


def _read_differently(case: Case) -> Iterator[Said]:
    for look, policy in _policies(case):
        for name in _repeated(look.body or b""):
            yield Said(f"{name} stands in the policy more than once: by the RFC the first counts, to some the last")
        if not (look.body or b"").isascii() and "utf-8" not in (look.header("content-type") or "").lower():
            yield Said(
                "the policy has characters beyond ASCII and the answer does not say in which encoding: some refuse it",
                "Keep the file in ASCII, or serve it as text/plain; charset=utf-8.",
            )
        for name, _ in policy.extensions[:_UNKNOWN]:
            if near := difflib.get_close_matches(name.lower(), _KNOWN, n=1, cutoff=_ALIKE):
                yield Said(f"the field {name} is none of RFC 8461, so every sender passes over it: is {near[0]} meant?")
        return  # other addresses that serve something else are told as that


def _policies(case: Case) -> Iterator[tuple[HttpsLook, Policy]]:
    if case.published:
        yield from ((look, policy) for look, policy in case.policies if isinstance(policy, Policy))


def _repeated(body: bytes) -> Iterator[str]:
    names = Counter(line.partition(b":")[0].decode("utf-8", "replace") for line in body.split(b"\n"))
    yield from (name for name in _ONCE if names[name] > 1)


RULES: tuple[LiveRule, ...] = (
    LiveRule(
        About(
            "policy-read-differently",
            Severity.WARNING,
            Group.LIVE,
            "What the policy says depends on the program that reads it.",
            "Let each field stand once, spelled as in the RFC.",
            "RFC 8461 section 3.2",
        ),
        _read_differently,
    ),
)
