"""Many mails through the function, most of them hostile, and at the end the ledger against a list of what was sent.

    python bench/soak.py [--mails 100000] [--seed 1]        or: make soak

The function's own code runs in this process, in batches as the queue hands them over, with a fault of the store in one
batch of twenty and mails that are announced twice. The bucket is a table of SQLite on disk with S3's semantics. The
list of what was sent is written by the generator, which knows nothing of the reader. Exit code 1: something was lost,
counted twice, or memory grew.
"""

import argparse
import gzip
import hashlib
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailtls.tls_rpt.contract import OwnDomain, domain_list_key, render_domain_list
from report_lambda import handler
from report_lambda.store import Listed, ObjectTooLarge, StoredObject, StoreError

DOMAINS = 100
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
SIGNERS = {
    "google.com": "Google Inc.",
    "microsoft.com": "Microsoft Corporation",
    "mail.ru": "Mail.ru",
    "web.example": "W",
}
BATCH = 10
GROWTH = 32
"""MiB that the process may grow between a fifth of the mails and all of them."""


class Table:
    """S3's semantics for the verbs of ObjectStore. Fails when it is told to."""

    def __init__(self, file: Path) -> None:
        self.rows = sqlite3.connect(file)
        self.rows.execute("PRAGMA journal_mode=OFF")
        self.rows.execute("PRAGMA synchronous=OFF")
        self.rows.execute("PRAGMA cache_size=-4096")
        columns = "key TEXT PRIMARY KEY, etag TEXT, size INTEGER, modified REAL, body BLOB"
        self.rows.execute(f"CREATE TABLE objects ({columns}) WITHOUT ROWID")
        self.now = BEGIN
        self.fail_at = 0

    def lay(self, key: str, body: bytes) -> None:
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        row = (key, etag, len(body), self.now.timestamp(), body)
        self.rows.execute("REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", row)

    def get(self, key: str, limit: int) -> StoredObject | None:
        self._may_fail()
        row = self.rows.execute("SELECT body, etag FROM objects WHERE key = ?", (key,)).fetchone()
        if row is not None and len(row[0]) > limit:
            raise ObjectTooLarge(key, len(row[0]))
        return StoredObject(*row) if row else None

    def put_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        self._may_fail()
        return self._put(key, body, self._etag(key) is None)

    def put_if_match(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        self._may_fail()
        return self._put(key, body, self._etag(key) == etag)

    def list_objects(self, prefix: str, *, start_after: str = "", limit: int = 1000) -> list[Listed]:
        self._may_fail()
        found = self.rows.execute(
            "SELECT key, etag, size, modified FROM objects WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
            (prefix, prefix + "\U0010ffff", start_after, limit),
        )
        return [Listed(key, etag, size, datetime.fromtimestamp(at, UTC)) for key, etag, size, at in found]

    def copy(self, source: str, target: str) -> None:
        self._may_fail()
        self.lay(target, self.rows.execute("SELECT body FROM objects WHERE key = ?", (source,)).fetchone()[0])

    def _put(self, key: str, body: bytes, allowed: bool) -> bool:
        if allowed:
            self.lay(key, body)
        return allowed

    def _etag(self, key: str) -> str | None:
        row = self.rows.execute("SELECT etag FROM objects WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _may_fail(self) -> None:
        self.fail_at -= 1
        if self.fail_at == 0:
            raise StoreError("planned")


class Nobody:
    """A topic that counts, and a history that knows nothing."""

    sent = 0

    def publish(self, *_message: object) -> None:
        self.sent += 1

    def history(self, _policy_domain: str) -> tuple[()]:
        return ()


class Context:
    """Of one invocation, with all of its time."""

    def __init__(self, number: int) -> None:
        self.aws_request_id = f"soak-{number}"

    def get_remaining_time_in_millis(self) -> int:
        return 180_000


class Sender:
    """Writes mails, and the list of what has to be in the ledger in the end."""

    def __init__(self, chance: random.Random, rows: sqlite3.Connection) -> None:
        self._chance, self._rows = chance, rows
        rows.execute("CREATE TABLE sent (domain TEXT, day TEXT, who TEXT, id TEXT, good INTEGER, bad INTEGER)")
        self._number = 0
        self._last: bytes | None = None
        self.kinds: Counter[str] = Counter()

    def mail(self, now: datetime) -> bytes:
        """One more."""
        made = {
            "report": (55, self._report), "two domains": (5, self._two_domains), "again": (10, self._again),
            "no signature": (5, self._unsigned), "signed by another": (4, self._unaligned), "spam": (6, self._spam),
            "foreign domain": (4, self._foreign), "broken gzip": (4, self._broken), "no json": (3, self._no_json),
            "deep json": (2, self._deep), "bomb": (0.3, self._bomb), "headers without end": (0.7, self._headers),
        }  # fmt: skip
        kind = self._chance.choices(list(made), [weight for weight, _ in made.values()])[0]
        self.kinds[kind] += 1
        self._number += 1
        return made[kind][1](now)

    def _report(self, now: datetime) -> bytes:
        signer = self._chance.choice(list(SIGNERS))
        self._last = wrapped(signer, gzip.compress(self._text(now, signer, [self._domain()]), 1))
        return self._last

    def _two_domains(self, now: datetime) -> bytes:
        signer = self._chance.choice(list(SIGNERS))
        two = self._chance.sample(range(DOMAINS), 2)
        return wrapped(signer, gzip.compress(self._text(now, signer, [f"d{n}.example" for n in two]), 1))

    def _again(self, now: datetime) -> bytes:
        return self._last or self._report(now)

    def _unsigned(self, now: datetime) -> bytes:
        return wrapped("google.com", gzip.compress(self._text(now, "", [self._domain()])), results="dkim=none")

    def _unaligned(self, now: datetime) -> bytes:
        body = gzip.compress(self._text(now, "", [self._domain()]))
        return wrapped("google.com", body, results="dkim=pass header.i=@evil.example")

    def _foreign(self, now: datetime) -> bytes:
        return wrapped("google.com", gzip.compress(self._text(now, "", ["elsewhere.example"])))

    def _spam(self, now: datetime) -> bytes:
        return b"From: a@spam.example\r\nSubject: buy\r\n\r\n" + self._chance.randbytes(self._chance.randrange(5000))

    def _broken(self, now: datetime) -> bytes:
        whole = gzip.compress(self._text(now, "", [self._domain()]))
        return wrapped("google.com", whole[: self._chance.randrange(10, len(whole) - 9)])

    def _no_json(self, now: datetime) -> bytes:
        return wrapped("google.com", gzip.compress(self._chance.randbytes(2000)))

    def _deep(self, now: datetime) -> bytes:
        return wrapped("google.com", gzip.compress(b'{"policies":' + b"[" * 50_000))

    def _bomb(self, now: datetime) -> bytes:
        return wrapped("google.com", BOMB)

    def _headers(self, now: datetime) -> bytes:
        return b"".join(b"X-%d: x\r\n" % n for n in range(3000)) + wrapped("google.com", b"{}")

    def _domain(self) -> str:
        return f"d{self._chance.randrange(DOMAINS)}.example"

    def _text(self, now: datetime, signer: str, domains: list[str]) -> bytes:
        """A report; noted where it has to be taken (signer given)."""
        day = (now - timedelta(days=1)).date().isoformat()
        policies = []
        for domain in domains:
            good = self._chance.randrange(5000)
            bad = self._chance.choice([0, 0, 0, 0, 0, 0, 0, 0, 0, self._chance.randrange(1, 50)])
            detail = {"result-type": "certificate-expired", "sending-mta-ip": "192.0.2.7",
                      "receiving-mx-hostname": f"mx1.{domain}", "failed-session-count": bad}  # fmt: skip
            policies.append({
                "policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": [f"mx1.{domain}"]},
                "summary": {"total-successful-session-count": good, "total-failure-session-count": bad},
                "failure-details": [detail] if bad else [],
            })  # fmt: skip
            if signer:
                row = (domain, day, SIGNERS[signer], f"r{self._number}", good, bad)
                self._rows.execute("INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?)", row)
        return json.dumps({
            "organization-name": SIGNERS.get(signer, "Nobody"),
            "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
            "contact-info": "tls@sender.example", "report-id": f"r{self._number}", "policies": policies,
        }).encode()  # fmt: skip


BOMB = gzip.compress(b"0" * (40 << 20), 9)


def wrapped(signer: str, attached: bytes, results: str = "") -> bytes:
    """A mail as SES stores it."""
    import base64

    verdict = results or f"dkim=pass header.i=@{signer}"
    head = (
        f"X-SES-Spam-Verdict: PASS\r\nX-SES-Virus-Verdict: PASS\r\n"
        f"Authentication-Results: amazonses.com; spf=pass; {verdict};\r\n"
        f"DKIM-Signature: v=1; a=rsa-sha256; d={signer}; s=x; h=from:to:subject; bh=abc=; b=def=\r\n"
        f"From: noreply@{signer}\r\nTo: tlsrpt@reports.mailhost.example\r\nSubject: Report Domain\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=tlsrpt; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA report.\r\n--b\r\nContent-Type: application/tlsrpt+gzip\r\n"
        'Content-Disposition: attachment; filename="r.json.gz"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode() + base64.encodebytes(attached).replace(b"\n", b"\r\n") + b"--b--\r\n"


class Soak:
    """The queue, the function, the clock."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  the same each time
        self.table, self.nobody = Table(folder / "bucket.sqlite"), Nobody()
        self.lists = sqlite3.connect(folder / "lists.sqlite")
        self.lists.execute("PRAGMA journal_mode=OFF")
        self.lists.execute("PRAGMA synchronous=OFF")
        self.sender = Sender(self.chance, self.lists)
        own = [OwnDomain(f"d{n}.example", "enforce", (f"mx1.d{n}.example",)) for n in range(DOMAINS)]
        self.table.lay(domain_list_key("soak"), render_domain_list(own).encode())
        self.invocations = self.redelivered = 0
        os.environ |= {"MAILTLS_BUCKET": "b", "MAILTLS_TOPIC_ARN": "arn:aws:sns:::t", "MAILTLS_POLICY_BUCKET": "p"}
        handler._store = lambda _: self.table  # type: ignore[assignment]
        handler._topic = handler._policies = lambda _: self.nobody  # type: ignore[assignment]
        handler._now = lambda: self.table.now

    def run(self, mails: int, tell: "Tell") -> None:
        waiting: list[str] = []
        for number in range(mails):
            if number % (mails // 10 or 1) == 0:
                tell(number)
            name = f"m{number:09d}"
            self.table.lay(f"raw/{name}", self.sender.mail(self.table.now))
            waiting.append(name)
            if self.chance.random() < 0.03:
                waiting.append(f"m{self.chance.randrange(number + 1):09d}")  # S3 announces at least once
            while len(waiting) >= BATCH:
                batch = [waiting.pop(0) for _ in range(BATCH)]
                waiting += self.deliver(batch, disturbed=self.chance.random() < 0.05)
            self.table.now += timedelta(seconds=5)
            if number % 720 == 719:
                self.invoke(
                    {"source": "aws.events", "detail-type": "Scheduled Event", "time": self.table.now.isoformat()}
                )
        while waiting:
            waiting = self.deliver(waiting, disturbed=False)
        tell(mails)

    def deliver(self, names: list[str], *, disturbed: bool) -> list[str]:
        """Those that must come again."""
        self.table.fail_at = self.chance.randrange(1, 60) if disturbed else 0
        records = [{"eventSource": "aws:sqs", "messageId": name, "body": announced(name)} for name in names]
        failed = [one["itemIdentifier"] for one in self.invoke({"Records": records})["batchItemFailures"]]
        self.table.fail_at = 0
        self.redelivered += len(failed)
        return failed

    def invoke(self, event: dict) -> dict:
        self.invocations += 1
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            return handler.handle(event, Context(self.invocations)) or {}


def announced(name: str) -> str:
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": f"raw/{name}"}}}
    return json.dumps({"Records": [record]})


class Tell:
    """A line at each tenth, with the memory that the process has now."""

    def __init__(self) -> None:
        self.begun, self.sizes = time.monotonic(), dict[int, int]()

    def __call__(self, number: int) -> None:
        size = int(
            next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)
        )
        self.sizes[number] = size // 1024
        print(f"{number:>9,} mails  {time.monotonic() - self.begun:7.1f} s  {size // 1024:4} MiB", flush=True)

    @property
    def growth(self) -> int:
        """MiB from a fifth of the mails to all of them."""
        numbers = sorted(self.sizes)
        return self.sizes[numbers[-1]] - self.sizes[numbers[len(numbers) // 5]]


def faults(soak: Soak) -> list[str]:
    """What is wrong in the end; judged by SQL and json alone."""
    bucket, lists = soak.table.rows, soak.lists
    lists.execute("CREATE TABLE kept (domain TEXT, day TEXT, who TEXT, id TEXT, good INTEGER, bad INTEGER)")
    for key, body in bucket.execute("SELECT key, body FROM objects WHERE key >= 'reports/' AND key < 'reports0'"):
        _, domain, day, _ = key.split("/")
        report = json.loads(body)["report"]
        sums = [row["summary"] for row in report["policies"]]
        good = sum(one["total-successful-session-count"] for one in sums)
        bad = sum(one["total-failure-session-count"] for one in sums)
        row = (domain, day, report["organization-name"], report["report-id"], good, bad)
        lists.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?)", row)
    counted = {
        "reports lost": "SELECT count(*) FROM (SELECT * FROM sent EXCEPT SELECT * FROM kept)",
        "reports that nobody sent": "SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM sent)",
        "reports counted twice": "SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM kept)) FROM kept",
    }
    found = [(words, lists.execute(question).fetchone()[0]) for words, question in counted.items()]
    without = """SELECT count(*) FROM objects raw WHERE raw.key >= 'raw/' AND raw.key < 'raw0' AND NOT EXISTS
        (SELECT 1 FROM objects WHERE key = 'dispositions/' || substr(raw.key, 5) || '.json')"""
    found.append(("mails without a disposition", bucket.execute(without).fetchone()[0]))
    return [f"{count:,} {words}" for words, count in found if count]


def main() -> int:
    """Send, tell, judge."""
    parser = argparse.ArgumentParser(description="many mails through the function")
    parser.add_argument("--mails", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak, tell = Soak(Path(folder), options.seed), Tell()
        soak.run(options.mails, tell)
        wrong = faults(soak)
        stored = soak.lists.execute("SELECT count(*) FROM kept").fetchone()[0]
    if tell.growth > GROWTH:
        wrong.append(f"{tell.growth} MiB more memory at the end than after a fifth")
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in soak.sender.kinds.most_common())
    print(f"sent: {kinds}")
    print(f"{stored:,} reports in the ledger; {soak.redelivered:,} mails came again; {soak.nobody.sent:,} alerts")
    print("\n".join(wrong) if wrong else "the ledger is what was sent: nothing lost, nothing twice, memory flat")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
