"""The store as a folder: what is read, what is bounded, what is said of a copy that is not right."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_looks import DOMAIN, NOW
from sample_rollout import DAY, ago, entry, policy, reports, row, spec

from mailtls.mta_sts.policy import MAX_POLICY_BYTES, Mode
from mailtls.mta_sts.record import policy_id_of
from mailtls.observe import store as at_store
from mailtls.observe.store import FolderStore, StoreTrouble, ledger_entries, read_evidence, read_history
from mailtls.spec.controller import Adopted, Controller
from mailtls.tls_rpt.contract import policy_key
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import report_key

TESTING, ENFORCE = policy(Mode.TESTING), policy(Mode.ENFORCE)
FIRST, LAST = ago(90).date(), NOW.date()


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., None]:
    """`serve((days ago, body or None), …)`: writes the copy of the policy's versions, oldest first."""

    def write(*versions: tuple[float, bytes | None], **more: object) -> None:
        folder = tmp_path / "policies" / DOMAIN
        folder.mkdir(parents=True, exist_ok=True)
        listing: dict[str, list[dict[str, object]]] = {"Versions": [], "DeleteMarkers": []}
        for number, (days, body) in enumerate(versions):
            one = {"Key": policy_key(DOMAIN), "VersionId": f"v{number}", "LastModified": ago(days).isoformat()}
            one["IsLatest"] = number == len(versions) - 1
            listing["DeleteMarkers" if body is None else "Versions"].append(one | ({"Size": len(body)} if body else {}))
            if body is not None:
                (folder / f"v{number}").write_bytes(body)
        (folder / "versions.json").write_text(json.dumps(listing | more))

    return write


def store_entries(root: Path, entries: list[LedgerEntry]) -> None:
    for one in entries:
        path = root / report_key(one.report, one.policy_domain, one.signer)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.render())


def read(root: Path) -> tuple[list[LedgerEntry], set[datetime.date]]:
    unread: set[datetime.date] = set()
    return list(ledger_entries(FolderStore(root), DOMAIN, FIRST, LAST, unread)), unread


def test_versions_become_the_history(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((40, TESTING.render()), (20, None), (15, TESTING.render()), (3, ENFORCE.render()))
    adopted = Adopted(86400, ago(50))
    history = read_history(FolderStore(tmp_path), spec(ENFORCE, Controller(adopted=adopted)), NOW)
    assert [(one.policy, one.since, one.until, one.policy_id) for one in history.served] == [
        (ENFORCE, ago(3), None, policy_id_of("v3")),
        (TESTING, ago(15), ago(3), policy_id_of("v2")),
        (TESTING, ago(40), ago(20), policy_id_of("v0")),
    ]
    assert (history.whole, history.adopted) == (True, adopted)


def test_no_copy_of_a_policy_is_a_domain_that_never_had_one(tmp_path: Path) -> None:
    history = read_history(FolderStore(tmp_path), spec(TESTING), NOW)
    assert (history.served, history.whole) == ((), True)
    assert read_evidence(FolderStore(tmp_path), DOMAIN, history, NOW).policy is None


def test_another_key_that_begins_alike_is_another_object(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((9, TESTING.render()))
    index = tmp_path / "policies" / DOMAIN / "versions.json"
    listing = json.loads(index.read_text())
    listing["Versions"].append(listing["Versions"][0] | {"Key": policy_key(DOMAIN) + ".bak", "VersionId": "other"})
    index.write_text(json.dumps(listing))
    assert len(read_history(FolderStore(tmp_path), spec(TESTING), NOW).served) == 1


def test_a_listing_that_is_cut_off_promises_no_date(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((9, TESTING.render()), IsTruncated=True)
    assert not read_history(FolderStore(tmp_path), spec(TESTING), NOW).whole
    # but what is left out was replaced longer ago than anybody can hold it
    serve((500, TESTING.render()), (9, TESTING.render()), IsTruncated=True)
    assert read_history(FolderStore(tmp_path), spec(TESTING), NOW).whole


def test_what_nobody_can_hold_any_more_is_not_even_read(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((900, TESTING.render()), (500, TESTING.render()), (9, ENFORCE.render()))
    (tmp_path / "policies" / DOMAIN / "v0").unlink()
    history = read_history(FolderStore(tmp_path), spec(TESTING), NOW)
    assert (history.whole, [one.policy.mode for one in history.served]) == (True, [Mode.ENFORCE, Mode.TESTING])


def test_a_file_too_large_for_a_policy_is_not_read(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((9, TESTING.render()), (3, b"x" * (MAX_POLICY_BYTES + 1)))
    (tmp_path / "policies" / DOMAIN / "v1").unlink()
    assert read_history(FolderStore(tmp_path), spec(TESTING), NOW).current is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not a listing of object versions"),
        ("[]", "not a listing of object versions"),
        ('{"Versions": [{"Key": "x"}]}', "LastModified"),
        ('{"Versions": [{"Key": "x", "LastModified": "2026-11-01T00:00:00"}]}', "no zone"),
    ],
)
def test_an_index_that_is_none_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "policies" / DOMAIN
    folder.mkdir(parents=True)
    (folder / "versions.json").write_text(text)
    with pytest.raises(StoreTrouble, match=r"versions\.json: not a listing") as caught:
        read_history(FolderStore(tmp_path), spec(TESTING), NOW)
    assert said in str(caught.value)


@pytest.mark.parametrize("version", ["../../../secret", "..", "a/b", "", "/etc/passwd"])
def test_a_version_id_leads_nowhere_else(serve: Callable[..., None], tmp_path: Path, version: str) -> None:
    serve((9, TESTING.render()))
    index = tmp_path / "policies" / DOMAIN / "versions.json"
    index.write_text(index.read_text().replace('"v0"', json.dumps(version)))
    with pytest.raises(StoreTrouble, match="is no version id"):
        read_history(FolderStore(tmp_path), spec(TESTING), NOW)


def test_a_version_that_is_missing_or_a_link_is_told(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((9, TESTING.render()))
    file = tmp_path / "policies" / DOMAIN / "v0"
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreTrouble, match="no such file"):
        read_history(FolderStore(tmp_path), spec(TESTING), NOW)
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreTrouble, match="no regular one"):
        read_history(FolderStore(tmp_path), spec(TESTING), NOW)


def test_the_ledger_is_counted_for_the_policy_that_is_served(serve: Callable[..., None], tmp_path: Path) -> None:
    serve((40, ENFORCE.render()), (9, TESTING.render()))
    store_entries(tmp_path, reports(TESTING, range(1, 20), clean=3))
    store = FolderStore(tmp_path)
    evidence = read_evidence(store, DOMAIN, read_history(store, spec(TESTING), NOW), NOW)
    assert evidence.policy == TESTING
    assert sum(day.clean for day in evidence.days) == 9 * 2 * 3  # since it is served, and not before
    assert not evidence.unread


def test_the_domains_of_the_ledger_are_its_folders(tmp_path: Path) -> None:
    assert list(FolderStore(tmp_path).ledger_domains()) == []
    for name in ("b.example", "a.example", "no name"):
        (tmp_path / "reports" / name).mkdir(parents=True)
    (tmp_path / "reports" / "notes.txt").write_text("a file")
    (tmp_path / "reports" / "link.example").symlink_to(tmp_path)
    assert list(FolderStore(tmp_path).ledger_domains()) == ["a.example", "b.example", "no name"]


def test_days_before_and_after_are_not_read(tmp_path: Path) -> None:
    inside = [entry(90, row(TESTING, 1)), entry(0, row(TESTING, 1))]
    store_entries(tmp_path, [entry(91, row(TESTING, 1)), *inside, entry(-1, row(TESTING, 1))])
    assert read(tmp_path) == (inside, set())


def test_an_entry_that_is_none_or_in_the_wrong_place_leaves_its_day_unread(tmp_path: Path) -> None:
    good = entry(3, row(TESTING, 1))
    store_entries(tmp_path, [good, entry(5, row(TESTING, 1)), entry(7, row(TESTING, 1))])
    days = sorted((tmp_path / "reports" / DOMAIN).iterdir())
    (next(days[0].iterdir())).write_bytes(b"{}")
    (next(days[1].iterdir())).write_bytes(good.render())
    assert read(tmp_path) == ([good], {ago(7).date(), ago(5).date()})


def test_what_is_no_key_of_a_report_is_none_of_ours(tmp_path: Path) -> None:
    good = entry(3, row(TESTING, 1))
    store_entries(tmp_path, [good])
    for name in (".DS_Store", "2026-13-45/" + "a" * 32 + ".json", f"{ago(2):%Y-%m-%d}/notes.txt"):
        path = tmp_path / "reports" / DOMAIN / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert read(tmp_path) == ([good], set())


def test_too_many_and_too_large_days_are_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [entry(3, row(TESTING, 1), signer=f"s{n}.example") for n in range(4)]
    store_entries(tmp_path, [*many, entry(2, row(TESTING, 1))])
    size = len(many[0].render())
    monkeypatch.setattr(at_store, "MAX_ENTRIES", 3)
    assert [one.report.day for one in read(tmp_path)[0]] == [ago(2).date()]
    assert read(tmp_path)[1] == {ago(3).date()}
    monkeypatch.setattr(at_store, "MAX_ENTRIES", 4)
    monkeypatch.setattr(at_store, "MAX_DAY_BYTES", 2 * size)
    assert read(tmp_path)[1] == {ago(3).date()}
    monkeypatch.setattr(at_store, "MAX_DAY_BYTES", 100 * size)
    monkeypatch.setattr(at_store, "MAX_BYTES", 4 * size + 50)
    assert read(tmp_path)[1] == {ago(2).date()}
    monkeypatch.setattr(at_store, "MAX_BYTES", 100 * size)
    monkeypatch.setattr(at_store, "MAX_LISTED", 2)
    assert {ago(2).date(), ago(1).date(), ago(0).date()} <= read(tmp_path)[1]


def test_entries_come_one_at_a_time(tmp_path: Path) -> None:
    store_entries(tmp_path, reports(TESTING, range(1, 5)))
    entries = ledger_entries(FolderStore(tmp_path), DOMAIN, FIRST, LAST, set())
    first = next(entries)
    assert first.report.day == (NOW - 4 * DAY).date()
    for file in (tmp_path / "reports").rglob("*.json"):
        file.unlink()  # the rest is not read yet
    with pytest.raises(StoreTrouble):
        list(entries)
