"""How long 10,000 good specs take with all offline rules, beside a loader and a schema alone; and the memory for it.

    python bench/validate.py [--specs 10000]

The floor is PyYAML's C loader. The peer is that loader with jsonschema-rs, its validator built once: whether each
file fits the schema; no rule, no name, no place of a fault. All read the same files in one process, turn by turn, so
that a busy moment meets each of them; the best turn counts. The ratios hold from machine to machine, the times do not.
"""

import argparse
import gc
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from specs import expect, only_yaml, write_specs

from mailtls.lint.specs import survey_findings
from mailtls.spec.load import survey
from mailtls.spec.schema import spec_schema

ROUNDS = 7
GOAL = 1.3
"""Times the peer."""


def main() -> int:
    """Write the specs, time the contestants, print the tables."""
    parser = argparse.ArgumentParser(description="time the validation of specs")
    parser.add_argument("--specs", type=int, default=10_000, help="how many files (default 10000)")
    parser.add_argument("--memory-of", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        return print_memory(options.memory_of)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "policy_specs"
        files = write_specs(root, options.specs)
        seconds = best_turns(
            {
                "PyYAML CSafeLoader alone (the floor)": lambda: only_yaml(files),
                "CSafeLoader + jsonschema-rs, built once (the peer)": lambda: yaml_and_schema(files),
                "mailtls validate: schema, names, places, all rules": lambda: validate(root, len(files)),
            }
        )
        floor, peer, ours = seconds.values()
        print(f"| {len(files):,} specs, one a file | ms | of the floor | of the peer |\n|---|---:|---:|---:|")
        for name, taken in seconds.items():
            print(f"| {name} | {taken * 1000:,.0f} | {taken / floor:.2f} | {taken / peer:.2f} |")
        print(f"\ngoal: at most {GOAL} of the peer: {'met' if ours <= GOAL * peer else 'MISSED'}\n")
        memory(Path(folder), options.specs)
    return 0


def best_turns(contestants: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Seconds of CPU time of each contestant's best turn."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, run in contestants.items():
            gc.collect()
            began = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - began)
    return best


def yaml_and_schema(files: list[Path]) -> None:
    """The validator is built once; each file is loaded and judged as a whole spec."""
    fits = jsonschema_rs.validator_for(spec_schema()).is_valid
    for file in files:
        if not fits(yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)):
            raise SystemExit(f"{file} does not fit the schema")


def validate(root: Path, count: int) -> None:
    """What `mailtls validate` does before it prints."""
    found = survey(root)
    expect(len(found.specs), count)
    if survey_findings(found):
        raise SystemExit("the specs of this bench are meant to be good")


def memory(folder: Path, most: int) -> None:
    """Peak memory of a process of its own, for sets of growing size."""
    print("| specs | peak memory, MB | KB a spec |\n|---|---:|---:|")
    empty = 0.0
    for count in (1, most // 10, most // 2, most):
        root = folder / f"of{count}" / "policy_specs"
        write_specs(root, count)
        peak = float(
            subprocess.run(
                [sys.executable, __file__, "--memory-of", str(root)], check=True, capture_output=True, text=True
            ).stdout
        )
        empty = empty or peak
        print(f"| {count:,} | {peak / 1024:.0f} | {(peak - empty) / count:.1f} |")


def print_memory(root: Path) -> int:
    """Validate in this process and print its peak, in KB. Not ru_maxrss: a child begins with its parent's."""
    survey_findings(survey(root))
    print(re.search(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
