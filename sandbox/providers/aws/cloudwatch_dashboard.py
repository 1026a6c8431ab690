"""CloudWatch: dashboards."""

import json

from sandbox.providers.aws.cloud import Aws, service
from sandbox.providers.protocol.resource_type import Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.wire import Properties


def _put(call: Call[Aws]) -> Properties:
    name = call.inputs["dashboardName"]
    service(call, "cloudwatch").put_dashboard(DashboardName=name, DashboardBody=call.inputs["dashboardBody"])
    return _outputs(call, name)


def _outputs(call: Call[Aws], name: str) -> Properties:
    return {"dashboardArn": call.cloud.arn("cloudwatch", f"dashboard/{name}", "")}


def _read(call: Call[Aws]) -> Found:
    seen = service(call, "cloudwatch").get_dashboard(DashboardName=call.id)
    body, ours = seen["DashboardBody"], call.inputs.get("dashboardBody")
    if isinstance(ours, str) and json.loads(ours) == json.loads(body):
        body = ours  # the real provider compares what it means, not how it is written
    return Found({"dashboardName": call.id, "dashboardBody": body}, _outputs(call, call.id))


DASHBOARD: ResourceType[Aws] = ResourceType(
    "aws:cloudwatch/dashboard:Dashboard",
    acts_on=words("dashboardName dashboardBody"),
    create=lambda call: Created(call.inputs["dashboardName"], _put(call)),
    read=_read,
    update=_put,
    delete=lambda call: service(call, "cloudwatch").delete_dashboards(DashboardNames=[call.id]),
    replace_on=words("dashboardName region"),
)

TYPES: tuple[ResourceType[Aws], ...] = (DASHBOARD,)
