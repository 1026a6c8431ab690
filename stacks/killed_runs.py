"""What a run made that was killed before it could note it down: taken over when MAILTLS_ADOPT says so.

    MAILTLS_ADOPT="reports-function-logs=/aws/lambda/mailtls-production-reports-function" pulumi up …

The engine imports each named resource by its id, and changes what differs in the same run. A create that is refused
because the thing is there prints the whole command (components/failed_create.py).
"""

import os
from collections.abc import Mapping

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor

from components.failed_create import TAKE_OVER, tell_how_to_take_over


def take_over_what_is_left() -> None:
    """Call it once, before the first resource. Raises pulumi.RunError for a variable that cannot be read."""
    ids = ids_of(os.environ.get(TAKE_OVER, ""))
    if isinstance(get_monitor(), MockMonitor):
        return  # no engine: tests of the graph
    told = pulumi.ErrorHook("failed-create", tell_how_to_take_over)
    pulumi.runtime.register_stack_transformation(lambda args: _changed(args, ids, told))


def ids_of(text: str) -> dict[str, str]:
    """Ids by the name of the resource. Raises pulumi.RunError."""
    ids: dict[str, str] = {}
    for pair in text.split():
        name, _, identity = pair.partition("=")
        if not name or identity in ("", "None") or identity.endswith("/"):
            raise pulumi.RunError(
                f"{TAKE_OVER}: {pair!r} has no id: write <resource>=<id>. An empty one means that the look-up found "
                "nothing: then it is not yours to take over, or it is in another account or zone"
            )
        ids[name] = identity
    return ids


def _changed(
    args: pulumi.ResourceTransformationArgs, ids: Mapping[str, str], told: pulumi.ErrorHook
) -> pulumi.ResourceTransformationResult | None:
    if not isinstance(args.resource, pulumi.CustomResource):
        return None
    more = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[told]), import_=ids.get(args.name))
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, more))
