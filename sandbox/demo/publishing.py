"""Chapter 1: the example specs are deployed by the real engine; a second run finds nothing to do."""

from sandbox.demo.scene import Scene
from sandbox.demo.story import expect


def deploy(scene: Scene) -> None:
    story, deployment = scene.story, scene.deployment
    story.chapter(1, "From YAML files to policy hosts, records and a report pipeline: the real Pulumi engine")
    published = [spec for spec in scene.expected.values() if spec.mode is not None]
    story.say(f"{len(scene.expected)} mail domains in policy_specs/sandbox, {len(published)} of them with a policy")
    deployment.select()
    with story.step("pulumi preview"):
        preview = deployment.preview()
    story.say(preview.changes)
    with story.step("pulumi up"):
        first = deployment.up()
    story.proved("pulumi up deploys every example domain", f"{first.changes} in {first.seconds:.0f} s")
    with story.step("pulumi up, a second time"):
        second = deployment.up("--expect-no-changes")
    story.proved("a second pulumi up has nothing to do", f"{second.changes} in {second.seconds:.0f} s")
    ids = deployment.outputs()["policy_ids"]
    expect(set(ids) == {spec.policy_domain for spec in published}, f"ids were published for {sorted(ids)}")
    for domain, policy_id in ids.items():
        expect(
            scene.policy_id(domain) == policy_id,
            f"_mta-sts.{domain} says {scene.policy_id(domain)!r}, the deployment {policy_id!r}",
        )
    story.facts["up"] = {"changes": first.changes, "seconds": round(first.seconds, 1)}
