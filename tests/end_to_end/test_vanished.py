"""Live domains whose specs went missing, under the real engine: what stays, what goes on, and what the user is told."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import account
from sandbox.control import ask
from sandbox.deployment import STACK, Deployment, PulumiFailed
from sandbox.endpoints import Endpoints
from sandbox.place import REPOSITORY

pytestmark = pytest.mark.engine

WINGTIP = """\
policy_domain: wingtip.example
mta_sts: {mode: enforce, mx: [mail.wingtip.example, mx1.mailhost.example]}
owner: mail-team
"""
TAILSPIN = """\
policy_domain: tailspin.example
mta_sts: {mode: enforce, mx: [aspmx.l.google.com, mx1.mailhost.example]}
owner: mail-team
suppress: {mx-not-in-policy: one of its hosts is enough here}
"""
MX_OF_TAILSPIN = ["aspmx.l.google.com", "mx1.mailhost.example"]
NEEDED = {
    *("policy-store-bucket", "policy-store-policy", "policy-store-versioning", "policy-edge-access"),
    *("policy-edge-headers", "reports-store-bucket", "reports-store-policy", "reports-intake-identity"),
    *("reports-intake-mx", "reports-intake-rule", "reports-intake-rule-set", "reports-intake-active-rule-set"),
    *("reports-queue-queue", "reports-function-function", "reports-alerts-topic", "reports-alerts-key", "domain-list"),
    *("wingtip.example-policy", "wingtip.example-distribution", "wingtip.example-certificate"),
    *("wingtip.example-mta-sts-cname", "wingtip.example-mta-sts-txt", "wingtip.example-tls-rpt-txt"),
}
"""What senders of a live domain and reports about it cannot do without."""


@dataclass(frozen=True, slots=True)
class Own:
    """A protected stack with a folder of specs of its own."""

    deployment: Deployment
    endpoints: Endpoints
    specs: Path

    def write(self, name: str, text: str) -> Path:
        path = self.specs / name
        path.write_text(text)
        return path

    def configure(self, key: str, value: Any) -> None:
        """A setting with its namespace; None takes it out."""
        assert self.deployment.config is not None
        settings = yaml.safe_load(self.deployment.config.read_text())
        settings["config"][key] = value
        settings["config"] = {name: kept for name, kept in settings["config"].items() if kept is not None}
        self.deployment.config.write_text(yaml.safe_dump(settings))

    def fails(self, run: Callable[[], object]) -> str:
        with pytest.raises(PulumiFailed) as failed:
            run()
        assert "Traceback" not in failed.value.output
        return failed.value.output

    def listed(self) -> dict[str, Any]:
        """The list that the Lambda reads, by policy domain."""
        bucket = self.deployment.outputs()["reports_bucket"]
        s3 = account.client("s3", self.endpoints.aws)
        body = s3.get_object(Bucket=bucket, Key=f"domains/{self.deployment.stack}.json")["Body"].read()
        return {entry["policy_domain"]: entry for entry in json.loads(body)["policy_domains"]}

    def served(self, policy_domain: str) -> list[str]:
        """The lines of the policy in the bucket."""
        bucket = self.deployment.outputs()["policy_bucket"]
        key = f"{policy_domain}/.well-known/mta-sts.txt"
        body = account.client("s3", self.endpoints.aws).get_object(Bucket=bucket, Key=key)["Body"].read()
        return list(body.decode().splitlines())

    def state(self) -> set[str]:
        """Names of all resources that the engine knows."""
        backend = Path(self.endpoints.pulumi_env["PULUMI_BACKEND_URL"].removeprefix("file://"))
        state = json.loads((backend / f".pulumi/stacks/mailtls/{self.deployment.stack}.json").read_text())
        resources = state["checkpoint"]["latest"].get("resources") or []
        return {resource["urn"].rpartition("::")[2] for resource in resources}


@pytest.fixture
def own(deployment: Deployment, endpoints: Endpoints, tmp_path: Path) -> Iterator[Own]:
    """Deployed with two live domains; destroyed in the end by the way that the documentation tells."""
    specs = REPOSITORY / "build" / f"specs-{os.getpid()}-{time.monotonic_ns()}"
    specs.mkdir(parents=True)
    settings = yaml.safe_load((REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").read_text())
    settings["config"] |= {
        "mailtls:policy_specs": str(specs.relative_to(REPOSITORY)),
        "mailtls:gate": {"timeout": 6},
        "mailtls:allow_destroy": False,
    }
    config = tmp_path / "Pulumi.test-vanished.yaml"
    config.write_text(yaml.safe_dump(settings))
    deployed = replace(deployment, stack="test-vanished", config=config)
    deployed.select()
    (REPOSITORY / "stacks" / "Pulumi.test-vanished.yaml").unlink(missing_ok=True)
    own = Own(deployed, endpoints, specs)
    original = config.read_text()
    own.write("wingtip.yaml", WINGTIP)
    own.write("tailspin.yaml", TAILSPIN)
    try:
        deployed.up()
        yield own
    finally:
        ask(endpoints.control, "DELETE", "/faults")
        config.write_text(original)
        own.configure("mailtls:allow_destroy", True)
        own.write("wingtip.yaml", WINGTIP)
        deployed.up()
        deployed.destroy()
        shutil.rmtree(specs)
    assert ask(endpoints.control, "GET", "/leftovers") == []


def test_a_vanished_spec_leaves_its_domain_as_it_is_and_holds_up_no_other(own: Own) -> None:
    ids = own.deployment.outputs()["policy_ids"]
    own.write("tailspin.yaml", TAILSPIN).rename(own.specs / ".tailspin.yaml")  # hidden: not read
    own.write("wingtip.yaml", WINGTIP.replace("mx1", "mx2"))
    foreseen = own.deployment.preview().output
    assert "warning" in foreseen
    told = own.fails(own.deployment.up)
    for text in (foreseen, told):
        assert "tailspin.example is live in mode enforce, but no spec names it any more (it was in" in text
        assert "mode: none and the same mx lines" in text
        assert "state unprotect" not in text
    assert own.served("wingtip.example")[3] == "mx: mx2.mailhost.example"
    assert own.served("tailspin.example")[3] == "mx: mx1.mailhost.example"
    listed = own.listed()["tailspin.example"]
    assert (listed["mode"], listed["mx"], listed["owner"]) == ("enforce", MX_OF_TAILSPIN, "mail-team")
    now = own.deployment.outputs()
    assert now["policy_ids"]["tailspin.example"] == ids["tailspin.example"]
    assert now["policy_ids"]["wingtip.example"] != ids["wingtip.example"]
    # a renamed file, and a name in another case, are the same domain
    (own.specs / ".tailspin.yaml").rename(own.specs / "renamed.yaml")
    own.write("renamed.yaml", TAILSPIN.replace("tailspin.example", "Tailspin.Example"))
    own.deployment.up()
    assert own.deployment.outputs()["policy_ids"] == now["policy_ids"]


def test_a_policy_that_is_taken_out_of_its_spec_is_retired_first(own: Own) -> None:
    own.write("tailspin.yaml", "policy_domain: tailspin.example\nowner: mail-team\n")
    told = own.fails(own.deployment.up)
    assert "tailspin.yaml:1: tailspin.example is live in mode enforce, but its spec has no mta_sts" in told
    assert own.listed()["tailspin.example"]["mode"] == "enforce"
    # the way that the text names: none, then out
    own.write("tailspin.yaml", TAILSPIN.replace("enforce", "none"))
    own.deployment.up()
    (own.specs / "tailspin.yaml").unlink()
    own.deployment.up()
    assert not {name for name in own.state() if name.startswith("tailspin.example")}
    assert own.listed()["tailspin.example"]["mode"] == "none", "its records went last in this run"
    own.deployment.up()
    assert set(own.listed()) == {"wingtip.example"}
    assert own.deployment.up("--expect-no-changes")


def test_a_zone_that_moves_leaves_the_records_where_they_are(own: Own) -> None:
    zones = yaml.safe_load((REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").read_text())["config"]["mailtls:zones"]
    elsewhere = [
        {**z, "provider": "route53", "zone_id": "Z1"} if z["suffix"] == "tailspin.example" else z for z in zones
    ]
    own.configure("mailtls:zones", elsewhere)
    before = own.state()
    own.write("tailspin.yaml", TAILSPIN.replace("enforce", "testing"))
    told = own.fails(own.deployment.up)
    assert "the records of tailspin.example are in zone" in told
    assert "mailtls:zones has its suffix tailspin.example in another one (route53)" in told
    assert own.state() == before
    assert own.served("tailspin.example")[1] == "mode: testing", "the way back to testing stays open"


@pytest.mark.parametrize("options", [(), ("--skip-preview", "--continue-on-error")])
def test_destroy_leaves_what_a_live_domain_needs(own: Own, options: tuple[str, ...]) -> None:
    own.write("tailspin.yaml", TAILSPIN.replace("enforce", "none"))
    own.deployment.up()
    own.fails(lambda: own.deployment._run("destroy", "--yes", *options))
    assert NEEDED - own.state() == set()


def test_what_would_take_the_ground_away_is_refused_before_anything_is_touched(own: Own) -> None:
    before = own.state()
    for key, value, told in (
        ("aws:region", "eu-central-1", "aws:region: eu-central-1, but this stack is deployed in eu-west-1"),
        ("mailtls:kind", "platform", "mailtls:kind: platform, but this stack holds live domains (tailspin.example, "),
        (
            "mailtls:reports",
            {"domain": "tls.mailhost.example", "rule_set": "own", "activate": True},
            "mailtls:reports.domain: tls.mailhost.example, but reports come in at reports.mailhost.example",
        ),
    ):
        assert own.deployment.config is not None
        settings = own.deployment.config.read_text()
        own.configure(key, value)
        if value == "platform":
            own.configure("mailtls:policy_specs", None)
        for run in (own.deployment.preview, own.deployment.up):
            assert told in own.fails(run)
        assert own.state() == before
        own.deployment.config.write_text(settings)
    own.deployment.up("--expect-no-changes")


def test_the_outputs_tell_what_is_published(own: Own) -> None:
    before = own.deployment.outputs()["policy_ids"]
    ask(own.endpoints.control, "POST", "/faults", fault="hold-edge", host="mta-sts.tailspin.example")
    own.write("wingtip.yaml", WINGTIP.replace("mx1", "mx2"))
    own.write("tailspin.yaml", TAILSPIN.replace("mx1", "mx2"))
    own.fails(own.deployment.up)
    now = own.deployment.outputs()["policy_ids"]
    assert now["tailspin.example"] == before["tailspin.example"]
    assert now["wingtip.example"] != before["wingtip.example"]
    ask(own.endpoints.control, "DELETE", "/faults")
    own.deployment.up()
    assert own.deployment.outputs()["policy_ids"]["tailspin.example"] != before["tailspin.example"]
