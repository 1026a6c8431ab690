"""The repository's own program under the real engine: what a broken spec, a foreign record and a kill do to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import account
from sandbox.control import ask
from sandbox.deployment import PARALLEL, Deployment, PulumiFailed, path_with_interpreter
from sandbox.endpoints import Endpoints
from sandbox.engine.cli import pulumi_command
from sandbox.place import REPOSITORY

sys.path.append(str(Path(__file__).parent))
from processes import of_folder

pytestmark = pytest.mark.engine

ONE_DOMAIN = "policy_domain: wingtip.example\nmta_sts: {mode: testing, mx: [mx1.mailhost.example]}\nowner: mail-team\n"


def test_a_broken_spec_stops_before_anything_is_touched(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    (specs / "contoso.example.yaml").write_text(
        "policy_domain: contoso.example\nmta_sts:\n  mode: enforced\n  mx: [mx1.contoso.example]\n"
    )
    with pytest.raises(PulumiFailed) as failed:
        stack("test-broken").up()
    where = f"{specs.relative_to(REPOSITORY)}/contoso.example.yaml:3:9"
    assert where in failed.value.output
    assert 'did you mean "enforce"' in failed.value.output
    assert "Traceback" not in failed.value.output
    assert ask(endpoints.control, "GET", "/leftovers") == []


def test_a_platform_and_its_domains_are_two_stacks(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    (specs / "one.yaml").write_text(ONE_DOMAIN)
    platform = stack("test-platform", kind="platform", policy_specs=None)
    platform.up()
    domains = stack(
        "test-domains", kind="domains", platform="organization/mailtls/test-platform", reports=None, subscriptions=None
    )
    domains.up()
    assert set(domains.outputs()["policy_ids"]) == {"wingtip.example"}
    again = domains.up("--expect-no-changes")
    assert "unchanged" in again.changes
    bucket = platform.outputs()["reports_bucket"]
    listed = account.client("s3", endpoints.aws).list_objects_v2(Bucket=bucket, Prefix="domains/")
    assert [entry["Key"] for entry in listed["Contents"]] == ["domains/test-domains.json"]


def test_a_foreign_record_is_not_joined_by_a_second_one(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    (specs / "one.yaml").write_text(ONE_DOMAIN.replace("wingtip", "northwind"))
    route53 = account.client("route53", endpoints.aws, account.CERTIFICATE_REGION)
    zone = next(z for z in route53.list_hosted_zones()["HostedZones"] if z["Name"] == "northwind.example.")
    foreign = {
        "Name": "_mta-sts.northwind.example",
        "Type": "TXT",
        "TTL": 60,
        "ResourceRecords": [{"Value": '"v=STSv1; id=2020;"'}],
    }

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": foreign}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)

    change("CREATE")
    own = stack("test-foreign")
    try:
        with pytest.raises(PulumiFailed) as failed:
            own.up()
        assert "v=STSv1; id=2020;" in failed.value.output
        assert "_mta-sts.northwind.example" in failed.value.output
    finally:
        change("DELETE")
    own.up()
    assert "northwind.example" in own.outputs()["policy_ids"]


def wait_until_only_the_gate_is_at_work(endpoints: Endpoints, stack: str) -> None:
    """What is killed while it is made is forgotten by the engine, and would be left in the cloud.

    The state says what is being made. For a moment that may be the gate's record alone, so thirty looks in a row must
    show the same; looks, not seconds, because a machine that stalls looks at nothing.
    """
    backend = Path(endpoints.pulumi_env["PULUMI_BACKEND_URL"].removeprefix("file://"))
    state = backend / ".pulumi" / "stacks" / "mailtls" / f"{stack}.json"
    before, alike, end = "", 0, time.monotonic() + 90
    while alike < 30:
        assert time.monotonic() < end, "there is no end to what the run makes"
        now = state.read_text()
        pending = json.loads(now)["checkpoint"]["latest"].get("pending_operations") or []
        names = [one["resource"]["urn"].rpartition("::")[2] for one in pending]
        alike = alike + 1 if now == before and names == ["wingtip.example-mta-sts-txt"] else 0
        before = now
        time.sleep(0.1)


def test_a_killed_run_leaves_no_process_and_the_next_one_goes_on(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints, tmp_path: Path
) -> None:
    (specs / "one.yaml").write_text(ONE_DOMAIN)
    ask(endpoints.control, "POST", "/faults", fault="hold-edge", host="mta-sts.wingtip.example")
    own = stack("test-killed", gate={"timeout": 120})
    mark = str(tmp_path / "this-run")
    command = [str(pulumi_command()), "up", "--yes", "--skip-preview", "--non-interactive", "--parallel", str(PARALLEL)]
    command += ["--stack", own.stack, "--config-file", str(own.config)]
    environment = {**os.environ, **path_with_interpreter(), **endpoints.pulumi_env, "MAILTLS_TEST_MARK": mark}
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "not yet" in line:  # the gate waits
                wait_until_only_the_gate_is_at_work(endpoints, own.stack)
                break
        else:
            pytest.fail("the gate never waited, so nothing was killed")
        run.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while of_folder(Path(mark)) and time.monotonic() < end:
        time.sleep(0.1)
    assert of_folder(Path(mark)) == []
    ask(endpoints.control, "DELETE", "/faults")
    own.recover()
    own.up()
    assert "wingtip.example" in own.outputs()["policy_ids"]
