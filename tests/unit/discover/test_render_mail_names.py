"""Names that receive mail, as they are shown."""

import csv
import io
import json
from importlib import resources

import jsonschema
import pytest

from mailtls.discover.mail_names import MailName, Route
from mailtls.render.mail_names import FORMATS, SCHEMA_FILE, SpecsWritten, render_mail_names

FOUND = (
    MailName(
        "contoso.example", "z", Route.MX, ((10, "contoso-example.mail.protection.outlook.com"),), True, False, True
    ),
    MailName("xn--bcher-kva.example", "z", Route.NULL, ((0, "."),), False, False, False),
    MailName("down.example", "list", Route.UNKNOWN, fault="no answer within 5 s"),
)
WRITTEN = SpecsWritten("specs", ("specs/contoso.example.yaml",), ("specs/b.yaml",), {"down.example": "no answer"})
HOSTILE = MailName("a.example", "\x1b[31m|=cmd", Route.MX, ((1, "=1+1|\x1b[2J\n`x`"),), fault="|\n")


TEXT = """\
NAME             MAIL     MTA-STS  TLS-RPT  HOST  PROVIDER
contoso.example  mx       yes      -        yes   Microsoft
bücher.example   null mx  -        -        -
down.example     unknown  ?        ?        ?

1 of 3 names receive mail: 1 Microsoft
1 of these have an MTA-STS record, 0 a TLS-RPT record
down.example: no answer within 5 s
1 spec written into specs, all in testing
1 file kept, since they were there (--overwrite replaces them):
  specs/b.yaml
no spec for:
  down.example: no answer
"""


def test_a_table_and_its_sum() -> None:
    assert render_mail_names(FOUND, WRITTEN, "text") == TEXT


@pytest.mark.parametrize("written", [None, WRITTEN])
def test_json_fits_its_schema(written: SpecsWritten | None) -> None:
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(render_mail_names((*FOUND, HOSTILE), written, "json"))
    jsonschema.validate(data, schema)
    assert [name["mail"] for name in data["names"]] == ["mx", "null mx", "unknown", "mx"]
    assert ("specs" in data) is (written is not None)


def test_every_route_is_in_the_schema() -> None:
    schema = json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text())
    assert set(schema["properties"]["names"]["items"]["properties"]["mail"]["enum"]) == set(Route)


def test_csv_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(render_mail_names(FOUND, None, "csv"))))
    assert rows[0]["mx"] == "10:contoso-example.mail.protection.outlook.com"
    assert [row["mta_sts"] for row in rows] == ["true", "false", ""]


@pytest.mark.parametrize("output", FORMATS)
def test_a_strangers_text_moves_nothing(output: str) -> None:
    text = render_mail_names([HOSTILE], None, output)
    assert "\x1b" not in text
    if output == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert not any(cell.startswith("=") for cell in row.values())
    if output == "markdown":
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
