"""The members of a stranger's JSON object, read one by one: as the type that is wanted, or kept apart.

What nobody asks for, and what cannot be what was asked for, ends up in `kept`; what was odd ends up in the notes.
So a reader built on this drops nothing, whatever it is given.
"""

from typing import Any

from mailtls.tls_rpt import shown
from mailtls.tls_rpt.i_json import encode
from mailtls.tls_rpt.report_values import Unknown

MAX_NOTES = 100
LARGEST_COUNT = 2**53 - 1
"""I-JSON (RFC 7493 section 2.2): the largest integer that every reader agrees on."""


class Notes:
    """What was odd, for people: at most MAX_NOTES lines and a last one that says how many more there were."""

    def __init__(self, first: tuple[str, ...] = ()) -> None:
        self._lines = list(first)
        self._left_out = 0

    def add(self, line: str) -> None:
        if len(self._lines) < MAX_NOTES:
            self._lines.append(line)
        else:
            self._left_out += 1

    def lines(self) -> tuple[str, ...]:
        return (*self._lines, f"and {self._left_out} more") if self._left_out else tuple(self._lines)


class Members:
    """One JSON object.

    where: its place in the report, for notes: `policies[0].policy`, "" at the top.
    An object inside it (`object`) shares its `kept`; an object in a list (`rows`) has its own.
    Everything here raises InvalidJson for values nested beyond MAX_DEPTH, and nothing else.
    """

    __slots__ = ("_asked", "_data", "_kept", "_pointer", "notes", "where")

    def __init__(self, data: dict[str, Any], where: str, notes: Notes, within: "Members | None" = None) -> None:
        self._data = data
        self._asked: set[str] = set()
        self._kept: dict[str, str] = {} if within is None else within._kept
        self._pointer = "" if within is None else "/" + where.rpartition(".")[2]
        self.where = where
        self.notes = notes

    def has(self, key: str) -> bool:
        return self._data.get(key) is not None

    def value(self, key: str) -> Any:
        """The member as it stands, None when it is absent or null."""
        self._asked.add(key)
        return self._data.get(key)

    def text(self, key: str) -> str | None:
        """A string; a number or truth value as its text."""
        value = self.value(key)
        return value if value is None or isinstance(value, str) else self._as_text(key, value)

    def text_of_each(self, *keys: str) -> list[str | None]:
        """`text` for many members in one go: a large report has thousands of rows."""
        self._asked.update(keys)
        get = self._data.get
        return [
            value if (value := get(key)) is None or isinstance(value, str) else self._as_text(key, value)
            for key in keys
        ]

    def count(self, key: str) -> int | None:
        """A number of sessions. Digits in a string and whole floats are understood."""
        value = self.value(key)
        if value is None or (type(value) is int and 0 <= value <= LARGEST_COUNT):
            return value
        self.odd(key, f"is {shown(encode(value))}")
        number = _whole_number(value)
        if number is None:
            self.keep(key, value)
        return number

    def texts(self, key: str) -> list[str]:
        """The strings in a list; a lone string is a list of itself, when not empty."""
        value = self.value(key)
        if isinstance(value, str):
            return [value] if value else []
        texts = []
        for place, element in self._elements(key, value):
            if isinstance(element, str):
                texts.append(element)
            elif element is not None:
                self.odd(key, f"holds {kind_of(element)} at {place}, not a string")
                self.keep(key, element, place)
        return texts

    def object(self, key: str) -> "Members":
        """The object under `key`; an empty one when there is none."""
        value = self.value(key)
        if not isinstance(value, dict):
            self.odd(key, "is missing" if value is None else f"is {kind_of(value)}, not an object")
            self.keep(key, value)
            value = {}
        return Members(value, f"{self.where}.{key}" if self.where else key, self.notes, self)

    def rows(self, key: str) -> list["Members"]:
        """The objects in a list. One object without its list is understood (`policies`, in early senders)."""
        value = self.value(key)
        if isinstance(value, dict):
            self.odd(key, "is one object, not a list")
            value = [value]
        where = f"{self.where}.{key}" if self.where else key
        rows = []
        for place, element in self._elements(key, value):
            if isinstance(element, dict):
                rows.append(Members(element, f"{where}[{place}]", self.notes))
            else:
                self.odd(key, f"holds {kind_of(element)} at {place}, not an object")
                self.keep(key, element, place)
        return rows

    def keep(self, key: str, value: Any, place: int | None = None) -> None:
        """Put `value` of member `key` (or of its element `place`) aside. Null says no more than absence."""
        if value is not None:
            token = key.replace("~", "~0").replace("/", "~1")
            self._kept[f"{self._pointer}/{token}" if place is None else f"{self._pointer}/{token}/{place}"] = encode(
                value
            )

    def keep_rest(self) -> None:
        """Put everything aside that nobody asked for."""
        if self._data.keys() <= self._asked:
            return
        for key, value in self._data.items():
            if key not in self._asked:
                self.odd(key, "is not in RFC 8460")
                self.keep(key, value)

    def unknown(self) -> Unknown:
        """All that was put aside so far, here and in objects inside."""
        return tuple(sorted(self._kept.items())) if self._kept else ()

    def odd(self, key: str, what: str) -> None:
        """Note something about a member."""
        name = key if len(key) <= 40 and key.isascii() and key.isprintable() else shown(key)
        self.notes.add(f"{self.where}{'.' if self.where else ''}{name} {what}")

    def _as_text(self, key: str, value: Any) -> str | None:
        self.odd(key, f"is {kind_of(value)}, not a string")
        if isinstance(value, bool | int | float):
            return encode(value)
        self.keep(key, value)
        return None

    def _elements(self, key: str, value: Any) -> list[tuple[int, Any]]:
        if value is None:
            return []
        if isinstance(value, list):
            return list(enumerate(value))
        self.odd(key, f"is {kind_of(value)}, not a list")
        self.keep(key, value)
        return []


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str):
        digits = value.strip()
        number = int(digits) if len(digits) <= 16 and digits.isascii() and digits.isdigit() else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    else:
        number = None
    return number if number is not None and 0 <= number <= LARGEST_COUNT else None
