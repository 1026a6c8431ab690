"""What `mailtls reports erase` counts and deletes, kind by kind.

What shows that something is the domain's goes last, so a run that was killed is finished by the next one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailtls.cli import terminal
from mailtls.cli.reports.bucket_writer import Writer, batches
from mailtls.observe.report_bucket import Bucket
from mailtls.reports.bucket_layout import (
    alert_states_of,
    disposition_key,
    from_bytes,
    ledger_of,
    posted_of,
    reporters_key,
    to_bytes,
)
from mailtls.tls_rpt.contract import Prefix
from mailtls.totals.arrival import Arrival, dealt_with
from mailtls.totals.said_domain import said_domains

MAX_STATE = 8 * 1024 * 1024
"""Bytes of one object of ours."""
MAILS_AT_ONCE = 200
STAYS = (
    "the policy's versions, in their own bucket: senders may hold that policy; they end by themselves",
    "earlier versions of what domains share, where this one had left it before: they end within 30 days",
    "a published dashboard: it names the domain until `reports dashboard --publish` writes it anew, and earlier "
    "versions of its pages end within 30 days",
    "mail that nothing became of yet, lines of the function's log, messages that were sent",
)
"""What is not in the reports bucket, or is not known to be the domain's."""


@dataclass(slots=True)
class Erasure:
    """counts: objects of each kind that went, or would go. shared: mails that stay, since they are about others too.
    unreadable: keys of objects that may be about the domain and could not be read."""

    where: Bucket
    writer: Writer
    name: str
    write: bool
    counts: dict[str, int] = field(default_factory=dict)
    shared: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        return any(self.counts.values())

    def run(self) -> None:
        """Raises StoreTrouble. A second run finds what the first one left."""
        self._under("stored reports", ledger_of(self.name))
        self._under("reports by HTTPS POST", posted_of(self.name))
        self._under("reports of other content", f"{Prefix.OTHER_CONTENT}{self.name}/")
        self._under("states of alerts", alert_states_of(self.name))
        self._under("lists of reporters", reporters_key(self.name))
        self._mails()
        self._kept_apart()
        self._states("faults shared with others", Prefix.HOSTS, self._without_member)
        self._states("hours of messages", Prefix.HOURS, self._without_lines)
        self._states("digests under way", Prefix.DIGESTS, self._without_sums)

    def receipt(self, now: datetime) -> dict[str, Any]:
        """As reports_erase.v1.schema.json has it; holds nothing of the customer but the name."""
        return {
            "version": 1,
            "policy_domain": self.name,
            "bucket": self.where.name,
            "at": now.isoformat(timespec="seconds"),
            "written": self.write,
            "objects": self.counts,
            "shared_mails": self.shared,
            "unreadable": self.unreadable,
            "stays": list(STAYS),
        }

    def told(self) -> str:
        """For people."""
        verb = "deleted" if self.write else "to be deleted; --write does it"
        lines = [f"{self.name} in {self.where.name}: {sum(self.counts.values()):,} objects {verb}"]
        lines += [f"  {count:6,}  {kind}" for kind, count in self.counts.items() if count]
        if self.shared:
            lines.append(f"  {self.shared:6,}  mails stay until their end: they hold reports about other domains too")
        lines += [f"cannot be read, look at it yourself: {key}" for key in self.unreadable]
        lines += [f"not touched: {what}" for what in STAYS]
        return "\n".join(lines)

    def _under(self, kind: str, prefix: str) -> None:
        self.counts[kind] = sum(1 for _ in self.writer.versions(prefix))
        if self.write:
            self.writer.remove_under(prefix)

    def _mails(self) -> None:
        """Mails whose reports are in the ledger; the disposition tells that, so it goes last."""
        kind = "mails and what became of them"
        self.counts[kind] = 0
        for mails in batches(self._dealt_with(), MAILS_AT_ONCE):
            self.counts[kind] += len(mails)
            if self.write:
                self.writer.remove(f"{Prefix.RAW}{mail}" for mail in mails)
                self.writer.remove(map(disposition_key, mails))

    def _dealt_with(self) -> Iterator[str]:
        progress = terminal.Counter("looking at")
        for one in self.where.objects(Prefix.DISPOSITIONS):
            progress.advance()
            body = self.where.read(one.key, MAX_STATE)
            if body is None:
                continue
            mail = one.key.removeprefix(Prefix.DISPOSITIONS).removesuffix(".json")
            arrival = dealt_with(Arrival(mail, one.modified, one.size, None), body)
            if arrival.became is None:
                self.unreadable.append(one.key)
            elif arrival.policy_domains == (self.name,):
                yield mail
            elif self.name in arrival.policy_domains:
                self.shared += 1
        progress.clear()

    def _kept_apart(self) -> None:
        """Mails in quarantine that say to be about the domain; the headers beside them tell that, so they go last."""
        kind = "mails kept apart, and their copies"
        self.counts[kind] = 0
        for stems in batches(self._quarantined(), MAILS_AT_ONCE):
            mails = [stem.rpartition("/")[2] for stem in stems]
            self.counts[kind] += len(stems)
            if self.write:
                self.writer.remove([*(f"{Prefix.RAW}{mail}" for mail in mails), *(f"{stem}.eml" for stem in stems)])
                self.writer.remove(map(disposition_key, mails))  # without it, its mail would be read again
                self.writer.remove(f"{stem}.json" for stem in stems)

    def _quarantined(self) -> Iterator[str]:
        for one in self.where.objects(Prefix.QUARANTINE):
            if one.key.endswith(".json"):
                data = self._object(one.key)
                if data is not None and self.name in said_domains(data.get("headers", ())):
                    yield one.key.removesuffix(".json")

    def _states(self, kind: str, prefix: str, without: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Objects about several domains are written anew without this one."""
        self.counts[kind] = 0
        for one in self.where.objects(prefix):
            data = self._object(one.key)
            if data is None:
                continue
            try:
                changes = without(data) != data
            except (KeyError, TypeError, ValueError, AttributeError):
                self.unreadable.append(one.key)
                continue
            self.counts[kind] += changes
            if changes and self.write:
                self.writer.change(one.key, lambda body: to_bytes(without(from_bytes(body))))

    def _object(self, key: str) -> dict[str, Any] | None:
        """None where it is gone, or cannot be read, which is remembered."""
        body = self.where.read(key, MAX_STATE)
        if body is None:
            return None
        try:
            return from_bytes(body)
        except (ValueError, RecursionError):
            self.unreadable.append(key)
            return None

    def _without_member(self, data: dict[str, Any]) -> dict[str, Any]:
        members = [member for member in data["members"] if member["policy_domain"] != self.name]
        named = {kind: [name for name in data[kind] if name != self.name] for kind in ("news", "over")}
        speaker = "" if data["speaker"] == self.name else data["speaker"]
        return {**data, **named, "members": members, "speaker": speaker}

    def _without_lines(self, data: dict[str, Any]) -> dict[str, Any]:
        names_it = re.compile(rf"(?<![a-z0-9_.-]){re.escape(self.name)}(?![a-z0-9_-]|\.[a-z0-9])", re.IGNORECASE)
        return {**data, "lines": [line for line in data["lines"] if not names_it.search(str(line[1]))]}

    def _without_sums(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "lines": {name: line for name, line in data["lines"].items() if name != self.name}}
