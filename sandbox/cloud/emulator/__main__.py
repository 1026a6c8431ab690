"""The emulator's process: `python -m sandbox.cloud.emulator --dns 127.0.0.1:PORT`, with the emulator's own Python.

Prints `READY http://127.0.0.1:PORT` once every patch has proven itself; ends with status 2 and the reasons when one
does not fit. Ends with its parent.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from sandbox.cloud.emulator.contract import ContractBroken
from sandbox.cloud.emulator.outside import OUTSIDE
from sandbox.cloud.emulator.server import listed, serve
from sandbox.engine.parentage import end_with_parent


def main() -> int:
    parser = argparse.ArgumentParser(description="The AWS emulator's process.")
    parser.add_argument("--dns", type=_address, required=True, help="name server that shows validation records")
    parser.add_argument("--proxy", help="HTTP proxy that reaches the outside, http://ADDRESS:PORT")
    parser.add_argument("--ca", type=Path, help="PEM file of the authority that the outside's certificates have")
    parser.add_argument("--proofs", action="store_true", help="say how long each proof took")
    parser.add_argument("--unpatched", action="store_true", help="a test of the proofs: without patches each must fail")
    parser.add_argument("--list", action="store_true", help="print the patches as JSON and do nothing")
    arguments = parser.parse_args()
    if arguments.list:
        print(json.dumps(listed()))
        return 0
    end_with_parent()
    OUTSIDE.name_server = arguments.dns
    OUTSIDE.proxy = arguments.proxy
    OUTSIDE.ca = str(arguments.ca) if arguments.ca else None

    def ready(endpoint: str, seconds: dict[str, float]) -> None:
        if arguments.proofs:
            for name, taken in seconds.items():
                print(f"{taken:6.3f} s  {name}", flush=True)
        print(f"READY {endpoint}", flush=True)

    try:
        serve(ready, unpatched=arguments.unpatched)
    except ContractBroken as e:
        print(e, flush=True)
        return 2
    return 0


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT")
    return text


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Worker threads of the emulator may wait for minutes; nothing of theirs is worth waiting for.
    os._exit(status)
