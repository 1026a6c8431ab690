"""The TXT record at `_mta-sts.<policy domain>` (RFC 8461 section 3.1): "there is a policy, and this is its id".

>>> str(Record.parse('v=STSv1; id=20160831085700Z'))
'v=STSv1; id=20160831085700Z;'
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from mailtls.mta_sts import MtaStsError, shown

MAX_RECORD_CHARACTERS = 65535
"""RDATA holds no more (RFC 1035 section 3.2.1); looked at before any work."""
TTL = 300
"""Seconds, of the record as we publish it: how fast a new policy, and so a rollback, reaches senders."""

_PREFIX = "v=STSv1;"
_ID = re.compile(r"[A-Za-z0-9]{1,32}")  # the value of sts-id
_EXTENSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")  # sts-ext-name
_EXTENSION_VALUE = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+")  # sts-ext-value: no "=", ";", space or control
_OWN_NAMES = frozenset({"v", "id"})


class RecordError(MtaStsError):
    """What DNS holds is no usable record: a sender treats the domain as one without MTA-STS, unless its cache holds a
    policy. Fix DNS; the subclasses say which way."""


class NoRecord(RecordError):
    """No TXT value begins with `v=STSv1;`. Publish one, or there is no MTA-STS here."""


class SeveralRecords(RecordError):
    """More than one value begins with `v=STSv1;`, which counts as none (section 3.1). Remove all but one."""


class InvalidRecord(RecordError):
    """The value breaks the grammar of section 3.1. Correct it; the message says where."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be published.

    policy_id: 1 to 32 ASCII letters and digits. Ids have no order: a sender only asks whether it changed.
    extensions: (name, value) of fields this version does not know, in order, each name once.

    Raises InvalidRecord when built from parts that have no wire form.
    """

    policy_id: str
    extensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check_id(self.policy_id)
        seen = set(_OWN_NAMES)
        for name, value in self.extensions:
            if fault := extension_fault(name, value):
                raise InvalidRecord(fault)
            if name in seen:
                raise InvalidRecord(f"field {name!r} may stand in a record once")
            seen.add(name)
        if len(str(self)) > MAX_RECORD_CHARACTERS:
            raise InvalidRecord(f"a record of {len(str(self))} characters; DNS holds {MAX_RECORD_CHARACTERS}")

    def __str__(self) -> str:
        """`v=STSv1; id=...;`: no space before a `;`, since a sender looks for the literal `v=STSv1;` (erratum 6285)."""
        fields = [("id", self.policy_id), *self.extensions]
        return "v=STSv1; " + " ".join(f"{name}={value};" for name, value in fields)

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Read one TXT value whose character-strings are joined (`join`).

        Liberal where the RFC is: any order after the version, white space around `;`, the last `;` optional, unknown
        fields kept, of a repeated field the first counts. Raises InvalidRecord.
        """
        if len(text) > MAX_RECORD_CHARACTERS:
            raise InvalidRecord(f"a record of {len(text)} characters; DNS holds {MAX_RECORD_CHARACTERS}")
        version, *fields = split_fields(text) or [""]
        if version != "v=STSv1":  # sts-version: case-sensitive, and first
            raise InvalidRecord(f"{shown(text)} does not begin with v=STSv1;")
        values: dict[str, str] = {}
        for field in fields:
            name, equals, value = field.partition("=")
            if not equals:
                raise InvalidRecord(f"field {shown(field)} is not of the form name=value")
            if name == "id" and name not in values:
                _check_id(value)
            elif fault := extension_fault(name, value):
                raise InvalidRecord(fault)
            values.setdefault(name, value)
        if "id" not in values:
            raise InvalidRecord("the record has no id; write v=STSv1; id=...; (names are case-sensitive)")
        return cls(values["id"], tuple((n, v) for n, v in values.items() if n not in _OWN_NAMES))


def find(txt_values: Iterable[str]) -> Record:
    """The one record among all TXT values at `_mta-sts.<policy domain>`, as a sender picks it (section 3.1).

    `txt_values`: one string per TXT record, its character-strings joined (`join`). Values that do not begin with
    `v=STSv1;` are discarded first; exactly one must be left and it must parse.
    Raises NoRecord, SeveralRecords, InvalidRecord.
    """
    values = list(txt_values)
    candidates = [value for value in values if value.startswith(_PREFIX)]
    if not candidates:
        near = next((v for v in values if re.match(r"""["'\s]*v\s*=\s*stsv1""", v[:64], re.IGNORECASE)), None)
        hint = f"; {shown(near)} is discarded, a record begins with exactly v=STSv1;" if near is not None else ""
        raise NoRecord(f"none of {len(values)} TXT values is an MTA-STS record{hint}")
    if len(candidates) > 1:
        raise SeveralRecords(f"{len(candidates)} MTA-STS records, which counts as none: {shown(', '.join(candidates))}")
    return Record.parse(candidates[0])


def join(character_strings: Iterable[bytes]) -> str:
    """The text of one TXT record: its strings joined with nothing between (section 3.1).

    A record is US-ASCII; other octets come out as U+FFFD, which no rule of the grammar accepts.
    """
    return b"".join(character_strings).decode("ascii", errors="replace")


def split_fields(text: str) -> list[str]:
    """The parts of a record between its field delimiters, the last of which is optional."""
    parts = split(text, ";")
    return parts if parts[-1] else parts[:-1]


def split(text: str, delimiter: str) -> list[str]:
    """The parts, without the white space beside a delimiter; at the two ends there is none to take away.

    sts-field-delim = *WSP ";" *WSP; RFC 8460 section 3 has the same, and its rua list with a comma.
    """
    parts = text.split(delimiter)
    parts[1:] = [part.lstrip(" \t") for part in parts[1:]]
    parts[:-1] = [part.rstrip(" \t") for part in parts[:-1]]
    return parts


def extension_fault(name: str, value: str) -> str | None:
    """Why `name=value` is no field that a later version could add (sts-extension); None when it is one.

    RFC 8460 section 3 has the same grammar (tlsrpt-extension).
    """
    if not _EXTENSION_NAME.fullmatch(name):
        return f"{shown(name)} is not a field name: 1 to 32 letters, digits, '_', '-', '.'"
    if not _EXTENSION_VALUE.fullmatch(value):
        return f"field {name} has the value {shown(value)}: printable ASCII without space, '=' and ';'"
    return None


def policy_id_of(version_id: str) -> str:
    """The policy id for the version of the served object that S3 calls `version_id`: 24 lower-case letters and digits.

    Same version, same id; any other version, another id, also when it holds the same bytes again. A hash, because a
    version id may hold characters that an id may not, and base32, because DNS consoles and people change case.
    Raises InvalidRecord for `null` and the empty string: the version of every object in a bucket without versioning,
    which would give each policy the same id. Switch versioning on.
    """
    if version_id in ("", "null"):
        raise InvalidRecord(f"object version {version_id!r} identifies nothing: the bucket is not versioned")
    return base64.b32encode(hashlib.sha256(version_id.encode()).digest()).decode("ascii")[:24].lower()


def _check_id(policy_id: str) -> None:
    if not _ID.fullmatch(policy_id):
        raise InvalidRecord(f"id {shown(policy_id)} is not 1 to 32 letters and digits")
