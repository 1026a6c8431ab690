"""What still exists in the emulator: every entry of every store of every service, less what is no resource.

Asked of all stores and not of a list of services, so that a resource of a kind that nobody thought of shows too.
"""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

_PACKAGE = "ministack.services."

_PASSING = """
cloudformation._stack_events
cloudfront._invalidations cloudfront._tags
cloudtrail._events
cloudwatch._alarm_history cloudwatch._composite_triggers cloudwatch._metrics cloudwatch._resource_tags
cloudwatch_logs._log_records cloudwatch_logs._queries
eventbridge._events_log eventbridge._tags eventbridge._rule_last_fired
iam._account_password_policy iam._aws_managed_attachment_counts iam._credential_reports
iam._service_linked_role_deletion_tasks iam._sla_jobs
kms._alias_dates
lambda_svc._dynamodb_stream_positions lambda_svc._esm_backoff_until lambda_svc._kinesis_positions
resource_groups._tags
route53._caller_refs route53._changes route53._hc_caller_refs route53._tags
scheduler._tags
ses._account_details ses._sent_emails
sns._sms_messages
sqs._queue_name_to_url
ssm._parameter_history ssm._tags
sts._sessions
"""
_NO_RESOURCES = frozenset(_PASSING.split())
"""Histories, indexes, tags, sessions: what comes and goes with resources, or is what happened."""


def leftovers() -> list[str]:
    """One text a resource, sorted: `sqs queues eu-west-1 name`. What AWS has in every account is not among them."""
    modules = [(name, module) for name, module in list(sys.modules.items()) if name.startswith(_PACKAGE) and module]
    return sorted({text for name, module in modules for text in _of_service(name.removeprefix(_PACKAGE), module)})


def _of_service(service: str, module: ModuleType) -> Iterator[str]:
    for name, store in list(vars(module).items()):
        if not isinstance(store, AccountScopedDict | AccountRegionScopedDict) or f"{service}.{name}" in _NO_RESOURCES:
            continue
        if service == "s3" and name.startswith(("_bucket_", "_object_")):
            continue  # settings and contents of buckets
        exists = _EXISTS.get(f"{service}.{name}", _holds_something)
        for key, value in list(store._data.items()):
            # (account, key) or (account, region, key)
            if exists(key[-1], value):
                yield " ".join((service, name.lstrip("_"), *map(str, key[1:])))


def _holds_something(_key: Any, value: Any) -> bool:
    return bool(value)


def _is_own_record(record_set: dict[str, Any], zone_records: list[dict[str, Any]]) -> bool:
    apex = next((one["Name"] for one in zone_records if one["Type"] == "SOA"), None)
    return not (record_set["Type"] in ("SOA", "NS") and record_set["Name"] == apex)


_EXISTS: dict[str, Callable[[Any, Any], bool]] = {
    "eventbridge._event_buses": lambda key, _: key != "default",
    "kms._keys": lambda _, key: key.get("KeyState") != "PendingDeletion",
    "kms._aliases": lambda key, _: ":alias/aws/" not in str(key),
    "route53._records": lambda _, records: any(_is_own_record(one, records) for one in records),
    "scheduler._schedule_groups": lambda key, _: key != "default",
}
"""Where an entry is not the same as a resource that someone made."""
