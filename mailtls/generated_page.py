"""The command line of a page that is made from the code: print it, or write it into docs/. Read by `make docs`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path


def print_or_write(module: str, page: Path, render: Callable[[], str]) -> int:
    """module: as `python -m` has it. page: the file that `--write` writes. The exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"render docs/{page.name}")
    parser.add_argument("--write", action="store_true", help=f"write docs/{page.name} instead of printing")
    if parser.parse_args().write:
        page.write_text(render(), "utf-8")
    else:
        sys.stdout.write(render())
    return 0
