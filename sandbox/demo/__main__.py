"""`make demo`: the whole system once, on one machine, held against outside judges."""

import sys
from contextlib import ExitStack, suppress

from sandbox.cloud.start import REQUIREMENTS
from sandbox.control import ControlError
from sandbox.demo import judging, leaving, proposing, publishing, reporting, updating
from sandbox.demo.scene import OUTSIDERS, Scene
from sandbox.demo.specs import read
from sandbox.demo.story import DemoError, Story
from sandbox.deployment import Deployment, PulumiFailed
from sandbox.engine.cli import NoEngine, pulumi_command
from sandbox.engine.environments import EnvironmentFailed, environment
from sandbox.forge import gitea_build
from sandbox.lifecycle import NotStarted, running
from sandbox.outsiders.submission import SubmissionError
from sandbox.outsiders.tls_rpt_reporter import ReporterError
from sandbox.place import REPOSITORY, AlreadyRunning, Place

DEMO = Place(REPOSITORY / "build" / "demo")
TROUBLES = (DemoError, PulumiFailed, ControlError, SubmissionError, ReporterError)
THROW_AWAY = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""The state is written once a run, not after each resource: faster; what a crash would lose is thrown away anyway."""
CHAPTERS = (
    publishing.deploy,
    judging.judge,
    updating.update,
    reporting.report,
    leaving.refuse,
    proposing.propose,
    leaving.leave,
)


def main() -> int:
    """Exit codes: 0 every promise came true, 1 one did not, 2 the demo could not start."""
    story = Story()
    (DEMO.folder / "summary.json").unlink(missing_ok=True)  # one of an earlier run would pass for this one's
    with ExitStack() as cloud:
        try:
            # the first time these take minutes, and say so themselves
            pulumi_command()
            _build_the_forge(story)
            environment("emulator", REQUIREMENTS)
            judges = environment("outsiders", OUTSIDERS / "requirements.txt").parent
            with story.step("the local cloud starts"):
                endpoints = cloud.enter_context(running(DEMO))
        except (NoEngine, EnvironmentFailed, NotStarted, AlreadyRunning) as e:
            print(e, file=sys.stderr)
            return 2
        deployment = Deployment(endpoints.pulumi_env | THROW_AWAY, DEMO.logs / "pulumi.log")
        scene = Scene(story, DEMO, endpoints, deployment, judges, read(REPOSITORY / "policy_specs" / "sandbox"))
        try:
            for chapter in CHAPTERS:
                chapter(scene)
        except TROUBLES as e:
            story.failed(str(e), DEMO.logs)
            return 1
    story.close(DEMO.folder / "summary.json")
    return 0


def _build_the_forge(story: Story) -> None:
    """Before the cloud runs, for the time that it takes. Without it chapter 6 is left out, and says why."""
    if gitea_build.built() is not None:
        return
    with suppress(gitea_build.NoForge), story.step("Gitea is built from its source (about five minutes, once)"):
        gitea_build.gitea()


if __name__ == "__main__":
    sys.exit(main())
