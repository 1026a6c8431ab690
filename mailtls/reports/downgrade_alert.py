"""What a message says about the suspicion of a downgrade (downgrade.py): for, against, and what not to do. Pure."""

from mailtls.mta_sts.policy import Mode
from mailtls.reports.alert_state import AlertState
from mailtls.reports.downgrade import CERTIFICATES, Path
from mailtls.reports.evidence import Evidence
from mailtls.reports.message_layout import day, section

ROSE = "Other senders report clean sessions for the same day, so this may be a downgrade on one path."
"""NEW of a message that brings the suspicion after one without it."""
FADED = "It no longer looks like a downgrade on one path."
"""NEW of a message without the suspicion after one that told of it."""
ENDED = "That it ended proves neither an attack nor a fault."
"""WHAT of the all-clear."""


def for_and_against(path: Path, state: AlertState, evidence: Evidence) -> str:
    """The paragraph."""
    return "\n".join(
        [
            section("ATTACK?", f"for it: {' '.join(_for_attack(path, evidence))}"),
            section("FAULT?", f"for it: {' '.join(_for_fault(path, state))}"),
            section("", "Undecided: reports prove no attack, and rule none out."),
        ]
    )


def on_hold(mode: Mode | None) -> str:
    """The beginning of NEXT, by the mode that senders applied."""
    if mode is not Mode.TESTING:
        return ""
    return (
        "promotion to enforce is on hold: the controller proposes it after seven days without such failures, or with "
        "no more than `rollout.after.max_failure_rate` in the spec allows. This message: "
    )


def instead_of_testing(policy_domain: str) -> str:
    """The last step of DO in mode enforce, where other alerts name the way back to testing."""
    return (
        "Do not go back to testing before a fault is found: on a path under attack the mail would pass unprotected. "
        "Senders that fail try other MX and go on for days. It is a fault that nobody mends today? Then:\n"
        f"  mailtls rollback {policy_domain} --to testing --pull-request"
    )


def _for_attack(path: Path, evidence: Evidence) -> list[str]:
    if path.network:
        only = f"all from one network, {path.network}"
    elif path.address:
        only = f"all to one address, {path.address}"
    else:
        only = f"all from one sender, {path.sender}"
    points = [f"one path only ({only}), while others were clean the same day."]
    if evidence.last_clean is not None:
        points.append(f"Reports for {day(evidence.last_clean)} were clean.")
    return [*points, "Nothing changed on your side? Then this weighs more."]


def _for_fault(path: Path, state: AlertState) -> list[str]:
    points = []
    if path.address:
        points.append("one address of a pool that is set up unlike the others looks the same.")
    if path.network or path.sender:
        points.append("A filter or proxy on that sender's side looks the same.")
    if state.cause.result_type in CERTIFICATES:
        points.append("Senders trust different authorities, and only some fill in an incomplete chain.")
    points.append("The clean sessions may all have gone to another MX: reports do not say.")
    return [points[0][0].lower() + points[0][1:], *points[1:]]
