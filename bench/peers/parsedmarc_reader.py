"""parsedmarc over mails in a file of length-prefixed mails: processor seconds, the best of some rounds.

python parsedmarc_reader.py MAILS ROUNDS         in an environment of bench/peers/requirements.txt
"""

import json
import struct
import sys
import time
from pathlib import Path

import parsedmarc


def main() -> None:
    """Read the mails, time the rounds, print one JSON object."""
    mails = list(cut(Path(sys.argv[1]).read_bytes()))
    best = float("inf")
    for _ in range(int(sys.argv[2])):
        began = time.process_time()
        failed = [read(mail) for mail in mails]
        best = min(best, time.process_time() - began)
    print(json.dumps({"seconds": best, "failed": sorted(set(failed))}))


def read(mail: bytes) -> int:
    """Sessions that failed, as it gives them."""
    found = parsedmarc.parse_report_email(mail, offline=True)
    details = found["report"]["policies"][0]["failure_details"]
    return sum(detail["failed_session_count"] for detail in details)


def cut(data: bytes):
    """The mails, one after the other."""
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


if __name__ == "__main__":
    main()
