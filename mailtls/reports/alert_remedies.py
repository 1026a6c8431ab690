"""What the person who reads an alert can do about it, in order, and when the next message comes. Pure."""

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.alert_facts import is_dane, mode_of, result_type_of, some
from mailtls.reports.alert_state import AlertState
from mailtls.reports.message_layout import spec_of, steps
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, explain


def do(state: AlertState, own: OwnDomain) -> str:
    """DO for sessions that failed."""
    host = state.cause.host or "MX-HOST"
    words = {"policy_domain": own.policy_domain, "mx": host, "policy_host": policy_host(own.policy_domain)}
    remedies = [remedy.format(**words) for remedy in explain(result_type_of(state)).remedy]
    if mode_of(state) is not Mode.ENFORCE or result_type_of(state) in OF_THE_POLICY_HOST or is_dane(state):
        return steps("DO", remedies)
    take_out = f"Take {state.cause.host} out of the MX records if others stay, or go" if state.cause.host else "Go"
    rollback = (
        f"Not within the hour? {take_out} back to testing: set "
        f"`mta_sts.mode: testing` in the spec ({spec_of(own)}) and merge. Senders look for a new id before they give "
        "mail up. CI down? docs/break-glass.md."
    )
    return steps("DO", [*remedies, rollback])


def do_outside(state: AlertState, own: OwnDomain) -> str:
    """DO for an MX that the applied policy does not list."""
    host = state.cause.host
    return steps(
        "DO",
        [
            f"{host} is meant: add it to `mta_sts.mx` in the spec ({spec_of(own)}) and merge. Senders take the new "
            "policy when they see the new id, the slowest when their cached one runs out.",
            f"{host} is NOT meant: remove the MX record and read the DNS account's log: this is also what a hijack "
            "looks like. Do not add it to the policy.",
        ],
        "Next time: policy first, wait until the longest max_age served before has run out, then MX.",
    )


def what_next(state: AlertState) -> str:
    """NEXT: when the next message comes."""
    who = some(sorted({seen.reporter for seen in state.sightings}))
    return f'again in 6 h if it goes on, at once if it doubles. "Over" after a later, clean day from {who}.'
