"""`mailtls explain`: rules, result types and domains in plain words."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.lint.catalogue import rules
from mailtls.lint.explained import lasting, words
from mailtls.render.explained import SCHEMA_FILE
from mailtls.tls_rpt.report_values import ResultType

REPOSITORY = Path(__file__).parents[2]
SANDBOX = str(REPOSITORY / "policy_specs" / "sandbox")


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("word", words())
def test_everything_with_a_name_is_explained_in_every_format(word: str) -> None:
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text("utf-8"))
    text = explain(word)
    assert text.exit_code == 0
    assert text.stdout.startswith(word + ":")
    assert "{" not in text.stdout.replace("suppress: {", "")  # a placeholder that nobody filled in
    data = json.loads(explain(word, "--format", "json").stdout)
    jsonschema.validate(data, schema)
    assert explain(word, "--format", "markdown").stdout.startswith(f"### {word}:")


def test_all_rules_and_all_result_types_have_a_word() -> None:
    assert set(words()) == {*rules(), *map(str, ResultType), "no-policy-found"}


def test_a_rule_says_why_what_to_do_what_senders_do_and_how_to_silence_it() -> None:
    text = one_line(explain("max-age-at-maximum").stdout)
    assert text.startswith("max-age-at-maximum: warning, from a rule about specs, offline WHY ")
    assert "DO Write `max_age: 52w` or less." in text
    assert "https://www.rfc-editor.org/rfc/rfc8461#section-3.2" in text
    assert "Stalwart: keeps a policy for one day" in text
    assert 'suppress: {max-age-at-maximum: "the reason"}' in text
    assert "SILENCE" not in explain("mx-required").stdout


def test_a_word_is_known_however_it_is_written() -> None:
    assert explain("Rua_Several").stdout == explain("rua-several").stdout


def test_a_result_type_says_what_is_held_and_what_senders_do_otherwise() -> None:
    text = one_line(explain("Validation_Failure").stdout)
    assert "In enforce: critical." in text
    assert "Google: reports an MX that the policy does not name as validation-failure" in text
    assert "No mail is held" in explain("sts-webpki-invalid").stdout


def test_commands_stay_whole_in_a_narrow_terminal() -> None:
    result = CliRunner().invoke(main, ["explain", "certificate-expired"], env={"COLUMNS": "60"})
    assert re.search(r"^ +openssl s_client .* subjectAltName$", result.stdout, re.MULTILINE)
    prose = [line for line in result.stdout.splitlines() if "openssl" not in line and "https://" not in line]
    assert max(map(len, prose)) <= 60


def test_a_domain_is_explained_from_its_spec() -> None:
    text = one_line(explain("Contoso.example", "--specs", SANDBOX).stdout)
    assert text.startswith("contoso.example, as sandbox/contoso.example.yaml:3 asks PUBLISH ")
    assert "mode enforce." in text
    assert "max_age 1209600 (2 weeks)" in text
    assert "mx2.contoso.example: this host alone." in text
    assert "delivers only to a host that mx names" in text
    assert "silenced first-in-enforce" in text


def test_a_domain_with_reports_alone_and_one_in_unicode() -> None:
    assert "No policy: a sender without MTA-STS" in one_line(explain("wingtip.example", "--specs", SANDBOX).stdout)
    assert explain("bücher.example", "--specs", SANDBOX).stdout.startswith("xn--bcher-kva.example, as ")


def test_what_the_rules_say_about_a_domain_stands_in_its_explanation(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "policy_domain: a.example\nmta_sts: {mode: testing, mx: [mx.a.example]}\ntls_rpt: false\n"
    )
    text = one_line(explain("a.example", "--specs", str(tmp_path)).stdout)
    assert "RULES warning tls-rpt-missing: testing without reports tests nothing" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rua-severl"], "did you mean rua-several?"),
        (["certificate-expird"], "did you mean certificate-expired?"),
        (["zzz"], "'zzz' is no rule and no result type; docs/rules.md"),
        (["contosso.example", "--specs", SANDBOX], "did you mean contoso.example?"),
        (["\x1b[2J.example"], "is no rule, no result type and no domain"),
        (["a.example", "--specs", "nowhere"], "nowhere:1:1: there is no such file or folder"),
    ],
)
def test_what_is_not_known_is_trouble_with_the_nearest_word(arguments: list[str], said: str) -> None:
    result = explain(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "\x1b" not in result.stderr


def test_a_spec_at_fault_beside_it_is_told_when_the_domain_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\nmode: x\n")
    result = explain("a.example", "--specs", str(tmp_path))
    assert result.exit_code == 2
    assert "1 fault there, see mailtls validate" in result.stderr


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 seconds"), (5, "5 seconds"), (60, "1 minute"), (86400, "1 day"), (43200, "12 hours"), (1209600, "2 weeks")],
)
def test_a_time_in_words(seconds: int, text: str) -> None:
    assert lasting(seconds) == text
