"""DNS names: one place for what a name is, how it is stored and how it is compared.

A name is stored as *A-labels*: ASCII, lower case, no trailing dot (`xn--bcher-kva.example`). Unicode is accepted at the
door and shown to people, and is nowhere in between, because certificates, DNS and MTA-STS policies carry A-labels only
(RFC 8461 section 3.2). Names are compared label by label: `mail.example.com.evil.test` is not under `mail.example.com`.

Standard library only: this file ships in the Lambda's zip. It maps Unicode by the rules of UTS 46 (non-transitional)
as far as `unicodedata` carries them, and refuses symbols, spaces and controls. It accepts slightly more than IDNA 2008
does (no rules for bidirectional text, no context rules); what an operator types is judged strictly (`mailtls.spec`).
"""

import functools
import re
import unicodedata

MAX_NAME_OCTETS = 253
"""RFC 1035 section 2.3.4: 255 octets on the wire, less the first length octet and the root label."""
MAX_LABEL_OCTETS = 63
MAX_INPUT_CHARACTERS = 1024
"""Looked at before any work: decomposed Unicode is longer than the name it stands for, but not without end."""

_ASCII_LABEL = re.compile(r"[a-z0-9_-]+")
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_PLAIN_HOST = re.compile(r"(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z][a-z0-9]*")
"""Nearly every name that is read, if it is no longer than a label may be. Whatever else comes is looked at by label."""
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # RFC 3490 section 3.1: these count as dots

_KEPT = frozenset("\u00df\u03c2\u200c\u200d")
"""Sharp s, final sigma and the joiners: characters of their own since IDNA 2008, lost by plain case folding."""
_DROPPED = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u200b\u3164\ufeff\uffa0").union(
    *(map(chr, range(first, last + 1)) for first, last in ((0x180B, 0x180F), (0x2060, 0x2064), (0x206A, 0x206F))),
    *(map(chr, range(first, last + 1)) for first, last in ((0xFE00, 0xFE0F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A))),
    map(chr, range(0xE0100, 0xE01F0)),
)
"""Soft hyphen, variation selectors and other invisible characters: UTS 46 maps them to nothing."""
_CONTEXT_PUNCTUATION = frozenset("\u00b7\u0375\u05f3\u05f4\u30fb\u0f0b\u06fd\u06fe")
"""The punctuation and signs that IDNA 2008 allows in names (RFC 5892 appendix A and section 2.6)."""
_REFUSED_CATEGORIES = ("C", "P", "S", "Z")
"""Controls, punctuation, symbols, spaces, and what this Python's Unicode does not know yet: it could not be folded."""


class InvalidName(ValueError):
    """The text is not a DNS name of the kind asked for. The message says why; the caller corrects the text."""


def a_labels(text: str) -> str:
    """`text`, Unicode or ASCII, as lower-case A-labels without a trailing dot: how names are stored and compared.

    Underscores pass (`_mta-sts.example.com` is a DNS name); whoever needs a host's name asks `host_name`.
    Raises InvalidName.
    """
    if len(text) > MAX_INPUT_CHARACTERS:
        raise InvalidName(f"a name of {len(text)} characters; {MAX_NAME_OCTETS} is the most")
    if not text.isascii():
        text = text.translate(_DOTS)
    text = text.removesuffix(".")
    if not text:
        raise InvalidName("an empty name")
    labels = [_a_label(label) for label in text.split(".")]
    name = ".".join(labels)
    if len(name) > MAX_NAME_OCTETS:
        raise InvalidName(f"a name of {len(name)} octets; {MAX_NAME_OCTETS} is the most")
    return name


def host_name(text: str, least_labels: int = 2) -> str:
    """`a_labels(text)` where `text` names a host: letters, digits, inner hyphens, `least_labels` labels or more.

    No underscore (RFC 1123 section 2.1), no address. Raises InvalidName.
    """
    if least_labels <= 2 and is_plain_host(text):
        return text
    name = domain_name(text)
    labels = name.split(".")
    if labels[-1].isdigit():
        raise InvalidName("it is an address or ends like one; a host name is wanted")
    if len(labels) < least_labels:
        raise InvalidName(f"{name} has {len(labels)} label, a full name has {least_labels} or more ({name}.example)")
    return name


def domain_name(text: str) -> str:
    """`a_labels(text)` where it is a Domain by the grammar of RFC 5321 section 4.1.2: letters, digits, inner hyphens.

    `192.0.2.1` is one, though no host has that name. Raises InvalidName.
    """
    if ":" in text or text.startswith("["):
        raise InvalidName("it is an address, a URI or has a port; a host name is wanted")
    name = a_labels(text)
    for label in name.split("."):
        if not _HOST_LABEL.fullmatch(label):
            if "_" in label:
                raise InvalidName(f"label {label!r} has an underscore, which no host name may have")
            raise InvalidName(f"label {label!r} begins or ends with a hyphen, which no host name may do")
    return name


@functools.lru_cache(maxsize=1024)  # specs of one team name the same hosts, and each is asked about twice
def is_plain_host(text: str) -> bool:
    """Whether `text` is surely a host name of two labels or more, as it is stored: quick, and right when it says so."""
    return len(text) <= MAX_LABEL_OCTETS and _PLAIN_HOST.fullmatch(text) is not None


def u_labels(name: str) -> str:
    """`name` for people's eyes: A-labels shown in Unicode.

    Never raises: a label that does not come back as the same A-label is shown as it stands, so that no text of a
    stranger's making puts controls or look-alikes of dots into a message.
    """
    return ".".join(_u_label(label) for label in name.split("."))


def is_under(name: str, suffix: str) -> bool:
    """Whether `name` is `suffix` or below it, by label. Both ASCII, any case, with or without the trailing dot."""
    name = name.lower().removesuffix(".")
    suffix = suffix.lower().removesuffix(".")
    return bool(suffix) and (name == suffix or name.endswith("." + suffix))


def _a_label(label: str) -> str:
    """One label, Unicode or ASCII, as an A-label."""
    mapped = label.lower() if label.isascii() else _mapped(label)
    if not mapped:
        raise InvalidName("an empty label (two dots together, or one in front)")
    if mapped.isascii():
        if not _ASCII_LABEL.fullmatch(mapped):
            raise InvalidName(f"label {_shown(label)} has a character that no name may have")
        encoded = mapped
    else:
        _check_u_label(mapped)
        encoded = "xn--" + mapped.encode("punycode").decode("ascii")
    if len(encoded) > MAX_LABEL_OCTETS:
        raise InvalidName(f"label {_shown(label)} is {len(encoded)} octets long; {MAX_LABEL_OCTETS} is the most")
    return encoded


def _mapped(label: str) -> str:
    """The UTS 46 mapping, non-transitional: fold case and compatibility forms, keep the characters of IDNA 2008."""
    folded = "".join(c if c in _KEPT else _folded(c) for c in label if c not in _DROPPED)
    return unicodedata.normalize("NFC", folded)


def _folded(character: str) -> str:
    """One character by itself: folding a whole string would look at its neighbours (final sigma)."""
    if character == "\u1e9e":  # capital sharp s: its lower case is kept, its case folding is "ss"
        return "\u00df"
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())


def _check_u_label(label: str) -> None:
    """RFC 5891 section 4.2.3 as far as this room judges it. Raises InvalidName."""
    if label.startswith("-") or label.endswith("-") or label[2:4] == "--":
        raise InvalidName(f"label {_shown(label)} has hyphens where an international label may have none")
    if unicodedata.category(label[0]).startswith("M"):
        raise InvalidName(f"label {_shown(label)} begins with a combining mark")
    for character in label:
        if character == "-" or character in _KEPT or character in _CONTEXT_PUNCTUATION:
            continue
        if unicodedata.category(character).startswith(_REFUSED_CATEGORIES):
            raise InvalidName(f"label {_shown(label)} has {_shown(character)}, which no name may have")


def _u_label(label: str) -> str:
    a_label = label.lower()
    if not a_label.startswith("xn--"):
        return label
    try:
        decoded = a_label[4:].encode("ascii").decode("punycode")
        return decoded if decoded.isprintable() and _a_label(decoded) == a_label else label
    except ValueError:  # InvalidName and UnicodeError both are
        return label


def _shown(text: str) -> str:
    """Text of unknown origin inside a message: escaped and short."""
    return ascii(text if len(text) <= 60 else text[:57] + "...") if not text.isprintable() else repr(text[:60])
