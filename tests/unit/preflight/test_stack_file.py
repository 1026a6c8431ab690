"""The settings of a stack, as preflight reads them."""

from pathlib import Path

import pytest

from mailtls.preflight.stack_file import StackFileError, read_stack_file
from mailtls.preflight.wanted import Kind, Provider, ReportsWanted, ZoneWanted

STACKS = Path(__file__).parents[3] / "stacks"
GOOD = """\
config:
  aws:region: eu-west-1
  mailtls:zones:
    - {suffix: contoso.example, provider: cloudflare}
  mailtls:reports: {domain: reports.contoso.example, rule_set: own, activate: true}
"""


def test_the_sandboxs_own_settings() -> None:
    wanted = read_stack_file((STACKS / "Pulumi.sandbox.yaml").read_bytes(), "stacks/Pulumi.sandbox.yaml")
    assert (wanted.kind, wanted.region, wanted.specs) == (Kind.ALL, "eu-west-1", "policy_specs/sandbox")
    assert len(wanted.zones) == 8
    assert wanted.zones[4] == ZoneWanted("fabrikam.example", Provider.ROUTE53)
    assert wanted.reports == ReportsWanted("reports.mailhost.example", "own", activate=True)


def test_the_example_that_people_copy() -> None:
    text = (STACKS / "Pulumi.example.yaml").read_bytes()
    assert read_stack_file(text, "Pulumi.example.yaml").reports == ReportsWanted("reports.mailhost.example", "own")


def test_a_stack_of_domains_needs_no_reports() -> None:
    text = "config: {aws:region: eu-west-1, mailtls:kind: domains, mailtls:policy_specs: policy_specs/brands}"
    wanted = read_stack_file(text.encode(), "p.yaml")
    assert (wanted.kind, wanted.reports, wanted.specs) == (Kind.DOMAINS, None, "policy_specs/brands")


def test_zone_ids_unicode_and_the_resolver() -> None:
    text = GOOD.replace(
        "{suffix: contoso.example, provider: cloudflare}", "{suffix: bücher.example, provider: route53, zone_id: Z1}"
    )
    wanted = read_stack_file((text + "  mailtls:gate: {resolver: '192.0.2.53:53'}\n").encode(), "p.yaml")
    assert wanted.zones == (ZoneWanted("xn--bcher-kva.example", Provider.ROUTE53, "Z1"),)
    assert wanted.resolver == "192.0.2.53:53"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("config:", "cfg:", "p.yaml:1: no map of settings under config:"),
        ("eu-west-1", "Ireland", "p.yaml:2: aws:region: name the platform's region"),
        (
            "provider: cloudflare",
            "provider: godaddy",
            'p.yaml:4: mailtls:zones[0].provider: "godaddy" is not one; write',
        ),
        (
            ", provider: cloudflare",
            "",
            "p.yaml:4: mailtls:zones[0].provider: missing; write one of cloudflare, route53",
        ),
        ("suffix: contoso.example", "suffix: 12", "p.yaml:4: mailtls:zones[0].suffix: 12 is not text"),
        ("suffix: contoso.example", "suffix: contoso", "p.yaml:4: mailtls:zones[0].suffix: contoso has 1 label"),
        ("rule_set: own", "rule_set: mine", "p.yaml:5: mailtls:reports.rule_set: write one of own"),
        ("activate: true", "activate: yes", 'p.yaml:5: mailtls:reports.activate: "yes" is neither true nor false'),
        ("  mailtls:reports", "  # ", "p.yaml:2: mailtls:reports: missing"),
        ("    - {suffix", "    - {{suffix", "p.yaml:4:"),
        (
            "provider: cloudflare}",
            "provider: cloudflare}\n    - {suffix: contoso.example, provider: route53}",
            "p.yaml:5: mailtls:zones[1].suffix: contoso.example is there twice",
        ),
    ],
)
def test_a_fault_has_its_line_and_says_what_to_write(old: str, new: str, said: str) -> None:
    with pytest.raises(StackFileError) as raised:
        read_stack_file(GOOD.replace(old, new).encode(), "p.yaml")
    assert said in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[" * 100_000, b"a: &a [*a]", b"config: 1", b"x" * (2 << 20)])
def test_what_is_no_stack_file_is_refused(data: bytes) -> None:
    with pytest.raises(StackFileError):
        read_stack_file(data, "p.yaml")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(StackFileError) as raised:
        read_stack_file(GOOD.replace("eu-west-1", "x").replace("own", "mine").encode(), "p.yaml")
    assert len(str(raised.value).splitlines()) == 2
