"""The store in S3, against the emulator: the same domain read from the buckets and from a copy of them.

It asks as a role that has what docs/iam/controller.json allows and nothing else, or reports-read.json.
"""

import dataclasses
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cloud_samples import Unique, environment_of_role
from deployed import Clients, policy_bucket

from mailtls.cli.reports.domain_reports import AHEAD, DomainReader
from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.observe.store import FolderStore, S3Store, StoreTrouble, ledger_entries, read_evidence, read_history
from mailtls.spec.model import MtaSts, PolicySpec, Source
from mailtls.tls_rpt.contract import OwnDomain, policy_key, render_domain_list
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyResult, PolicyType, Report, report_key
from mailtls.totals.period import Period
from sandbox import account
from sandbox.cloud.start import Emulator

DOMAIN = "contoso.example"
MX = (MxPattern("mx1.contoso.example"),)
TESTING, ENFORCE = Policy(Mode.TESTING, 86400, MX), Policy(Mode.ENFORCE, 86400, MX)
SPEC = PolicySpec(DOMAIN, MtaSts(Mode.TESTING, MX, 86400), None, None, None, Source("a.yaml", 1))
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def buckets(aws: Clients, unique: Unique) -> tuple[str, str]:
    """Names of a policy bucket, which keeps versions, and of a report bucket."""
    return (
        policy_bucket(aws, unique("policy-store-bucket"), []),
        policy_bucket(aws, unique("reports-store-bucket"), []),
    )


@pytest.fixture
def policy(request: pytest.FixtureRequest) -> str:
    """Whose rights are tried: a file in docs/iam."""
    return str(getattr(request, "param", "controller"))


@pytest.fixture
def store(
    buckets: tuple[str, str],
    aws: Clients,
    unique: Unique,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    policy: str,
) -> S3Store:
    for variable, value in environment_of_role(emulator, aws, unique(policy), policy).items():
        monkeypatch.setenv(variable, value)
    return S3Store(*buckets, account.REGION)


def _entries(days: int) -> list[LedgerEntry]:
    lines = tuple(TESTING.render().decode().split("\r\n"))
    start = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for number in range(days):
        begin = start - datetime.timedelta(days=number)
        row = PolicyResult(PolicyType.STS, "sts", lines, DOMAIN, (), 5, 0)
        report = Report("Google", begin, begin, None, f"r{number}", (row,))
        found.append(LedgerEntry(DOMAIN, "mail", NOW, "google.com", report))
    return found


def test_s3_and_its_copy_tell_the_same(store: S3Store, buckets: tuple[str, str], aws: Any, tmp_path: Path) -> None:
    s3, (policies, reports) = aws("s3"), buckets
    key = policy_key(DOMAIN)
    s3.put_object(Bucket=policies, Key=key, Body=ENFORCE.render())
    s3.delete_object(Bucket=policies, Key=key)
    s3.put_object(Bucket=policies, Key=key, Body=TESTING.render())
    s3.put_object(Bucket=policies, Key=f"{key}.bak", Body=b"another object")
    entries = _entries(3)
    for entry in entries:
        s3.put_object(Bucket=reports, Key=report_key(entry.report, DOMAIN, entry.signer), Body=entry.render())
    _copy(s3, buckets, tmp_path)
    assert list(store.ledger_domains()) == list(FolderStore(tmp_path).ledger_domains()) == [DOMAIN]
    history = read_history(store, SPEC, NOW)
    assert history.whole
    assert history.current is not None
    assert history.current.policy == TESTING
    assert [one.policy.mode for one in history.served] == [Mode.TESTING, Mode.ENFORCE]
    folder = FolderStore(tmp_path)
    assert read_history(folder, SPEC, NOW) == history
    evidence = read_evidence(store, DOMAIN, history, NOW)
    since = history.current.since.date()
    assert [day.clean for day in evidence.days] == [5 for entry in entries if entry.report.day >= since]
    assert read_evidence(folder, DOMAIN, history, NOW) == evidence
    first = NOW.date() - datetime.timedelta(days=1)
    read = [list(ledger_entries(one, DOMAIN, first, NOW.date(), set())) for one in (store, folder)]
    assert read[0] == read[1]
    assert [one.report.report_id for one in read[0]] == ["r1", "r0"]


@pytest.mark.parametrize("policy", ["reports-read"], indirect=True)
def test_a_dashboard_reads_s3_ahead_and_in_order(store: S3Store, aws: Any, tmp_path: Path) -> None:
    """More domains than are read together; what each is read from a folder is what it is in S3."""
    names = [f"d{number:02}.example" for number in range(2 * AHEAD)]
    for name in names:
        for entry in _entries(2):
            body = dataclasses.replace(entry, policy_domain=name).render()
            key = report_key(entry.report, name, entry.signer)
            aws("s3").put_object(Bucket=store.reports, Key=key, Body=body)
            (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / key).write_bytes(body)
    period = Period(NOW.date() - datetime.timedelta(days=5), NOW.date())
    read = [
        [(of.policy_domain, list(of.entries), of.told) for of in DomainReader(one, period, NOW, (), {}).read_all(names)]
        for one in (store, FolderStore(tmp_path))
    ]
    assert read[0] == read[1]
    assert [(name, len(entries), told) for name, entries, told in read[0]] == [(name, 2, "") for name in names]


@pytest.mark.parametrize("policy", ["reports-read"], indirect=True)
def test_who_looks_at_reports_needs_no_more(store: S3Store, aws: Any) -> None:
    """Summary, tail and show, also of a cause that no report names by itself; and nothing can be changed."""
    (entry,) = _entries(1)
    key = report_key(entry.report, DOMAIN, entry.signer)
    stored = {
        key: entry.render(),
        "raw/m1": b"Subject: x\n\n",
        "dispositions/m1.json": json.dumps({"disposition": "stored", "stored": [key], "duplicates": []}).encode(),
        "domains/a.json": render_domain_list([OwnDomain(DOMAIN)]).encode(),
    }
    for name, body in stored.items():
        aws("s3").put_object(Bucket=store.reports, Key=name, Body=body)

    def reports(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mailtls.cli", "reports", *arguments, "--region", account.REGION]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    where, both = f"s3://{store.reports}", f"s3://{store.policies},{store.reports}"
    for command in (("summary", "--store", both), ("tail", where), ("show", Path(key).stem, "--store", both)):
        done = reports(*command)
        assert (done.returncode, done.stderr) == (0, "")
        assert DOMAIN in done.stdout
    nothing = reports("show", "0123456789ab", "--store", both)
    assert "no cause of failures" in nothing.stderr
    refused = reports("reprocess", where, "--mail", "m1", "--write")
    assert refused.returncode == 2
    assert "AccessDenied" in refused.stderr


def _copy(s3: Any, buckets: tuple[str, str], root: Path) -> None:
    """By the calls that the AWS command line makes."""
    policies, reports = buckets
    folder = root / "policies" / DOMAIN
    folder.mkdir(parents=True)
    listing = s3.list_object_versions(Bucket=policies, Prefix=policy_key(DOMAIN))
    (folder / "versions.json").write_text(json.dumps(listing, default=lambda value: value.isoformat()))
    for one in listing["Versions"]:
        answer = s3.get_object(Bucket=policies, Key=one["Key"], VersionId=one["VersionId"])
        (folder / one["VersionId"]).write_bytes(answer["Body"].read())
    for one in s3.list_objects_v2(Bucket=reports)["Contents"]:
        path = root / one["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=reports, Key=one["Key"])["Body"].read())


def test_a_domain_without_objects_has_no_history(store: S3Store) -> None:
    history = read_history(store, SPEC, NOW)
    assert (history.served, history.whole) == ((), True)
    assert read_evidence(store, DOMAIN, history, NOW).policy is None


def test_a_bucket_that_is_not_ours_is_trouble_with_its_name(store: S3Store) -> None:
    missing = "policy-store-bucket-that-is-nowhere"
    with pytest.raises(StoreTrouble, match=rf"s3:ListBucketVersions on {missing}: .*NoSuchBucket"):
        read_history(S3Store(missing, store.reports, store.region), SPEC, NOW)
    with pytest.raises(StoreTrouble, match=r"s3:ListBucket on somebody-elses: .*(Denied|NoSuchBucket)"):
        list(S3Store(store.policies, "somebody-elses", store.region).ledger_keys("reports/", ""))


def test_the_role_sees_the_ledger_and_nothing_beside_it(store: S3Store, aws: Any) -> None:
    aws("s3").put_object(Bucket=store.reports, Key="raw/mail", Body=b"a stranger's mail")
    with pytest.raises(StoreTrouble, match="Denied"):
        store.report("raw/mail")
    with pytest.raises(StoreTrouble, match="Denied"):
        list(store.ledger_keys("raw/", ""))
