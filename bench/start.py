"""How fast the command starts: `mailtls --help` beside a bare click program with as many commands.

    python bench/start.py [--rounds 21]

Both are new processes of the same interpreter, in turns, so that what else the machine does falls on both. The goal is
a ratio of 3 at most. `python -c pass` stands beside them: what no program in Python can save.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mailtls.cli.main import COMMANDS

_BARE = '''
import click

@click.group()
def main():
    """A program."""

for name, line in {commands!r}.items():
    main.command(name, help=line)(lambda: None)

main()
'''


def main() -> int:
    """Time the contestants, print the table."""
    parser = argparse.ArgumentParser(description="time the start of the command")
    parser.add_argument("--rounds", type=int, default=21, help="how often each is started (default 21)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(_BARE.format(commands=COMMANDS))
        times = in_turns(rounds, {
            "python -c pass (the floor)": [sys.executable, "-c", "pass"],
            "a bare click program --help": [sys.executable, str(bare), "--help"],
            "mailtls --help": [str(Path(sys.executable).with_name("mailtls")), "--help"],
        })  # fmt: skip
    peer = times["a bare click program --help"]
    print("| start | median ms | of bare click |\n|---|---:|---:|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds * 1000:.0f} | {seconds / peer:.2f} |")
    return 0


def in_turns(rounds: int, commands: dict[str, list[str]]) -> dict[str, float]:
    """The median of the seconds that each command takes; one start before that warms the caches."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            if number:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


if __name__ == "__main__":
    sys.exit(main())
