"""Chapter 2: an MTA-STS client that nobody here wrote fetches and judges every policy; it also refuses broken ones."""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.demo.scene import Scene
from sandbox.demo.story import expect

OUTSIDE_GOOD = "good.outside.example"


@dataclass(frozen=True, slots=True)
class Broken:
    """fault: in words. verdict, words: the client's, a regular expression for the end of its last line.

    served: how that begins which anybody is given who asks the host; None: a TLS session comes first, and fails.
    """

    fault: str
    verdict: str
    words: str
    served: str | None


NO_REASON = r"failed with error: "
"""What the client says of an answer that is no policy, whatever it is; for a connection that failed it has words."""
OUTSIDE_BROKEN = {
    "badcert.outside.example": Broken("a certificate for another name", "FETCH_ERROR", r"Hostname mismatch.*", None),
    "redirect.outside.example": Broken("a redirect to a good policy", "FETCH_ERROR", NO_REASON, "HTTP 301"),
    "html.outside.example": Broken("an HTML page in place of the policy", "FETCH_ERROR", NO_REASON, "<!DOCTYPE html>"),
    "twotxt.outside.example": Broken("two TXT records", "NONE", r"no policy", "version: STSv1"),
}


def judge(scene: Scene) -> None:
    story = scene.story
    story.chapter(2, "Judged by outsiders: postfix-mta-sts-resolver and checkdmarc, unmodified")
    published = [spec for spec in scene.expected.values() if spec.mode is not None]
    with story.step("postfix-mta-sts-resolver fetches every policy"):
        asked = [*(spec.policy_domain for spec in published), OUTSIDE_GOOD, *OUTSIDE_BROKEN]
        verdicts = {answer["domain"]: answer for answer in scene.judge("mta_sts_client.py", *asked)}
    expect(set(verdicts) == set(asked), f"the client was asked about {asked} and told of {sorted(verdicts)}")
    for spec in published:
        told = verdicts[spec.policy_domain]
        expect(told["verdict"] == "VALID", f"{spec.policy_domain}: {told['verdict']}: {' '.join(told['words'])}")
        policy = told["policy"]
        expect(
            (policy["mode"], tuple(policy["mx"])) == (spec.mode, spec.mx),
            f"{spec.policy_domain}: the client sees {policy}, the spec says {spec}",
        )
        story.say(f"{spec.policy_domain:28} {policy['mode']:8} {', '.join(policy['mx']) or '(no mx)'}")
    story.proved(
        "every published policy is valid for an unmodified MTA-STS client, with the mode and mx of its spec",
        f"{len(published)} of {len(published)} VALID",
    )
    expect(verdicts[OUTSIDE_GOOD]["verdict"] == "VALID", f"the control, {OUTSIDE_GOOD}: {verdicts[OUTSIDE_GOOD]}")
    records = scene.txt("_mta-sts.twotxt.outside.example")
    expect(len(records) == 2, f"without two records, being told of none proves nothing: {records}")
    for domain, broken in OUTSIDE_BROKEN.items():
        told, words = verdicts[domain]["verdict"], _words(verdicts[domain])
        refused = told == broken.verdict and re.search(f"{broken.words}$", words)
        expect(refused, f"{domain} ({broken.fault}) was not refused for its fault: {told}: {words}")
        if broken.served is not None:
            served = scene.fetch(f"mta-sts.{domain}")
            expect(served.startswith(broken.served), f"{domain} has another fault than {broken.fault}: {served[:80]}")
        story.say(f"{domain} ({broken.fault}): {told}: {words}")
    story.proved(
        "the same client refuses outside hosts that are broken, and takes one that is not",
        f"{len(OUTSIDE_BROKEN)} refused, 1 accepted",
    )
    _checkdmarc(scene, [spec.policy_domain for spec in published])
    unpublished = [spec.policy_domain for spec in scene.expected.values() if spec.mode is None]
    for domain in unpublished:
        expect(not scene.txt(f"_mta-sts.{domain}"), f"{domain} has TLS-RPT only but publishes a policy id")
        expect(scene.txt(f"_smtp._tls.{domain}"), f"{domain} asks for no reports")


def _words(told: dict[str, Any]) -> str:
    """The last line of its log, which holds the reason if it gives one."""
    return str(told["words"][-1]) if told["words"] else "no policy"


def _checkdmarc(scene: Scene, domains: list[str]) -> None:
    with scene.story.step("checkdmarc looks at every domain"):
        answers = scene.judge("checkdmarc_client.py", *domains)
    expect([answer["domain"] for answer in answers] == domains, f"checkdmarc was asked about {domains}")
    for answer in answers:
        for part in ("mta_sts", "tls_rpt"):
            expect(answer[part]["valid"], f"checkdmarc about {answer['domain']}, {part}: {answer[part]}")
    scene.story.proved(
        "checkdmarc finds MTA-STS and TLS-RPT valid", f"{len(answers)} of {len(domains)} domains, both records"
    )
