"""Raw mail against dispositions, hour by hour: what has none is counted and named, however large the bucket."""

import random
from datetime import timedelta

import pytest

from report_lambda import accounting
from report_lambda.store import StoreError


def counted(cloud):
    """The last hour's log line."""
    return [line for line in cloud.lines if line.get("event") == "accounting"][-1]


def metric(cloud):
    """What the last hour put."""
    return [line["MailsWithoutDisposition"] for line in cloud.lines if "MailsWithoutDisposition" in line][-1]


def lie(cloud, mail_id, *, dealt_with, age=timedelta(hours=3)):
    key = f"raw/{mail_id}"
    cloud.store.objects[key] = b"mail"
    cloud.store.written[key] = cloud.now - age
    if dealt_with:
        cloud.store.objects[f"dispositions/{mail_id}.json"] = b"{}"


def test_mail_that_was_dealt_with_leaves_nothing_to_tell(cloud, mails):
    cloud.receive(mails.is_clean())
    cloud.receive(mails.mail(text="spam"))
    for _ in range(4):
        cloud.tick()
    assert metric(cloud) == 0
    assert counted(cloud)["last"] == {"mails": 2, "on_the_way": 0, "missing": 0, "named": []}


def test_a_mail_that_nothing_announced_is_named_after_two_hours(cloud, mails):
    lost = cloud.arrive(mails.is_clean())
    cloud.store.written[f"raw/{lost}"] = cloud.now
    cloud.tick(timedelta(hours=2))
    assert (metric(cloud), counted(cloud)["last"]["on_the_way"]) == (0, 1)
    cloud.tick(timedelta(minutes=1))
    assert metric(cloud) == 1
    assert counted(cloud)["last"]["named"] == [lost]
    cloud.notify(lost)
    cloud.tick()
    assert metric(cloud) == 0


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_pages_hold_the_count_is_that_of_two_sets(cloud, monkeypatch, seed):
    chance = random.Random(seed)  # noqa: S311  no secret
    monkeypatch.setattr(accounting, "PAGE", chance.choice([1, 2, 3, 7]))
    missing = set()
    for _ in range(chance.randrange(40)):
        mail_id = f"{chance.randrange(200):03d}{chance.choice(['', 'a', '-1', '/x'])}"
        dealt_with = chance.random() < 0.7
        lie(cloud, mail_id, dealt_with=dealt_with)
        missing = missing - {mail_id} if dealt_with else missing | {mail_id}
        if not dealt_with:
            cloud.store.objects.pop(f"dispositions/{mail_id}.json", None)
    for old in range(chance.randrange(60)):  # dispositions outlive their mails
        cloud.store.objects[f"dispositions/{chance.randrange(200):03d}zz{old}.json"] = b"{}"
    cloud.tick()
    assert metric(cloud) == len(missing)
    assert set(counted(cloud)["last"]["named"]) <= missing
    assert counted(cloud)["last"]["mails"] == len(cloud.store.under("raw/"))


def test_old_dispositions_between_two_mails_are_passed_over(cloud, monkeypatch):
    monkeypatch.setattr(accounting, "PAGE", 10)
    lie(cloud, "0000", dealt_with=True)
    lie(cloud, "0999", dealt_with=True)
    for number in range(1000):
        cloud.store.objects[f"dispositions/{number:04d}.json"] = b"{}"
    found, calls = accounting._dealt_with(cloud.store, cloud.store.list_objects("raw/", limit=10))
    assert (found, calls) == ({"0000", "0999"}, 2)


def test_a_mail_id_that_begins_another_is_found_behind_it(cloud, monkeypatch):
    """`ab-1.json` stands before `ab.json`, though `ab` stands before `ab-1`."""
    monkeypatch.setattr(accounting, "PAGE", 2)
    lie(cloud, "ab", dealt_with=True)
    lie(cloud, "ab-1", dealt_with=True)
    cloud.store.objects["dispositions/ab-0.json"] = b"{}"
    cloud.tick()
    assert metric(cloud) == 0


def test_a_large_bucket_takes_several_hours_and_takes_nothing_back_meanwhile(cloud, monkeypatch):
    monkeypatch.setattr(accounting, "PAGE", 2)
    monkeypatch.setattr(accounting, "PAGES_OF_AN_HOUR", 8)
    for number in range(30):
        lie(cloud, f"{number:03d}", dealt_with=number != 7)
    told = []
    for _ in range(12):
        cloud.tick()
        told.append((metric(cloud), counted(cloud)["after"] == ""))
    assert told.count((1, True)) >= 2  # two whole passes, each longer than an hour
    found = told.index((1, False))
    assert all(missing == 1 for missing, _ in told[found:])
    cloud.store.objects["dispositions/007.json"] = b"{}"
    for _ in range(12):
        cloud.tick()
    assert metric(cloud) == 0


def test_an_hour_without_time_goes_on_in_the_next(cloud):
    lie(cloud, "a", dealt_with=False)
    cloud.seconds_left = 1
    cloud.tick()
    assert metric(cloud) == 0
    cloud.seconds_left = 180
    cloud.tick()
    assert metric(cloud) == 1


def test_a_damaged_state_is_begun_anew(cloud):
    lie(cloud, "a", dealt_with=False)
    for damage in (b"", b"[]", b'{"after": "x"}', b"\xff", b'{"after": "", "now": 3, "last": {}}'):
        cloud.store.objects["accounting/raw-mail.json"] = damage
        cloud.tick()
        assert metric(cloud) == 1


def test_a_store_that_fails_is_the_invocations_failure_and_the_next_hour_counts(cloud):
    lie(cloud, "a", dealt_with=False)
    cloud.faults.plan(0, after=False)
    cloud.tick()
    calls = cloud.faults.count
    raised = 0
    for at in range(1, calls + 1):
        cloud.faults.plan(at, after=False)
        before = len(cloud.lines)
        try:
            cloud.tick()
        except StoreError:
            raised += 1
        else:  # the list of domains that is in memory will do
            assert [line for line in cloud.lines[before:] if line.get("event") == "accounting"]
        cloud.faults.plan(0, after=False)
        cloud.tick()
        assert metric(cloud) == 1
    assert raised >= 5  # its own state twice, two listings, what came before it
