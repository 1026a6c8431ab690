"""One look at a mail domain, all its questions at once; and at many domains, a bounded number at a time."""

import asyncio
import collections
import datetime
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import Flag, auto

from mailtls.mta_sts.policy import policy_host
from mailtls.observe.dns import DnsError, Resolver
from mailtls.observe.https import Way, look_at_policy
from mailtls.observe.recursive import Recursive
from mailtls.observe.targets import has_route, is_public
from mailtls.observed import DnsAnswer, DnsStatus, HttpsLook, MxHost, Observed, SmtpLook

MAX_MX_HOSTS = 20
"""Looked at of one domain; the rest is told."""
MAX_ADDRESSES = 8
"""Connected to of one host; the rest is told."""
MX_AT_ONCE = 50
"""MX hosts asked on port 25 at the same time, with up to four connections each."""
NULL_MX = "."


class Looks(Flag):
    """What to look at."""

    RECORDS = auto()
    """Both TXT records."""
    POLICY = auto()
    """The policy host: addresses and policy."""
    MX = auto()
    """MX records and the addresses behind them."""
    SMTP = auto()
    """Port 25 of every address of every MX."""
    BESIDE = auto()
    """What stands beside MTA-STS: DANE, DMARC, BIMI, CAA, wildcards."""
    AUTHORITATIVE = auto()
    """The zone's own servers beside the resolver."""
    VERSIONS = auto()
    """Whether the policy host takes TLS versions below 1.2 too: one more connection for each address."""
    USUAL = RECORDS | POLICY | MX | BESIDE


@dataclass(frozen=True, slots=True)
class Network:
    """The ways out.

    recursive: answers what senders would be told. authoritative: walks to the zones' own servers.
    https: how a policy is fetched. smtp_patience: seconds for one conversation.
    allow_private: connect to addresses that are not of the public internet too.
    at_once: domains looked at beside each other. mx_gate: lets so many MX hosts of all domains be asked on port 25 at
    the same time.
    """

    recursive: Recursive
    authoritative: Resolver = field(default_factory=Resolver)
    https: Way = field(default_factory=Way)
    smtp_port: int = 25
    smtp_patience: float = 20
    allow_private: bool = False
    at_once: int = 50
    mx_gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MX_AT_ONCE))


async def look_at_all(
    domains: Iterable[str], looks: Looks, network: Network, done: Callable[[], None] = lambda: None
) -> AsyncIterator[Observed]:
    """Looks at `domains` beside each other, and yields them in their order. done: called after each one.

    One slow domain holds back what is told after it, not what is looked at: up to four times `at_once` wait for it.
    """
    gate = asyncio.Semaphore(network.at_once)

    async def look(domain: str) -> Observed:
        async with gate:
            observed = await look_at(domain, looks, network)
        done()
        return observed

    waiting: collections.deque[asyncio.Task[Observed]] = collections.deque()
    try:
        for domain in domains:
            waiting.append(asyncio.create_task(look(domain)))
            if len(waiting) >= 4 * network.at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


async def look_at(domain: str, looks: Looks, network: Network) -> Observed:
    """Everything in `looks` about one policy domain (A-labels). What gave no answer stands in the result as such."""
    look = _Look(domain, looks, network)
    await look.all()
    return Observed(
        policy_domain=domain,
        at=datetime.datetime.now(datetime.UTC),
        unasked=tuple(look.unasked),
        mail_hosts=tuple(look.mail_hosts),
        https=tuple(look.https),
        **look.answers,
    )


@dataclass(slots=True)
class _Look:
    """The state of one look. answers: by the name of the field in Observed."""

    domain: str
    looks: Looks
    network: Network
    answers: dict[str, DnsAnswer] = field(default_factory=dict)
    mail_hosts: list[MxHost] = field(default_factory=list)
    https: list[HttpsLook] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    async def all(self) -> None:
        parts: list[Awaitable[object]] = []
        if Looks.RECORDS in self.looks:
            parts += [self._ask("sts", f"_mta-sts.{self.domain}", "TXT")]
            parts += [self._ask("tls_rpt", f"_smtp._tls.{self.domain}", "TXT")]
        if Looks.POLICY in self.looks:
            parts.append(self._policy())
        if Looks.MX in self.looks:
            parts.append(self._mail())
        if Looks.BESIDE in self.looks:
            stray = secrets.token_hex(6)  # a name that nobody made: what it answers, a wildcard answers
            parts += [self._ask("wildcard", f"{stray}.{self.domain}", "A")]
            parts += [self._ask("sts_wildcard", f"_{stray}.{self.domain}", "TXT")]
            parts += [self._ask("bimi", f"default._bimi.{self.domain}", "TXT")]
            parts += [self._climbing("dmarc", "_dmarc.", self.domain, "TXT", "v=DMARC1")]
            parts += [self._climbing("caa", "", policy_host(self.domain), "CAA", "")]
        if Looks.AUTHORITATIVE in self.looks:
            parts.append(self._authoritative())
        await asyncio.gather(*parts)

    async def _ask(self, field_name: str, name: str, rdtype: str) -> DnsAnswer:
        self.answers[field_name] = answer = await self.network.recursive.ask(name, rdtype)
        return answer

    async def _climbing(self, field_name: str, prefix: str, name: str, rdtype: str, begins: str) -> None:
        """The answer at `name`, or at the first parent that has one: how DMARC and CAA are found. The answer of `name`
        itself stays when no parent has any."""
        first = None
        while "." in name:
            answer = await self.network.recursive.ask(prefix + name, rdtype)
            first = first or answer
            if answer.status is DnsStatus.FAILED or any(value.startswith(begins) for value in answer.values):
                self.answers[field_name] = answer
                return
            name = name.partition(".")[2]
        if first is not None:
            self.answers[field_name] = first

    async def _policy(self) -> None:
        host = policy_host(self.domain)
        a, aaaa = await asyncio.gather(self._ask("host_a", host, "A"), self._ask("host_aaaa", host, "AAAA"))
        way = self.network.https
        addresses = self._allowed(host, (*a.values, *aaaa.values), proxied=way.proxy is not None)
        self.https += await asyncio.gather(
            *(look_at_policy(host, address, way, versions=Looks.VERSIONS in self.looks) for address in addresses)
        )

    async def _mail(self) -> None:
        answer = await self._ask("mx", self.domain, "MX")
        found = [value.partition(" ") for value in answer.values]
        ordered = sorted({(int(preference), host) for preference, _, host in found if host != NULL_MX})
        preferences: dict[str, int] = {}
        for preference, host in ordered:
            preferences.setdefault(host, preference)  # named twice, a host is still one
        if answer.left_out or len(preferences) > MAX_MX_HOSTS:
            told = len(answer.values) + answer.left_out
            self.unasked.append(f"{told} MX records; {MAX_MX_HOSTS} hosts were looked at")
        hosts = list(preferences.items())[:MAX_MX_HOSTS]
        if answer.status is DnsStatus.NO_DATA:
            own = await self._mail_host(self.domain, None)
            self.mail_hosts += [own] if own.addresses or own.unanswered else []
            return
        self.mail_hosts += await asyncio.gather(*(self._mail_host(*host) for host in hosts))

    async def _mail_host(self, host: str, preference: int | None) -> MxHost:
        ask = self.network.recursive.ask
        questions = [ask(host, "A"), ask(host, "AAAA")]
        if Looks.BESIDE in self.looks:
            questions.append(ask(f"_25._tcp.{host}", "TLSA"))
        a, aaaa, *tlsa = await asyncio.gather(*questions)
        smtp = await self._smtp(host, (*a.values, *aaaa.values)) if Looks.SMTP in self.looks else None
        return MxHost(host, preference, a, aaaa, tlsa[0] if tlsa else None, smtp)

    async def _smtp(self, host: str, addresses: Iterable[str]) -> tuple[SmtpLook, ...]:
        from mailtls.observe.smtp import look_at_mx

        allowed = self._allowed(host, addresses)
        async with self.network.mx_gate:
            return await look_at_mx(host, allowed, patience=self.network.smtp_patience, port=self.network.smtp_port)

    async def _authoritative(self) -> None:
        """The walk of the gates, in a thread: it waits for one server after another."""
        walk = self.network.authoritative
        apex = await self.network.recursive.ask(self.domain, "NS")
        hint = self.domain if apex.values else None

        def mx(name: str) -> tuple[str, ...]:
            return tuple(f"{preference} {host}" for preference, host in walk.authoritative_mx(name, hint))

        def txt(name: str) -> tuple[str, ...]:
            return walk.authoritative_txt(name, hint)

        await asyncio.gather(
            self._walked("sts", f"_mta-sts.{self.domain}", "TXT", txt),
            self._walked("tls_rpt", f"_smtp._tls.{self.domain}", "TXT", txt),
            self._walked("mx", self.domain, "MX", mx),
        )

    async def _walked(self, field_name: str, name: str, rdtype: str, walk: Callable[[str], tuple[str, ...]]) -> None:
        try:
            values = await asyncio.to_thread(walk, name)
            answer = DnsAnswer(name, rdtype, DnsStatus.ANSWERED if values else DnsStatus.NO_DATA, values)
        except DnsError as e:
            answer = DnsAnswer(name, rdtype, DnsStatus.FAILED, failure=str(e))
        self.answers[f"{field_name}_authoritative"] = answer

    def _allowed(self, host: str, addresses: Iterable[str], *, proxied: bool = False) -> tuple[str, ...]:
        """Those that may and can be connected to; what is left out is told. proxied: the way there is the proxy's."""
        given = tuple(addresses)
        allowed = given if self.network.allow_private else tuple(filter(is_public, given))
        if left_out := [address for address in given if address not in allowed]:
            self.unasked.append(
                f"{host}: {', '.join(left_out[:3])} is no address of the public internet; --allow-private connects"
            )
        if len(allowed) > MAX_ADDRESSES:
            self.unasked.append(f"{host}: {len(allowed)} addresses; {MAX_ADDRESSES} were connected to")
        asked = allowed[:MAX_ADDRESSES]
        if without := [address for address in asked if not proxied and not has_route(address)]:
            kind = " (no IPv6 here)" if all(":" in address for address in without) else ""
            self.unasked.append(f"{host}: this machine has no route to {', '.join(without[:3])}{kind}")
        return tuple(address for address in asked if address not in without)
