"""The edge gate: a new policy id is published only when senders would get the new policy (RFC 8461 section 8.1)."""

from functools import partial

import pulumi

from components.dns_zones.zone import DnsZone
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError, Hook, poll
from mailtls.mta_sts.policy import MAX_POLICY_BYTES, policy_host
from mailtls.mta_sts.record import Record, RecordError, policy_id_of
from mailtls.observe.dns import DnsError
from mailtls.observe.https import FetchError, PolicyResponse, fetch_policy

LOOK_TIMEOUT = 10.0
"""Seconds for one fetch. A look that began before the limit may end this much after it, and the resolver's time."""


def edge_gate(policy_domain: str, body: bytes, zone: DnsZone, settings: GateSettings) -> Hook:
    """The hook for the `_mta-sts` record: returns once the policy host serves `body` in the version of the new id.

    Bind it as `before_create` and `before_update`. Raises GateError when the limit is reached.
    """

    async def wait_for_the_edge(args: pulumi.ResourceHookArgs) -> None:
        policy_id = _policy_id(zone, args.new_inputs)
        if policy_id is None:
            raise GateError(f"{policy_domain}: the new _mta-sts record holds no policy id")
        look = partial(_look, policy_domain, zone.apex, body, policy_id, settings)
        cause = await poll(look, settings.timeout, args.urn, policy_domain)
        if cause is not None:
            old_id = _policy_id(zone, args.old_inputs)
            kept = f"the old id {old_id} stays published" if old_id else "no id is published yet"
            raise GateError(
                f"{policy_domain}: the new policy is not live at the edge after {settings.timeout:g} s: {cause}; "
                f'{kept}; the next "pulumi up" tries again'
            )

    return wait_for_the_edge


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
