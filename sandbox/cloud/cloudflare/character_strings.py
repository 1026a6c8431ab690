"""TXT content in the form that Cloudflare keeps: quoted character-strings (RFC 1035 section 3.3.14)."""

import re

from sandbox.cloud.cloudflare.refusal import invalid

LONGEST_STRING = 255
"""Octets. Cloudflare splits a longer string by itself; whoever sent it in one piece sees a difference ever after."""
LONGEST_CONTENT = 2048
"""Characters of one record's content, quotes and blanks among them (Cloudflare's page "DNS record types")."""

_OCTET = re.compile(r"\\\d{3}|\\.|[^\"\\]")
_STRING = re.compile(rf"\"((?:{_OCTET.pattern})*)\"")
_STRINGS = re.compile(rf"{_STRING.pattern}(?:\s*{_STRING.pattern})*")


def stored(content: str) -> str:
    """`content` as the API shows it from now on: in quotes, no string over 255 octets. Raises Refusal."""
    if not content:
        raise invalid(9000, "Content for TXT record must not be empty.")
    if not content.isascii():
        raise invalid(9000, "Content for TXT record must be ASCII.")
    if '"' not in content:
        content = f'"{content}"'
    if not _STRINGS.fullmatch(content.strip()):
        raise invalid(9000, "Content for TXT record has inconsistent quotation marks.")
    pieces = [piece for string in _STRING.findall(content) for piece in _pieces(string)]
    content = " ".join(f'"{piece}"' for piece in pieces)
    if len(content) > LONGEST_CONTENT:
        raise invalid(9000, f"Content for TXT record is over {LONGEST_CONTENT} characters.")
    return content


def _pieces(string: str) -> list[str]:
    octets = _OCTET.findall(string)
    starts = range(0, max(len(octets), 1), LONGEST_STRING)
    return ["".join(octets[start : start + LONGEST_STRING]) for start in starts]
