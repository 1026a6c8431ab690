"""Messages that are sent once for each step of something: a rung of the certificate ladder, a silence and its end.

The state object holds the last step that was told, and while a message is on its way the claim of its sender, as
alert_desk.py tells for the larger states.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mailtls.reports.alert_rules import CLAIM_LIFE
from mailtls.reports.bucket_layout import from_bytes, to_bytes
from mailtls.reports.causes import Cause
from mailtls.reports.message_layout import Alert
from report_lambda.alert_desk import Desk
from report_lambda.store import JSON, MAX_STATE_BYTES, MAX_TRIES, StoreError


def last_told(desk: Desk, cause: Cause) -> str:
    """The step that the last message told, "" when there was none. Raises StoreError."""
    return str(_read(desk, cause)[0].get("told", ""))


def tell_once(desk: Desk, cause: Cause, step: str, is_due: Callable[[str], bool], message: Alert) -> bool:
    """Send `message` for `step` if `is_due(last told step)` and nobody else is sending it. True: it went out.

    Raises StoreError; calling it again later finishes what was begun.
    """
    for _ in range(MAX_TRIES):
        state, etag = _read(desk, cause)
        if not is_due(str(state.get("told", ""))) or _is_claimed_by_other(state, desk):
            return False
        if _write(desk, cause, {"told": state.get("told", ""), "claim": _claim(desk, step)}, etag):
            break
    else:
        raise StoreError(f"{cause.key}: {MAX_TRIES} writes lost to others")
    desk.publish(message)
    _, etag = _read(desk, cause)
    _write(desk, cause, {"told": step, "claim": None}, etag)  # lost only to one who took the claim over as dead
    return True


def _claim(desk: Desk, step: str) -> dict[str, str]:
    return {"step": step, "at": desk.now.isoformat(), "by": desk.invocation}


def _is_claimed_by_other(state: dict[str, Any], desk: Desk) -> bool:
    claim = state.get("claim")
    if not claim or claim["by"] == desk.invocation:
        return False
    return bool(desk.now - datetime.fromisoformat(claim["at"]) < CLAIM_LIFE)


def _read(desk: Desk, cause: Cause) -> tuple[dict[str, Any], str]:
    stored = desk.store.get(cause.key, MAX_STATE_BYTES)
    if stored is None:
        return {}, ""
    try:
        return from_bytes(stored.body), stored.etag
    except ValueError:  # somebody damaged it: begin anew
        return {}, stored.etag


def _write(desk: Desk, cause: Cause, content: dict[str, Any], etag: str) -> bool:
    about = {"kind": cause.kind, "policy_domain": cause.policy_domain, "host": cause.host}
    body = to_bytes({"version": 1, "once": about, **content})
    if not etag:
        return desk.store.put_if_absent(cause.key, body, JSON)
    return desk.store.put_if_match(cause.key, body, JSON, etag)
