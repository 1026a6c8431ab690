"""The process: the script `mailtls`, and `python -m mailtls.cli` where the script is not on the path."""

import io
import os
import sys
from types import TracebackType

from mailtls.cli.main import main


def run() -> None:
    """The command, with its exit code."""
    sys.excepthook = _fault
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the encoding lacks; \udcff is an escape of JSON, too
    main(prog_name="mailtls")


def _fault(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    """Python's own exit code would be 1, which means findings, and pipelines go on with those."""
    sys.__excepthook__(kind, fault, trace)
    try:
        sys.stdout.flush()
    except OSError:  # a full disk: Python would try once more at its end, and exit with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(2)


if __name__ == "__main__":
    run()
