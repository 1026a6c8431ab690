"""Chapter 5: everything is taken down, and nothing is left behind."""

from sandbox.control import ask
from sandbox.demo.scene import Scene
from sandbox.demo.story import expect


def leave(scene: Scene) -> None:
    story = scene.story
    story.chapter(5, "pulumi destroy")
    with story.step("pulumi destroy"):
        done = scene.deployment.destroy()
    left = ask(scene.endpoints.control, "GET", "/leftovers")
    expect(not left, f"pulumi destroy left behind: {', '.join(left)}")
    story.proved("pulumi destroy leaves both clouds empty", f"{done.changes} in {done.seconds:.0f} s, nothing left")
