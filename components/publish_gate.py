"""The edge gate: a new policy id is published only when senders would get the new policy (RFC 8461 section 8.1).

Resource hooks on the TXT records. The engine runs them after everything the record depends on, only when the record
really changes, and not in a preview. When one raises, the operation fails and the old record stays as it is.

The trap: the SDK's registration calls fill the event loop's default executor, and each waits for its resource. Work
that a hook puts there (`asyncio.to_thread`, `loop.getaddrinfo`) never starts, and its time limit never runs: a first
`up` of some dozens of domains hangs for ever. So everything that blocks here runs in POOL and nowhere else.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pulumi
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

from components.dns_zones.zone import DnsZone
from mailtls.mta_sts.policy import MAX_POLICY_BYTES, policy_host
from mailtls.mta_sts.record import Record, RecordError, policy_id_of
from mailtls.observe.dns import DnsError, Resolver
from mailtls.observe.https import FetchError, PolicyResponse, fetch_policy

POOL = ThreadPoolExecutor(max_workers=64, thread_name_prefix="publish-gate")
"""Threads of our own, see the trap above. A waiting gate holds none of them: it sleeps on the event loop. As many as
the gates that CI lets run at once (`--parallel 64`), so that none waits for another's slow host."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two looks: doubled from the first to the longest."""
LOOK_TIMEOUT = 10.0
"""Seconds for one fetch. A look that began before the limit may end this much after it, and the resolver's time."""

Hook = Callable[[pulumi.ResourceHookArgs], Awaitable[None]]


class GateError(Exception):
    """A record must not be published now. The text names the policy domain, the cause, and what happens next."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """How the gates look at the world.

    timeout: seconds that a gate waits at most. proxy: `http://host:port` for the fetch, by CONNECT; None: none.
    port: where policy hosts listen.
    """

    timeout: float = 180
    resolver: Resolver = field(default_factory=Resolver)
    proxy: str | None = None
    port: int = 443


def edge_gate(policy_domain: str, body: bytes, zone: DnsZone, settings: GateSettings) -> Hook:
    """The hook for the `_mta-sts` record: returns once the policy host serves `body` in the version of the new id.

    Bind it as `before_create` and `before_update`. Raises GateError when the limit is reached.
    """

    async def wait_for_the_edge(args: pulumi.ResourceHookArgs) -> None:
        policy_id = _policy_id(zone, args.new_inputs)
        if policy_id is None:
            raise GateError(f"{policy_domain}: the new _mta-sts record holds no policy id")
        look = partial(_look, policy_domain, zone.apex, body, policy_id, settings)
        cause = await _poll(look, settings.timeout, partial(_tell, args.urn, policy_domain))
        if cause is not None:
            old_id = _policy_id(zone, args.old_inputs)
            kept = f"the old id {old_id} stays published" if old_id else "no id is published yet"
            raise GateError(
                f"{policy_domain}: the new policy is not live at the edge after {settings.timeout:g} s: {cause}; "
                f'{kept}; the next "pulumi up" tries again'
            )

    return wait_for_the_edge


def first_record_gate(name: str, version: str, zone: DnsZone, settings: GateSettings) -> Hook:
    """The hook that refuses to put a second `version` record (`v=STSv1`, `v=TLSRPTv1`) beside one at `name`.

    Bind it as `before_create`. A record with exactly the new value is ours: an earlier run was cut off after writing
    it. Raises GateError at once for a foreign record, and at the limit when the zone's servers do not answer.
    """

    async def refuse_a_second_record(args: pulumi.ResourceHookArgs) -> None:
        ours = zone.txt_values(args.new_inputs or {})

        def look() -> str | None:
            try:
                values = settings.resolver.authoritative_txt(name, zone.apex)
            except DnsError as e:
                return str(e)
            foreign = foreign_record(values, ours, version)
            if foreign is not None:
                raise GateError(
                    f"{name}: a record that this program did not write is published there already: {foreign!r}; "
                    f'remove it, then run "pulumi up" again; a second record beside it would make both void'
                )
            return None

        cause = await _poll(look, settings.timeout, partial(_tell, args.urn, name))
        if cause is not None:
            raise GateError(
                f"{name}: after {settings.timeout:g} s it is still not known whether a record exists there: {cause}; "
                f'nothing was published; the next "pulumi up" tries again'
            )

    return refuse_a_second_record


def cause_not_live(response: PolicyResponse, body: bytes, policy_id: str) -> str | None:
    """Why a sender that gets `response` does not have the new policy; None when it has (RFC 8461 section 3.3)."""
    if 300 <= response.status < 400:
        return f"it redirects to {response.header('location')} ({response.status}), which senders do not follow"
    if response.status != 200:
        return f"it answers {response.status}"
    media_type = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "text/plain":
        return f"the media type is {media_type or 'missing'}, not text/plain"
    if response.body != body:
        return f"it serves another text ({len(response.body)} octets, {len(body)} expected)"
    version = response.header("x-amz-version-id")
    if version is None:
        return "the right text, but without x-amz-version-id: id and text cannot be matched"
    try:
        served_id = policy_id_of(version)
    except RecordError as e:
        return str(e)
    if served_id != policy_id:
        return f"it serves version {version}, whose id is {served_id}, not {policy_id}"
    return None


def foreign_record(values: tuple[str, ...], ours: tuple[str, ...], version: str) -> str | None:
    """The first of `values` that begins with `version` and is not one of `ours`."""
    return next((value for value in values if value.startswith(version) and value not in ours), None)


def _look(policy_domain: str, apex: str, body: bytes, policy_id: str, settings: GateSettings) -> str | None:
    """Fetch the policy as a sending MTA would, once. Blocks: runs in POOL."""
    host = policy_host(policy_domain)
    try:
        addresses = settings.resolver.authoritative_addresses(host, apex)
        if not addresses:
            return f"{host} has no address"
        timeout = min(LOOK_TIMEOUT, settings.timeout)
        response = fetch_policy(host, addresses, settings.proxy, timeout, MAX_POLICY_BYTES, settings.port)
    except (DnsError, FetchError) as e:
        return str(e)
    return cause_not_live(response, body, policy_id)


async def _poll(look: Callable[[], str | None], limit: float, tell: Callable[[str], None]) -> str | None:
    """Look until there is no cause left, or time is up: None, or the last cause. A new cause is told at once."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit
    pause, told = FIRST_PAUSE, None
    while True:
        cause = await loop.run_in_executor(POOL, look)
        left = deadline - loop.time()
        if cause is None or left <= 0:
            return cause
        if cause != told:
            await loop.run_in_executor(POOL, tell, cause)
            told = cause
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)


def _tell(urn: str, subject: str, cause: str) -> None:
    """One passing line at the resource in the engine's display. Blocks: runs in POOL."""
    engine = get_engine()
    if engine is not None:
        text = f"{subject}: not yet: {cause}"
        engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=text, urn=urn, ephemeral=True))


def _policy_id(zone: DnsZone, inputs: object) -> str | None:
    """The id in a TXT record's inputs, or None."""
    if not isinstance(inputs, dict):
        return None
    for value in zone.txt_values(inputs):
        try:
            return Record.parse(value).policy_id
        except RecordError:
            continue
    return None
