"""`mailtls evidence verify` and a pack in which anything may be wrong: a fault in words, never a traceback.

The forger makes the manifest again each time, so nothing is found by its digests.
"""

import copy
import gzip
import json
import shutil

import pytest
from evidence_world import DOMAIN, rewritten, run

from mailtls.audit.pack_files import NoPack
from mailtls.audit.verify import verify

WRONG = (None, True, -1, 10**30, 1.5, "", "\ud800", "2026-02-31", "2026-99-99T99:99:99Z", "9999-12-31", "\x1b[2J", [],
         {}, [[]], "none", "a" * 40)  # fmt: skip
FILES = ("evidence.json", f"domains/{DOMAIN}/evidence.json")

NOT_BESIDE = ("made_with", "committer", "commit", "removed_by")
"""What nothing else in the pack contradicts: another version of ours makes other pages, and Git knows the rest."""


def places(data, at=()):
    """The path of each value in it, first of all its own."""
    yield at
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(value, (*at, key))


def with_value(data, at, value):
    if not at:
        return value
    changed = copy.deepcopy(data)
    inner = changed
    for key in at[:-1]:
        inner = inner[key]
    if value is places:  # no value at all
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return changed


def write(file, data):
    file.write_text(json.dumps(data, indent=1) + "\n")  # escaped: half a character is no UTF-8


@pytest.fixture
def pack(small, tmp_path):
    place = tmp_path / "pack"
    shutil.copytree(small.with_suffix(""), place)
    return place


@pytest.mark.parametrize("name", FILES)
def test_every_value_of_the_json_may_be_wrong(pack, name):
    whole = json.loads((pack / name).read_text())
    forgeries = [
        (at, value)
        for at in places(whole)
        for value in (*WRONG, places)
        if (at or value is not places) and "controls" not in at and "not_proven" not in at
    ]
    assert len(forgeries) > 200
    for at, value in forgeries:
        data = with_value(whole, at, value)
        if data == whole and type(data) is type(whole):
            continue
        rewritten(pack, lambda data=data: write(pack / name, data))
        verdict = verify(pack)
        assert verdict.faults or at[-1] in NOT_BESIDE, (at, value)
        assert all(fault.isprintable() for fault in verdict.faults), (at, value)


def test_every_file_may_be_missing(pack):
    files = sorted(path for path in pack.rglob("*") if path.is_file() and path.name != "MANIFEST.sha256")
    assert len(files) == 6
    for file in files:
        data = file.read_bytes()
        rewritten(pack, file.unlink)
        assert any("is missing" in fault for fault in verify(pack).faults), file
        rewritten(pack, lambda file=file, data=data: file.write_bytes(data))
    assert verify(pack).faults == []


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"null", b"[" * 100_000, b"\xff\xfe", gzip.compress(b"{}\n", mtime=0), b"1" * 5000]
)
def test_every_file_may_hold_anything(pack, data):
    for file in sorted(path for path in pack.rglob("*") if path.is_file() and path.name != "MANIFEST.sha256"):
        whole = file.read_bytes()
        rewritten(pack, lambda file=file: file.write_bytes(data))
        assert verify(pack).faults, file
        rewritten(pack, lambda file=file, whole=whole: file.write_bytes(whole))


@pytest.mark.parametrize(
    ("name", "at", "value", "words"),
    [
        (FILES[0], ("last",), "2026-02-31", "its days cannot be"),
        (FILES[0], ("last",), "2020-01-01", "ends before it begins"),
        (FILES[0], ("last",), "9999-12-31", "a pack has 400 at most"),
        (FILES[1], ("policies", 0, "since"), "2026-99-01T00:00:00Z", "holds a value that cannot be"),
        (FILES[1], ("first",), "2026-01-01", "is about another period"),
        (FILES[1], ("reports", "unread"), ["2026-02-31"], "holds a value that cannot be"),
        (FILES[1], ("owner",), "\ud800\x1b[2J", "is not written as"),
    ],
)
def test_the_command_tells_it_in_words_with_exit_code_1(pack, name, at, value, words):
    data = with_value(json.loads((pack / name).read_text()), at, value)
    rewritten(pack, lambda: write(pack / name, data))
    done = run("verify", pack)
    assert (done.returncode, done.stderr) == (1, "")
    assert words in done.stdout


def test_a_commit_asks_for_no_junk(pack):
    """Else whoever asks the repository meets bytes that are no policy."""
    data = json.loads((pack / FILES[1]).read_text())
    said = data["policies"][0]
    said |= {"mode": "", "max_age": None, "mx": []}

    def change():
        (pack / FILES[1]).parent.joinpath(said["file"]).write_bytes(b"junk")
        write(pack / FILES[1], data)

    rewritten(pack, change)
    assert any("which is no policy" in fault for fault in verify(pack).faults)


def test_a_domain_may_not_be_named_twice(pack):
    data = json.loads((pack / FILES[0]).read_text())
    data["domains"] *= 2
    rewritten(pack, lambda: write(pack / FILES[0], data))
    assert "evidence.json: names a domain twice" in verify(pack).faults


def test_a_zip_with_a_changed_head_is_told_in_words(small, tmp_path):
    changed = tmp_path / "changed.zip"
    whole = small.read_bytes()
    for length in range(0, len(whole), 37):
        changed.write_bytes(whole[:length])
        try:
            assert verify(changed).faults
        except NoPack:
            continue
