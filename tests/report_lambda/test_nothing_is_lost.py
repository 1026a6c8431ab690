"""The sum rule: raw mails = dispositions + in flight + dead letters, at every moment.

A queue that delivers as SQS does, with faults of the stores at any call, events twice, and mails of every kind.
"""

import random
from datetime import timedelta

import pytest

MAX_RECEIVE_COUNT = 5
STEPS = 60


class Queue:
    """In flight: mail id -> how often it was received. S3 announces at least once, so a mail may be announced again."""

    def __init__(self, cloud):
        self._cloud = cloud
        self.in_flight: dict[str, int] = {}
        self.dead_letters: set[str] = set()

    def announce(self, mail_id):
        self.in_flight.setdefault(mail_id, 0)

    def deliver(self, mail_ids):
        failed = self._cloud.notify(*mail_ids)
        assert set(failed) <= set(mail_ids)
        for mail_id in mail_ids:
            self.in_flight[mail_id] += 1
            if mail_id not in failed:
                del self.in_flight[mail_id]
            elif self.in_flight[mail_id] >= MAX_RECEIVE_COUNT:
                del self.in_flight[mail_id]
                self.dead_letters.add(mail_id)


def some_mail(mails, chance):
    day = f"2026-11-{chance.randrange(25, 31)}"
    signer = chance.choice(["google.com", "microsoft.com", "mail.ru"])
    failures = (mails.failure(chance.randrange(1, 50)),) if chance.random() < 0.5 else ()
    return chance.choice(
        [
            lambda: mails.mail(mails.report(mails.policy(10, failures), day=day), signer=signer),
            lambda: mails.mail(mails.report(mails.policy(**{"policy-domain": "elsewhere.example"}), day=day)),
            lambda: mails.mail(mails.report(), headers=mails.sender_headers()),
            lambda: mails.mail(b"\x1f\x8b\x08 not gzip at all"),
            lambda: b"",
        ]
    )()


def check_sum(cloud, queue, first_seen):
    raw = {key.removeprefix("raw/") for key in cloud.store.under("raw/")}
    dispositions = {
        key.removeprefix("dispositions/").removesuffix(".json"): key for key in cloud.store.under("disposi")
    }
    waiting = (set(queue.in_flight) | queue.dead_letters) - set(dispositions)  # announced again after it was dealt with
    assert raw == set(dispositions) | waiting
    for mail_id, key in dispositions.items():
        body = cloud.store.objects[key]
        assert first_seen.setdefault(mail_id, body) == body, "a disposition stands for ever"


@pytest.mark.parametrize("seed", range(8))
def test_every_raw_mail_is_somewhere_and_only_once(cloud, mails, seed):
    chance = random.Random(seed)  # noqa: S311  no secret, and the same each time
    queue, first_seen, sent = Queue(cloud), {}, 0
    for _ in range(STEPS):
        if chance.random() < 0.6:
            queue.announce(cloud.arrive(some_mail(mails, chance)))
            sent += 1
        if sent and chance.random() < 0.1:
            queue.announce(f"mail{chance.randrange(1, sent + 1)}")
        if queue.in_flight and chance.random() < 0.7:
            batch = chance.sample(sorted(queue.in_flight), min(len(queue.in_flight), chance.randrange(1, 11)))
            if chance.random() < 0.7:
                cloud.faults.plan(chance.randrange(1, 25), after=chance.random() < 0.5)
            queue.deliver(batch)
            cloud.faults.plan(0, after=False)
        check_sum(cloud, queue, first_seen)
    for mail_id in queue.dead_letters:  # the person who mended it puts them back
        queue.announce(mail_id)
    while queue.in_flight:
        cloud.now += timedelta(minutes=18)
        queue.deliver(sorted(queue.in_flight)[:10])
        check_sum(cloud, queue, first_seen)
    # what was stored is named by exactly one disposition as stored
    stored = [key for name in first_seen for key in cloud.store.json(f"dispositions/{name}.json")["stored"]]
    assert sorted(stored) == cloud.store.under("other-content/") + cloud.store.under("reports/")
    assert len(first_seen) > STEPS // 4
