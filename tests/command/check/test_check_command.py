"""`mailtls check` as a person, a program and a stranger's domain meet it."""

import json
import re
import resource
import subprocess
import sys
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("check.v1.schema.json").read_text("utf-8"))
FINDINGS = json.loads(resources.files("mailtls.render").joinpath("findings.v1.schema.json").read_text("utf-8"))


def domains(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON, fit for its schema, by domain."""
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return {domain["policy_domain"]: domain for domain in document["domains"]}


def rules(domain: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in domain["findings"]}


def test_the_finding_of_a_check_is_the_finding_of_all_commands() -> None:
    for name, part in FINDINGS["$defs"].items():
        assert SCHEMA["$defs"][name] == part


def test_a_domain_in_order(mailtls: Any) -> None:
    done = mailtls("check", "good.example")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("good.example  ENFORCED\n")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_program_can_watch_what_ends_when(mailtls: Any) -> None:
    found = domains(mailtls("check", "good.example", "--format", "json"))["good.example"]
    (end,) = {server["tls"]["not_after"] for server in found["policy_host"]}
    assert end > found["at"]
    assert found["beside"]["dmarc"] == ["v=DMARC1; p=reject"]
    assert found["hosts"][0]["port_25"] == []


def test_a_domain_that_loses_mail_on_one_host(mailtls: Any) -> None:
    done = mailtls("check", "uncovered.example", "--trace")
    assert done.returncode == 1
    assert "senders that honour MTA-STS refuse mx2.elsewhere.example" in " ".join(done.stdout.split())
    assert [line[2] for line in done.stdout.splitlines() if re.match(r"  [1-9] (ok|NO|--|!!|\?\?) ", line)] == list(
        "123456789"
    )


def test_several_domains_keep_their_order_and_none_stops_another(mailtls: Any) -> None:
    names = ["trickle.example", "good.example", "nothing.example", "loop.example", "testing.example"]
    done = mailtls("check", *names, "--format", "json", "--timeout", "1")
    assert done.returncode == 1
    found = domains(done)
    assert list(found) == names
    assert [found[name]["protection"] for name in names] == ["off", "enforced", "no mail", "unknown", "testing"]


def test_five_hundred_domains_are_a_line_each(mailtls: Any) -> None:
    names = [f"many{number:03}.example" for number in range(500)]
    done = mailtls("check", *names)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == names
    assert max(map(len, lines)) <= 80
    assert "500 domains: 0 with errors, 500 with warnings" in done.stderr


@pytest.mark.parametrize(
    ("domain", "rule", "words"),
    [
        ("flood.example", "policy-too-large", "larger than 65536 octets"),
        ("trickle.example", "policy-cut-off", "no whole answer within 1 s"),
        ("loop.example", "dns-no-answer", "run in a circle"),
        ("escape.example", "sts-record-invalid", "is not 1 to 32 letters and digits"),
    ],
)
def test_hostile_answers_are_bounded_and_told(mailtls: Any, domain: str, rule: str, words: str) -> None:
    done = mailtls("check", domain, "--timeout", "1")
    assert done.returncode == 1
    assert rule in done.stdout
    assert words in " ".join(done.stdout.split())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout)


def test_a_crowd_of_mx_is_cut_and_told(mailtls: Any) -> None:
    found = domains(mailtls("check", "crowd.example", "--format", "json"))["crowd.example"]
    assert len(found["hosts"]) == 20
    assert any("2000 MX records" in words for words in found["unasked"])


def test_a_host_that_is_named_twice_is_one_host(mailtls: Any) -> None:
    found = domains(mailtls("check", "twice.example", "--format", "json"))["twice.example"]
    assert [(host["preference"], host["host"]) for host in found["hosts"]] == [
        (10, "mx9.twice.example"),
        (20, "mx1.twice.example"),
    ]
    assert [one["rule"] for one in found["findings"]].count("mx-not-in-policy") == 1


def test_addresses_inside_are_not_connected_to(mailtls: Any) -> None:
    done = mailtls("check", "inside.example", "--format", "json", private=False)
    assert done.returncode == 1  # a job that saw nothing is not green
    found = domains(done)["inside.example"]
    assert "policy-not-seen" in rules(found)
    assert found["protection"] == "unknown"
    assert any("169.254.169.254" in words and "--allow-private" in words for words in found["unasked"])
    assert not {"policy-unreachable", "policy-host-cert-invalid"} & rules(found)


def test_a_strangers_name_breaks_no_table_and_the_table_says_why(mailtls: Any) -> None:
    done = mailtls("check", "odd.example", "--format", "markdown")
    (row,) = (line for line in done.stdout.splitlines() if line.startswith("| `"))
    assert re.fullmatch(r"\| `10 a\\\|b.odd.example` \| [^|]*\(the policy does not name it\) \| [^|]* \|", row)


def test_a_character_that_the_terminal_has_not_is_no_trouble(mailtls: Any) -> None:
    done = mailtls("check", "odd.example", env={"PYTHONIOENCODING": "latin-1"})
    assert "Traceback" not in done.stderr
    assert "sts-candidate-beside-ours" in done.stdout


def test_few_open_files_are_no_fault_of_the_domains(mailtls: Any) -> None:
    """macOS begins at 256; what failed for want of one looked like a fault of the other side."""
    crowd = [f"many{number:03}.example" for number in range(200)]
    few = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (256, 256))
    done = mailtls("check", "good.example", *crowd, "--at-once", "500", preexec_fn=few)
    assert "Traceback" not in done.stderr
    assert "201 domains: 0 with errors" in done.stderr


def test_a_domain_that_takes_no_mail(mailtls: Any) -> None:
    done = mailtls("check", "null.example")
    assert done.returncode == 0
    assert "NO MAIL" in done.stdout


def test_the_specs_are_what_a_domain_is_held_against(mailtls: Any, tmp_path: Path) -> None:
    (tmp_path / "good.example.yaml").write_text(
        "policy_domain: good.example\nmta_sts: {mode: enforce, mx: [mx1.good.example], max_age: 7d}\n"
    )
    assert mailtls("check", "--specs", str(tmp_path)).returncode == 0
    (tmp_path / "testing.example.yaml").write_text(
        "policy_domain: testing.example\nmta_sts: {mode: enforce, mx: [mx1.testing.example], max_age: 7d}\n"
    )
    done = mailtls("check", "--specs", str(tmp_path), "--format", "github")
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("::error file="))
    assert "mode testing" in line
    assert mailtls("check", "--specs", str(tmp_path), "good.example").returncode == 0
    missing = mailtls("check", "--specs", str(tmp_path), "other.example")
    assert (missing.returncode, "no spec of other.example" in missing.stderr) == (2, True)


@pytest.mark.parametrize("output", ["text", "json", "markdown", "sarif", "github"])
def test_every_format_of_a_bad_domain(mailtls: Any, output: str) -> None:
    done = mailtls("check", "uncovered.example", "--format", output)
    assert done.returncode == 1
    assert "mx-not-in-policy" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a domain"),
        (["contoso.example/"], "is no mail domain"),
        (["192.0.2.1"], "is no mail domain"),
        (["--specs", "nowhere"], "there is no such file or folder"),
        (["good.example", "--resolver", "dns.example"], "is not an address"),
        (["good.example", "--proxy", "socks5://127.0.0.1:1"], "is no proxy"),
    ],
)
def test_trouble_is_told_in_words(mailtls: Any, arguments: list[str], words: str) -> None:
    own_ways = {"--resolver", "--proxy"} & set(arguments)
    done = subprocess_of(arguments) if own_ways else mailtls("check", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def subprocess_of(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mailtls.cli", "check", *arguments], capture_output=True, text=True, check=False
    )


def test_no_answer_to_anything_is_trouble() -> None:
    done = subprocess_of(["good.example", "--resolver", "127.0.0.1:9", "--timeout", "1"])
    assert done.returncode == 2
    assert "is there a network?" in done.stderr


def test_two_answers_are_both_told(mailtls: Any) -> None:
    """No name server is known in this internet, which is told beside the resolver's answer."""
    found = domains(mailtls("check", "good.example", "--authoritative", "--format", "json"))["good.example"]
    assert "dns-answers-differ" in rules(found)
    assert found["protection"] == "enforced"


def test_init_writes_what_is_live_and_nothing_over_a_file(mailtls: Any, tmp_path: Path) -> None:
    done = mailtls("init", "many001.example", "--folder", str(tmp_path), "--owner", "mail-team")
    assert done.returncode == 0, done.stderr
    spec = tmp_path / "many001.example.yaml"
    text = spec.read_text()
    assert "mode: testing" in text
    assert "- mx1.many001.example" in text
    schema = re.match(r"# yaml-language-server: \$schema=(\S+)", text)
    assert schema
    assert (tmp_path / schema[1]).is_file()
    again = mailtls("init", "many001.example", "--folder", str(tmp_path))
    assert (again.returncode, spec.read_text()) == (2, text)
    assert mailtls("check", "--specs", str(tmp_path)).returncode == 1  # not deployed yet


def test_init_asks_what_to_do_with_a_live_policy_and_adopts_it_as_it_is(mailtls: Any, tmp_path: Path) -> None:
    asked = mailtls("init", "good.example", "--folder", str(tmp_path))
    assert asked.returncode == 2
    assert "--adopt" in asked.stderr
    assert not list(tmp_path.iterdir())
    assert mailtls("init", "good.example", "--folder", str(tmp_path), "--adopt").returncode == 0
    checked = mailtls("check", "--specs", str(tmp_path))
    assert checked.returncode == 0, checked.stdout  # byte for byte what is served
    fresh = mailtls("init", "good.example", "--no-adopt", "--stdout")
    assert "mode: testing" in fresh.stdout


@pytest.mark.parametrize(
    ("domain", "words"),
    [("null.example", "takes no mail"), ("nothing.example", "does not exist"), ("testing.example", "--no-adopt")],
)
def test_init_says_why_there_is_no_spec(mailtls: Any, tmp_path: Path, domain: str, words: str) -> None:
    done = mailtls("init", domain, "--folder", str(tmp_path))
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert words in done.stderr
