"""Every row of both stand-ins' tables against the schema that the installed SDK has: a path that is misspelled in a
table would be a rule that never applies."""

from typing import Any

import pytest

from sandbox.providers.aws import provider as aws
from sandbox.providers.cloudflare import provider as cloudflare
from sandbox.providers.protocol.resource_type import ResourceType
from sandbox.providers.protocol.schema import Schema, Schemas, Shape, problems
from sandbox.providers.protocol.wire import UNKNOWN

SCHEMAS = {name: Schemas(name) for name in ("pulumi_aws", "pulumi_cloudflare")}
ROWS = [("pulumi_aws", kind) for kind in aws.TYPES] + [("pulumi_cloudflare", kind) for kind in cloudflare.TYPES]

every_row = pytest.mark.parametrize(("package", "kind"), ROWS, ids=[kind.token for _, kind in ROWS])


def shape_at(schema: Schema, path: str) -> Shape:
    """Raises KeyError for a path that there is not. Lists are passed through, as in the tables."""
    shape = schema.inputs
    for step in path.split("."):
        while shape["kind"] == "list":
            shape = shape["of"]
        shape = shape["of"] if shape["kind"] == "map" else shape["properties"][step]
    return shape


@every_row
def test_paths_are_those_of_the_sdk(package: str, kind: ResourceType[Any]) -> None:
    schema = SCHEMAS[package].of(kind.token)
    for path in kind.acts_on:
        assert shape_at(schema, path.removesuffix(".*"))
    for path in (*kind.unordered, *kind.choices, *kind.documents):
        assert shape_at(schema, path)


@every_row
def test_names_are_inputs_or_outputs_as_they_should(package: str, kind: ResourceType[Any]) -> None:
    schema = SCHEMAS[package].of(kind.token)
    inputs, outputs = schema.input_names, schema.outputs
    assert kind.replace_on <= inputs
    assert kind.computed <= inputs
    assert set(kind.defaults) <= inputs
    assert set(kind.unknown_after) <= outputs | kind.computed
    assert all(causes <= inputs for causes in kind.unknown_after.values())
    assert kind.name is None or kind.name.property in inputs


@every_row
def test_what_can_replace_or_update_is_acted_on(package: str, kind: ResourceType[Any]) -> None:
    tops = {path.partition(".")[0] for path in kind.acts_on} | set(kind.defaults) | {"region"}
    assert kind.replace_on <= tops
    assert set().union(*kind.unknown_after.values()) <= tops
    assert {path.partition(".")[0] for path in (*kind.unordered, *kind.documents, *kind.choices)} <= tops
    if kind.update is None:
        assert not kind.replace_on  # every change replaces it anyhow


@every_row
def test_defaults_and_choices_fit_their_property(package: str, kind: ResourceType[Any]) -> None:
    schema = SCHEMAS[package].of(kind.token)
    for key, value in kind.defaults.items():
        assert list(problems(value, shape_at(schema, key))) == []
    for path, choices in kind.choices.items():
        shape = shape_at(schema, path)
        shape = shape["of"] if shape["kind"] == "list" else shape
        assert [list(problems(choice, shape)) for choice in choices] == [[] for _ in choices]


@every_row
def test_unordered_things_are_lists(package: str, kind: ResourceType[Any]) -> None:
    schema = SCHEMAS[package].of(kind.token)
    assert {path: shape_at(schema, path)["kind"] for path in kind.unordered} == dict.fromkeys(kind.unordered, "list")
    assert {path: shape_at(schema, path)["kind"] for path in kind.documents} == dict.fromkeys(kind.documents, "string")


@every_row
def test_unknown_values_pass_every_check(package: str, kind: ResourceType[Any]) -> None:
    """In a preview anything may be unknown; a check that stumbles over it would stop the preview."""
    if kind.check is None:
        return
    schema = SCHEMAS[package].of(kind.token)
    required = {key: _skeleton(schema.inputs["properties"][key]) for key in schema.inputs["required"]}
    everything = {path.partition(".")[0] for path in kind.acts_on}
    list(kind.check({**dict.fromkeys(everything, UNKNOWN), **kind.defaults}))
    list(kind.check({**required, **kind.defaults}))


def _skeleton(shape: Shape) -> Any:
    """The smallest known value of that shape, with everything in it unknown."""
    if shape["kind"] == "object":
        return {key: _skeleton(shape["properties"][key]) for key in shape["required"]}
    if shape["kind"] == "list":
        return [_skeleton(shape["of"])]
    return UNKNOWN


def test_a_token_that_the_sdk_lacks_is_no_type() -> None:
    with pytest.raises(LookupError, match="pulumi_aws has no resource type aws:s3/bucket:Bucket3"):
        SCHEMAS["pulumi_aws"].of("aws:s3/bucket:Bucket3")


def test_the_schema_knows_nested_types_and_computed_outputs() -> None:
    schema = SCHEMAS["pulumi_aws"].of("aws:cloudfront/distribution:Distribution")
    assert shape_at(schema, "origins.originAccessControlId") == {"kind": "string"}
    assert "originAccessControlID" not in schema.inputs["properties"]["origins"]["of"]["properties"]
    assert "domainName" in schema.outputs
    assert "tags" in schema.maps
    assert {"origins", "defaultCacheBehavior"} <= set(schema.inputs["required"])
