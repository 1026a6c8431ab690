"""One schema, several readers: jsonschema, the fast verdict, editors, the reference page."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from mailtls.lint.specs import spec_findings
from mailtls.mta_sts.policy import MAX_AGE, Mode
from mailtls.spec import reference, schema
from mailtls.spec.load import load
from mailtls.spec.values import MAX_REPORT_RECORD
from mailtls.spec.verdict import compiled

REPOSITORY = Path(__file__).parents[3]
SANDBOX = REPOSITORY / "policy_specs" / "sandbox"

keys = st.sampled_from(["policy_domain", "mta_sts", "tls_rpt", "owner", "contact", "mode", "mx", "max_age", "rua", "x",
                        "suppress", "mx-not-in-policy"])  # fmt: skip
leaves = (
    st.sampled_from(["enforce", "manual", "a.example", "7d", "7d\n", "x\n", "a@b.example", "mailto:a@b.example"])
    | st.sampled_from(["", "x" * 1025])
    | st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, -1, MAX_AGE, MAX_AGE + 1, float("inf"), float("nan")])
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)
days = st.sampled_from(["2026-11-01", "2026-11-31", "2026-11-01\n", "01-11-2026"])
moments = st.sampled_from(["2026-12-01T06:00Z", "2026-12-01T06:00Z\n", "2026-12-01T06:00", "2026-12-01"])
specs = st.fixed_dictionaries(
    {},
    optional={
        "policy_domain": leaves,
        "mta_sts": values
        | st.fixed_dictionaries(
            {}, optional={"mode": leaves, "mx": st.lists(leaves, max_size=3) | leaves, "max_age": leaves, "x": leaves}
        ),
        "tls_rpt": values | st.fixed_dictionaries({}, optional={"rua": st.lists(leaves, max_size=12) | leaves}),
        "owner": leaves,
        "contact": leaves,
        "suppress": values | st.fixed_dictionaries({}, optional={"mx-not-in-policy": leaves, "x": leaves}),
        "alerts": values
        | st.fixed_dictionaries({}, optional={"mute_until": leaves | moments, "reason": leaves, "x": leaves}),
        "hold": leaves,
        "retire": leaves,
        "adopted": values | st.fixed_dictionaries({}, optional={"max_age": leaves, "until": leaves | days}),
        "rollout": leaves
        | st.fixed_dictionaries(
            {},
            optional={
                "planned_move": leaves | days,
                "after": st.dictionaries(
                    st.sampled_from(["days", "sessions", "reporters", "max_failure_rate", "x"]),
                    leaves | st.sampled_from([20, 90, 91, "0%", "0.5%", "0.5%\n", "100%"]),
                ),
            },
        ),
    },
)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema.schema())


@given(specs | values)
def test_the_fast_verdict_is_the_verdict(spec: object) -> None:
    expected = Draft202012Validator(schema.spec_schema()).is_valid(spec)
    assert schema.is_valid(spec) is expected
    assert (not list(schema.faults(spec))) is expected


@pytest.mark.parametrize("keyword", ["format", "oneOf", "patternProperties", "$ref", "required", "multipleOf"])
def test_the_fast_verdict_refuses_a_keyword_that_it_does_not_know(keyword: str) -> None:
    with pytest.raises(NotImplementedError, match=keyword.replace("$", r"\$")):
        compiled({keyword: {}})
    with pytest.raises(NotImplementedError, match="additionalProperties"):
        compiled({"additionalProperties": {"type": "string"}, "properties": {}})


def test_the_schema_agrees_with_the_standard() -> None:
    mta_sts = schema.spec_schema()["properties"]["mta_sts"]["properties"]
    assert mta_sts["mode"]["enum"] == [mode.value for mode in Mode]
    assert mta_sts["max_age"]["anyOf"][0]["maximum"] == MAX_AGE
    assert mta_sts["max_age"]["x-default-by-mode"].keys() == set(Mode)
    rua = schema.spec_schema()["properties"]["tls_rpt"]["properties"]["rua"]
    assert f"at most {MAX_REPORT_RECORD} octets" in rua["description"]


SPEC_FILES = sorted((REPOSITORY / "policy_specs").rglob("*.yaml"))
EDITOR_LINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)


def editors_validator(file: Path) -> Draft202012Validator:
    """The schema that an editor takes for a file: the one its first line names, and what that refers to beside it."""
    named = EDITOR_LINE.match(file.read_text("utf-8"))
    assert named, f"{file} does not begin with its editor line"
    path = (file.parent / named[1]).resolve(strict=True)

    def beside(uri: str) -> Resource[Any]:
        text = (path.parent / uri.rpartition(":")[2]).read_text("utf-8")
        return Resource.from_contents({**json.loads(text), "$id": uri})

    document = {**json.loads(path.read_text("utf-8")), "$id": path.name}
    return Draft202012Validator(document, registry=Registry(retrieve=beside))  # type: ignore[call-arg]


@pytest.mark.parametrize("file", SPEC_FILES, ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_an_editor_finds_no_fault_with_our_files(file: Path) -> None:
    """By the document that the file itself names, resolved from where the file lies."""
    editors_validator(file).validate(yaml.safe_load(file.read_text("utf-8")))


def test_an_editor_finds_the_faults_of_a_defaults_file() -> None:
    validator = editors_validator(SANDBOX / "brands" / "defaults.yaml")
    assert validator.is_valid({})
    assert validator.is_valid({"mta_sts": {"max_age": "1d"}})
    for wrong in ({"policy_domain": "a.example"}, {"mta_sts": {"mode": "strict"}}, {"dns": "manual"}, []):
        assert not validator.is_valid(wrong)


@pytest.mark.parametrize(
    ("page", "folder"),
    [
        ("docs/spec-reference.md", "policy_specs/production"),
        ("policy_specs/production/README.md", "policy_specs/production"),
    ],
)
def test_the_editor_line_of_our_pages_resolves_from_where_it_is_to_stand(page: str, folder: str) -> None:
    lines = EDITOR_LINE.findall((REPOSITORY / page).read_text("utf-8"))
    assert lines
    for line in lines:
        assert (REPOSITORY / folder / line).resolve().is_file()


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"owner": "x"},
        {"policy_domain": "a.example", "dns": "manual"},
        {"policy_domains": {"a.example": {"policy_domain": "a.example"}}},
        {"policy_domains": {"a.example": {"mta_sts": {"mode": "on"}}}},
        {"policy_domains": {}},
        {"policy_domains": {"a.example": {}}, "owner": "x"},
        {"policy_domains": {"a.example": {}}, "policy_domain": "a.example"},
        [],
    ],
)
def test_an_editor_finds_the_faults_that_the_loader_finds(spec: object, tmp_path: Path) -> None:
    assert not Draft202012Validator(schema.schema()).is_valid(spec)
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(spec))
    with pytest.raises(ValueError, match=r"a\.yaml"):
        load(tmp_path)


def _parts(part: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, below in part.get("properties", {}).items():
        yield above + key, below
        yield from _parts(below, f"{above}{key}.")


KEYS = dict(_parts(schema.spec_schema()))


@pytest.mark.parametrize("key", KEYS)
def test_every_key_tells_its_risk_and_has_an_example_that_loads(key: str, tmp_path: Path) -> None:
    part = KEYS[key]
    meaning, risk, consequence = part["description"].partition(" Risk: ")
    assert risk
    assert meaning
    assert consequence
    assert part["x-error"]
    assert part["x-expected"]
    whole: dict[str, dict[str, str]] = {
        "rollout": {},
        "adopted": {"max_age": "max_age: 1d", "until": "until: 2026-11-01"},
        "mta_sts": {"mode": "mode: none", "mx": "mx: [mx.a.example]", "max_age": "max_age: 1d"},
        "tls_rpt": {},
        "suppress": {},
        "alerts": {"mute_until": "mute_until: 2026-12-01T06:00Z", "reason": "reason: mx2 is replaced"},
    }
    for example in part["examples"]:
        parent, _, child = key.rpartition(".")
        text = example
        if parent == "rollout.after":
            text = f"rollout: {{after: {{{example}}}}}"
        elif parent:
            lines = [*(whole[parent] | {child: example}).values()]
            text = f"{parent}:\n" + "\n".join(f"  {line}" for line in lines)
        if key != "policy_domain":
            text += "\npolicy_domain: a.example"
        if key == "tls_rpt":
            text += "\nmta_sts: {mode: none, mx: [mx.a.example]}"
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        specs = load(tmp_path)
        assert len(specs) == 1
        found = [finding.rule for finding in spec_findings(specs, frozenset())]
        assert not found or found == [key.rpartition(".")[2]], example  # what silences a rule need not be the fault


def test_our_own_specs_obey_the_rules() -> None:
    """As on a first `up`, when every domain is new."""
    assert spec_findings(load(SANDBOX), frozenset()) == ()


YAML_BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def _blocks() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in YAML_BLOCK.finditer(page.read_text("utf-8")):
            text = textwrap.dedent(block[2])
            if re.search(r"^policy_domains?:", text, re.MULTILINE):
                yield page.name, text


@pytest.mark.parametrize(("page", "text"), list(_blocks()))
def test_a_whole_spec_in_our_pages_loads_and_obeys_the_rules(page: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "defaults.yaml").write_text("mta_sts: {mode: testing, mx: [mx1.mailhost.example]}\n")
    for number, one in enumerate(text.split("\n# or\n")):
        (tmp_path / f"{number}.yaml").write_text(one, "utf-8")
    assert page
    assert spec_findings(load(tmp_path)) == ()


def test_the_reference_page_is_fresh() -> None:
    stale = "docs/spec-reference.md is stale; run: python -m mailtls.spec.reference --write"
    assert reference.PAGE.read_text("utf-8") == reference.render(), stale
    for key in KEYS:
        assert f"### `{key}`" in reference.render()
