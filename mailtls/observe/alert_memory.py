"""What the function remembers of an alert, found by the id that the alert's text ends with."""

import dataclasses
from collections.abc import Iterator

from mailtls.observe.report_bucket import Bucket
from mailtls.observe.store import StoreTrouble
from mailtls.reports import shared_hosts
from mailtls.reports.alert_state import AlertState
from mailtls.reports.bucket_layout import from_bytes, gathering_key
from mailtls.tls_rpt.contract import Prefix

MAX_BYTES = 8 * 1024 * 1024
"""Of one state; the function reads no larger one."""


def remembered(bucket: Bucket, cause_id: str) -> tuple[AlertState, ...]:
    """The state of the alert with this id; of a fault that several domains share, the states of all of them. () where
    the bucket holds neither. Raises StoreTrouble."""
    keys = [one.key for one in bucket.objects(Prefix.ALERTS) if one.key.endswith(f"/{cause_id}.json")]
    return tuple(_states(bucket, keys or _of_members(bucket, cause_id)))


def _of_members(bucket: Bucket, gathering_id: str) -> list[str]:
    """Keys of the states of the domains that share one fault."""
    key = gathering_key(gathering_id)
    body = bucket.read(key, MAX_BYTES)
    if body is None:
        return []
    try:
        gathering = shared_hosts.from_json(from_bytes(body))
    except ValueError as e:
        raise _damaged(bucket, key, e) from e
    return [
        dataclasses.replace(gathering.cause, policy_domain=member.policy_domain).key for member in gathering.members
    ]


def _states(bucket: Bucket, keys: list[str]) -> Iterator[AlertState]:
    for key in keys:
        body = bucket.read(key, MAX_BYTES)
        try:
            if body is not None:
                yield AlertState.from_json(from_bytes(body))
        except ValueError as e:
            raise _damaged(bucket, key, e) from e


def _damaged(bucket: Bucket, key: str, error: ValueError) -> StoreTrouble:
    return StoreTrouble(f"{bucket.name}/{key}: {error}; somebody changed it, or a later version wrote it")
