"""What the person who reads an alert can do about it, in order, and when the next message comes. Pure."""

from datetime import timedelta

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.alert_facts import is_dane, mode_of, result_type_of, some
from mailtls.reports.alert_links import file_of, spec_of
from mailtls.reports.alert_rules import DOUBLED_BY, DOUBLED_QUIET, QUIET
from mailtls.reports.alert_state import AlertState
from mailtls.reports.applied import allows, valid_patterns
from mailtls.reports.downgrade_alert import instead_of_testing
from mailtls.reports.message_layout import steps
from mailtls.reports.mx_operator import is_own, provider_of
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, Severity, explain
from mailtls.tls_rpt.report import ResultType


def do(state: AlertState, own: OwnDomain, *, suspected: bool = False) -> str:
    """DO for sessions that failed. suspected: of a downgrade."""
    host = state.cause.host
    remedies = _remedies(result_type_of(state), host, own.policy_domain)
    words = {"policy_domain": own.policy_domain, "mx": host or _UNNAMED, "policy_host": policy_host(own.policy_domain)}
    filled = [remedy.format(**words) for remedy in remedies]
    enforced = mode_of(state) is Mode.ENFORCE and own.mode == Mode.ENFORCE
    hint = _PORT_25 if any(":25" in step for step in filled) else ""
    if not enforced or result_type_of(state) in OF_THE_POLICY_HOST or is_dane(state):
        return steps("DO", filled, hint)
    if suspected:
        return steps("DO", [*filled, instead_of_testing(own.policy_domain)], hint)
    take_out = f"Take {host} out of the MX records if others stay, or go" if host else "Go"
    rollback = (
        f"Not within the hour? {take_out} back to testing: run the line below, or set `mta_sts.mode: testing` in the "
        f"spec ({spec_of(own)}), and merge. Senders look for a new id before they give mail up. CI down? "
        f"{file_of(own, 'docs/break-glass.md')}.\n  mailtls rollback {own.policy_domain} --to testing --pull-request"
    )
    return steps("DO", [*filled, rollback], hint)


def _remedies(result_type: ResultType, mx: str, policy_domain: str) -> tuple[str, ...]:
    """The steps for those who run the MX only where it can be theirs."""
    known = explain(result_type)
    if result_type in OF_THE_POLICY_HOST:
        return known.remedy
    if not mx:
        return (_NAME_THE_MX, *known.remedy)
    if is_own(mx, policy_domain):
        return known.remedy
    provider = provider_of(mx, policy_domain)
    if provider:
        return (*known.look, _TELL.format(mx=mx, provider=provider), *known.after)
    return (*known.look, *known.mend, _NOT_YOURS, *known.after)


_PORT_25 = "Many offices and clouds let nobody out to port 25: run these commands from where it is open."
_UNNAMED = "MX-NAME"
_NAME_THE_MX = (
    f"The report does not name the MX. See which there are, and put each in place of {_UNNAMED} below:\n"
    "  dig +short MX {policy_domain}"
)
_TELL = (
    "{mx} is run by {provider}: there is nothing to mend on a server of yours. Is it wrong? See {provider}'s status "
    "page, then tell {provider}'s support, with the report below."
)
_NOT_YOURS = "{mx} is not yours? Then tell those who run it, with the report below."


def do_outside(state: AlertState, own: OwnDomain) -> str:
    """DO for an MX that the applied policy does not list."""
    host = state.cause.host
    listed = frozenset(valid_patterns(own.mx))
    if not listed or (host and allows(listed, host)):
        why = f"The deployed policy lists {host}" if listed else "The deployed spec has no policy with MX"
        return steps("DO", [f"{why}: nothing to change there. {_SEE_SERVED.format(policy_domain=own.policy_domain)}"])
    if not host:
        see = f"See which MX the policy does not list:\n  dig +short MX {own.policy_domain}"
        host, first = "It", [f"{see}\n  curl -s -m 20 https://{policy_host(own.policy_domain)}/.well-known/mta-sts.txt"]
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
    "  curl -sv -m 20 https://mta-sts.{policy_domain}/.well-known/mta-sts.txt"
)


def what_next(state: AlertState) -> str:
    """NEXT: when the next message comes."""
    never_worse = state.severity is Severity.CRITICAL or result_type_of(state) in OF_THE_POLICY_HOST
    worse = "" if never_worse else ", at once if it becomes critical"
    again = (
        f"again in {_hours(QUIET)} if it goes on, in {_hours(DOUBLED_QUIET)} if it doubles (by {DOUBLED_BY} sessions "
        f"at least){worse}."
    )
    if state.crowded:
        return f'{again} No "over": more reporters saw it than are remembered.'
    who = some(sorted({seen.reporter for seen in state.sightings}))
    return f'{again} "Over" after a later, clean day from {who}.'


def _hours(time: timedelta) -> str:
    return f"{time // timedelta(hours=1)} h"
