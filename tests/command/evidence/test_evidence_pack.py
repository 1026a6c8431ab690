"""`mailtls evidence`: what is in a pack, and who finds a byte that was changed."""

import gzip
import hashlib
import html
import json
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
from evidence_world import DOMAIN, PERIOD, rewritten, run

from mailtls.audit.pack_files import NoPack
from mailtls.audit.page import domain_page
from mailtls.audit.verify import verify
from mailtls.mta_sts.record import policy_id_of

REPOSITORY = Path(__file__).parents[3]


def domain_of(place):
    return json.loads((place / "domains" / DOMAIN / "evidence.json").read_text())


def test_it_says_where_the_pack_lies_and_what_to_keep(made):
    done, place = made
    manifest = (place / "MANIFEST.sha256").read_bytes()
    assert str(place) in done.stdout
    assert hashlib.sha256(manifest).hexdigest() in done.stdout
    assert done.stderr == ""


def test_sha256sum_says_that_every_file_is_as_listed(made):
    _, place = made
    done = subprocess.run(["sha256sum", "--check", "--strict", "MANIFEST.sha256"], cwd=place, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = [path for path in place.rglob("*") if path.is_file()]
    assert len(done.stdout.splitlines()) == len(files) - 1


def test_the_zip_holds_the_same_files(made):
    _, place = made
    with zipfile.ZipFile(place.with_name("pack.zip")) as archive:
        assert archive.testzip() is None
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()}


def test_each_policy_has_its_bytes_its_id_and_the_commit_that_asked_for_it(made, world):
    _, place = made
    testing, enforce = domain_of(place)["policies"]
    assert (testing["mode"], testing["until"]) == ("testing", enforce["since"])
    assert (enforce["mode"], enforce["until"]) == ("enforce", None)
    for found, commit in zip((testing, enforce), world["commits"], strict=True):
        assert found["policy_id"] == policy_id_of(found["version_id"])
        assert f"mode: {found['mode']}" in (place / "domains" / DOMAIN / found["file"]).read_text()
        assert found["change"]["commit"] == commit
        assert found["change"]["spec"] == f"policy_specs/{DOMAIN}.yaml"
        assert found["change"]["author"] == "Alice Example"
    assert enforce["change"]["subject"] == "Enforce: 60 clean days (#12)"
    assert {one["organisation"] for one in enforce["applied_by"]} == {"google.com", "microsoft.com"}
    assert enforce["applied_by"][0]["first"] == "2026-10-01"


def test_the_numbers_are_those_of_the_reports_command(made, world):
    _, place = made
    reports = domain_of(place)["reports"]
    command = [
        *(sys.executable, "-m", "mailtls.cli", "reports", "summary", "--format", "json"),
        "--store",
        str(world["store"]),
        *PERIOD,
    ]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    sums = {row["policy_type"]: [row["successful_sessions"], row["failed_sessions"] or 0] for row in said["overall"]}
    assert reports["by_type"] == sums
    assert reports["count"] == said["reports"]
    with gzip.open(place / "domains" / DOMAIN / reports["file"]) as lines:
        assert sum(1 for _ in lines) == reports["count"]


def test_a_failure_says_from_when_to_when_and_whether_it_is_over(made):
    _, place = made
    [failure] = domain_of(place)["failures"]
    assert (failure["what"], failure["host"]) == ("certificate-expired", f"mx2.{DOMAIN}")
    assert (failure["first"], failure["last"], failure["clean_since"]) == ("2026-10-28", "2026-10-31", None)
    assert failure["sessions"] == 103 + 102 + 101 + 100


def test_an_exception_has_its_reason_and_its_day(made, world):
    _, place = made
    [found] = domain_of(place)["exceptions"]
    assert found["reason"] == "a move is planned"
    assert found["commit"] == world["commits"][1]


def test_gaps_are_named_for_each_control(made):
    _, place = made
    gaps = {one["control"]: " ".join(one["missing"]) for one in domain_of(place)["gaps"]}
    assert "from 2026-07-01 to 2026-10-01 in testing" in gaps["ISO/IEC 27001:2022 A.5.14"]
    assert "2 of 90 days have no report" in gaps["ISO/IEC 27001:2022 A.8.16"]
    assert "the forge was not asked" in gaps["ISO/IEC 27001:2022 A.8.32"]
    index = json.loads((place / "evidence.json").read_text())
    assert [one["reference"] for one in index["controls"]] == list(gaps)
    wanted = ["A.5.14", "A.8.16", "A.8.20", "A.8.21", "A.8.24", "A.8.32", "21(2)(g)", "21(2)(h)"]
    assert [reference for name in wanted for reference in gaps if name in reference] == list(gaps)
    assert index["not_proven"]


def test_the_json_fits_its_schemas(made):
    _, place = made
    for file, schema in (("evidence.json", "evidence"), (f"domains/{DOMAIN}/evidence.json", "evidence_domain")):
        rules = json.loads((REPOSITORY / "mailtls" / "audit" / f"{schema}.v1.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(rules)
        jsonschema.validate(json.loads((place / file).read_text()), rules)


def test_the_pages_ask_for_nothing_from_elsewhere(made):
    _, place = made
    for page in place.rglob("*.html"):
        text = html.unescape(page.read_text())
        assert "default-src 'none'" in text
        assert "<script" not in text
        assert not re.search(r"<[^>]*(\ssrc|\shref=\"(?!domains/|policies/|reports|\.\./\.\./evidence)|url\()", text)


@pytest.mark.parametrize("form", ["pack", "pack.zip"])
def test_a_pack_that_nobody_touched_is_whole(made, world, form):
    done, place = made
    [digest] = re.findall(r"[0-9a-f]{64}", done.stdout)
    checked = run("verify", place.with_name(form), "--digest", digest, "--repository", world["repository"].place)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "is whole" in checked.stdout
    assert "2 policies are what the commits" in checked.stdout


def test_the_same_facts_make_the_same_zip(small, tmp_path):
    folder = small.with_suffix("")
    copied = tmp_path / "copy"
    shutil.copytree(folder, copied)
    assert verify(copied).digest == verify(small).digest
    assert verify(copied).faults == verify(small).faults == []


def test_every_changed_byte_of_the_zip_is_found(small, tmp_path):
    whole = small.read_bytes()
    changed = tmp_path / "changed.zip"
    for at in range(len(whole)):
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :])
        try:
            faults = verify(changed).faults
        except NoPack:
            continue
        assert faults, f"byte {at} of {len(whole)}"


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_added_or_removed_byte_of_any_file_is_found(made, tmp_path, seed):
    chance = random.Random(seed)  # noqa: S311  no secret, and the same each time
    place = tmp_path / "pack"
    shutil.copytree(made[1], place)
    file = chance.choice(sorted(path for path in place.rglob("*") if path.is_file()))
    data = bytearray(file.read_bytes())
    at = chance.randrange(len(data))
    match seed % 4:
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            data.insert(at, 32)
        case 2:
            del data[at]
        case 3:
            (file.parent / "one-more.txt").write_text("")
    file.write_bytes(data)
    done = run("verify", place)
    assert done.returncode == 1, file
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("fewer failures", "its failures are not those of"),
        ("a report less", "its counts are not those of"),
        ("another mode", "is not what its bytes say"),
        ("another page", "does not follow from the JSON"),
        ("a gap less", "does not follow from"),
    ],
)
def test_a_forged_manifest_is_found_by_what_does_not_follow(made, tmp_path, what, words):
    place = tmp_path / "pack"
    shutil.copytree(made[1], place)
    folder = place / "domains" / DOMAIN
    data = domain_of(place)

    def change():
        if what == "fewer failures":
            data["failures"] = []
        elif what == "another mode":
            data["policies"][0]["mode"] = "enforce"
        elif what == "a gap less":
            index = json.loads((place / "evidence.json").read_text())
            index["controls"][0]["with_gaps"], index["controls"][0]["without_gaps"] = 0, 1
            (place / "evidence.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")
        elif what == "another page":
            page = (folder / "evidence.html").read_text()
            (folder / "evidence.html").write_text(page.replace("testing", "enforce"))
        else:
            lines = gzip.decompress((folder / "reports.jsonl.gz").read_bytes()).splitlines(keepends=True)
            (folder / "reports.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[:-1]), mtime=0))
        if what not in ("a gap less", "another page"):
            (folder / "evidence.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")

    rewritten(place, change)
    done = run("verify", place)
    assert done.returncode == 1
    assert words in done.stdout


def test_whoever_changes_everything_is_found_by_the_digest_that_was_kept(made, tmp_path):
    done, whole = made
    [digest] = re.findall(r"[0-9a-f]{64}", done.stdout)
    place = tmp_path / "pack"
    shutil.copytree(whole, place)
    rewritten(place, lambda: shutil.rmtree(place / "domains" / DOMAIN / "policies"))
    found = run("verify", place, "--digest", digest)
    assert found.returncode == 1
    assert "not the one that was handed over" in found.stdout


def test_a_commit_that_does_not_hold_the_policy_is_found(made, world, tmp_path):
    place = tmp_path / "pack"
    shutil.copytree(made[1], place)
    first, second = world["commits"]
    file = place / "domains" / DOMAIN / "evidence.json"
    rewritten(place, lambda: file.write_text(file.read_text().replace(second, first)))
    page = file.with_suffix(".html")
    rewritten(place, lambda: page.write_text(page.read_text().replace(second[:12], first[:12])))
    assert run("verify", place).returncode == 0
    found = run("verify", place, "--repository", world["repository"].place)
    assert found.returncode == 1
    assert f"at commit {first[:12]} does not hold the policy" in found.stdout


def page_again(place):
    """The domain's page, from its JSON, as a forger makes it who has this program."""
    (place / "domains" / DOMAIN / "evidence.html").write_text(domain_page(domain_of(place)))


@pytest.mark.parametrize(
    ("what", "forged"),
    [("author", "Mallory"), ("committer", "Mallory"), ("subject", "Reviewed"), ("at", "2026-09-30T08:40:00Z")],
)
def test_a_forged_author_committer_subject_or_date_is_found_by_the_repository(made, world, tmp_path, what, forged):
    place = tmp_path / "pack"
    shutil.copytree(made[1], place)
    data = domain_of(place)
    data["policies"][1]["change"][what] = forged

    def change():
        file = place / "domains" / DOMAIN / "evidence.json"
        file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        page_again(place)

    rewritten(place, change)
    assert verify(place).faults == []
    found = run("verify", place, "--repository", world["repository"].place)
    assert found.returncode == 1
    assert f"its {'date' if what == 'at' else what} is " in found.stdout
    assert f"the pack says {forged!r}" in found.stdout


def test_a_repository_that_cannot_be_asked_is_trouble_and_says_what_to_do(made, world, tmp_path):
    found = run("verify", made[1], "--repository", tmp_path)
    assert found.returncode == 2
    assert "name a clone" in found.stderr
    shallow = tmp_path / "shallow"
    world["repository"].git("clone", "-q", "--depth", "1", world["repository"].place.as_uri(), str(shallow))
    found = run("verify", made[1], "--repository", shallow)
    assert found.returncode == 2
    assert "git fetch --unshallow" in found.stderr


def test_a_commit_that_the_repository_does_not_have_is_a_fault(made, world, tmp_path):
    other = tmp_path / "other"
    world["repository"].git("clone", "-q", world["repository"].place.as_uri(), str(other))
    world["repository"].git("-C", str(other), "checkout", "-q", "--orphan", "new")
    world["repository"].git("-C", str(other), "commit", "-q", "-m", "Nothing of the sort")
    for name in ("main", "origin/main"):
        kind = ("-r",) if "/" in name else ()
        world["repository"].git("-C", str(other), "branch", "-q", *kind, "-D", name)
    world["repository"].git("-C", str(other), "remote", "remove", "origin")
    world["repository"].git("-C", str(other), "reflog", "expire", "--expire=now", "--all")
    world["repository"].git("-C", str(other), "gc", "-q", "--prune=now")
    found = run("verify", made[1], "--repository", other)
    assert found.returncode == 1
    assert f"commit {world['commits'][0][:12]} could not be checked: git knows no commit" in found.stdout


def test_a_pack_is_never_written_over(made, world):
    again = run(*PERIOD, "--store", world["store"], "--specs", world["repository"].specs, "--out", made[1], "--no-look")
    assert again.returncode == 2
    assert "exists" in again.stderr
    assert verify(made[1]).faults == []


def test_what_is_no_pack_is_trouble(tmp_path):
    (tmp_path / "file.zip").write_bytes(b"PK no zip")
    assert run("verify", tmp_path / "nothing").returncode == 2
    assert run("verify", tmp_path).returncode == 2
    assert run("verify", tmp_path / "file.zip").returncode in (1, 2)


def test_members_that_no_pack_has_are_refused(small, tmp_path):
    for name, compression in (("../outside.txt", zipfile.ZIP_STORED), ("bomb.txt", zipfile.ZIP_DEFLATED)):
        place = tmp_path / "hostile.zip"
        shutil.copy(small, place)
        with zipfile.ZipFile(place, "a") as archive:
            archive.writestr(zipfile.ZipInfo(name), b"\0" * (10 << 20), compression)
        verdict = verify(place)
        assert any("no member of a pack" in fault for fault in verdict.faults)
    assert not (tmp_path.parent / "outside.txt").exists()


def test_a_link_in_a_folder_is_refused(made, tmp_path):
    place = tmp_path / "pack"
    shutil.copytree(made[1], place)
    (place / "evidence.html").unlink()
    (place / "evidence.html").symlink_to("/etc/passwd")
    assert run("verify", place).returncode == 2


def test_without_a_repository_the_pack_says_that_commits_are_missing(world, tmp_path):
    specs = tmp_path / "specs"
    shutil.copytree(world["repository"].specs, specs)
    done = run(*PERIOD, "--store", world["store"], "--specs", specs, "--out", tmp_path / "pack", "--no-look")
    assert done.returncode == 1
    assert "not in the pack: commits:" in done.stderr
    assert verify(tmp_path / "pack").faults == []
