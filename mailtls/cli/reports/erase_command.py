"""`mailtls reports erase`: all that the reports bucket keeps about one domain, for a customer who leaves."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mailtls import names
from mailtls.cli import terminal
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble
from mailtls.reports.bucket_layout import (
    alert_states_of,
    from_bytes,
    ledger_of,
    reporters_key,
    to_bytes,
)
from mailtls.tls_rpt.contract import Prefix

if TYPE_CHECKING:
    from mailtls.cli.reports.bucket_writer import Writer
    from mailtls.observe.report_bucket import Bucket

MAX_STATE = 8 << 20
MAILS_AT_ONCE = 200
STAYS = (
    "the policy's versions, in their own bucket: senders may hold that policy; they end by themselves",
    "mail that nothing became of yet, lines of the function's log, messages that were sent",
)
"""What is not in the reports bucket, or is there for others."""


@click.command(epilog="Example:  mailtls reports erase contoso.example s3://contoso-reports --write")
@click.argument("domain", metavar="DOMAIN")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option(
    "--still-listed", is_flag=True, help="Even though the domain is deployed: its next reports come in again."
)
@click.option("--write", is_flag=True, help="Do it. Without this it is only counted.")
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, /, domain: str, bucket: str, region: str | None, still_listed: bool, write: bool, output: str
) -> None:
    """Delete what is kept about DOMAIN, with all versions: stored reports, raw mails and what became of them, states of
    alerts, who reported.

    A mail that also brought reports about other domains stays until its own end, and is told. Killed half-way: run it
    again. `--format json` prints a receipt that holds nothing of the customer but the name.

    \b
    Exit codes:  0 deleted, or there is nothing
                 1 without --write: there is something
                 2 trouble
    """
    from mailtls.cli.reports.bucket_writer import writer_of
    from mailtls.observe.domain_lists import listed_domains
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble

    try:
        name = names.domain_name(domain)
    except names.InvalidName as e:
        raise Trouble(f"{domain}: {e}; write it as in an address, contoso.com") from e
    try:
        where = bucket_at(bucket, region)
        if not still_listed and (listed := listed_domains(where).get(name)):
            raise Trouble(
                f"{name} is deployed ({listed[1]}): its next reports would come in again. Remove its spec and deploy "
                "first, or say --still-listed"
            )
        done = _Erasure(where, writer_of(where), name, write)
        done.run()
    except StoreTrouble as e:
        raise Trouble(f"{e}; what was deleted before is gone: run it again when that is mended") from e
    click.echo(done.receipt() if output == "json" else done.told())
    ctx.exit(0 if write or not done.anything else 1)


@dataclass(slots=True)
class _Erasure:
    """Objects of each kind that went, or would go. shared: mails that stay, since they are about others too."""

    where: "Bucket"
    writer: "Writer"
    name: str
    write: bool
    counts: dict[str, int] = field(default_factory=dict)
    shared: int = 0

    @property
    def anything(self) -> bool:
        return any(self.counts.values())

    def run(self) -> None:
        """Raises StoreTrouble. Dispositions go last: they tell which mails are the domain's, also on the next run."""
        self._under("stored reports", ledger_of(self.name))
        self._under("reports of other content", f"{Prefix.OTHER_CONTENT}{self.name}/")
        self._under("states of alerts", alert_states_of(self.name))
        self._under("lists of reporters", reporters_key(self.name))
        self._mails()
        self._states("faults shared with others", Prefix.HOSTS, self._without_member)
        self._states("hours of messages", Prefix.HOURS, self._without_lines)

    def receipt(self) -> str:
        """JSON: `{"version": 1, "policy_domain", "bucket", "at", "erased": {kind: objects}, "shared_mails", "stays"}`;
        erased is null where it was only counted."""
        data = {
            "version": 1,
            "policy_domain": self.name,
            "bucket": self.where.name,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "written": self.write,
            "objects": self.counts,
            "shared_mails": self.shared,
            "stays": list(STAYS),
        }
        return json.dumps(data, indent=1)

    def told(self) -> str:
        """For people."""
        verb = "deleted" if self.write else "to be deleted; --write does it"
        lines = [f"{self.name} in {self.where.name}: {sum(self.counts.values()):,} objects {verb}"]
        lines += [f"  {count:6,}  {kind}" for kind, count in self.counts.items() if count]
        if self.shared:
            lines.append(f"  {self.shared:6,}  mails stay until their end: they hold reports about other domains too")
        lines += [f"not touched: {what}" for what in STAYS]
        return "\n".join(lines)

    def _under(self, kind: str, prefix: str) -> None:
        self.counts[kind] = sum(1 for _ in self.writer.versions(prefix))
        if self.write:
            self.writer.remove_under(prefix)

    def _mails(self) -> None:
        kept_apart = self._kept_apart()
        found: list[tuple[str, list[str]]] = []
        copies = 0
        progress = terminal.Counter("looking at")
        for one in self.where.objects(Prefix.DISPOSITIONS):
            progress.advance()
            mail = one.key.removeprefix(Prefix.DISPOSITIONS).removesuffix(".json")
            about = self._about(self.where.read(one.key, MAX_STATE))
            if mail not in kept_apart and about is not True:
                self.shared += about is None
                continue
            found.append((one.key, [f"{Prefix.RAW}{mail}", *kept_apart.get(mail, ())]))
            copies += len(found[-1][1]) - 1
            if len(found) % MAILS_AT_ONCE == 0:
                self._remove(found[-MAILS_AT_ONCE:])
        self._remove(found[len(found) // MAILS_AT_ONCE * MAILS_AT_ONCE :])
        progress.clear()
        self.counts |= {"mails and what became of them": len(found), "copies kept apart": copies}

    def _remove(self, mails: list[tuple[str, list[str]]]) -> None:
        """mails: key of the disposition, and of what it is about. A mail without disposition would be read again."""
        if self.write:
            self.writer.remove([key for _, keys in mails for key in keys])
            self.writer.remove([disposition for disposition, _ in mails])

    def _about(self, body: bytes | None) -> bool | None:
        """True: about this domain alone. None: about it and others. False: not about it."""
        try:
            data = from_bytes(body or b"")
            keys = [key for kind in ("stored", "duplicates") for key in data.get(kind, ())]
            found = {key.split("/")[1] for key in keys if isinstance(key, str) and key.count("/") > 1}
        except (ValueError, TypeError):
            return False
        if self.name not in found:
            return False
        return True if found == {self.name} else None

    def _kept_apart(self) -> dict[str, list[str]]:
        """Quarantined mails whose header names the domain, with the keys of their copies."""
        found: dict[str, list[str]] = {}
        for one in self.where.objects(Prefix.QUARANTINE):
            if not one.key.endswith(".json"):
                continue
            with suppress(ValueError, TypeError, KeyError):
                data = from_bytes(self.where.read(one.key, MAX_STATE) or b"")
                said = {
                    str(value).strip().lower() for name, value in data["headers"] if name.lower() == "tls-report-domain"
                }
                if self.name in said:
                    found[str(data["mail"])] = [one.key.removesuffix(".json") + ".eml", one.key]
        return found

    def _states(self, kind: str, prefix: str, without: Any) -> None:
        """Objects about several domains are written anew without this one; earlier versions end within a month."""
        count = 0
        for one in self.where.objects(prefix):
            body = self.where.read(one.key, MAX_STATE)
            with suppress(ValueError, TypeError, KeyError):
                data = from_bytes(body or b"")
                after = without(data)
                if after != data:
                    count += 1
                    if self.write:
                        self.writer.put(one.key, to_bytes(after))
        self.counts[kind] = count

    def _without_member(self, data: dict[str, Any]) -> dict[str, Any]:
        members = [member for member in data["members"] if member["policy_domain"] != self.name]
        named = {kind: [name for name in data[kind] if name != self.name] for kind in ("news", "over")}
        speaker = "" if data["speaker"] == self.name else data["speaker"]
        return {**data, **named, "members": members, "speaker": speaker}

    def _without_lines(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "lines": [line for line in data["lines"] if self.name not in str(line[1])]}
