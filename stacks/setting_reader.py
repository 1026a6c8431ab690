"""Reads typed values out of a stack's settings and collects every fault on the way."""

import difflib
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


class SettingFaults(ValueError):
    """The settings cannot be used. `str()` is one line per fault: `mailtls:gate.timeout: what to write`."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class Fields:
    """One map of settings. A key that nobody asked for is a fault; so is a value of another type.

    A method that meets a fault notes it and returns a value of the right type, so that reading goes on.
    """

    def __init__(self, path: str, values: Mapping[str, Any], faults: list[str]) -> None:
        self._path = path
        self._values = values
        self._faults = faults
        self._known: set[str] = set()
        self._children: list[Fields] = []

    @classmethod
    def of_stack(cls, config: Mapping[str, str], namespace: str) -> "Fields":
        """The keys of one namespace, out of the engine's map: lists, maps, numbers and flags come as JSON text."""
        prefix = f"{namespace}:"
        own = {key.removeprefix(prefix): _decoded(text) for key, text in config.items() if key.startswith(prefix)}
        return cls(prefix, own, [])

    @classmethod
    def empty(cls, parent: "Fields", key: str) -> "Fields":
        """A map that was left out."""
        return parent._child(key, {})

    def fault(self, key: str, message: str) -> None:
        """Note a fault of `key`; a key with a namespace of its own stands as it is."""
        self._faults.append(f"{key if ':' in key else self._path + key}: {message}")

    def done(self) -> None:
        """Raise SettingFaults when anything was wrong, unknown keys included."""
        self._unknown_keys()
        if self._faults:
            raise SettingFaults(self._faults)

    def text(self, key: str, required: bool = False) -> str | None:
        value = self._value(key)
        if value is None or value == "":
            if required:
                self.fault(key, "is missing")
            return None
        if isinstance(value, (dict, list, bool)):
            self.fault(key, f"a text is expected, not {json.dumps(value)}")
            return None
        return str(value)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"write true or false, not {json.dumps(value)}")
            return default
        return value

    def number(self, key: str, default: float) -> float:
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fault(key, f"a number is expected, not {json.dumps(value)}")
            return default
        return value

    def choice(self, key: str, choices: type[Choice], default: Choice | None) -> Choice:
        """A member of `choices`; without a default the key is required."""
        text = self.text(key, required=default is None)
        if text is not None and text in {choice.value for choice in choices}:
            return choices(text)
        if text is not None:
            self.fault(key, _one_of(text, [choice.value for choice in choices]))
        return default or next(iter(choices))

    def word(self, key: str, words: tuple[str, ...], otherwise: str) -> str:
        """One of `words`; required. otherwise: what one who needs another can do."""
        text = self.text(key, required=True)
        if text is not None and text not in words:
            self.fault(key, f"{_one_of(text, words)} ({otherwise})")
        return text or ""

    def words(self, key: str, words: tuple[str, ...]) -> tuple[str, ...]:
        """A list of some of `words`; () when it is left out."""
        value = self._value(key) or []
        if not isinstance(value, list):
            self.fault(key, f"a list is expected, not {json.dumps(value)}")
            return ()
        for item in value:
            if item not in words:
                self.fault(key, _one_of(item, words))
        return tuple(str(item) for item in value)

    def entry(self, key: str, required: bool = False) -> "Fields | None":
        """A map inside this one."""
        value = self._value(key)
        if value is None:
            if required:
                self.fault(key, "is missing")
            return None
        if not isinstance(value, dict):
            self.fault(key, f"a map is expected, not {json.dumps(value)}")
            return None
        return self._child(key, value)

    def entries(self, key: str) -> list["Fields"]:
        """A list of maps; empty when it is left out."""
        value = self._value(key) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(key, "a list of maps is expected")
            return []
        return [self._child(f"{key}[{index}]", item) for index, item in enumerate(value)]

    def unused(self, key: str, message: str) -> None:
        """A setting that would be read in other circumstances: it is known, but a fault where it is given."""
        if self._value(key) is not None:
            self.fault(key, message)

    def _value(self, key: str) -> Any:
        self._known.add(key)
        return self._values.get(key)

    def _child(self, key: str, values: Mapping[str, Any]) -> "Fields":
        child = Fields(f"{self._path}{key}.", values, self._faults)
        self._children.append(child)
        return child

    def _unknown_keys(self) -> None:
        for key in self._values:
            if key not in self._known:
                self.fault(key, "there is no such setting" + _did_you_mean(key, self._known))
        for child in self._children:
            child._unknown_keys()


def _decoded(text: str) -> Any:
    """JSON where it is JSON, else the text as it stands (`all`, `policy_specs/sandbox`)."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _one_of(text: object, words: Iterable[str]) -> str:
    known = list(words)
    return f"{text!r} is none of {', '.join(known)}{_did_you_mean(str(text), known)}"


def _did_you_mean(text: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
