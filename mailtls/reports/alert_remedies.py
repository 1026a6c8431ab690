"""What the person who reads an alert can do about it, in order, and when the next message comes. Pure."""

import re

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.alert_facts import is_dane, mode_of, result_type_of, some
from mailtls.reports.alert_state import AlertState
from mailtls.reports.applied import allows, valid_patterns
from mailtls.reports.message_layout import spec_of, steps
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, explain


def do(state: AlertState, own: OwnDomain) -> str:
    """DO for sessions that failed."""
    host = state.cause.host
    remedies = explain(result_type_of(state)).remedy
    if not host:
        remedies = (_NAME_THE_MX, *map(_without_host, remedies))
    words = {"policy_domain": own.policy_domain, "mx": host or "the MX", "policy_host": policy_host(own.policy_domain)}
    filled = [remedy.format(**words) for remedy in remedies]
    enforced = mode_of(state) is Mode.ENFORCE and own.mode == Mode.ENFORCE
    if not enforced or result_type_of(state) in OF_THE_POLICY_HOST or is_dane(state):
        return steps("DO", filled)
    take_out = f"Take {host} out of the MX records if others stay, or go" if host else "Go"
    rollback = (
        f"Not within the hour? {take_out} back to testing: set "
        f"`mta_sts.mode: testing` in the spec ({spec_of(own)}) and merge. Senders look for a new id before they give "
        "mail up. CI down? docs/break-glass.md."
    )
    return steps("DO", [*filled, rollback])


_NAME_THE_MX = "The report does not name the MX. See which there are:\n  dig +short MX {policy_domain}"


def _without_host(remedy: str) -> str:
    """The step without the commands that need the host's name."""
    kept = [line for line in remedy.splitlines() if not (line.startswith("  ") and "{mx}" in line)]
    return "\n".join([*kept[:-1], re.sub(":$", ".", kept[-1])])


def do_outside(state: AlertState, own: OwnDomain) -> str:
    """DO for an MX that the applied policy does not list."""
    host = state.cause.host
    listed = frozenset(valid_patterns(own.mx))
    if not listed or (host and allows(listed, host)):
        why = f"The deployed policy lists {host}" if listed else "The deployed spec has no policy with MX"
        return steps("DO", [f"{why}: nothing to change there. {_SEE_SERVED.format(policy_domain=own.policy_domain)}"])
    if not host:
        see = f"See which MX the policy does not list:\n  dig +short MX {own.policy_domain}"
        host, first = "It", [f"{see}\n  curl https://{policy_host(own.policy_domain)}/.well-known/mta-sts.txt"]
    else:
        first = []
    return steps(
        "DO",
        [
            *first,
            f"{host} is meant: add it to `mta_sts.mx` in the spec ({spec_of(own)}) and merge. Senders take the new "
            "policy when they see the new id, the slowest when their cached one runs out.",
            f"{host} is NOT meant: remove the MX record and read the DNS account's log: this is also what a hijack "
            "looks like. Do not add it to the policy.",
        ],
        "Next time: policy first, wait until the longest max_age served before has run out, then MX.",
    )


_SEE_SERVED = (
    "See that nobody else serves one:\n"
    "  dig +short TXT _mta-sts.{policy_domain}\n"
    "  curl -v https://mta-sts.{policy_domain}/.well-known/mta-sts.txt"
)


def what_next(state: AlertState) -> str:
    """NEXT: when the next message comes."""
    who = some(sorted({seen.reporter for seen in state.sightings}))
    return f'again in 6 h if it goes on, at once if it doubles. "Over" after a later, clean day from {who}.'
