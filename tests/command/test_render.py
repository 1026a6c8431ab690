"""`mailtls render`: what a spec publishes, before anything is deployed."""

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import dns.rdatatype
import dns.zone
import jsonschema
import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.mta_sts.policy import Policy
from mailtls.records import PLACEHOLDERS
from mailtls.tls_rpt.record import Record as TlsRptRecord

URIS = [f"mailto:reports-{number}@reports{number}.fabrikam.example" for number in range(8)]


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """policy_specs/ in the current folder, with defaults of two levels."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "policy_specs"
    (folder / "brands").mkdir(parents=True)
    (folder / "defaults.yaml").write_text("# all\nowner: mail-team\nmta_sts: {mode: testing}\n")
    (folder / "contoso.example.yaml").write_text(
        "policy_domain: contoso.example\n"
        "mta_sts:\n  mode: enforce\n  mx:\n    - mx1.contoso.example\n    - '*.mailhost.example'\n  max_age: 2w\n"
        "contact: hostmaster@fabrikam.example\n"
    )
    (folder / "brands" / "defaults.yaml").write_text("mta_sts:\n  mx: [mx.brands.example]\ntls_rpt: false\n")
    (folder / "brands" / "all.yaml").write_text("policy_domains:\n  one.example: {}\n  two.example:\n    owner: two\n")
    (folder / "reports.example.yaml").write_text(
        f"policy_domain: bücher.example\nmta_sts: {{mode: none}}\ntls_rpt: {{rua: {json.dumps(URIS)}}}\n"
    )
    return folder


def render(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["render", *arguments], catch_exceptions=False)


def test_the_policy_comes_octet_for_octet() -> None:
    result = render("contoso.example")
    assert result.exit_code == 0
    assert result.stdout_bytes == (
        b"version: STSv1\r\nmode: enforce\r\nmx: mx1.contoso.example\r\nmx: *.mailhost.example\r\nmax_age: 1209600\r\n"
    )
    assert Policy.parse(result.stdout_bytes).render() == result.stdout_bytes
    assert render("Contoso.Example.").stdout_bytes == result.stdout_bytes


def test_the_zone_file_loads_and_holds_no_placeholder() -> None:
    text = render("bücher.example", "--records", "--format", "zone").stdout
    zone = dns.zone.from_text(text, origin="xn--bcher-kva.example.", relativize=False, check_origin=False)
    (found,) = zone.iterate_rdatas()
    name, ttl, rdata = found
    assert (name.to_text(), ttl, rdata.rdtype) == ("_smtp._tls.xn--bcher-kva.example.", 3600, dns.rdatatype.TXT)
    assert TlsRptRecord.parse(b"".join(rdata.strings).decode()).rua == tuple(URIS)
    assert len(rdata.strings) == 2, "longer than one character-string"
    assert '; _mta-sts.xn--bcher-kva.example. 300 IN TXT "v=STSv1; id=<policy-id>;"\n' in text


def test_no_zone_takes_what_is_not_known() -> None:
    text = render("contoso.example", "--records", "--format", "zone").stdout
    lines = text.splitlines()
    assert lines
    assert all(line.startswith(";") for line in lines), "each of these has a placeholder"
    assert len([line for line in lines if " IN " in line]) == 4


def test_the_table_explains_each_placeholder_that_it_shows() -> None:
    text = render("contoso.example", "--records").stdout
    table, _, explained = text.partition("Known after the deployment:")
    shown = set(re.findall(r"<[a-z-]+>", table))
    assert shown == set(PLACEHOLDERS) == set(re.findall(r"^  (<[a-z-]+>):", explained, re.MULTILINE))
    assert max(map(len, text.splitlines())) <= 80
    assert "Known after" not in render("one.example", "--records", "--format", "markdown").stdout
    markdown = render("contoso.example", "--records", "--format", "markdown").stdout
    assert "| `_mta-sts.contoso.example` | 300 | TXT | `v=STSv1; id=<policy-id>;` |" in markdown


def test_the_steps_for_an_owner_have_each_record_and_what_its_absence_does(specs: Path) -> None:
    text = render("contoso.example", "--for-owner").stdout
    assert re.findall(r"^## (\d)\. (.*)$", text, re.MULTILINE) == [
        ("1", "Let the certificate be issued"),
        ("2", "Point the policy host at us"),
        ("3", "Ask senders for reports"),
        ("4", "Announce the policy, last of all"),
    ]
    assert text.count("Without it: ") == 4
    assert (
        "    name   _mta-sts.contoso.example\n    type   TXT\n    TTL    300\n    value  v=STSv1; id=<policy-id>;\n"
        in text
    )
    assert "Questions: hostmaster@fabrikam.example" in text
    assert max(map(len, text.splitlines())) <= 80
    markdown = render("contoso.example", "--for-owner", "--format", "markdown").stdout
    outside_code = re.sub(r"`[^`]*`|^    .*$", "", markdown, flags=re.MULTILINE)
    assert "<" not in outside_code, "Markdown takes it for a tag and shows nothing"


def test_reports_alone_need_neither_policy_host_nor_announcement(specs: Path) -> None:
    (specs / "a.yaml").write_text("policy_domain: a.example\ntls_rpt: {rua: ['mailto:r@b.example']}\n")
    (specs / "defaults.yaml").unlink()
    text = render("a.example", "--for-owner", "--specs", "policy_specs/a.yaml").stdout
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["1. Ask senders for reports", "See whether it works"]
    assert "angle brackets" not in text
    result = render("a.example", "--specs", "policy_specs/a.yaml")
    assert result.exit_code == 2
    assert "a.example has no policy: its spec asks for TLS-RPT alone (policy_specs/a.yaml:1)" in result.stderr


def test_where_each_value_came_from() -> None:
    text = render("two.example", "--origin", "--format", "markdown").stdout
    assert text.splitlines()[2:] == [
        "| `policy_domain` | `two.example` | `policy_specs/brands/all.yaml:3` |",
        "| `mta_sts.mode` | `testing` | `policy_specs/defaults.yaml:3` |",
        "| `mta_sts.mx[0]` | `mx.brands.example` | `policy_specs/brands/defaults.yaml:2` |",
        "| `mta_sts.max_age` | `86400 seconds` | `default: follows the mode: 1d in testing and none, 1w in enforce` |",
        "| `tls_rpt` | `false` | `policy_specs/brands/defaults.yaml:3` |",
        "| `owner` | `two` | `policy_specs/brands/all.yaml:4` |",
        "| `contact` | `nothing` | `default: nobody` |",
    ]
    plain = render("contoso.example", "--origin").stdout
    assert "mta_sts.mx[1]    *.mailhost.example  policy_specs/contoso.example.yaml:6\n" in plain
    assert "tls_rpt.rua      the platform's own pipeline  default: left out\n" in plain
    assert max(map(len, plain.splitlines())) <= 80


def test_json_holds_all_of_it_and_fits_its_schema() -> None:
    schema = json.loads((resources.files("mailtls.render") / "rendered.v1.schema.json").read_text())
    found: dict[str, dict[str, Any]] = {}
    for domain in ("contoso.example", "two.example", "bücher.example"):
        found[domain] = json.loads(render(domain, "--format", "json").stdout)
        jsonschema.Draft202012Validator(schema).validate(found[domain])
    contoso = found["contoso.example"]
    assert contoso["policy"]["url"] == "https://mta-sts.contoso.example/.well-known/mta-sts.txt"
    assert contoso["policy"]["text"].encode() == render("contoso.example").stdout_bytes
    assert [record["purpose"] for record in contoso["records"]] == [
        "certificate",
        "policy-host",
        "reports",
        "announcement",
    ]
    assert [r["name"] for r in found["bücher.example"]["records"] if not r["placeholders"]] == [
        "_smtp._tls.xn--bcher-kva.example"
    ]
    assert contoso["origins"][1]["location"] == {"file": "policy_specs/contoso.example.yaml", "line": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["contoso.exmple"], "there is no spec of contoso.exmple; did you mean contoso.example?"),
        (["https://contoso.example"], "is no mail domain"),
        (["contoso.example", "--format", "zone"], "add --records"),
        (["contoso.example", "--specs", "nowhere"], "nowhere:1:1: there is no such file or folder"),
    ],
)
def test_trouble_is_told_in_words(arguments: list[str], said: str) -> None:
    result = render(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_fault_in_another_spec_is_told_and_stops_nothing(specs: Path) -> None:
    (specs / "broken.yaml").write_text("policy_domain: broken.example\nmta_sts: {mode: enforced}\n")
    result = render("contoso.example")
    assert result.exit_code == 0
    assert result.stdout.startswith("version: STSv1")
    assert "other specs have faults; see them with: mailtls validate policy_specs" in result.stderr
    broken = render("broken.example")
    assert broken.exit_code == 2
    assert "policy_specs/broken.yaml:2:17: mta_sts.mode" in broken.stderr
