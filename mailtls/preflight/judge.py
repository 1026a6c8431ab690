"""All checks of one account, in the order in which a person would go about them."""

from mailtls.preflight import aws_checks, zone_checks
from mailtls.preflight.check import Check, State
from mailtls.preflight.seen import Seen
from mailtls.preflight.wanted import Wanted

_DOORS = ("aws-identity", "cloudflare-token")
"""The first question to each account."""


def judge(wanted: Wanted, seen: Seen) -> tuple[Check, ...]:
    """Every check that the stack calls for."""
    return (
        *aws_checks.identity_checks(seen),
        *aws_checks.permission_checks(seen),
        *aws_checks.state_checks(seen),
        *aws_checks.specs_checks(wanted),
        *aws_checks.quota_checks(wanted, seen),
        *aws_checks.report_checks(wanted, seen),
        *aws_checks.subscription_checks(wanted, seen),
        *zone_checks.token_checks(wanted, seen),
        *zone_checks.name_checks(wanted),
        *zone_checks.zone_checks(wanted, seen),
        *zone_checks.caa_checks(wanted, seen),
        *zone_checks.record_checks(wanted, seen),
    )


def exit_code(checks: tuple[Check, ...]) -> int:
    """0: no problem. 1: there are problems. 2: an account could not be reached at all, so most is not known."""
    if any(check.state is State.PROBLEM for check in checks):
        return 1
    return 2 if any(check.id in _DOORS and check.state is State.NOT_ASKED for check in checks) else 0
