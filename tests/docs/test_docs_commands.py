"""The pages that people follow step by step: what they name is there, and their commands do what they say."""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from components.report_alarms import ALARM_COUNT
from mailtls.mta_sts.policy import Policy
from mailtls.mta_sts.record import Record
from mailtls.reports.alert_links import RUNBOOK
from mailtls.reports.causes import CauseKind
from mailtls.tls_rpt.report import ResultType
from stacks.platform_stack import Platform
from stacks.setting_reader import SettingFaults
from stacks.settings import USED_BY, Kind, parse

REPOSITORY = Path(__file__).parents[2]
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
README = (REPOSITORY / "README.md").read_text()
BREAK_GLASS = (REPOSITORY / "docs" / "break-glass.md").read_text()
EXAMPLE = (REPOSITORY / "stacks" / "Pulumi.example.yaml").read_text()


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n")[1].split("\n## ")[0]


def _as_pulumi_has_it(config: dict[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def test_the_example_settings_are_good_ones() -> None:
    """But for the one decision that nobody can take for the user: whether another rule set may be silenced."""
    config = yaml.safe_load(EXAMPLE)["config"]
    with pytest.raises(SettingFaults) as refused:
        parse(_as_pulumi_has_it(config), {}, REPOSITORY)
    (fault,) = str(refused.value).split("\n")
    assert "write activate: true" in fault
    config["mailtls:reports"]["activate"] = True
    settings = parse(_as_pulumi_has_it(config), {}, REPOSITORY)
    assert settings.kind is Kind.ALL
    assert not settings.allow_destroy
    assert not settings.per_domain_metrics
    assert all(f"mailtls:{key}:" in EXAMPLE for key in USED_BY)


def test_the_example_settings_end_in_one_that_counts() -> None:
    """The CLI rewrites the file: comments after the last setting lose their indentation, and what is uncommented there
    is no longer in `config`."""
    assert EXAMPLE.rstrip().splitlines()[-1] == "  mailtls:allow_destroy: false"


def test_the_settings_are_added_to_the_file_that_stack_init_writes() -> None:
    assert README.index("pulumi stack init production") < README.index(
        "cat stacks/Pulumi.example.yaml >> stacks/Pulumi.production.yaml"
    )


def test_the_readme_installs_the_engine_of_the_sdk() -> None:
    assert f"V={importlib.metadata.version('pulumi')} A=x64" in README


@pytest.mark.parametrize(
    ("listed", "installed"),
    [("the file's own", True), ("another's", False), ("none", False)],
)
def test_the_readme_installs_no_engine_that_its_release_does_not_list(
    tmp_path: Path, listed: str, installed: bool
) -> None:
    """Its commands as they stand, with a folder in place of the release's address."""
    if not shutil.which("curl"):
        pytest.skip("curl is missing: apt-get install curl")
    (block,) = (each for each in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "sha256sum" in each)
    version = importlib.metadata.version("pulumi")
    release, home = tmp_path / "release", tmp_path / "home"
    for folder in (release, home, tmp_path / "pulumi"):
        folder.mkdir()
    (tmp_path / "pulumi" / "pulumi").write_text("the CLI")
    archive = release / f"pulumi-v{version}-linux-x64.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", tmp_path, "pulumi"], check=True)
    digest = hashlib.sha256(archive.read_bytes() if listed != "another's" else b"").hexdigest()
    name = archive.name if listed != "none" else "pulumi-of-another-machine.tar.gz"
    (release / f"pulumi-{version}-checksums.txt").write_text(f"{digest}  {name}\n")
    address = "https://github.com/pulumi/pulumi/releases/download/v$V"
    assert address in block
    commands = block.replace(address, release.as_uri())
    done = subprocess.run(
        ["bash", "-c", commands], cwd=home, env={**os.environ, "HOME": str(home)}, capture_output=True, check=False
    )
    assert (done.returncode == 0, (home / ".local" / "pulumi" / "pulumi").exists()) == (installed, installed)


def test_the_policy_that_is_written_by_hand_names_every_mx(tmp_path: Path) -> None:
    block = re.findall(r"```sh\n(.*?)```", section(BREAK_GLASS, "Senders hold mail: go back to testing"), re.DOTALL)[0]
    done = subprocess.run(
        ["bash", "-c", f"{textwrap.dedent(block)}\ncat mta-sts.txt"],
        env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, check=True,
    )  # fmt: skip
    policy = Policy.parse(done.stdout)
    assert (policy.mode, [str(host) for host in policy.mx]) == (
        "testing",
        ["mx1.contoso.example", "mx2.contoso.example"],
    )
    assert done.stdout == policy.render()


@pytest.mark.parametrize(("number", "provider"), [(2, "aws"), (3, "curl")])
def test_the_id_that_is_changed_by_hand_is_one_record(number: int, provider: str) -> None:
    """What the shell hands to the provider's command, in the end, is JSON with one TXT value in quotes."""
    blocks = re.findall(r"```sh\n(.*?)```", section(BREAK_GLASS, "Senders hold mail: go back to testing"), re.DOTALL)
    last_word = provider + """() { printf '%s\\0' "${@: -1}"; }\n"""
    done = subprocess.run(
        ["bash", "-c", last_word + textwrap.dedent(blocks[number])], capture_output=True, text=True, check=True
    )
    asked = json.loads(done.stdout.split("\0")[-2])
    if provider == "aws":
        (change,) = asked["Changes"]
        assert (change["Action"], change["ResourceRecordSet"]["Name"]) == ("UPSERT", "_mta-sts.contoso.example")
        (content,) = (value["Value"] for value in change["ResourceRecordSet"]["ResourceRecords"])
    else:
        content = asked["content"]
    assert content[0] == content[-1] == '"'
    assert Record.parse(content[1:-1]).policy_id


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_skips_the_preview(page: Path) -> None:
    """Of what people type: it hides what would be deleted."""
    assert "--skip-preview" not in page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pip_is_never_told_to_install_without_hashes(page: Path) -> None:
    for line in page.read_text().splitlines():
        assert not re.search(r"pip install\b", line) or "--require-hashes" in line, line


def test_every_page_names_the_same_bucket_for_the_state() -> None:
    [login] = re.findall(r"pulumi login 's3://([^?']+)", README)
    rights = json.loads((REPOSITORY / "docs" / "iam" / "state.json").read_text())["Statement"]
    resources = [one for right in rights for one in [right["Resource"]] if ":s3:::" in one]
    assert {one.removeprefix("arn:aws:s3:::").removesuffix("/*") for one in resources} == {login}
    assert f"`{login}`" in (REPOSITORY / "docs" / "first-real-deployment.md").read_text()


def test_the_readme_counts_the_alarms() -> None:
    words = {6: "six", 7: "seven", 8: "eight"}
    assert f"The {words[ALARM_COUNT]} alarms" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_output_is_there(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)]+)\)", text):
        target = urlsplit(link)
        if target.scheme:
            continue
        linked = page.parent / target.path if target.path else page
        assert linked.exists(), link
        if target.fragment:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert target.fragment in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, (
                link
            )
    assert set(re.findall(r"pulumi stack output (\w+)", text)) <= set(Platform.__dataclass_fields__)


def test_pages_and_sections_that_messages_name_are_there() -> None:
    named = set()
    for room in ("components", "report_lambda", "stacks", "mailtls"):
        for path in (REPOSITORY / room).rglob("*.py"):
            named |= set(re.findall(r"(docs/[\w-]+\.md)(?:, \"([^\"]+)\")?", path.read_text()))
    assert ("docs/break-glass.md", "An expired certificate") in named
    for page, title in named:
        text = (REPOSITORY / page).read_text()
        assert not title or f"\n## {title}\n" in text, (page, title)


def test_records_of_decisions_that_the_code_names_are_there() -> None:
    numbers = set()
    for room in ("components", "report_lambda", "stacks", "mailtls", "tests/report_lambda"):
        for path in (REPOSITORY / room).rglob("*.py"):
            text = path.read_text()
            assert not re.search(r"\bdecisions? \d", text), path  # of a paper that is not in the repository
            numbers |= set(re.findall(r"ADR (\d+)", text))
    assert numbers
    for number in numbers:
        assert list((REPOSITORY / "docs" / "adr").glob(f"{int(number):04}-*.md")), number


def test_an_expired_certificate_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """The commands, with a `pulumi` that tells what it was asked; the names are those of the program."""
    golden = (REPOSITORY / "tests" / "component" / "golden" / "sandbox_resources.txt").read_text()
    urns = [f"urn:pulumi:production::mailtls::{line.split(' ')[0]}" for line in golden.splitlines()]
    (tmp_path / "urns").write_text("".join(f"    │  │     URN: {urn}\n" for urn in urns))
    pulumi = tmp_path / "pulumi"
    pulumi.write_text('#!/bin/sh\ncase "$*" in "stack --show-urns") cat urns ;; *) echo "$@" >> asked ;; esac\n')
    pulumi.chmod(0o755)
    (block,) = re.findall(r"```sh\n(.*?)```", section(BREAK_GLASS, "An expired certificate"), re.DOTALL)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-eu", "-c", block], cwd=tmp_path, env=path, check=True)
    host = "urn:pulumi:production::mailtls::mailtls:index:PolicyDomain$mailtls:index:PolicyHost"
    certificate = f"{host}$aws:acm/certificate:Certificate::contoso.example-certificate"
    issued = f"{host}$aws:acm/certificateValidation:CertificateValidation::contoso.example-issued"
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"state unprotect --yes {certificate}",
        f"state unprotect --yes {issued}",
        f"up --refresh --continue-on-error --parallel 64 --replace {certificate}",
    ]


def test_every_heading_that_an_alert_links_to_is_there() -> None:
    titles = set(re.findall(r"^### (.+)$", (REPOSITORY / RUNBOOK).read_text(), re.M))
    told = {str(kind) for kind in CauseKind} - {str(CauseKind.SESSIONS)} | {str(kind) for kind in ResultType}
    assert titles == told | {"possible-downgrade"}
