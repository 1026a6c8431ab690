"""The MX gate: an `enforce` policy that leaves out a live MX does not go live by a typing error (RFC 8461 section 4.1).

It stands before the policy object, not before the record: once the object is written every new sender gets it. Modes
`testing` and `none` are the way back and are never held up: there the same is a warning, and a DNS that does not answer
is one too.
"""

from functools import partial

import pulumi

from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError, inform, once, poll, warn
from mailtls.mta_sts.mx_coverage import MxCoverage
from mailtls.mta_sts.policy import Mode, Policy
from mailtls.observe.dns import DnsError, MailHosts

NEXT_STEP = (
    "Does it take mail? Add it to mta_sts.mx, or correct the typing error there. Does it not? Remove the MX record. "
    'Is it left out on purpose? Say why: suppress: {mx-not-in-policy: "the reason"}'
)


class MxGate:
    """The gate of one domain.

    allowed: the reason why an MX outside the policy is meant so; None: it is not. looked: whether it stood before a
    change of the policy object in this run; then it has told all there is to tell.
    """

    def __init__(
        self, policy_domain: str, policy: Policy, apex: str, settings: GateSettings, allowed: str | None = None
    ) -> None:
        self.policy_domain = policy_domain
        self.policy = policy
        self.apex = apex
        self.settings = settings
        self.allowed = allowed
        self.looked = False

    async def hook(self, args: pulumi.ResourceHookArgs) -> None:
        """For `before_create` and `before_update` of the policy object. Raises GateError in mode enforce: a live MX is
        left out, or the zone's servers did not answer up to the limit."""
        self.looked = True
        if self.policy.mode is Mode.NONE:
            return
        if self.policy.mode is Mode.TESTING:
            await self._warn_only(args.urn)
            return
        found: list[MailHosts] = []
        cause = await poll(partial(self._look, found), self.settings.timeout, args.urn, self.policy_domain)
        if cause is not None:
            raise GateError(
                f"{self.policy_domain}: after {self.settings.timeout:g} s it is still not known which MX hosts are "
                f'live: {cause}; the policy in mode enforce is not published; the next "pulumi up" tries again, and '
                "mode: testing does not wait for this"
            )
        verdict = judge(self.policy_domain, self.policy, found[-1], self.allowed)
        if verdict.refused is not None:
            raise GateError(
                f"{verdict.refused}. Nothing was published and what is served stays. {NEXT_STEP}. "
                "mode: testing is never held back"
            )
        await verdict.tell(args.urn)

    async def _warn_only(self, urn: str) -> None:
        found: list[MailHosts] = []
        try:
            cause = await once(partial(self._look, found))
        except TimeoutError:
            cause = "the name servers take too long"
        if cause is not None:
            await warn(urn, f"{self.policy_domain}: it is not known whether the policy names every MX host: {cause}")
            return
        await judge(self.policy_domain, self.policy, found[-1], self.allowed).tell(urn)

    def _look(self, found: list[MailHosts]) -> str | None:
        """Adds what it finds to `found`, or returns the cause. Blocks: runs in POOL."""
        try:
            found.append(self.settings.resolver.authoritative_mail_hosts(self.policy_domain, self.apex))
        except DnsError as e:
            return str(e)
        return None


class MxVerdict:
    """What a policy and the live MX hosts say together.

    refused: why an enforce policy must not go live; None when it may. warnings, notes: lines for people; what refuses
    is a warning too.
    """

    def __init__(self) -> None:
        self.refused: str | None = None
        self.warnings: list[str] = []
        self.notes: list[str] = []

    async def tell(self, urn: str) -> None:
        """Its lines, at the resource."""
        for text in self.warnings:
            await warn(urn, text)
        for text in self.notes:
            await inform(urn, text)


def judge(policy_domain: str, policy: Policy, live: MailHosts, allowed: str | None) -> MxVerdict:
    """A policy (not of mode none) against the live MX hosts.

    A reason lets hosts be left out, but not all of them: then mail from senders that enforce goes nowhere, and no
    reason can be meant for that. An unused pattern never refuses: a new MX is named in the policy before it is in DNS.
    """
    verdict = MxVerdict()
    if not live.hosts:
        verdict.warnings.append(f"{policy_domain}: mail goes {live.route}; a domain that takes no mail needs no policy")
        return verdict
    coverage = MxCoverage.of(policy, live.hosts)
    unused = ", ".join(map(str, coverage.unused))
    if coverage.uncovered:
        fault = _fault(policy_domain, policy, live, coverage)
        if allowed is not None and coverage.covered:
            verdict.notes.append(f"{fault}; allowed: {allowed}")
        else:
            verdict.refused = f"{fault}; in mx, {unused} matches no live MX" if unused else fault
            verdict.warnings.append(f"{verdict.refused}. {NEXT_STEP}")
    elif unused:
        verdict.notes.append(f"{policy_domain}: in mx, {unused} matches no live MX; right while a new MX is on its way")
    return verdict


def _fault(policy_domain: str, policy: Policy, live: MailHosts, coverage: MxCoverage) -> str:
    hosts = ", ".join(coverage.uncovered)
    named = ", ".join(map(str, policy.mx))
    mail = f"mail for it goes {live.route}; " if live.hosts == (policy_domain,) else ""
    none = "no live MX is in the policy: " if not coverage.covered else ""
    held = (
        "senders that enforce hold all mail" if not coverage.covered else "senders that enforce deliver nothing there"
    )
    if policy.mode is Mode.TESTING:
        held += " (mode is testing: reported, not held)"
    return f"{policy_domain}: {none}{mail}DNS lists {hosts}, the policy names {named}: {held}"
