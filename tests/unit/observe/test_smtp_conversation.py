"""What an SMTP server may say up to TLS, octet by octet: it is read within bounds, or refused in words."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.observe.dial import NoConnection
from mailtls.observe.smtp import MAX_REPLY, MAX_REPLY_LINES, Conversation

GREETING, EHLO, READY = b"220 mx.test\r\n", b"250-mx.test\r\n250 STARTTLS\r\n", b"220 go\r\n"
BOUND = 3 * (MAX_REPLY + 4096)
"""Octets that three replies can take, each with what is read ahead."""


class Writer:
    """Where our side of the conversation goes. said: its lines."""

    def __init__(self) -> None:
        self.said = b""

    def write(self, data: bytes) -> None:
        self.said += data

    async def drain(self) -> None:
        pass

    def get_extra_info(self, _name: str) -> tuple[str, int]:
        return "2001:db8::1", 50000


class Reader:
    """Gives `octets` in pieces as the network does. read_from: how many were taken."""

    def __init__(self, octets: bytes, piece: int = 1024) -> None:
        self._octets, self._piece = octets, piece
        self.read_from = 0

    async def read(self, limit: int) -> bytes:
        data = self._octets[self.read_from : self.read_from + min(limit, self._piece)]
        self.read_from += len(data)
        return data


def converse(reader: Reader) -> Writer:
    """Raises NoConnection."""
    writer = Writer()
    asyncio.run(Conversation((reader, writer)).until_tls())  # type: ignore[arg-type]
    return writer


def refusal(reader: Reader) -> str:
    """In words; "" when TLS may come next."""
    try:
        converse(reader)
    except NoConnection as e:
        return str(e)
    return ""


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 8])
def test_replies_in_pieces_are_replies(piece: int) -> None:
    writer = converse(Reader(GREETING + EHLO + READY, piece))
    assert writer.said.startswith(b"EHLO ")
    assert writer.said.endswith(b"\r\nSTARTTLS\r\n")


def test_what_stands_behind_the_last_answer_is_refused() -> None:
    told = refusal(Reader(GREETING + EHLO + READY + b"\x16"))
    assert told.startswith("1 octets in clear text follow its answer to STARTTLS")


@pytest.mark.parametrize(
    ("more", "told"), [(MAX_REPLY_LINES - 1, ""), (MAX_REPLY_LINES, "a reply of more than 128 lines")]
)
def test_a_reply_has_a_bound_of_lines(more: int, told: str) -> None:
    assert refusal(Reader(b"220-x\r\n" * more + b"220 x\r\n" + EHLO + READY)) == told


def test_a_line_without_end_is_not_kept() -> None:
    reader = Reader(b"220 " + b"x" * 10_000_000, piece=4096)
    assert refusal(reader) == "a reply of more than 16384 octets"
    assert reader.read_from <= MAX_REPLY + 4096


@given(st.binary(max_size=200), st.integers(1, 64))
def test_any_octets_are_read_or_refused_in_printable_words(octets: bytes, piece: int) -> None:
    assert refusal(Reader(octets, piece)).isprintable()


_line = st.builds(
    lambda code, more, text, end: code + more + text + end,
    st.sampled_from([b"220", b"250", b"221", b"454", b"999", b"25", b""]),
    st.sampled_from([b" ", b"-", b"", b"x"]),
    st.sampled_from([b"STARTTLS", b"starttls now", b"mx.test", b"", b"\x00\xff", b"x" * 3000]),
    st.sampled_from([b"\r\n", b"\n", b"\r", b""]),
)


@given(st.lists(_line, max_size=40), st.integers(1, 4096))
def test_nearly_replies_are_read_or_refused_within_bounds(lines: list[bytes], piece: int) -> None:
    reader = Reader(b"".join(lines) * 20, piece)
    assert refusal(reader).isprintable()
    assert reader.read_from <= BOUND
