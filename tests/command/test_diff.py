"""`mailtls diff` in real repositories, as a person and a pull request call it."""

import datetime
import json
import re
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing
from click.testing import CliRunner, Result
from loopback_dns import LoopbackDns
from spec_repository import SpecRepository, spec

from mailtls.cli.main import main
from mailtls.render import change_comment

NOW = datetime.datetime.now(datetime.UTC)
Diff = Callable[..., Result]


def ago(days: int) -> datetime.datetime:
    return NOW - datetime.timedelta(days=days)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpecRepository:
    """Three domains on main, a month old; HEAD is on the branch `change`."""
    made = SpecRepository(tmp_path / "repository")
    made.commit(
        {
            "policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2", "2w"),
            "policy_specs/b.example.yaml": spec("b.example", "testing", max_age="1d"),
            "policy_specs/brands/defaults.yaml": "owner: brand-team\n",
            "policy_specs/brands/c.example.yaml": spec("c.example", "none"),
        },
        ago(30),
    )
    made.git("checkout", "--quiet", "-b", "change")
    monkeypatch.chdir(made.place)
    return made


@pytest.fixture
def diff(monkeypatch: pytest.MonkeyPatch) -> Diff:
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["diff", *arguments], catch_exceptions=False)

    return run


def data(result: Result) -> dict[str, Any]:
    """The JSON, which its schema describes."""
    folder = resources.files("mailtls.render")
    schemas = [
        json.loads((folder / name).read_text()) for name in ("changes.v1.schema.json", "findings.v1.schema.json")
    ]
    registry: Any = referencing.Registry().with_contents((schema["$id"], schema) for schema in schemas)
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.Draft202012Validator(schemas[0], registry=registry).validate(found)
    return found


def rules(result: Result) -> list[tuple[str, str]]:
    return [(finding["policy_domain"], finding["rule"]) for finding in data(result)["findings"]]


def test_no_change_is_clean(repository: SpecRepository, diff: Diff) -> None:
    result = diff("--base", "main")
    assert result.exit_code == 0
    assert result.stdout.startswith("none of 3 domains changes.\nAgainst main, merge base ")
    assert data(diff("--base", "main", "--format", "json"))["changes"] == []


def test_a_new_host_says_what_waits_until_when(repository: SpecRepository, diff: Diff) -> None:
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "2w")})
    result = diff("--base", "main")
    assert result.exit_code == 1
    day = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=14)
    assert "1 of 3 domains changes: 0 errors, 0 warnings, 1 note, safe to merge." in result.stdout
    assert "a.example  enforce  policy_specs/a.example.yaml:1\n  mx        + mx3.a.example\n" in result.stdout
    assert f"Do not point MX at mx3.a.example before {day:%Y-%m-%d}" in result.stdout
    assert "order     object, then gate, then _mta-sts TXT with a new id (TTL 300)" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_json_has_the_same_and_fits_its_schema(repository: SpecRepository, diff: Diff) -> None:
    repository.write(
        {
            "policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "2w"),
            "policy_specs/b.example.yaml": spec("b.example", "enforce"),
            "policy_specs/brands/c.example.yaml": None,
            "policy_specs/d.example.yaml": "policy_domain: d.example\ntls_rpt: {rua: ['mailto:r@e.example']}\n",
        }
    )
    found = data(diff("--base", "main", "--format", "json"))
    assert [(change["policy_domain"], change["change"]) for change in found["changes"]] == [
        ("a.example", "changed"),
        ("b.example", "changed"),
        ("c.example", "removed"),
        ("d.example", "added"),
    ]
    assert found["policy_domains"] == 4
    assert [(wait["what"], wait["hosts"], wait["seconds"]) for wait in found["changes"][0]["waits"]] == [
        ("point-mx", ["mx3.a.example"], 14 * 86400)
    ]
    assert found["changes"][2]["before"]["owner"] == "brand-team"
    assert found["changes"][3]["after"]["rua"] == ["mailto:r@e.example"]
    assert [finding["rule"] for finding in found["findings"]] == ["enforce-without-evidence"]


def test_what_was_served_before_comes_from_the_history(repository: SpecRepository, diff: Diff) -> None:
    """mx2 came yesterday; before, a policy without it was served that senders hold for four weeks."""
    repository.git("checkout", "--quiet", "main")
    name = "policy_specs/a.example.yaml"
    repository.commit({name: spec("a.example", "enforce", "mx1", "4w")}, ago(20))
    repository.commit({name: "# only a comment\n" + spec("a.example", "enforce", "mx1", "4w")}, ago(15))
    repository.commit({name: spec("a.example", "enforce", "mx1,mx2", "1w")}, ago(10))
    repository.commit({name: "# checked\n" + spec("a.example", "enforce", "mx1,mx2", "1w")}, ago(3))
    repository.git("checkout", "--quiet", "-B", "change")
    repository.write({name: spec("a.example", "enforce", "mx2", "1w")})
    (finding,) = data(diff("--base", "main", "--format", "json"))["findings"]
    assert finding["rule"] == "mx-removed-too-early"
    day = ago(10) + datetime.timedelta(weeks=4)
    assert f"until {day:%Y-%m-%d %H:%M} UTC (an estimate" in finding["message"]
    repository.write({name: spec("a.example", "enforce", "mx1,mx2,mx3", "1w")})
    (wait,) = data(diff("--base", "main", "--format", "json"))["changes"][0]["waits"]
    assert (wait["until"][:10], wait["seconds"]) == (f"{day:%Y-%m-%d}", 28 * 86400)


def test_a_month_of_enforce_is_not_new_because_a_host_came(repository: SpecRepository, diff: Diff) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "2w")}, ago(3))
    repository.git("checkout", "--quiet", "-B", "change")
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "8w")})
    assert rules(diff("--base", "main", "--format", "json")) == []


def test_a_retired_spec_may_go_when_the_policy_before_it_is_forgotten(repository: SpecRepository, diff: Diff) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({"policy_specs/a.example.yaml": spec("a.example", "none", "mx1,mx2", "1d")}, ago(5))
    repository.git("checkout", "--quiet", "-B", "change")
    repository.write({"policy_specs/a.example.yaml": None})
    assert rules(diff("--base", "main", "--format", "json")) == [("a.example", "spec-removed-while-live")]
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "none", "mx1,mx2", "1d")})
    repository.write({"policy_specs/brands/c.example.yaml": None})
    assert rules(diff("--base", "main", "--format", "json")) == []


@pytest.mark.parametrize(
    "path", ["policy_specs/brands/deep", "policy_specs/brands", "policy_specs/brands/c.example.yaml"]
)
@pytest.mark.parametrize("left", [False, True], ids=["folder gone", "folder empty"])
def test_the_last_spec_of_a_folder_is_removed(
    repository: SpecRepository, diff: Diff, monkeypatch: pytest.MonkeyPatch, path: str, left: bool
) -> None:
    """Git keeps no empty folder, so after the last file there is none to read."""
    file = path if path.endswith(".yaml") else f"{path}/c.example.yaml"
    repository.git("checkout", "--quiet", "main")
    repository.write({"policy_specs/brands/c.example.yaml": None, "policy_specs/brands/defaults.yaml": None})
    repository.commit({file: spec("c.example", "enforce")}, ago(20))
    repository.git("checkout", "--quiet", "-B", "change")
    repository.write({file: None})
    if not left:
        for folder in (repository.place / file).parents:
            if folder.name in ("deep", "brands"):
                folder.rmdir()
    result = diff("--base", "main", path, "--format", "json")
    assert result.exit_code == 1, result.stderr
    assert rules(result) == [("c.example", "spec-removed-while-live")]
    assert data(result)["changes"][0]["location"] == {"file": file, "line": 1}
    assert (data(result)["policy_domains"], data(result)["changes"][0]["change"]) == (1, "removed")
    monkeypatch.chdir(repository.place / "policy_specs")
    below = file.removeprefix("policy_specs/")
    assert (
        f"c.example  enforce → no spec  {below}:1" in diff("--base", "main", path.removeprefix("policy_specs/")).stdout
    )


def test_a_spec_that_moves_to_another_file_is_no_change(repository: SpecRepository, diff: Diff) -> None:
    repository.write(
        {
            "policy_specs/b.example.yaml": None,
            "policy_specs/moved.yaml": "policy_domains: {b.example: {mta_sts: {mode: testing, mx: [mx1.b.example]}}}\n",
        }
    )
    assert diff("--base", "main").exit_code == 0


def test_from_a_subfolder_and_for_one_file(
    repository: SpecRepository, diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write({"policy_specs/brands/defaults.yaml": "owner: other-team\n"})
    monkeypatch.chdir(repository.place / "policy_specs")
    found = data(diff("--base", "main", "brands", "--format", "json"))
    assert [change["location"]["file"] for change in found["changes"]] == ["brands/c.example.yaml"]
    assert found["policy_domains"] == 1
    assert diff("--base", "main", "a.example.yaml").exit_code == 0
    assert diff("--base", "main", "brands/c.example.yaml").exit_code == 1
    monkeypatch.chdir(repository.place / "policy_specs" / "brands")
    assert "../brands/c.example.yaml:1" in diff("--base", "main", "../brands").stdout
    assert "brands/c.example.yaml:1" in diff("--base", "main", str(repository.place / "policy_specs" / "brands")).stdout


def test_a_base_that_moved_on_is_told(repository: SpecRepository, diff: Diff) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({"policy_specs/b.example.yaml": spec("b.example", "testing", "mx1,mx2")})
    repository.git("checkout", "--quiet", "change")
    result = diff("--base", "main")
    assert result.exit_code == 0, "what others changed is not this change"
    assert "main has 1 newer commit" in result.stdout


def test_the_first_specs_of_a_repository_are_all_new(repository: SpecRepository, diff: Diff) -> None:
    repository.write({"more/x.example.yaml": spec("x.example", "testing")})
    found = data(diff("--base", "main", "more", "--format", "json"))
    assert [(change["policy_domain"], change["change"]) for change in found["changes"]] == [("x.example", "added")]
    assert found["findings"] == []
    assert "no spec was there, so each counts as new" in diff("--base", "main", "more").stdout.replace("\n", " ")
    assert "counts as new" not in diff("--base", "main").stdout


def test_specs_at_the_root_of_the_repository(tmp_path: Path, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = SpecRepository(tmp_path)
    monkeypatch.chdir(tmp_path)
    repository.commit({"a.example.yaml": spec("a.example", "enforce", "mx1", "4w")}, ago(40))
    repository.commit({"a.example.yaml": spec("a.example", "enforce", "mx1,mx2", "2w")}, ago(10))
    repository.git("checkout", "--quiet", "-b", "change")
    repository.write({"a.example.yaml": spec("a.example", "enforce", "mx2", "2w")})
    (finding,) = data(diff("--base", "main", ".", "--format", "json"))["findings"]
    assert finding["location"]["file"] == "a.example.yaml"
    assert f"until {ago(10) + datetime.timedelta(weeks=4):%Y-%m-%d %H:%M} UTC" in finding["message"]


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, ("--base", "nowhere"), "git knows no commit 'nowhere'; fetch it"),
        ({}, ("--base=--output=stolen",), "'--output=stolen' is not the name of a commit"),
        ({}, ("--base", "main", "no_such_folder"), "no_such_folder:1:1: there is no such file or folder"),
        ({}, ("--base", "main", "typo/../policy_specs"), "typo/../policy_specs:1:1: there is no such file or folder"),
        (
            {"policy_specs/a.example.yaml": "policy_domain: a.example\nmta_sts: {mode: enforced, mx: [x.example]}\n"},
            ("--base", "main"),
            'policy_specs/a.example.yaml:2:17: mta_sts.mode: "enforced" is not a mode; did you mean "enforce"?',
        ),
    ],
)
def test_trouble_is_told_in_words(
    repository: SpecRepository, diff: Diff, files: dict[str, str | None], arguments: tuple[str, ...], said: str
) -> None:
    repository.write(files)
    result = diff(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_files_name_begins_no_line_of_the_trouble(repository: SpecRepository, diff: Diff) -> None:
    """CI prints it into a log that takes orders (`::error::`), and into a comment, where a CR ends the code block."""
    repository.write({"policy_specs/x\r# @admin\n::error::\x1b[2J.yaml": "policy_domain: x\n"})
    result = diff("--base", "main")
    assert result.exit_code == 2
    assert result.stderr.startswith("mailtls: policy_specs/x\\u000d# @admin\\u000a::error::\\u001b[2J.yaml:1:16: ")
    assert result.stderr.count("\n") == 1


def test_a_base_that_cannot_be_loaded_is_trouble_with_its_place(repository: SpecRepository, diff: Diff) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.commit({"policy_specs/b.example.yaml": "policy_domain: b.example\nmta_sts: {mode: enforced}\n"})
    repository.git("checkout", "--quiet", "-B", "change")
    repository.commit({"policy_specs/b.example.yaml": spec("b.example", "testing")})
    result = diff("--base", "main")
    assert result.exit_code == 2
    assert "the specs at the base (main, commit " in result.stderr
    assert "policy_specs/b.example.yaml:2:17: mta_sts.mode" in result.stderr


def test_a_shallow_clone_ends_with_the_command_that_fetches(
    repository: SpecRepository, diff: Diff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"policy_specs/b.example.yaml": spec("b.example", "testing", "mx1,mx2")})
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", repository.place.as_uri(), str(clone)], check=True)
    monkeypatch.chdir(clone)
    result = diff("--base", "origin/main")
    assert result.exit_code == 2
    assert "history-unavailable" in result.stderr
    assert "git fetch --unshallow" in result.stderr


def test_the_comment_of_a_pull_request(repository: SpecRepository, diff: Diff) -> None:
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "2w")})
    comment = diff("--base", "main", "--format", "markdown").stdout
    assert comment.startswith(
        "### mailtls: 1 of 3 domains changes · 0 errors · 0 warnings · 1 note · safe to merge\n\n"
        "**a.example** · enforce · `policy_specs/a.example.yaml:1`\n\n"
        "| | now served | after merge |\n|---|---|---|\n"
        "| mx | `mx1.a.example`, `mx2.a.example` | `mx1.a.example`, `mx2.a.example`, **`mx3.a.example`** |\n\n"
        "Order: object → gate → `_mta-sts` TXT with a new id (TTL 300).  \n"
        "**Do not point MX at mx3.a.example before "
    )
    assert "<sub>Against main, merge base " in comment
    assert "<sub>Against `HEAD^{commit}`, merge base " in diff("--base", "HEAD^{commit}", "--format", "markdown").stdout


@pytest.mark.parametrize(
    ("host", "alike"),
    [("mx2.b.example", True), ("mx2", True), ("mail{}.b.example", False)],
    ids=["one host", "a host of its own name", "another host each"],
)
def test_the_comment_for_500_domains_fits_and_errors_come_first(
    repository: SpecRepository, diff: Diff, host: str, alike: bool
) -> None:
    names = [f"brand{number:03}.example" for number in range(500)]
    repository.git("checkout", "--quiet", "main")
    repository.commit({f"policy_specs/many/{n}.yaml": spec(n, "enforce", "mx1.b.example") for n in names}, ago(60))
    repository.git("checkout", "--quiet", "-B", "change")
    mx = [f"mx1.b.example,{host.format(number)}" for number in range(500)]
    repository.write({f"policy_specs/many/{n}.yaml": spec(n, "enforce", h) for n, h in zip(names, mx, strict=True)})
    repository.write({"policy_specs/many/brand499.example.yaml": spec("brand499.example", "enforce", "mx9.c.example")})
    comment = diff("--base", "main", "--format", "markdown").stdout
    assert len(comment.encode()) <= change_comment.MOST < 65_536
    assert comment.startswith("### mailtls: 500 of 503 domains change · 1 error · 0 warnings · ")
    text = diff("--base", "main").stdout
    assert all(name in text for name in names), "on a terminal nothing is left out"
    assert max(map(len, text.splitlines())) <= 80
    sections = re.findall(r"^\*\*(\S+)\*\* · ", comment, re.MULTILINE)
    assert sections[:2] == ["brand499.example", "brand000.example"], "errors first"
    if alike:
        assert ("each with its own name" in comment) == (host == "mx2")
        assert "<summary>the same for 498 more" in comment
        assert len(sections) == 2
    else:
        assert len(sections) > 100
        assert f"**{500 - len(sections)} more domains change**, 0 of them with an error" in comment
        assert "`mailtls diff --base main` shows all" in comment


def test_live_holds_the_change_against_the_mx_records(repository: SpecRepository, diff: Diff) -> None:
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1", "2w")})
    alone = data(diff("--base", "main", "--format", "json"))
    assert alone["findings"] == [], "by the specs alone mx2 may go"
    assert alone["changes"][0]["order"][0][:2] == ["no MX record names mx2.a.example", "object"]
    records = {
        ("a.example", "MX"): ["10 mx1.a.example.", "20 mx2.a.example.", "30 trap.b.example."],
        ("_mta-sts.a.example", "TXT"): ['"v=STSv1; id=20261130;"'],
    }
    with LoopbackDns(records) as resolver:
        result = diff("--base", "main", "--format", "json", "--live", "--resolver", resolver.address)
        text = diff("--base", "main", "--live", "--resolver", resolver.address).stdout
    assert result.exit_code == 1
    assert rules(result) == [("a.example", "mx-removed-too-early"), ("a.example", "mx-not-in-policy")]
    (change,) = data(result)["changes"]
    assert change["live"]["mx_hosts"] == ["mx1.a.example", "mx2.a.example", "trap.b.example"]
    assert (change["live"]["policy_id"], change["live"]["mta_sts"]) == ("20261130", None)
    assert "live      MX mx1.a.example, mx2.a.example, trap.b.example; id 20261130, and\n" in text


def test_live_without_a_network_is_trouble(repository: SpecRepository, diff: Diff) -> None:
    repository.write({"policy_specs/a.example.yaml": spec("a.example", "enforce", "mx1,mx2,mx3", "2w")})
    result = diff("--base", "main", "--live", "--resolver", "127.0.0.1:9", "--timeout", "0.2")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "no question to DNS was answered" in result.stderr


def test_live_asks_nothing_where_nothing_changes(repository: SpecRepository, diff: Diff) -> None:
    assert diff("--base", "main", "--live", "--resolver", "127.0.0.1:9", "--timeout", "0.2").exit_code == 0
