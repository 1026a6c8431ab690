"""What is wrong in the specs, each fault with its place."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

SPEC_INVALID = "spec-invalid"
"""The rule of every fault that has no name of its own."""


@dataclass(frozen=True, slots=True, order=True)
class SpecError:
    """One fault.

    file: path as the user would type it. line, column: from 1, of the value or key at fault.
    key: where in the spec (`mta_sts.mode`, `policy_domains[one.example].mta_sts.mx[0]`); empty for the file itself.
    message: what is wrong and what to write. rule: the name of this kind of fault (`mailtls.lint.fault_rules`).
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    rule: str = SPEC_INVALID

    def __str__(self) -> str:
        about = f"{self.key}: " if self.key else ""
        return one_line(f"{self.file}:{self.line}:{self.column}: {about}{self.message}")


class SpecErrors(ValueError):
    """The specs cannot be used: nothing was built from any of them. `str()` is one line per fault, in file order."""

    def __init__(self, errors: Iterable[SpecError]) -> None:
        self.errors: tuple[SpecError, ...] = tuple(sorted(set(errors)))
        """Every fault once, sorted by file, line and column."""
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault before its place is known: found by whoever judges data, placed by whoever read the file.

    path: keys and list indexes from the spec's own map down to the value. message: what is wrong and what to write.
    at_key: the key itself is at fault, not its value. rule: as SpecError has it.
    """

    path: tuple[str | int, ...]
    message: str
    at_key: bool = False
    rule: str = SPEC_INVALID


def quoted(value: object) -> str:
    """A value from a file inside a message: on one line, as YAML would have it, short."""
    text = one_line(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 80 else text[:76] + '..."'


def one_line(text: str) -> str:
    """`text` with an escape for what does not print: a file's name and a key may hold a stranger's line ends, which
    give orders to a terminal or to the log of a workflow."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
