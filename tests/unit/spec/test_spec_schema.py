"""One schema, several readers: jsonschema, the fast verdict, editors, the reference page."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mailtls.mta_sts.policy import MAX_AGE, Mode
from mailtls.spec import load, reference, schema
from mailtls.spec.values import MAX_REPORT_RECORD
from mailtls.spec.verdict import compiled

SANDBOX = Path(__file__).parents[3] / "policy_specs" / "sandbox"

keys = st.sampled_from(["policy_domain", "mta_sts", "tls_rpt", "owner", "contact", "mode", "mx", "max_age", "rua", "x",
                        "suppress", "mx-not-in-policy"])  # fmt: skip
leaves = (
    st.sampled_from(["enforce", "a.example", "7d", "7d\n", "x\n", "a@b.example", "mailto:a@b.example", "", "x" * 1025])
    | st.sampled_from([None, True, False, 0, 1, 1.0, 1.5, -1, MAX_AGE, MAX_AGE + 1, float("inf"), float("nan")])
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)
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
        "hold": leaves,
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


@pytest.mark.parametrize(
    "file", sorted(p for p in SANDBOX.rglob("*.yaml") if p.name != "defaults.yaml"), ids=lambda p: p.name
)
def test_an_editor_finds_no_fault_with_the_sandbox(file: Path) -> None:
    """By the whole document with its references, as editors apply it."""
    Draft202012Validator(schema.schema()).validate(yaml.safe_load(file.read_text("utf-8")))


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"owner": "x"},
        {"policy_domain": "a.example", "hold": True},
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
        "mta_sts": {"mode": "mode: none", "mx": "mx: [mx.a.example]", "max_age": "max_age: 1d"},
        "tls_rpt": {},
        "suppress": {},
    }
    for example in part["examples"]:
        parent, _, child = key.rpartition(".")
        text = example
        if parent:
            lines = [*(whole[parent] | {child: example}).values()]
            text = f"{parent}:\n" + "\n".join(f"  {line}" for line in lines)
        if key != "policy_domain":
            text += "\npolicy_domain: a.example"
        if key == "tls_rpt":
            text += "\nmta_sts: {mode: none}"
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        assert len(load(tmp_path)) == 1


def test_the_reference_page_is_fresh() -> None:
    stale = "docs/spec-reference.md is stale; run: python -m mailtls.spec.reference --write"
    assert reference.PAGE.read_text("utf-8") == reference.render(), stale
    for key in KEYS:
        assert f"### `{key}`" in reference.render()
