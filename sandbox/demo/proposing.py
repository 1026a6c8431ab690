"""Chapter 6: the controller. Fourteen days of reports, a proposal on a real Gitea, a merge, a deployment.

Then a new MX, and a certificate failure that holds another domain back.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

from sandbox.demo.reporting import Bucket, rua, submit, wait_until_dealt_with
from sandbox.demo.sample_mails import SampleMail, failure, multipart, packed, part, policy, report
from sandbox.demo.scene import Scene
from sandbox.demo.story import expect
from sandbox.demo.team import Team, gather
from sandbox.forge import gitea
from sandbox.forge.gitea_build import NoForge

PROMOTED, HELD = "shop.contoso.example", "northwind.example"
NEW_MX = "mx5.contoso.example"
HELD_MX = "mx2.northwind.example"
SENDERS = ("sender-one.example", "sender-two.example")
DAYS = 15
"""That the clock moves: fourteen in testing are asked for."""
SESSIONS = 10
"""Of each sender on each day."""
MISMATCHES = 40


def propose(scene: Scene) -> None:
    story = scene.story
    story.chapter(6, "The controller: fourteen days of reports become a proposal, a merge, a deployment")
    folder = scene.place.folder / "forge"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with gitea.running(folder) as forge:
            team = gather(scene, forge)
            _promotion(team)
            _new_mx(team)
            _held(team)
    except NoForge as e:
        story.say(f"left out, for there is no Gitea on this machine: {e}")
        story.facts["controller"] = None


def _promotion(team: Team) -> None:
    scene, story = team.scene, team.scene.story
    team.move_clock(DAYS)
    today = team.now.date()
    days = [today - timedelta(days=back) for back in range(1, DAYS)]
    with story.step(f"{DAYS} days pass on the sandbox's clock; two senders report on {len(days)} of them"):
        served = {domain: _policy_lines(team, domain) for domain in (PROMOTED, HELD)}
        mails = [_mail(day, sender, PROMOTED, served[PROMOTED], SESSIONS) for day in days for sender in SENDERS]
        some = (days[0], days[1], days[-2], days[-1])
        mails += [_mail(day, sender, HELD, served[HELD], 2 * SESSIONS) for day in some for sender in SENDERS]
        _report(team, mails)
    with story.step("mailtls reconcile --pull-request"):
        team.reconcile()
    pull = team.pull_request("promote", PROMOTED)
    state, words = team.evidence(pull)
    expect(state == "success", f"the promotion of {PROMOTED} stands at {state}: {words}")
    story.quote(_why_now(pull["body"]))
    story.proved("a domain that is ready is proposed for enforce, with its evidence", f"#{pull['number']}: {words}")
    with story.step("alice merges it in Gitea; pulumi up from the clone"):
        team.merge(pull)
        team.deployment.up()
    status = team.status(PROMOTED)
    ready = {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}["Ready"]
    expect(status["mode"] == "enforce" and ready == (True, "Enforced"), f"status says {status['mode']}, Ready {ready}")
    expect("mode: enforce" in scene.fetch(f"mta-sts.{PROMOTED}"), "senders get another policy than was merged")
    story.proved("merged and deployed, mailtls status says", f"{PROMOTED}: enforce, Ready: {ready[1]}")
    story.facts["promotion"] = {"evidence": words, "ready": ready[1]}


def _new_mx(team: Team) -> None:
    story = team.scene.story
    record = _add_mx(team)
    with story.step(f"somebody adds MX {NEW_MX} to {PROMOTED} in DNS; mailtls reconcile --pull-request"):
        team.reconcile()
    pull = team.pull_request("add-mx", PROMOTED)
    labels = {label["name"] for label in pull["labels"]}
    expect("urgent" in labels, f"{pull['title']} is not marked as urgent: {labels}")
    expect("A hijack looks the same" in pull["body"], "the proposal does not ask whether the host is meant")
    team.set("allow_destroy", True)  # one deployment less in the last chapter
    with story.step("it is meant: alice merges; pulumi up (with allow_destroy: true, for the last chapter)"):
        team.merge(pull)
        team.deployment.up()
    expect(f"mx: {NEW_MX}" in team.scene.fetch(f"mta-sts.{PROMOTED}"), "the new host is not in the policy")
    decision = team.status(PROMOTED)["next"]
    expect(decision["kind"] == "move-mx" and decision["until"], f"status gives no day for the move: {decision}")
    until = datetime.fromisoformat(decision["until"])
    left = until - team.now
    expect(timedelta(days=6) < left <= timedelta(days=7), f"a week of max_age was served, status says {until}")
    _remove_mx(team, record)
    story.proved("a new MX is proposed, urgent; after the merge status tells when mail may rely on it alone",
                 f"{decision['headline']}")  # fmt: skip
    story.facts["new_mx"] = {"until": decision["until"], "headline": decision["headline"]}


def _held(team: Team) -> None:
    story = team.scene.story
    open_one = team.pull_request("promote", HELD)
    before = team.evidence(open_one)
    expect(before[0] == "success", f"the promotion of {HELD} stands at {before}")
    day = team.now.date() - timedelta(days=1)
    bad = failure("certificate-host-mismatch", HELD_MX, MISMATCHES)
    with story.step(f"a sender reports {MISMATCHES} certificate failures at {HELD_MX}; mailtls reconcile"):
        _report(team, [_mail(day, SENDERS[0], HELD, _policy_lines(team, HELD), 10_000, bad, stem="late")])
        told = team.reconcile()
    state, words = team.evidence(team.pull_request("promote", HELD))
    expect((state, HELD_MX in words, str(MISMATCHES) in words) == ("failure", True, True), f"{state}: {words}")
    [decided] = [one for one in told["domains"] if one["policy_domain"] == HELD]
    expect(decided["outcome"] == "wait", f"the promotion of {HELD} is not held: {decided}")
    story.proved("10,000 clean sessions and 40 bad ones: the promotion that was green is held, with the cause",
                 f"{HELD}: {words}")  # fmt: skip
    story.facts["held_promotion"] = {"before": before[1], "cause": words}
    team.move_clock(0)


def _report(team: Team, mails: Sequence[tuple[str, SampleMail]]) -> None:
    """Through the deployed MX, several at once, and dealt with when it returns."""
    scene = team.scene
    bucket = Bucket(team.buckets[1], scene.endpoints.aws)
    before = len(bucket.keys("raw/"))
    recipient = rua(scene, PROMOTED).removeprefix("mailto:")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: submit(scene, one[0], one[1], recipient), mails))
    wait_until_dealt_with(bucket, before + len(mails))


def _policy_lines(team: Team, domain: str) -> list[str]:
    """As a sender fetched them."""
    return [line for line in team.scene.fetch(f"mta-sts.{domain}").splitlines() if line]


def _mail(
    day: date, sender: str, domain: str, lines: list[str], sessions: int, *details: dict[str, Any], stem: str = "day"
) -> tuple[str, SampleMail]:
    """Its label and itself: one sender's report about one day, with the policy that it was served."""
    label = f"{stem}-{day}-{domain}"
    failed = sum(int(one["failed-session-count"]) for one in details)
    row = policy(domain, sessions, failed, *details, changes={"policy-string": lines})
    span = {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"}
    value = report(sender, label, row, **{"date-range": span})
    text = b"Content-Type: text/plain\r\n\r\nThis is an aggregate TLS report.\r\n"
    gz = part("application/tlsrpt+gzip", "report.json.gz", packed(value))
    return label, SampleMail(label, sender, multipart('report; report-type="tlsrpt"', text, gz))


def _why_now(body: str) -> str:
    return body.partition("## Why now")[2].partition("## ")[0].strip()


def _add_mx(team: Team) -> str:
    """By hand, as the owner of the zone: through Cloudflare's API. The id of the record."""
    wanted = {"type": "MX", "name": PROMOTED, "content": NEW_MX, "priority": 30, "ttl": 300}
    made = team.cloudflare("POST", "/dns_records", wanted)
    return str(made["result"]["id"])


def _remove_mx(team: Team, record: str) -> None:
    team.cloudflare("DELETE", f"/dns_records/{record}")
