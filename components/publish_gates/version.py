"""A policy object without a version: nothing can be announced, and only its own domain stops.

Versioning of a new bucket takes some minutes to take effect (S3 user guide, "Enabling versioning on buckets": wait 15);
an object that is written before has the version `null`, which the provider tells as "". Its policy has no id. What is
handed to the record then is a sentence: the preview shows it, no sender takes it for a record, and the hook refuses to
write it. An error in an `apply` instead would end the program for every domain, and name none.
"""

import re

import pulumi

from components.dns_zones.zone import DnsZone
from components.publish_gates.waiting import GateError, Hook
from mailtls.mta_sts.record import Record, RecordError, policy_id_of

_NO_ID = re.compile(r"no policy id: (s3://\S+) has no version")


def policy_id_or_none(version_id: str | None) -> str | None:
    """The policy id for a version of the object; None where the object has none."""
    try:
        return policy_id_of(version_id or "")
    except RecordError:
        return None


def record_text(policy_id: str | None, place: str) -> str:
    """The text of the `_mta-sts` record. place: of the policy object, `s3://bucket/key`."""
    return f"no policy id: {place} has no version" if policy_id is None else str(Record(policy_id))


def version_gate(policy_domain: str, zone: DnsZone) -> Hook:
    """The hook for the `_mta-sts` record, before all others. Raises GateError when there is no id."""

    async def refuse_without_version(args: pulumi.ResourceHookArgs) -> None:
        for text in zone.txt_values(args.new_inputs or {}):
            if found := _NO_ID.fullmatch(text):
                kept = "the old record stays" if args.old_inputs else "no record is published yet"
                raise GateError(f"{policy_domain}: {_way_out(found[1])} ({kept})")

    return refuse_without_version


def _way_out(place: str) -> str:
    # by way of a file: a pipe would store an empty policy when its first half fails
    again = f"aws s3 cp {place} mta-sts.txt && aws s3 cp mta-sts.txt {place} --content-type 'text/plain; charset=utf-8'"
    return (
        f"{place} was written before the bucket's versioning took effect and has no version, so there is no policy id "
        f'to publish. Write it again, which gives it one: {again} ; then run "pulumi up --refresh"'
    )
