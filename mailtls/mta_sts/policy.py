"""The policy file at `https://mta-sts.<policy domain>/.well-known/mta-sts.txt` (RFC 8461 section 3.2).

>>> print(Policy.parse(b'version: STSv1\\nmode: testing\\nmx: mx1.example.com\\nmax_age: 86400\\n').mode)
testing
"""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from mailtls import names
from mailtls.mta_sts import MtaStsError, shown

MAX_POLICY_BYTES = 65536
"""Section 3.3 suggests that senders read no more than 64 kilobytes; looked at before any work."""
MAX_AGE = 31557600
"""Seconds, 365.25 days: the longest a policy may be kept (section 3.2)."""
WELL_KNOWN_PATH = "/.well-known/mta-sts.txt"
HOST_TTL = 300
"""Seconds, of the policy host's name and of its certificate's validation record as we publish them."""

_ALWAYS_FIT = 200
"""mx lines of the longest names that stay far below MAX_POLICY_BYTES."""

_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")  # sts-policy-ext-name; the four known names fit it too
_FIELD_VALUE = re.compile(
    r"[^\x00-\x20\x7f\ud800-\udfff](?:[^\x00-\x1f\x7f\ud800-\udfff]*[^\x00-\x20\x7f\ud800-\udfff])?"
)
_SECONDS = re.compile(r"[0-9]{1,10}")  # sts-policy-max-age-value
_OWN_NAMES = frozenset({"version", "mode", "max_age", "mx"})


class InvalidPolicy(MtaStsError):
    """The policy breaks the rules of section 3.2: a sender treats it as not there and goes on with what its cache
    holds. Never publish it; where it is published already, correct it. The message names line and field."""


class Mode(StrEnum):
    """What a sender does with a host that fails validation (section 5)."""

    NONE = "none"
    """As if there were no policy: the way out."""
    TESTING = "testing"
    """Deliver all the same, and report the failure where TLS-RPT asks for reports."""
    ENFORCE = "enforce"
    """Do not deliver there."""


@dataclass(frozen=True, slots=True)
class MxPattern:
    """One `mx` value: a host name in A-labels, or `*.` in front of one, where `*` stands for exactly one label.

    Kept in lower case: names compare so. No underscore, trailing dot or `[192.0.2.1]` (RFC 5321 section 4.1.2, Domain).
    `192.0.2.1` is in that grammar and matches no host: read in a stranger's policy, refused in a spec (`mailtls.spec`).
    Raises InvalidPolicy.
    """

    text: str

    def __post_init__(self) -> None:
        if names.is_plain_host(self.text.removeprefix("*.")):
            return
        name = self.text.lower()
        base = name.removeprefix("*.")
        if not base.isascii():
            raise InvalidPolicy(f"mx {shown(self.text)} is not in A-labels (xn--...)")
        if "*" in base:
            raise InvalidPolicy(f"mx {shown(self.text)}: a wildcard is the whole left-most label (*.example.com)")
        if base.endswith("."):
            raise InvalidPolicy(f"mx {shown(self.text)} ends in a dot, which the policy file does not allow")
        try:
            names.domain_name(base)
        except names.InvalidName as e:
            raise InvalidPolicy(f"mx {shown(self.text)}: {e}") from e
        object.__setattr__(self, "text", name)

    def __str__(self) -> str:
        return self.text

    def matches(self, host: str) -> bool:
        """Whether the MX host `host` (the name in the MX record, before any CNAME) is one that the policy allows.

        Section 4.1: by label, any case, the wildcard exactly one label. Unicode and a trailing dot are understood;
        what is no name matches nothing.
        """
        if not host.isascii():
            try:
                host = names.a_labels(host)
            except names.InvalidName:
                return False
        host = host.lower().removesuffix(".")
        if not self.text.startswith("*."):
            return host == self.text
        first_label, _, rest = host.partition(".")
        return bool(first_label) and rest == self.text[2:]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that can be published: `parse(render(policy)) == policy` for every one that can be built.

    mode: what senders do. max_age: seconds that senders may keep it, 0 to MAX_AGE.
    mx: hosts that mail may go to, in order; at least one unless mode is none.
    extensions: (name, value) of fields this version does not know, in order, each name once.

    Raises InvalidPolicy.
    """

    mode: Mode
    max_age: int
    mx: tuple[MxPattern, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.max_age <= MAX_AGE:
            raise InvalidPolicy(f"max_age {self.max_age} is outside 0 to {MAX_AGE} seconds")
        if not self.mx and self.mode is not Mode.NONE:
            raise InvalidPolicy(f"mode {self.mode} without an mx: senders could deliver nowhere")
        if self.extensions:
            self._check_extensions()
        if len(self.mx) > _ALWAYS_FIT or self.extensions:
            size = len(self.render())
            if size > MAX_POLICY_BYTES:
                raise InvalidPolicy(f"a policy of {size} bytes; senders read no more than {MAX_POLICY_BYTES}")

    def _check_extensions(self) -> None:
        seen = set(_OWN_NAMES)
        for name, value in self.extensions:
            _check_field(name, value)
            if name in seen:
                raise InvalidPolicy(f"field {name!r} may stand in a policy once")
            seen.add(name)

    def allows(self, host: str) -> bool:
        """Whether some mx pattern matches the MX host `host` (section 4.1)."""
        return any(pattern.matches(host) for pattern in self.mx)

    def render(self) -> bytes:
        """The file's bytes: fields in the RFC's order, one mx a line, CRLF, which is the form every validator takes."""
        mx = "".join([f"mx: {pattern.text}\r\n" for pattern in self.mx])
        extensions = "".join([f"{name}: {value}\r\n" for name, value in self.extensions])
        own = f"version: STSv1\r\nmode: {self.mode.value}\r\n{mx}max_age: {self.max_age}\r\n"
        return f"{own}{extensions}".encode()

    @classmethod
    def parse(cls, data: bytes) -> "Policy":
        """Read a policy file's bytes as the grammar of section 3.2 lets them be.

        Any order; LF or CRLF; white space at line ends; the last line end optional; unknown fields kept; of a repeated
        field other than mx the first counts. Raises InvalidPolicy.
        """
        if len(data) > MAX_POLICY_BYTES:
            raise InvalidPolicy(f"a policy of {len(data)} bytes; {MAX_POLICY_BYTES} is the most")
        known, mx, extensions = _read_fields(data)
        for name in ("version", "mode", "max_age"):
            if name not in known:
                raise InvalidPolicy(f"the policy has no {name}{_misspelled(name, extensions)}")
        mode = Mode(known["mode"])
        if not mx and mode is not Mode.NONE:
            raise InvalidPolicy(f"mode {mode} without an mx{_misspelled('mx', extensions)}")
        return cls(mode, int(known["max_age"]), tuple(mx), tuple(extensions.items()))


def policy_host(policy_domain: str) -> str:
    """The host that serves the policy of `policy_domain` (section 3.3)."""
    return f"mta-sts.{policy_domain}"


def _read_fields(data: bytes) -> tuple[dict[str, str], list[MxPattern], dict[str, str]]:
    """The known fields but mx, the mx patterns, and the extensions. Of a repeated field the first counts."""
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        raise InvalidPolicy(f"byte {e.start} of the policy is not UTF-8") from e
    known: dict[str, str] = {}
    mx: list[MxPattern] = []
    extensions: dict[str, str] = {}
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if number < len(lines) or text.endswith("\n"):  # sts-policy-term = LF / CRLF: no CR alone, at the end neither
            line = line.removesuffix("\r")
        try:
            name, value = _read_line(line)
            if name == "mx":
                mx.append(MxPattern(value))
            elif name not in _OWN_NAMES:
                extensions.setdefault(name, value)
            elif name not in known:
                _check_known(name, value)
                known[name] = value
        except InvalidPolicy as e:
            raise InvalidPolicy(f"line {number}: {e}") from e
    return known, mx, extensions


def _read_line(line: str) -> tuple[str, str]:
    """One field: name, ":", *WSP, value, *WSP."""
    if not line.strip():
        raise InvalidPolicy("a blank line, which the grammar does not have")
    if line.startswith("\ufeff"):
        raise InvalidPolicy("a byte order mark, which the grammar does not have; save the file without it")
    name, colon, value = line.partition(":")
    if not colon:
        raise InvalidPolicy(f"{shown(line)} is not of the form name: value")
    value = value.strip(" \t")
    _check_field(name, value)
    return name, value


def _check_field(name: str, value: str) -> None:
    if not _FIELD_NAME.fullmatch(name):
        raise InvalidPolicy(f"{shown(name)} is not a field name: 1 to 32 letters, digits, '_', '-', '.'")
    if not _FIELD_VALUE.fullmatch(value):
        raise InvalidPolicy(f"field {name} has the value {shown(value)}: empty, or with control characters")


def _check_known(name: str, value: str) -> None:
    """The values of the fields that stand in every policy once."""
    if name == "version" and value != "STSv1":
        raise InvalidPolicy(f"version {shown(value)} is not STSv1")
    if name == "mode" and value not in set(Mode):
        raise InvalidPolicy(f"mode {shown(value)} is not one of none, testing, enforce (lower case)")
    if name == "max_age" and not (_SECONDS.fullmatch(value) and int(value) <= MAX_AGE):
        raise InvalidPolicy(f"max_age {shown(value)} is not a whole number of seconds from 0 to {MAX_AGE}")


def _misspelled(name: str, extensions: dict[str, str]) -> str:
    """A hint where an unknown field looks like the missing one: `nmx:` has kept mail in queues."""
    near = difflib.get_close_matches(name, extensions, n=1, cutoff=0.7)
    return f"; {near[0]!r} is not a field of RFC 8461" if near else ""
