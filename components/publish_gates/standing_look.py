"""The look in every run, previews too: does what is published stand alone, and does the policy name the live MX?

Hooks run for what changes only. A second record that appears beside ours, or an MX that the policy does not name, would
otherwise be seen by nobody until the next change. It warns and never fails, asks a bounded number of questions in a
bounded time, beside the rest of the run, and tells a DNS that does not answer in one line.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pulumi

from components.dns_zones.zone import DnsZone
from components.publish_gates.foreign_records import Beside, ForeignRecordGate, other_values, unknown_record
from components.publish_gates.mx import MxGate, judge
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import LOOKS_AT_ONCE, inform, once, warn
from mailtls.mta_sts import shown
from mailtls.mta_sts.policy import Mode
from mailtls.observe.dns import DnsError, MailHosts, Resolver

LONGEST_QUESTION = 2.0
"""Seconds for one question to one server. A look-up takes at most four times that, and ends a domain's look when it
fails."""
DOMAIN_LIMIT = 6.0
"""Seconds for all look-ups of one domain."""
MOST_FAILURES = LOOKS_AT_ONCE
"""After as many domains without an answer no more are asked."""


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """A TXT record of ours. text: its value; unknown in a preview of a change. gate: stood before it in this run, or
    not."""

    resource: pulumi.CustomResource
    text: pulumi.Output[str]
    gate: ForeignRecordGate


@dataclass(frozen=True, slots=True)
class Published:
    """What is looked at for one policy domain. mx: None without a policy."""

    policy_domain: str
    zone: DnsZone
    component: pulumi.ComponentResource
    records: tuple[PublishedRecord, ...]
    mx: MxGate | None


def look_at_what_is_published(domains: Sequence[Published], settings: GateSettings) -> pulumi.Output[None]:
    """Schedules the look; it ends within the run. Does no I/O itself, nothing when the settings switch it off."""
    if not settings.standing_look or not domains:
        return pulumi.Output.from_input(None)
    return pulumi.Output.from_input(_StandingLook(settings).at_all(domains))


class _StandingLook:
    def __init__(self, settings: GateSettings) -> None:
        timeout = min(settings.resolver.timeout, LONGEST_QUESTION)
        self._resolver: Resolver = replace(settings.resolver, timeout=timeout)
        self._failed: list[str] = []
        self._skipped = 0
        self._places = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def at_all(self, domains: Sequence[Published]) -> None:
        await asyncio.gather(*(self._at(domain) for domain in domains))
        if self._failed:
            await warn("", self._trouble(len(domains)))

    def _trouble(self, total: int) -> str:
        unseen = len(self._failed) + self._skipped
        return f"{unseen} of {total} domains were not looked at in DNS ({self._failed[0]}); nothing depends on this"

    async def _at(self, domain: Published) -> None:
        settled = [(record, await _settled(record)) for record in domain.records]
        urn = await _known(domain.component.urn)
        known = [(record, state) for record, state in settled if state is not None and not record.gate.looked]
        mx = domain.mx if domain.mx is not None and not domain.mx.looked and urn is not None else None
        async with self._places:
            if len(self._failed) >= MOST_FAILURES:
                self._skipped += 1
                return
            try:
                values, hosts = await once(lambda: self._ask(domain, [record for record, _ in known], mx), DOMAIN_LIMIT)
            except DnsError as e:
                self._failed.append(str(e))
                return
            except TimeoutError:
                self._failed.append(f"{domain.policy_domain}: the name servers take too long")
                return
        for (record, state), found in zip(known, values, strict=True):
            for text in findings(record.gate, state.text, found):
                await warn(state.urn, text)
        if mx is not None and hosts is not None and urn is not None:
            verdict = judge(domain.policy_domain, mx.policy, hosts, mx.allowed)
            for text in verdict.warnings:
                await warn(urn, text)
            if verdict.refused is None and mx.allowed is not None:
                for text in verdict.notes:
                    await inform(urn, text)

    def _ask(
        self, domain: Published, records: Sequence[PublishedRecord], mx: MxGate | None
    ) -> tuple[list[tuple[str, ...]], MailHosts | None]:
        """Blocks: runs in POOL. Raises DnsError."""
        apex = domain.zone.apex
        values = [self._resolver.authoritative_txt(record.gate.name, apex) for record in records]
        if mx is None or mx.policy.mode is Mode.NONE:
            return values, None
        return values, self._resolver.authoritative_mail_hosts(domain.policy_domain, apex)


@dataclass(frozen=True, slots=True)
class RecordState:
    """A record once the engine is through with it. text: None in a preview in which it is not known yet."""

    urn: str
    text: str | None


def findings(gate: ForeignRecordGate, text: str | None, values: tuple[str, ...]) -> list[str]:
    """Warnings about what stands at a record's name. text: ours, as RecordState has it."""
    ours = (*gate.old, *([text] if text is not None else []))
    beside = Beside.of(values, ours, gate.version)
    unknown = (
        f"{unknown_record(gate.name, beside.candidates)}. Look who wrote it and remove it "
        '(docs/break-glass.md, "A record that the stack does not know")'
    )
    if gate.new:
        return [f'{unknown}; until then "pulumi up" writes none of ours'] if beside.candidates else []
    texts = []
    if beside.candidates and not beside.instead:
        texts.append(unknown)
    elif beside.alone and ours:
        there = ", ".join(map(shown, beside.candidates)) or "no record"
        texts.append(f'{gate.name}: {there} stands there instead of ours; "pulumi up --refresh" puts ours back')
    if beside.others and gate.version == "v=STSv1":
        texts.append(other_values(gate.name, beside.others))
    return texts


async def _settled(record: PublishedRecord) -> RecordState | None:
    """None when the record failed in this run: the engine tells that by itself."""
    urn, text = await asyncio.gather(record.resource.urn.future(), record.text.future(), return_exceptions=True)
    if not isinstance(urn, str) or isinstance(text, BaseException):
        return None
    return RecordState(urn, text)


async def _known(urn: pulumi.Output[str]) -> str | None:
    (answer,) = await asyncio.gather(urn.future(), return_exceptions=True)
    return answer if isinstance(answer, str) else None
