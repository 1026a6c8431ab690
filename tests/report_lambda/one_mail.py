"""A program: takes in the one raw mail on its standard input, as the function does, with stores in memory.

    python one_mail.py CPU-SECONDS DOMAINS < MAIL

The kernel ends it when it takes more CPU time. Prints one JSON object: the disposition, what was written, and the
largest size that the process had, in MiB.
"""

import hashlib
import json
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailtls.reports.alert_limits import AlertLimits
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.alert_desk import Desk
from report_lambda.domains import OwnDomains
from report_lambda.events import RawMail
from report_lambda.intake import take_in
from report_lambda.metrics import Tally
from report_lambda.store import Listed, ObjectTooLarge, StoredObject

NOW = datetime(2026, 12, 1, 3, 12, 44, tzinfo=UTC)


class Bucket:
    """Keeps the sizes of what is written under reports/, and all of everything else."""

    def __init__(self):
        self.objects = {}
        self.ledger = 0

    def get(self, key, limit):
        body = self.objects.get(key)
        if body is not None and len(body) > limit:
            raise ObjectTooLarge(key, len(body))
        return None if body is None else StoredObject(body, hashlib.sha256(body).hexdigest())

    def put_if_absent(self, key, body, content_type):
        if key in self.objects:
            return False
        if key.startswith(("reports/", "other-content/")):
            self.ledger += len(body)
            body = b""  # in AWS it is gone from the function's memory, too
        self.objects[key] = body
        return True

    def put_if_match(self, key, body, content_type, etag):
        self.objects[key] = body
        return True

    def list_objects(self, prefix, *, start_after="", limit=1000):
        keys = sorted(key for key in self.objects if key.startswith(prefix) and key > start_after)
        return [Listed(key, "", len(self.objects[key]), NOW) for key in keys[:limit]]

    def copy(self, source, target):
        self.objects[target] = self.objects[source]


class Policies:
    """Nothing is known of the past."""

    def history(self, policy_domain):
        return ()


class Topic:
    """Counts."""

    sent = 0

    def publish(self, subject, text, attributes):
        self.sent += 1


def largest_size():
    """KiB, of this program alone: `ru_maxrss` begins with what the process was before it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def main():
    seconds, domains = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    bucket, topic = Bucket(), Topic()
    bucket.objects["raw/mail1"] = sys.stdin.buffer.read()
    first = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"))
    owned = [first, *(OwnDomain(f"d{n}.example", "enforce", first.mx) for n in range(domains))]
    desk = Desk(
        store=bucket,
        topic=topic,
        policies=Policies(),
        bucket="b",
        invocation="i",
        tally=Tally(per_domain=False),
        now=NOW,
        limits=AlertLimits(),
        time_left=lambda: 900.0,
    )
    outcome = take_in(
        RawMail("b", "raw/mail1"), desk, OwnDomains({own.policy_domain: own for own in owned}), lambda line: None
    )
    print(
        json.dumps(
            {
                "disposition": outcome.disposition,
                "reason": outcome.reason,
                "detail": outcome.detail[:200],
                "ledger": bucket.ledger,
                "sent": topic.sent,
                "mebibytes": largest_size() // 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
