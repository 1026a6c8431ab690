"""Files into specs: what a team writes and what becomes of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.spec import PolicySpec, SpecErrors, TlsRpt
from mailtls.spec.load import load, merge

SANDBOX = Path(__file__).parents[3] / "policy_specs" / "sandbox"

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files under `policy_specs` and gives the path as a user in the folder above would type it."""
    monkeypatch.chdir(tmp_path)

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "policy_specs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return Path("policy_specs")

    return write


def one(root: Path) -> PolicySpec:
    (spec,) = load(root)
    return spec


def test_a_whole_spec(write: Write) -> None:
    spec = one(
        write(
            {
                "fabrikam.example.yaml": """\
# a comment
policy_domain: Fabrikam.example.
mta_sts:
  mode: enforce
  mx: [MX1.Mailhost.example., "*.mail.protection.outlook.com", mx.bücher.example]
  max_age: 12h
tls_rpt: {rua: ["MAILTO:tls%2Creports@reports.example.org", "https://reports.example.org/v1?a=b"]}
owner: customer-success
contact: hostmaster@fabrikam-it.example
"""
            }
        )
    )
    assert spec.policy_domain == "fabrikam.example"
    assert spec.mta_sts
    mx = (
        MxPattern("mx1.mailhost.example"),
        MxPattern("*.mail.protection.outlook.com"),
        MxPattern("mx.xn--bcher-kva.example"),
    )
    assert spec.mta_sts.policy == Policy(Mode.ENFORCE, 43200, mx)
    assert spec.tls_rpt == TlsRpt(("mailto:tls%2Creports@reports.example.org", "https://reports.example.org/v1?a=b"))
    assert (spec.owner, spec.contact) == ("customer-success", "hostmaster@fabrikam-it.example")
    assert (spec.source.file, spec.source.line) == ("policy_specs/fabrikam.example.yaml", 2)


@pytest.mark.parametrize(
    ("mta_sts", "seconds"),
    [
        ("{mode: testing, mx: [mx.a.example]}", 86400),
        ("{mode: enforce, mx: [mx.a.example]}", 7 * 86400),
        ("{mode: none}", 86400),
        ("{mode: none, mx: []}", 86400),
        ("{mode: none, max_age: 0}", 0),
        ("{mode: none, max_age: 1}", 1),
        ("{mode: none, max_age: 86400.0}", 86400),
        ("{mode: none, max_age: 30m}", 1800),
        ("{mode: none, max_age: 12h}", 43200),
        ("{mode: none, max_age: 7d}", 604800),
        ("{mode: none, max_age: 2w}", 1209600),
        ("{mode: none, max_age: 52w}", 31449600),
        ("{mode: none, max_age: 8766h}", 31557600),
        ("{mode: none, max_age: 31557600}", 31557600),
    ],
)
def test_max_age_is_seconds_or_follows_the_mode(write: Write, mta_sts: str, seconds: int) -> None:
    spec = one(write({"a.yaml": f"policy_domain: a.example\nmta_sts: {mta_sts}\n"}))
    assert spec.mta_sts
    assert spec.mta_sts.max_age == seconds


def test_the_first_step_without_risk(write: Write) -> None:
    spec = one(write({"a.yaml": "policy_domain: a.example\n"}))
    assert (spec.mta_sts, spec.tls_rpt) == (None, TlsRpt())


def test_reports_can_be_switched_off(write: Write) -> None:
    spec = one(write({"a.yaml": "policy_domain: a.example\nmta_sts: {mode: none}\ntls_rpt: false\n"}))
    assert spec.tls_rpt is None


def test_defaults_fill_in_from_root_to_leaf(write: Write) -> None:
    specs = load(
        write(
            {
                "defaults.yaml": "owner: all\ncontact: all@x.test\n"
                "mta_sts: {mode: testing, mx: [mx1.x.test, mx2.x.test]}\n",
                "a.yaml": "policy_domain: a.example\n",
                "brands/defaults.yaml": "# only maps merge\nowner: brands\nmta_sts: {max_age: 2d}\n",
                "brands/b.yaml": "policy_domains:\n  b1.example: {}\n  b2.example:\n"
                "  b3.example: {mta_sts: {mx: [mx3.x.test]}}\n",
                "brands/deep/c.yaml": "policy_domain: c.example\nmta_sts: {mode: enforce}\ntls_rpt: false\n",
                "others/defaults.yaml": "# nothing yet\n",
                "others/d.yaml": "policy_domain: d.example\ncontact: d@x.test\n",
            }
        )
    )
    assert [
        (s.policy_domain, s.owner, s.contact, s.mta_sts and (s.mta_sts.mode, s.mta_sts.max_age, len(s.mta_sts.mx)))
        for s in specs
    ] == [
        ("a.example", "all", "all@x.test", ("testing", 86400, 2)),
        ("b1.example", "brands", "all@x.test", ("testing", 172800, 2)),
        ("b2.example", "brands", "all@x.test", ("testing", 172800, 2)),
        ("b3.example", "brands", "all@x.test", ("testing", 172800, 1)),
        ("c.example", "brands", "all@x.test", ("enforce", 172800, 2)),
        ("d.example", "all", "d@x.test", ("testing", 86400, 2)),
    ]
    assert [spec.source.line for spec in specs] == [1, 2, 3, 4, 1, 1]


def test_a_silenced_rule_says_why(write: Write) -> None:
    specs = load(
        write(
            {
                "a.yaml": "policy_domain: a.example\n",
                "traps/defaults.yaml": "suppress: {mx-not-in-policy: mx9 is a spam trap}\n",
                "traps/b.yaml": "policy_domains:\n  b.example: {}\n"
                "  c.example:\n    suppress:\n      mx-not-in-policy: >\n        two\n        lines\n",
            }
        )
    )
    assert [dict(spec.suppress) for spec in specs] == [
        {},
        {"mx-not-in-policy": "mx9 is a spam trap"},
        {"mx-not-in-policy": "two lines"},
    ]
    assert specs[1] != replace(specs[1], suppress={})
    with pytest.raises(TypeError):
        specs[1].suppress["mx-not-in-policy"] = "other"  # type: ignore[index]  # that is the test
    assert len(set(specs)) == 3


def test_one_file_takes_the_defaults_beside_it(write: Write) -> None:
    root = write({"defaults.yaml": "owner: all\n", "a.yaml": "policy_domain: a.example\n", "b.yaml": "broken: [\n"})
    assert one(root / "a.yaml").owner == "all"


def test_what_is_no_spec_is_passed_over(write: Write) -> None:
    root = write({"a.yaml": "policy_domain: a.example\n", "README.md": "# mine", ".git/x.yaml": "no", ".#a.yaml": "no"})
    assert one(root).policy_domain == "a.example"


def test_absolute_paths_are_shown_from_their_last_folder(write: Write) -> None:
    root = write({"sub/a.yaml": "policy_domain: a.example\n"})
    assert one(root.absolute()).source.file == "policy_specs/sub/a.yaml"
    assert one(root / "sub").source.file == "policy_specs/sub/a.yaml"


def test_an_alias_and_a_byte_order_mark_are_fine(write: Write) -> None:
    specs = load(
        write(
            {
                "a.yaml": "\ufeffpolicy_domains:\n"
                "  a.example: {mta_sts: {mode: testing, mx: &hosts [mx1.x.test, mx2.x.test]}}\n"
                "  b.example: {mta_sts: {mode: testing, mx: *hosts}}\n"
            }
        )
    )
    assert specs[0].mta_sts == specs[1].mta_sts


def test_merging_changes_neither_side() -> None:
    base, over = {"a": {"x": 1, "y": [1]}, "b": 1}, {"a": {"y": [2], "z": {}}, "b": {"c": 1}}
    assert merge(base, over) == {"a": {"x": 1, "y": [2], "z": {}}, "b": {"c": 1}}
    assert base == {"a": {"x": 1, "y": [1]}, "b": 1}
    assert over == {"a": {"y": [2], "z": {}}, "b": {"c": 1}}


def test_the_sandbox_uses_all_that_a_spec_can_say() -> None:
    specs = {spec.policy_domain: spec for spec in load(SANDBOX)}
    assert list(specs) == sorted(
        ["contoso.example", "shop.contoso.example", "fabrikam.example", "tailspin.example", "northwind.example",
         "wingtip.example", "xn--bcher-kva.example", "old.brands.example", "one.brands.example", "two.brands.example"]
    )  # fmt: skip
    modes = {domain: spec.mta_sts.mode if spec.mta_sts else None for domain, spec in specs.items()}
    assert modes["wingtip.example"] is None
    assert set(modes.values()) == {None, *Mode}
    northwind = specs["northwind.example"].mta_sts
    assert northwind
    assert [str(pattern) for pattern in northwind.mx][-1] == "*.mailhost.example"


@pytest.mark.parametrize("files", [{}, {"defaults.yaml": "owner: x\n"}, {"README.md": "nothing"}, {".a.yaml": "a"}])
def test_an_empty_set_would_delete_every_domain(write: Write, tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "policy_specs").mkdir()
    with pytest.raises(SpecErrors, match=r"^policy_specs:1:1: no spec in here"):
        load(write(files))
