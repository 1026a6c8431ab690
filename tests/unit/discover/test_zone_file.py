"""Zone files: BIND's form, read by dnspython's reader, and what of it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.discover.mail_names import ZoneRecord
from mailtls.observe import zone_file
from mailtls.observe.zone_file import ZoneFileError, read_zone_file

BIND = b"""\
$ORIGIN contoso.example.
$TTL 300
@     SOA ns1 hostmaster (
          1 2 3
          4 5 )
      NS  ns1
      MX  10 mx1
      MX  20 MX2.Mailhost.example.
_mta-sts TXT "v=STSv1; " "id=1;"
$ORIGIN shop
@     IN 60 MX 5 mx1.contoso.example.
"""
EXPORTED = b"""\
;; Domain: contoso.example.
contoso.example.\t1\tIN\tMX\t10 mx1.contoso.example.
contoso.example.\t1\tIN\tTYPE65400\t\\# 1 00
mta-sts.contoso.example.\t1\tIN\tCNAME\tedge.mailhost.example.
"""


def test_a_zone_file_of_bind() -> None:
    records = read_zone_file(BIND, "z", None)
    assert [one for one in records if one.type in ("MX", "TXT")] == [
        ZoneRecord("contoso.example", "MX", "10 mx1.contoso.example"),
        ZoneRecord("contoso.example", "MX", "20 mx2.mailhost.example"),
        ZoneRecord("_mta-sts.contoso.example", "TXT", "v=STSv1; id=1;"),
        ZoneRecord("shop.contoso.example", "MX", "5 mx1.contoso.example"),
    ]


def test_a_file_of_full_names_needs_no_origin() -> None:
    assert [one.name for one in read_zone_file(EXPORTED, "z", None)] == [
        "contoso.example",
        "contoso.example",
        "mta-sts.contoso.example",
    ]


def test_the_origin_can_be_told() -> None:
    (record,) = read_zone_file(b"@ MX 10 mx1\n", "z", "contoso.example")
    assert record == ZoneRecord("contoso.example", "MX", "10 mx1.contoso.example")


def test_names_outside_the_zone_are_not_passed_over() -> None:
    (record,) = read_zone_file(b"brand.example. MX 10 mx1\n", "z", "contoso.example")
    assert record.name == "brand.example"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"@ MX 10 mx1\n", "z:1: a relative name, and the file says no $ORIGIN; name the zone with --origin"),
        (b"contoso.example. MX 10 mx1\n", "z:1: a relative name"),
        (
            b"$ORIGIN a.example.\n\n$INCLUDE /etc/passwd\n",
            "z:3: zone file directive '$INCLUDE' is not allowed; put the",
        ),
        (b"$GENERATE 1-100000000 a$ A 192.0.2.1\n", "z:1: zone file directive '$GENERATE' is not allowed; write its"),
        (b"a.example. ALIAS b.example.\n", "z:1: unknown rdatatype 'ALIAS'; take the line out"),
        (b"a.example. A 192.0.2.1\na.example. MX ten b.example.\n", "z:2: "),
        (b'a.example. TXT "never closed\n', "z:"),
        (b"a.example. CH A 192.0.2.1\n", "z:1: "),
        (b"a" * 80 + b".example. A 192.0.2.1\n", "z:1: "),
        (b"a.example. A 192.0.2.1\n\xff\n", "z:2: not UTF-8"),
        (b"; only a comment\n", "z: no records"),
        (b"", "z: no records"),
    ],
)
def test_a_fault_has_its_line(data: bytes, said: str) -> None:
    with pytest.raises(ZoneFileError) as raised:
        read_zone_file(data, "z", None)
    assert str(raised.value).startswith(said)


def test_size_and_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZoneFileError, match="larger than"):
        read_zone_file(b"\n" * (zone_file.MAX_FILE_BYTES + 1), "z", None)
    monkeypatch.setattr(zone_file, "MAX_RECORDS", 2)
    with pytest.raises(ZoneFileError, match="z:3: more than 2 records"):
        read_zone_file(b"a.example. A 192.0.2.1\n" * 3, "z", None)


@given(st.one_of(st.binary(max_size=200), st.text(alphabet='$@."\\;()\n\t aMX10TX', max_size=80).map(str.encode)))
def test_anything_is_read_or_refused(data: bytes) -> None:
    said = "z:"
    try:
        assert read_zone_file(data, "z", "contoso.example")
    except ZoneFileError as e:
        said = str(e)
    assert said.startswith("z:")
