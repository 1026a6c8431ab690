"""A coverage-guided run over one parser or reader, with atheris (libFuzzer for Python). Not part of the suite.

    python -m venv build/fuzz && build/fuzz/bin/pip install --require-hashes -r tests/fuzz/requirements.txt
    build/fuzz/bin/python tests/fuzz/coverage_guided.py sts-policy --seconds 300

It begins with tests/fuzz/corpus/<parser>/ and writes what covers more to build/fuzz-corpus/<parser>/. `--minimise` then
puts the smallest set with the same coverage back into tests/fuzz/corpus/. docs/fuzzing.md says the rest.
"""

import argparse
import functools
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY))

import atheris  # noqa: E402  # the repository has to be found first

with atheris.instrument_imports(include=["mailtls"]):
    from tests.fuzz.parsers import BY_NAME, CORPUS
    from tests.fuzz.parsers import check as check_parser
    from tests.fuzz.readers import READER_BY_NAME

_MADE = re.compile(r"[0-9a-f]{40}")
"""The name that libFuzzer gives a text."""
MOST_OCTETS = 4096
"""Of one input: grammar needs no more, and the suite looks at long texts. Mails and reports may have four times it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Of one run. most: octets of an input."""

    name: str
    check: Callable[[bytes], object]
    words: tuple[bytes, ...]
    seed: bytes
    most: int


TARGETS = {
    **{
        name: Target(name, functools.partial(check_parser, parser), parser.words, parser.seed, MOST_OCTETS)
        for name, parser in BY_NAME.items()
    },
    **{
        name: Target(name, reader.check, reader.words, reader.seed, 4 * MOST_OCTETS)
        for name, reader in READER_BY_NAME.items()
    },
}


def main() -> int:
    """Fuzz one parser, or minimise its corpus. libFuzzer ends the process by itself."""
    arguments = argparse.ArgumentParser(description="fuzz one parser, guided by coverage")
    arguments.add_argument("parser", choices=sorted(TARGETS))
    arguments.add_argument("--seconds", type=int, default=300)
    arguments.add_argument("--minimise", action="store_true", help="replace the corpus by its smallest equal")
    options = arguments.parse_args()
    parser = TARGETS[options.parser]
    found = REPOSITORY / "build" / "fuzz-corpus" / parser.name
    kept = CORPUS / parser.name
    for folder in (found, kept):
        folder.mkdir(parents=True, exist_ok=True)
    if options.minimise:
        minimise(parser, found, kept)
        return 0
    words = found.with_suffix(".dict")
    (found / "seed").write_bytes(parser.seed)
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in parser.words))
    flags = [f"-max_len={parser.most}", "-timeout=5", f"-max_total_time={options.seconds}", f"-dict={words}"]
    folders = [f"-artifact_prefix={found}.", str(found), str(kept)]
    atheris.Setup([sys.argv[0], *flags, *folders], lambda data: parser.check(data) and None)
    atheris.Fuzz()
    return 0


def _escaped(word: bytes) -> str:
    """A word as libFuzzer's dictionaries have it."""
    return "".join(f"\\x{octet:02x}" for octet in word)


def minimise(parser: Target, found: Path, kept: Path) -> None:
    """Keep the shortest texts that together take every step from line to line that all of them take. Texts with a name
    that a person gave them stay."""
    seen: set[tuple[str, int, int]] = set()
    named = [file for file in sorted(kept.iterdir()) if not _MADE.fullmatch(file.name)]
    made = [file for folder in (kept, found) for file in folder.iterdir() if _MADE.fullmatch(file.name)]
    texts = {file.name: file.read_bytes() for file in made}
    for file in made:
        if file.parent == kept:
            file.unlink()
    for file in named:
        seen |= steps(parser, file.read_bytes())
    for name, text in sorted(texts.items(), key=lambda item: (len(item[1]), item[0])):
        new = steps(parser, text) - seen
        if new:
            seen |= new
            (kept / name).write_bytes(text)


def steps(parser: Target, data: bytes) -> set[tuple[str, int, int]]:
    """File, line before, and line of every step that `mailtls` takes over a text."""
    taken: set[tuple[str, int, int]] = set()
    before = 0

    def trace(frame: FrameType, event: str, arg: object) -> object:
        nonlocal before
        if f"{os.sep}mailtls{os.sep}" not in frame.f_code.co_filename:
            return None
        taken.add((frame.f_code.co_filename, before, frame.f_lineno))
        before = frame.f_lineno
        return trace

    sys.settrace(trace)
    try:
        parser.check(data)
    finally:
        sys.settrace(None)
    return taken


if __name__ == "__main__":
    sys.exit(main())
