"""The wire form of property values: what is written is what is read."""

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from sandbox.providers.protocol.wire import (
    UNKNOWN,
    Archive,
    Asset,
    Output,
    ResourceReference,
    Secret,
    WireError,
    has_secret,
    has_unknown,
    plain,
    read_struct,
    read_value,
    write_struct,
    write_value,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"

keys = st.text(max_size=8).filter(lambda key: key != SIGNATURE)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
assets = st.one_of(
    st.builds(Asset, hash=st.text(max_size=4), text=st.text(max_size=4)),
    st.builds(Asset, hash=st.text(max_size=4), path=st.text(min_size=1, max_size=4)),
)
archives = st.recursive(
    st.builds(Archive, hash=st.text(max_size=4), path=st.text(max_size=4)),
    lambda inner: st.builds(Archive, assets=st.dictionaries(keys, assets | inner, max_size=2)),
    max_leaves=4,
)
references = st.builds(
    ResourceReference,
    urn=st.text(max_size=8),
    id=st.one_of(st.none(), st.just(UNKNOWN), st.text(min_size=1, max_size=4)),
    package_version=st.text(max_size=4),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=8), st.just(UNKNOWN), assets, archives)
values = st.recursive(
    scalars | references,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(keys, inner, max_size=3),
        st.builds(Secret, inner),
        st.builds(Output, inner, st.booleans(), st.lists(st.text(max_size=4), max_size=2).map(tuple)),
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_survives_the_wire(value: object) -> None:
    assert read_value(write_value(value)) == value


@given(st.dictionaries(keys, values, max_size=4))
def test_properties_survive_serialisation(properties: dict[str, object]) -> None:
    message = struct_pb2.Struct.FromString(write_struct(properties).SerializeToString())
    assert read_struct(message) == properties


@given(values)
def test_plain_values_hold_no_secret(value: object) -> None:
    assert not has_secret(plain(value))
    assert has_unknown(plain(value)) == has_unknown(value)


@pytest.mark.parametrize(
    ("value", "key", "signature"),
    [
        (Secret("s"), "value", "1b47061264138c4ac30d75fd1eb44270"),
        (Asset("h", text="t"), "text", "c44067f5952c0a294b673a41bacd8c17"),
        (Archive("h", path="p"), "path", "0def7320c3a5731c473e5ecbe6d01bc7"),
        (ResourceReference("urn", "id"), "id", "5cf8f73096256a8f31e491e813e4eb8e"),
        (Output("v"), "value", "d0e6a833031e9bbcd3f4e8bde6ca49a4"),
    ],
)
def test_special_values_bear_the_marks_of_the_protocol(value: object, key: str, signature: str) -> None:
    fields = write_value(value).struct_value.fields
    assert fields[SIGNATURE].string_value == signature
    assert key in fields


def test_unknown_is_one_fixed_string() -> None:
    assert write_value(UNKNOWN).string_value == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_mark_of_no_known_kind_is_an_error() -> None:
    with pytest.raises(WireError, match="no mark of the protocol"):
        read_value(write_value({SIGNATURE: "made up"}))


def test_what_is_no_value_is_an_error() -> None:
    with pytest.raises(WireError, match="object is no property value"):
        write_value(object())
