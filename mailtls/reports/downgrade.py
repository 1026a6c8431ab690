"""Suspicion of a downgrade: when do failures look like somebody on the way? Pure.

Somebody between a sender and an MX can take STARTTLS out of the conversation, or answer with a certificate of his own
(RFC 8461 section 10.1). Reports show this as failures on one path, while other senders have clean sessions on the same
day. A fault of one address, or a filter of one sender's network, shows just the same, so this is never called an attack
(ADR 50). The suspicion has no alert beside that of its cause: that alert tells of it.
"""

from dataclasses import dataclass

from mailtls.reports.alert_state import AlertState
from mailtls.reports.causes import CauseKind
from mailtls.reports.evidence import Evidence
from mailtls.tls_rpt.report import ResultType

CERTIFICATES = frozenset({ResultType.CERTIFICATE_NOT_TRUSTED, ResultType.CERTIFICATE_HOST_MISMATCH})
"""What a certificate of somebody else looks like. One that expired is the host's own: nobody forges that."""
SUSPICIOUS = CERTIFICATES | {ResultType.STARTTLS_NOT_SUPPORTED}


@dataclass(frozen=True, slots=True)
class Path:
    """What all failures of the newest day have in common. network: that they came from; address: that they went to;
    "" where there are several, or none is told. sender: the one reporter, "" where there are several."""

    network: str
    address: str
    sender: str


def could_be(state: AlertState) -> bool:
    """Is it a failure that an attack could look like? What others saw is another question."""
    return state.cause.kind is CauseKind.SESSIONS and state.cause.result_type in SUSPICIOUS


def may_be_new(state: AlertState) -> bool:
    """Could there be a suspicion that no message told? Cheap: whether there is one, `one_path` says."""
    was_told = state.opened_at is not None and state.claim is None
    return was_told and not state.suspected and could_be(state) and state.beside == state.last_day


def one_path(state: AlertState, evidence: Evidence) -> Path | None:
    """The one path that is hit; None where nothing is to be suspected: failures of another kind, nobody clean on the
    newest day, more senders that fail than are clean, or failures on more than one path."""
    failing = {seen.reporter for seen in state.newest}
    if not could_be(state) or not evidence.clean or len(failing) > len(evidence.clean):
        return None
    path = Path(
        _only({network for seen in state.newest for network in seen.networks}),
        _only({address for seen in state.newest for address in seen.addresses}),
        _only(failing),
    )
    if path.network or path.address:
        return path
    # senders differ in what certificates they trust: one that refuses them everywhere is no sign of a path
    return path if path.sender and state.cause.result_type not in CERTIFICATES else None


def _only(values: set[str]) -> str:
    return next(iter(values)) if len(values) == 1 else ""
