"""`mailtls discover` as one types it, against zones and names on loopback."""

import json
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aws_stand_in import DENIED_XML
from click.testing import CliRunner, Result
from stand_ins import TOKEN, Answer, Request, Serving, refusal, result

from mailtls.cli.main import main
from mailtls.render.mail_names import SCHEMA_FILE
from mailtls.spec.load import load

ZONE_FILE = """\
$ORIGIN contoso.example.
@ MX 10 contoso-example.mail.protection.outlook.com.
shop MX 10 mx1
quiet MX 0 .
_mta-sts TXT "v=STSv1; id=1;"
"""
DNS = """\
contoso.example. 60 MX 10 mx1.contoso.example.
_mta-sts.contoso.example. 60 TXT "v=STSv1; " "id=1;"
mta-sts.contoso.example. 60 A 192.0.2.1
_smtp._tls.fabrikam.example. 60 TXT "v=TLSRPTv1; rua=mailto:tls@reports.example"
fabrikam.example. 60 MX 0 .
web.example. 60 A 192.0.2.2
"""


def run(*arguments: str | Path, text: str | None = None) -> Result:
    done = CliRunner().invoke(main, ["discover", *map(str, arguments)], input=text)
    assert TOKEN not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done


def names(*arguments: str | Path, code: int = 0, text: str | None = None) -> dict[str, Any]:
    """The names of a run with JSON, by name."""
    done = run(*arguments, "--format", "json", text=text)
    assert done.exit_code == code, done.output
    data = json.loads(done.stdout)
    jsonschema.validate(data, json.loads(resources.files("mailtls.render").joinpath(SCHEMA_FILE).read_text()))
    return {one["name"]: one for one in data["names"]}


@pytest.fixture
def zone_file(tmp_path: Path) -> Path:
    path = tmp_path / "contoso.zone"
    path.write_text(ZONE_FILE)
    return path


@pytest.fixture
def resolver(named: Callable[[str], str]) -> str:
    return named(DNS)


def test_a_zone_file_needs_no_network(zone_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailtls.observe.recursive.system_resolvers", lambda: ())
    found = names("--zone-file", zone_file)
    assert {name: (one["mail"], one["provider"], one["mta_sts"]) for name, one in found.items()} == {
        "contoso.example": ("mx", "Microsoft", True),
        "shop.contoso.example": ("mx", "own", False),
        "quiet.contoso.example": ("null mx", "", False),
    }


def test_names_of_a_list_are_asked_for(resolver: str) -> None:
    listed = "contoso.example\nfabrikam.example\nweb.example\nnothing.example\n"
    found = names("--names", "-", "--resolver", resolver, text=listed)
    assert {name: (one["mail"], one["mta_sts"], one["tls_rpt"], one["policy_host"]) for name, one in found.items()} == {
        "contoso.example": ("mx", True, False, True),
        "fabrikam.example": ("null mx", False, True, False),
        "web.example": ("address, no mx", False, False, False),
        "nothing.example": ("none", False, False, False),
    }


def test_live_answers_replace_those_of_a_file(zone_file: Path, resolver: str) -> None:
    found = names("--zone-file", zone_file, "--live", "--resolver", resolver)
    assert found["contoso.example"]["mx"] == [{"preference": 10, "host": "mx1.contoso.example"}]
    assert found["shop.contoso.example"]["mail"] == "none"
    assert found["contoso.example"]["source"] == f"zone file {zone_file}"


def test_a_dns_that_does_not_answer() -> None:
    done = run("--names", "-", "--resolver", "127.0.0.1:1", "--timeout", "0.5", text="contoso.example\n")
    assert done.exit_code == 2
    assert "no question to DNS was answered" in done.stderr


# ---------------------------------------------------------------------------------------------------- accounts


@pytest.fixture
def cloudflare(served: Serving, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Zones at a Cloudflare on loopback, by name: records, or an answer of its own."""

    def use(zones: dict[str, Any]) -> None:
        def answer(request: Request) -> Answer:
            if request.path == "/zones":
                listed = [{"id": name, "name": name, "status": "active"} for name in zones]
                return result(listed, result_info={"total_pages": 1})
            held = zones[request.path.split("/")[2]]
            return held if isinstance(held, Answer) else result(held, result_info={"total_pages": 1})

        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", served(answer).url)

    return use


def mx(name: str, host: str) -> dict[str, Any]:
    return {"id": name + host, "name": name, "type": "MX", "content": host, "priority": 10}


def test_all_zones_of_an_account_or_those_named(cloudflare: Callable[..., None]) -> None:
    cloudflare({f"z{number}.example": [mx(f"z{number}.example", "smtp.google.com")] for number in range(3)})
    assert list(names("--cloudflare")) == ["z0.example", "z1.example", "z2.example"]
    assert list(names("--cloudflare", "z1.example", "--cloudflare", "z2.example")) == ["z1.example", "z2.example"]
    assert names("--cloudflare")["z0.example"]["provider"] == "Google"
    done = run("--cloudflare", "nosuch.example")
    assert (done.exit_code, done.stderr) == (
        2,
        "mailtls: nosuch.example: no zone that Cloudflare shows this token; it has 3\n",
    )


def test_one_zone_that_cannot_be_read_stops_no_other(cloudflare: Callable[..., None]) -> None:
    cloudflare({"a.example": refusal(403, 9109, f"no {TOKEN}"), "b.example": [mx("b.example", "mx1.b.example")]})
    done = run("--cloudflare")
    assert done.exit_code == 1
    assert "b.example  mx" in done.stdout
    assert done.stderr == "mailtls: Cloudflare zone a.example cannot be read: 9109 no [token] (status 403)\n"


def test_a_token_that_is_not_taken_or_not_there(
    cloudflare: Callable[..., None], served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--cloudflare").stderr.startswith("mailtls: CLOUDFLARE_API_TOKEN is not set; make a token with")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", served(lambda _: refusal(403, 9109, "Invalid access token")).url)
    done = run("--cloudflare")
    assert (done.exit_code, "9109 Invalid access token" in done.stderr) == (2, True)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "http://api.cloudflare.com/client/v4")
    assert "no base URL" in run("--cloudflare").stderr


ZONES_XML = """\
<ListHostedZonesResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><HostedZones>
<HostedZone><Id>/hostedzone/Z1</Id><Name>contoso.example.</Name><CallerReference>1</CallerReference>
<Config><PrivateZone>false</PrivateZone></Config></HostedZone>
<HostedZone><Id>/hostedzone/Z2</Id><Name>inside.example.</Name><CallerReference>2</CallerReference>
<Config><PrivateZone>true</PrivateZone></Config></HostedZone>
</HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesResponse>"""
RECORDS_XML = """\
<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>
<ResourceRecordSet><Name>\\052.contoso.example.</Name><Type>MX</Type><TTL>60</TTL><ResourceRecords>
<ResourceRecord><Value>10 mx1.contoso.example.</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
<ResourceRecordSet><Name>contoso.example.</Name><Type>MX</Type><TTL>60</TTL><ResourceRecords>
<ResourceRecord><Value>20 mx2.contoso.example.</Value></ResourceRecord>
<ResourceRecord><Value>10 mx1.contoso.example.</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
<ResourceRecordSet><Name>_mta-sts.contoso.example.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>
<ResourceRecord><Value>"v=STSv1; " "id=1;"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
<ResourceRecordSet><Name>mta-sts.contoso.example.</Name><Type>A</Type><AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId>
<DNSName>d1.cloudfront.net.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>
</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"""


def test_zones_at_route_53(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: Request) -> Answer:
        if not request.path.endswith("/rrset"):
            return Answer(200, [ZONES_XML.encode()])
        return Answer(200, [RECORDS_XML.replace("contoso", "inside" if "/Z2/" in request.path else "contoso").encode()])

    monkeypatch.setenv("AWS_ENDPOINT_URL", served(answer).url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
    found = names("--route53")
    assert list(found) == ["contoso.example", "*.contoso.example"]
    one = found["contoso.example"]
    assert [host["host"] for host in one["mx"]] == ["mx1.contoso.example", "mx2.contoso.example"]
    assert (one["mta_sts"], one["policy_host"], one["source"]) == (True, True, "Route 53 zone contoso.example")
    assert found["*.contoso.example"]["mail"] == "wildcard mx"


def test_a_route_53_that_refuses(served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    body = DENIED_XML.format(code="AccessDenied", message="no").encode()
    monkeypatch.setenv("AWS_ENDPOINT_URL", served(lambda _: Answer(403, [body])).url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-aws")
    done = run("--route53")
    assert done.exit_code == 2
    assert "allow it route53:ListHostedZones (docs/iam/preflight.json)" in done.stderr


# ----------------------------------------------------------------------------------------------------- writing


def specs(folder: Path) -> list[str]:
    return [spec.policy_domain for spec in load(folder)]


def test_specs_are_written_once(zone_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    done = run("--zone-file", zone_file, "--write", folder)
    assert done.exit_code == 0
    assert f"2 specs written into {folder}, all in testing\n" in done.stdout
    assert "quiet.contoso.example: its MX record is the null MX" in done.stdout
    assert specs(folder) == ["contoso.example", "shop.contoso.example"]

    (folder / "contoso.example.yaml").write_text((folder / "contoso.example.yaml").read_text() + "owner: mail-team\n")
    again = run("--zone-file", zone_file, "--write", folder)
    assert again.exit_code == 1
    assert "2 files kept, since they were there (--overwrite replaces them):\n" in again.stdout
    assert load(folder)[0].owner == "mail-team"

    assert run("--zone-file", zone_file, "--write", folder, "--overwrite").exit_code == 0
    assert load(folder)[0].owner is None
    assert sorted(path.name for path in folder.glob("*.yaml")) == ["contoso.example.yaml", "shop.contoso.example.yaml"]


def test_a_spec_in_another_file_counts(zone_file: Path, tmp_path: Path) -> None:
    (tmp_path / "specs" / "brands").mkdir(parents=True)
    (tmp_path / "specs" / "brands" / "all.yaml").write_text("policy_domains: {shop.contoso.example: {}}\n")
    assert run("--zone-file", zone_file, "--write", tmp_path / "specs").exit_code == 0
    assert specs(tmp_path / "specs") == ["contoso.example", "shop.contoso.example"]


def test_broken_specs_in_the_folder_stop_it_before_anything_is_written(zone_file: Path, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "old.yaml").write_text("policy_domain: contoso\n")
    done = run("--zone-file", zone_file, "--write", tmp_path / "specs")
    assert done.exit_code == 2
    assert "old.yaml:1:16" in done.stderr
    assert [path.name for path in (tmp_path / "specs").iterdir()] == ["old.yaml"]


def test_an_mx_that_no_policy_can_name_is_told(tmp_path: Path) -> None:
    done = run("--zone-file", "-", "--write", tmp_path, text="a.example. MX 10 _mx.a.example.\n")
    assert done.exit_code == 1
    assert "underscore" in done.stdout


def test_a_folder_that_cannot_be_written(zone_file: Path, tmp_path: Path) -> None:
    (tmp_path / "specs").write_text("a file")
    done = run("--zone-file", zone_file, "--write", tmp_path / "specs")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


def test_csv_stays_a_table_when_specs_are_written(zone_file: Path, tmp_path: Path) -> None:
    done = run("--zone-file", zone_file, "--write", tmp_path / "specs", "--format", "csv")
    assert len(done.stdout.splitlines()) == 4
    assert "2 specs written" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        ((), None, "name a source: --zone-file, --cloudflare, --route53 or --names"),
        (("--zone-file", "nosuch.zone"), None, "nosuch.zone: cannot be read: No such file"),
        (("--zone-file", "-", "--origin", "contoso"), "@ MX 10 a\n", "--origin 'contoso': contoso has 1 label"),
        (("--zone-file", "-"), "$INCLUDE /etc/passwd\n", "stdin:1: zone file directive '$INCLUDE' is not allowed"),
        (("--names", "-"), "contoso\n", "stdin:1: 'contoso' is no mail domain"),
        (("--names", "-"), "", "stdin: no names in it"),
        (("--overwrite", "--names", "-"), "a.example\n", "--overwrite goes with --write"),
        (("--origin", "a.example", "--names", "-"), "a.example\n", "--origin goes with --zone-file"),
    ],
)
def test_what_was_typed_wrong(arguments: Iterable[str], text: str | None, said: str) -> None:
    done = run(*arguments, text=text)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
