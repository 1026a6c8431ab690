"""Chapters 5 and 7: nothing is taken down by mistake; once it is meant, everything goes, and nothing is left behind."""

from dataclasses import replace

import yaml

from sandbox.control import ask
from sandbox.demo.scene import Scene
from sandbox.demo.story import expect
from sandbox.deployment import STACK, Deployment, PulumiFailed


def refuse(scene: Scene) -> None:
    story = scene.story
    story.chapter(5, "Nothing is taken down by mistake")
    with story.step("pulumi destroy, which nobody meant"):
        refusal = _refusal(scene.deployment)
    expect(scene.policy_id("contoso.example"), "pulumi destroy was refused, but the policy is gone")
    story.proved("pulumi destroy by mistake is refused, and takes nothing away", refusal)


def leave(scene: Scene) -> None:
    story = scene.story
    story.chapter(7, "pulumi destroy, which is meant")
    if not _is_allowed(scene):
        with story.step("pulumi up with allow_destroy: true"):
            _allowing(scene).up()
    with story.step("pulumi destroy"):
        done = scene.deployment.destroy()
    left = ask(scene.endpoints.control, "GET", "/leftovers")
    expect(not left, f"pulumi destroy left behind: {', '.join(left)}")
    story.proved("pulumi destroy leaves both clouds empty", f"{done.changes} in {done.seconds:.0f} s, nothing left")


def _refusal(deployment: Deployment) -> str:
    try:
        done = deployment.destroy()
    except PulumiFailed as e:
        expect("protect" in e.output, f"pulumi destroy failed for another reason:\n{e.output}")
        return "protected"
    expect(False, f"pulumi destroy took down what is protected: {done.changes}")
    raise AssertionError


def _is_allowed(scene: Scene) -> bool:
    """Did the last deployment of the chapter before lift the protection?"""
    settings = yaml.safe_load((scene.place.folder / f"Pulumi.{STACK}.yaml").read_text())
    return bool(settings["config"].get("mailtls:allow_destroy"))


def _allowing(scene: Scene) -> Deployment:
    """With the settings and specs of chapter 3, and the protection off."""
    config = scene.place.folder / f"Pulumi.{STACK}.yaml"
    settings = yaml.safe_load(config.read_text())
    settings["config"]["mailtls:allow_destroy"] = True
    config.write_text(yaml.safe_dump(settings))
    return replace(scene.deployment, config=config)
