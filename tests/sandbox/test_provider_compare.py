"""Differences between inputs, and what counts as drift."""

import pytest

from sandbox.providers.protocol.compare import Kind, Rules, as_asked, changes
from sandbox.providers.protocol.wire import UNKNOWN, Secret

RULES = Rules(
    unordered=frozenset({"aliases", "origins.methods"}), documents=frozenset({"policy"}), maps=frozenset({"tags"})
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": 1}, {"a": 2}, {"a": Kind.UPDATE}),
        ({}, {"a": 1}, {"a": Kind.ADD}),
        ({"a": 1}, {}, {"a": Kind.DELETE}),
        ({"a": [1, 2]}, {"a": [2, 1]}, {"a[0]": Kind.UPDATE, "a[1]": Kind.UPDATE}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": Kind.UPDATE}),
        ({"aliases": ["x", "y"]}, {"aliases": ["y", "x"]}, {}),
        ({"aliases": ["x", "y"]}, {"aliases": ["y", "z"]}, {"aliases": Kind.UPDATE}),
        ({"origins": [{"methods": ["a", "b"]}]}, {"origins": [{"methods": ["b", "a"]}]}, {}),
        ({"policy": '{"a": 1}'}, {"policy": '{ "a" :1}'}, {}),
        ({"policy": '{"a": 1}'}, {"policy": '{"a": 2}'}, {"policy": Kind.UPDATE}),
        ({"policy": "no JSON"}, {"policy": "no json"}, {"policy": Kind.UPDATE}),
        ({"a": Secret("s")}, {"a": "s"}, {}),
        ({"a": Secret("s")}, {"a": Secret("t")}, {"a": Kind.UPDATE}),
        ({"a": "known"}, {"a": UNKNOWN}, {"a": Kind.UPDATE}),
        ({"a": None}, {"a": []}, {}),
        ({"a": {"b.c": 1}}, {"a": {"b.c": 2}}, {'a["b.c"]': Kind.UPDATE}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1, "d": 2}}}, {"a.b.d": Kind.ADD}),
        ({"a": False}, {}, {"a": Kind.DELETE}),
        ({"__defaults": []}, {"__defaults": ["a"]}, {}),
    ],
)
def test_changes(old: dict[str, object], new: dict[str, object], found: dict[str, Kind]) -> None:
    assert {one.path: one.kind for one in changes(old, new, RULES)} == found


@pytest.mark.parametrize(
    ("route", "asked", "seen", "kept"),
    [
        ("a", {"b": 1}, {"b": 1, "c": "the cloud's own default"}, {"b": 1}),
        ("a", {"b": 1}, {"b": 2, "c": "more"}, {"b": 2}),
        ("a", [{"b": 1}], [{"b": 1, "c": 2}], [{"b": 1}]),
        ("a", [{"b": 1}], [], []),
        ("a", [], None, []),
        ("tags", {"owner": "us"}, {"owner": "us", "added": "by hand"}, {"owner": "us", "added": "by hand"}),
        ("aliases", ["x", "y"], ["y", "x"], ["x", "y"]),
        ("policy", '{"a": 1}', '{"a":1}', '{"a": 1}'),
        ("policy", '{"a": 1}', '{"a":2}', '{"a":2}'),
    ],
)
def test_only_what_was_asked_for_can_drift(route: str, asked: object, seen: object, kept: object) -> None:
    assert as_asked(asked, seen, RULES, route) == kept
