"""Chapter 3: a policy changes. The new id is never in DNS before senders get the new file, however slow the edge."""

import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from sandbox import account
from sandbox.control import ask
from sandbox.demo.scene import POLICY_PATH, Scene, asking
from sandbox.demo.story import expect
from sandbox.deployment import STACK, Deployment, PulumiFailed, Run
from sandbox.place import REPOSITORY

DOMAIN = "contoso.example"
HOST = f"mta-sts.{DOMAIN}"
SLOW_SECONDS = 2.2
"""The gate looks after 0.2, 0.6, 1.4 and 3 seconds: this is late for three looks and surely in time for the fourth."""
GATE_SECONDS = 5
"""The gate's limit in this chapter; the sandbox's own is longer."""
SAMPLES = 20
PATIENCE = 60
SAMPLE_PAUSE = 0.1
"""Between looks while the old id is there: each is a handshake on the machine that the engine runs on. None later."""


def update(scene: Scene) -> None:
    story = scene.story
    story.chapter(3, "A policy changes while the edge is slow, then while it is held back for good")
    specs = Specs(scene.place.folder / "policy_specs")
    deployment = replace(scene.deployment, config=specs.stack_config(scene.place.folder / f"Pulumi.{STACK}.yaml"))
    _slow(scene, specs, deployment)
    _held(scene, specs, deployment)


@dataclass(frozen=True, slots=True)
class Specs:
    """A copy of the example specs to be edited, so that the demo leaves the repository as it is."""

    folder: Path

    def stack_config(self, path: Path) -> Path:
        """The sandbox's stack settings, with the copy in place of the original and a short gate."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(REPOSITORY / "policy_specs" / "sandbox", self.folder)
        settings = yaml.safe_load((REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").read_text())
        settings["config"]["mailtls:policy_specs"] = str(self.folder.relative_to(REPOSITORY))
        settings["config"]["mailtls:gate"] = {"timeout": GATE_SECONDS}
        path.write_text(yaml.safe_dump(settings))
        return path

    def add_mx(self, host: str) -> None:
        """One more line under `mx:`, as somebody would type it."""
        path = self.folder / f"{DOMAIN}.yaml"
        text, found = re.subn(r"(\n +- )mx2\.contoso\.example.*", rf"\g<0>\g<1>{host}", path.read_text())
        expect(found == 1, f"{path} has no line for mx2 any more")
        path.write_text(text)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look of a sender: the id in DNS, and the policy that was fetched after it was known, from `at` on."""

    policy_id: str
    at: datetime
    policy: str


@dataclass(slots=True)
class Sender:
    """Looks at the record, then fetches the policy, again and again, as impatient senders would."""

    scene: Scene
    samples: list[Sample] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For the time of a block; at its end it raises what ended the looks before."""
        with ThreadPoolExecutor(1) as pool:
            looks = pool.submit(self._watch)
            try:
                yield
            finally:
                self._stop.set()
        looks.result()

    def wait_for(self, policy_id: str) -> None:
        """Until SAMPLES looks saw that id, if they do."""
        end = time.monotonic() + PATIENCE
        while sum(sample.policy_id == policy_id for sample in self.samples) < SAMPLES and time.monotonic() < end:
            if self._stop.wait(0.05):
                return

    def _watch(self) -> None:
        try:
            first = self.scene.policy_id(DOMAIN)
            while not self._stop.is_set():
                policy_id, at = self.scene.policy_id(DOMAIN), datetime.now(UTC)
                self.samples.append(Sample(policy_id, at, self.scene.fetch(HOST)))
                if policy_id == first:
                    self._stop.wait(SAMPLE_PAUSE)
        finally:
            self._stop.set()  # nobody needs to wait for more


def _slow(scene: Scene, specs: Specs, deployment: Deployment) -> None:
    story = scene.story
    old_id = scene.policy_id(DOMAIN)
    specs.add_mx("mx3.contoso.example")
    ask(scene.endpoints.control, "POST", "/faults", fault="slow-edge", host=HOST, seconds=SLOW_SECONDS)
    sender = Sender(scene)
    with sender.watching():
        with story.step(f"pulumi up adds mx3 to {DOMAIN}, whose edge gives changes out {SLOW_SECONDS:g} s late"):
            deployment.up()
        new_id = _new_id(scene, deployment, old_id)
        sender.wait_for(new_id)
    ask(scene.endpoints.control, "DELETE", "/faults", host=HOST)
    after, late = counted(sender.samples, old_id, new_id, _last_modified(scene))
    story.proved(
        "every fetch that began after DNS showed the new id got the new policy",
        f"{after} of {after}; {late} fetches before it got the old one, with the new one already written",
    )
    story.facts["slow_edge"] = {"fetches_after_new_id": after, "fetches_while_late": late}


def _new_id(scene: Scene, deployment: Deployment, old_id: str) -> str:
    """The id that the deployment says it has published, which is the one in DNS and another one than before."""
    new_id: str = deployment.outputs()["policy_ids"][DOMAIN]
    seen = scene.policy_id(DOMAIN)
    expect(
        seen == new_id and new_id not in ("", old_id),
        f"DNS has the id {seen!r}, the deployment says {new_id!r}, before it was {old_id!r}",
    )
    return new_id


def counted(samples: Sequence[Sample], old_id: str, new_id: str, written: datetime) -> tuple[int, int]:
    """How many looks saw the new id, and how many got the old policy while the new one was written already.

    written: S3's time of the new one, in whole seconds. Raises DemoError when a look broke the promise, or when the
    looks prove nothing.
    """
    strange = {sample.policy_id for sample in samples} - {old_id, new_id}
    expect(not strange, f"senders saw other ids too: {strange}")
    other = {sample.policy for sample in samples if "version: STSv1" not in sample.policy}
    expect(not other, f"senders were also given what is no policy: {other}")
    after = [sample for sample in samples if sample.policy_id == new_id]
    expect(len(after) >= SAMPLES, f"only {len(after)} of {len(samples)} looks saw the new id")
    stale = [sample for sample in after if "mx3.contoso.example" not in sample.policy]
    expect(not stale, f"{len(stale)} of {len(after)} senders that saw the new id got the old policy")
    # what is more than a second later began when the new file was surely there
    surely = written + timedelta(seconds=1)
    late = [sample for sample in samples if sample.at > surely and "mx3.contoso.example" not in sample.policy]
    expect(late, "the new file was never served late: the edge was not slow, and this proved nothing")
    return len(after), len(late)


def _last_modified(scene: Scene) -> datetime:
    """When S3 got the domain's policy."""
    with asking("the bucket of policies"):
        s3 = account.client("s3", scene.endpoints.aws)
        names = [one["Name"] for one in s3.list_buckets()["Buckets"]]
        buckets = [name for name in names if name.startswith("policy-store-bucket-")]
        expect(len(buckets) == 1, f"one bucket of policies is expected: {buckets}")
        when: datetime = s3.head_object(Bucket=buckets[0], Key=DOMAIN + POLICY_PATH)["LastModified"]
    return when


def _held(scene: Scene, specs: Specs, deployment: Deployment) -> None:
    story = scene.story
    old_id = scene.policy_id(DOMAIN)
    specs.add_mx("mx4.contoso.example")
    ask(scene.endpoints.control, "POST", "/faults", fault="hold-edge", host=HOST)
    with story.step(f"pulumi up adds mx4, but the edge never gives it out (the gate waits {GATE_SECONDS} s here)"):
        told = _gate_message(deployment)
    story.quote(told)
    expect(DOMAIN in told, "the error does not name the domain")
    expect("it serves another text" in told, "the error does not name the cause")
    expect(scene.policy_id(DOMAIN) == old_id, "the gate failed and the id changed all the same")
    ask(scene.endpoints.control, "DELETE", "/faults", host=HOST)
    with story.step("the edge is mended; pulumi up again"):
        repaired = deployment.up()
    new_id = _new_id(scene, deployment, old_id)
    expect("mx4.contoso.example" in scene.fetch(HOST), "the next pulumi up did not bring the new policy out")
    story.proved(
        "with the edge held back the update fails, names domain and cause, and the old id stays; the next run repairs",
        f"{old_id[:8]}… stayed, then {new_id[:8]}…: {repaired.changes}",
    )
    story.facts["held_edge"] = {"message": told, "repair": repaired.changes}


def _gate_message(deployment: Deployment) -> str:
    try:
        run: Run = deployment.up()
    except PulumiFailed as e:
        lines = [line.strip() for line in e.output.splitlines() if "not live at the edge" in line]
        expect(lines, f"pulumi up failed for another reason:\n{e.output}")
        return lines[-1]
    expect(False, f"pulumi up published a policy that no sender can get: {run.changes}")
    raise AssertionError
