"""The dashboard of CloudWatch as it is registered: well formed, within CloudWatch's bounds, every metric on it."""

import json
from typing import Any

import pulumi
import pytest
from strict_mocks import assert_well_formed, run

from components.report_dashboard import ReportDashboard
from mailtls.tls_rpt.contract import CONTROLLER_METRICS, METRICS, NAMESPACE

PAGE = "aws:cloudwatch/dashboard:Dashboard"


def deploy(*, has_controller: bool = True) -> Any:
    def program() -> Any:
        made = ReportDashboard(
            "report-dashboard",
            {
                "region": "eu-west-1",
                "function_name": pulumi.Output.from_input("mailtls-test-reports-function"),
                "queue_name": pulumi.Output.from_input("main"),
                "dead_letter_queue_name": pulumi.Output.from_input("dead"),
                "has_controller": has_controller,
            },
        )
        return {"dashboard_name": made.dashboard_name}

    return run(program, preview=False)


def body(recording: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(recording.one(PAGE).inputs["dashboardBody"])
    return found


def shown(recording: Any) -> set[str]:
    """Names of our own metrics that some widget draws."""
    drawn = (one for widget in body(recording)["widgets"] for one in widget["properties"].get("metrics", ()))
    return {one[1] for one in drawn if one[0] == NAMESPACE}


def test_it_is_well_formed_and_in_the_pipelines_region() -> None:
    recording = deploy()
    assert_well_formed(recording)
    page = recording.one(PAGE).inputs
    assert page["region"] == "eu-west-1"
    assert {widget["properties"]["region"] for widget in body(recording)["widgets"]} == {"eu-west-1"}


@pytest.mark.parametrize("has_controller", [True, False])
def test_all_that_is_counted_is_on_it(has_controller: bool) -> None:
    told = (*METRICS, *CONTROLLER_METRICS) if has_controller else METRICS
    assert shown(deploy(has_controller=has_controller)) == {metric.name for metric in told}


def test_widgets_stand_beside_and_below_each_other_within_the_page() -> None:
    """24 units wide (API reference, "Dashboard body structure and syntax"); 500 metrics a widget, 2,500 in all."""
    widgets = body(deploy())["widgets"]
    taken = [
        (column, row)
        for one in widgets
        for column in range(one["x"], one["x"] + one["width"])
        for row in range(one["y"], one["y"] + one["height"])
    ]
    assert len(taken) == len(set(taken))
    assert all(column < 24 for column, _ in taken)
    assert sum(len(one["properties"].get("metrics", ())) for one in widgets) <= 2_500
