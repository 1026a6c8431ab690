"""How fast 10,000 specs load, beside the least that any loader of YAML must do and a peer that judges file by file.

    python bench/specs.py [--specs 10000] [--peer-specs 500]

All contestants read the same files, which are in the page cache by then, in one run on one core: the ratios hold from
machine to machine, the rates do not.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from mailtls.spec.load import load
from mailtls.spec.schema import spec_schema

ROUNDS = 3
"""The best of these counts: the others were disturbed."""


def main() -> int:
    """Write the specs, time the contestants, print the table."""
    parser = argparse.ArgumentParser(description="time the loading of specs")
    parser.add_argument("--specs", type=int, default=10_000, help="how many files (default 10000)")
    parser.add_argument("--peer-specs", type=int, default=500, help="how many of them for the slow peer (default 500)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "policy_specs"
        files = write_specs(root, options.specs)
        rates = {
            "PyYAML CSafeLoader alone (the floor)": rate(len(files), lambda: only_yaml(files)),
            "mailtls.spec.load": rate(len(files), lambda: expect(len(load(root)), len(files))),
            "CSafeLoader + jsonschema.validate() per file": rate(
                options.peer_specs, lambda: yaml_and_validate(files[: options.peer_specs]), rounds=1
            ),
        }
    floor = next(iter(rates.values()))
    print(f"| {len(files):,} specs, one a file | specs/s | of the floor |\n|---|---:|---:|")
    for name, specs_per_second in rates.items():
        print(f"| {name} | {specs_per_second:,.0f} | {specs_per_second / floor:.2f} |")
    return 0


def write_specs(root: Path, count: int) -> list[Path]:
    """`count` specs like those that teams write, 500 a folder, each folder with a defaults.yaml."""
    files = []
    for number in range(count):
        folder = root / f"team{number // 500:03}"
        if number % 500 == 0:
            folder.mkdir(parents=True)
            (folder / "defaults.yaml").write_text(f"owner: team{number // 500:03}\nmta_sts: {{max_age: 1w}}\n")
        mode = ("testing", "enforce")[number % 2]
        path = folder / f"domain{number:05}.example.yaml"
        path.write_text(
            f"# domain {number}\npolicy_domain: domain{number:05}.example\nmta_sts:\n  mode: {mode}\n"
            f"  mx:\n    - mx1.domain{number:05}.example\n    - mx2.domain{number:05}.example\n"
            f"contact: hostmaster@domain{number:05}.test\n"
        )
        files.append(path)
    return files


def only_yaml(files: list[Path]) -> None:
    """What cannot be saved: open, read, parse."""
    for file in files:
        yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)


def yaml_and_validate(files: list[Path]) -> None:
    """As many tools do it: jsonschema's one-call form, which builds its validator and checks the schema each time."""
    schema: dict[str, Any] = json.loads(json.dumps(spec_schema()))
    for file in files:
        jsonschema.validate(yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader), schema)


def rate(count: int, run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Specs per second of the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - began)
    return count / best


def expect(got: int, wanted: int) -> None:
    """A loader that loses specs is fast and useless."""
    if got != wanted:
        raise SystemExit(f"{got} of {wanted} specs were loaded")


if __name__ == "__main__":
    sys.exit(main())
