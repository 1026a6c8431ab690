"""The three parsers of strangers' text, each with what must hold for any octets at all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mailtls.mta_sts import record as sts_record
from mailtls.mta_sts.policy import InvalidPolicy, Policy
from mailtls.tls_rpt import record as tls_rpt_record

CORPUS = Path(__file__).parent / "corpus"

_WSP = r"[ \t]*"
_EXTENSION = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+"
_URI_CHARACTER = r"(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})"
_URI = rf"[A-Za-z][A-Za-z0-9+.-]*:{_URI_CHARACTER}+"
_RUA = rf"rua={_URI}(?:{_WSP},{_WSP}{_URI})*"
_POLICY_VALUE = r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?"

STS_RECORD = re.compile(rf"v=STSv1(?:{_WSP};{_WSP}(?:id=[A-Za-z0-9]{{1,32}}|{_EXTENSION}))+(?:{_WSP};{_WSP})?")
"""sts-text-record, RFC 8461 section 3.1, written down from the ABNF and from nothing of ours."""
TLSRPT_RECORD = re.compile(rf"v=TLSRPTv1(?:{_WSP};{_WSP}(?:{_RUA}|{_EXTENSION}))+(?:{_WSP};{_WSP})?")
"""tlsrpt-record, RFC 8460 section 3; "," "!" ";" stand in no URI."""
STS_POLICY = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9_.-]{{0,31}}:{_WSP}{_POLICY_VALUE}{_WSP})"
    rf"(?:\r?\n[A-Za-z0-9][A-Za-z0-9_.-]{{0,31}}:{_WSP}{_POLICY_VALUE}{_WSP})*(?:\r?\n)?"
)
"""sts-policy-record, RFC 8461 section 3.2, every field as an extension: the known ones fit that grammar too."""


@dataclass(frozen=True, slots=True)
class Parser:
    """name: also of the corpus's folder. parse: octets to a value. error: its own. grammar: of the whole text.
    words: what a mutation should be able to insert. seed: something that parses."""

    name: str
    parse: Callable[[bytes], object]
    render: Callable[[object], bytes]
    error: type[ValueError]
    grammar: re.Pattern[str]
    words: tuple[bytes, ...]
    seed: bytes


_STS_RECORD_WORDS = b'v=STSv1|;| |\t|id=|x=|=|20160831085700Z|"|\xc3\xa9|\xff'
_STS_POLICY_WORDS = (
    b"version:|STSv1|mode:|enforce|testing|none|mx:|*.|a.example|xn--|max_age:|31557600|\r\n|\n|\r|:| |\t|x: 1"
    b"|\xef\xbb\xbf|\xc3\xa9|\xff|192.0.2.1|."
)
_TLSRPT_RECORD_WORDS = (
    b"v=TLSRPTv1|;| |,|rua=|mailto:|https://|a@example.com|example.com/x|!10m|%2C|%|[::1]|:443|?|#|x=|=|\xc3\xa9|\xff"
)

PARSERS = (
    Parser(
        "sts-record",
        lambda data: sts_record.Record.parse(sts_record.join([data])),
        lambda record: str(record).encode("ascii"),
        sts_record.RecordError,
        STS_RECORD,
        tuple(_STS_RECORD_WORDS.split(b"|")),
        b"v=STSv1; id=20160831085700Z;",
    ),
    Parser(
        "sts-policy",
        Policy.parse,
        lambda policy: policy.render(),  # type: ignore[attr-defined]
        InvalidPolicy,
        STS_POLICY,
        tuple(_STS_POLICY_WORDS.split(b"|")),
        b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
    ),
    Parser(
        "tlsrpt-record",
        lambda data: tls_rpt_record.Record.parse(tls_rpt_record.join([data])),
        lambda record: str(record).encode("ascii"),
        tls_rpt_record.RecordError,
        TLSRPT_RECORD,
        tuple(_TLSRPT_RECORD_WORDS.split(b"|")),
        b"v=TLSRPTv1; rua=mailto:reports@example.com,https://reporting.example.com/v1/tlsrpt;",
    ),
)
BY_NAME = {parser.name: parser for parser in PARSERS}


def attempt(parser: Parser, data: bytes) -> tuple[object | None, str]:
    """The value, or the parser's words of refusal."""
    try:
        return parser.parse(data), ""
    except parser.error as e:
        return None, str(e)


def check(parser: Parser, data: bytes) -> object | None:
    """Parse, and hold the outcome to what must be so. The value, or None where the text was refused in the parser's own
    words; anything else that is raised is a fault."""
    value, refusal = attempt(parser, data)
    if refusal:
        assert len(refusal) < 1000, "a refusal that is as long as the text"
        assert refusal.isprintable(), "a refusal with a stranger's control characters"
        return None
    text = data.decode("utf-8")
    assert parser.grammar.fullmatch(text), f"accepted and not in the grammar: {text!r}"
    again = parser.render(value)
    assert parser.parse(again) == value, "what is written is not what was read"
    return value
