"""What a run of the controller puts into CloudWatch, asked back from the emulator by another client."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mailtls.cli import heartbeat
from mailtls.cli.trouble import Trouble
from mailtls.render.reconcile import Run
from mailtls.tls_rpt.contract import CONTROLLER_METRICS, NAMESPACE
from sandbox import account
from sandbox.cloud.start import Emulator

REGION = "eu-central-1"
"""Where no other test puts metrics."""


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.environment(emulator.endpoint).items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
def test_a_run_is_counted_with_the_words_of_its_conditions(aws: Callable[..., Any]) -> None:
    run = Run(stored=True, failed={"contoso.example": "no answer"}, holding=Counter(Ready=3, Stalled=1))
    assert set(heartbeat.values(run)) == {metric.name for metric in CONTROLLER_METRICS}
    heartbeat.beat(run, REGION)
    heartbeat.beat(run, REGION)
    now = datetime.now(UTC)
    sums = {}
    for metric in CONTROLLER_METRICS:
        [point] = aws("cloudwatch", REGION).get_metric_statistics(
            Namespace=NAMESPACE, MetricName=metric.name, StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(hours=1), Period=7200, Statistics=["Sum"],
        )["Datapoints"]  # fmt: skip
        sums[metric.name] = point["Sum"]
    assert sums == {
        "ReconcileRuns": 2, "DomainsReady": 6, "DomainsReconciling": 0, "DomainsStalled": 2, "DomainsDriftDetected": 0,
        "DomainsFailed": 2,
    }  # fmt: skip


@pytest.mark.usefixtures("environment")
def test_a_refusal_is_told_with_the_right_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:9")
    with pytest.raises(Trouble, match=f"cloudwatch:PutMetricData in {REGION}"):
        heartbeat.beat(Run(stored=True), REGION)


def test_without_a_region_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Trouble, match="--region"):
        heartbeat.region_of(None)
