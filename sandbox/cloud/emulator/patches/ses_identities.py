"""SES: a domain is an identity only once DNS shows its token.

(SES developer guide, "Verifying a domain identity"; API reference, VerifyDomainIdentity)
"""

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import get_account_id, get_region
from ministack.services import ses

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.outside import OUTSIDE
from sandbox.cloud.emulator.patch import Patch, Probe, replace

VERIFICATION_WINDOW = 72 * 3600
"""Seconds in which the record must appear."""

Identity = dict[str, Any]
Parameters = dict[str, list[str]]
Answer = tuple[int, dict[str, Any], bytes]


def _verify_by_dns() -> None:
    replace(ses, "_make_identity", _pending, takes=("identity", "identity_type"))
    replace(ses, "_verify_domain_identity", lambda _: _verify_domain, takes=("params",))
    replace(ses, "_get_identity_verification_attributes", lambda _: _attributes, takes=("params",))
    takes = ("method", "path", "headers", "body", "query_params")
    replace(ses, "handle_request", _refreshed, takes=takes)
    CLOCK.when_moved(_follow_all)


def _pending(stock: Any) -> Any:
    def make_identity(identity: str, identity_type: str) -> Identity:
        made: Identity = stock(identity, identity_type)
        return made | {"VerificationStatus": "Pending", "_requested": CLOCK.now()}

    return make_identity


def token(domain: str) -> str:
    """The value of `_amazonses.<domain>`: the same for every request of this account in this region."""
    digest = hashlib.sha256(f"{get_account_id()} {get_region()} {domain}".encode()).digest()
    return base64.b64encode(digest).decode()


def _verify_domain(params: Parameters) -> Answer:
    domain = ses._p(params, "Domain").lower()
    if domain not in ses._identities:
        ses._identities[domain] = ses._make_identity(domain, "Domain")
    inner = f"<VerificationToken>{token(domain)}</VerificationToken>"
    result = f"<VerifyDomainIdentityResult>{inner}</VerifyDomainIdentityResult>"
    answer: Answer = ses._xml(200, "VerifyDomainIdentityResponse", result)
    return answer


def _attributes(params: Parameters) -> Answer:
    """An identity that SES does not have is left out of its answer."""
    entries = ""
    for name in ses._collect_list(params, "Identities.member"):
        identity = ses._identities.get(name)
        if identity is not None:
            value = f"<VerificationStatus>{identity['VerificationStatus']}</VerificationStatus>"
            if identity["Type"] == "Domain":
                value += f"<VerificationToken>{token(name)}</VerificationToken>"
            entries += f"<entry><key>{ses._esc(name)}</key><value>{value}</value></entry>"
    inner = (
        "<GetIdentityVerificationAttributesResult><VerificationAttributes>"
        f"{entries}</VerificationAttributes></GetIdentityVerificationAttributesResult>"
    )
    answer: Answer = ses._xml(200, "GetIdentityVerificationAttributesResponse", inner)
    return answer


# --------------------------------------------------------------------------------------------- looking into DNS


def _refreshed(stock: Any) -> Any:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if operation(body, query_params) in _WHERE_IT_MATTERS:
            # Not on the event loop: the name server that is asked may itself be asking this emulator.
            pending = list(ses._identities.items())
            await asyncio.gather(*(asyncio.to_thread(follow, name, one, token(name)) for name, one in pending))
        return await stock(method, path, headers, body, query_params)

    return handle_request


_WHERE_IT_MATTERS = frozenset(
    {"GetIdentityVerificationAttributes", "CreateReceiptRule", "UpdateReceiptRule", "SendEmail", "SendRawEmail"}
)


def operation(body: bytes, query_params: Any) -> str:
    """The `Action` of a query request."""
    form = parse_qs(body.decode("utf-8", "replace")) if body else {}
    return str((form.get("Action") or query_params.get("Action") or [""])[0])


def follow(name: str, identity: Identity, wanted: str) -> None:
    """Bring a domain identity that waits to where it is by now. Blocks on DNS. wanted: its token."""
    if identity["Type"] != "Domain" or identity["VerificationStatus"] != "Pending":
        return
    if wanted in OUTSIDE.txt(f"_amazonses.{name}"):
        identity["VerificationStatus"] = "Success"
    elif CLOCK.now() - identity["_requested"] >= VERIFICATION_WINDOW:
        identity["VerificationStatus"] = "Failed"


def _follow_all() -> None:
    from ministack.core.responses import request_scope

    for (account, region, name), identity in list(ses._identities._data.items()):
        with request_scope(account, region):
            follow(name, identity, token(name))


def is_verified(domain: str) -> bool:
    """Whether this region has the domain, or one that it lies under, as a verified identity."""
    labels = domain.lower().split(".")
    parents = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    found = [ses._identities.get(parent) for parent in parents]
    return any(identity is not None and identity["VerificationStatus"] == "Success" for identity in found)


# -------------------------------------------------------------------------------------------------- the proof


def verified_domain(probe: Probe, region: str = "eu-west-1") -> str:
    """A domain that SES has verified in the region, its record in the proof's DNS."""
    domain, api = probe.domain(), probe.client("ses", region)
    value = api.verify_domain_identity(Domain=domain)["VerificationToken"]
    probe.names.add(f"_amazonses.{domain}", "TXT", f'"{value}"')
    api.get_identity_verification_attributes(Identities=[domain])
    return domain


def _prove(probe: Probe) -> None:
    domain, api = probe.domain(), probe.client("ses")
    value = api.verify_domain_identity(Domain=domain)["VerificationToken"]

    def seen() -> dict[str, Any]:
        answer = api.get_identity_verification_attributes(Identities=[domain, f"other.{domain}"])
        return dict(answer["VerificationAttributes"])

    waiting = {domain: {"VerificationStatus": "Pending", "VerificationToken": value}}
    probe.holds(seen() == waiting, "a domain waits until DNS shows its token")
    probe.names.add(f"_amazonses.{domain}", "TXT", '"another"')
    probe.holds(seen() == waiting, "another token does not verify it")
    probe.names.add(f"_amazonses.{domain}", "TXT", '"another"', f'"{value}"')
    probe.holds(seen()[domain]["VerificationStatus"] == "Success", "its token verifies it")


PATCHES = (
    Patch(
        "ses-verifies-by-dns",
        "Every domain was a verified identity at once, without its record in DNS.",
        _verify_by_dns,
        _prove,
    ),
)
