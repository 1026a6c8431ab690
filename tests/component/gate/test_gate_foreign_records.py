"""Records that announce something beside ours, as the hooks find them in a DNS on loopback."""

import asyncio
import json
from typing import Any

import jmespath
import pulumi
import pytest

from components.dns_zones.cloudflare import CloudflareZone
from components.dns_zones.route53 import Route53Zone
from components.dns_zones.zone import DnsZone
from components.publish_gates.foreign_records import ForeignRecordGate
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError
from mailtls.mta_sts.record import policy_id_of
from mailtls.observe.dns import Resolver

DOMAIN = "contoso.example"
CLOUDFLARE = CloudflareZone(DOMAIN, "c1")
ROUTE53 = Route53Zone(DOMAIN, "Z1")
STS = (f"_mta-sts.{DOMAIN}", "v=STSv1", "v=STSv1; id=old;", "v=STSv1; id=new;")
RPT = (
    f"_smtp._tls.{DOMAIN}",
    "v=TLSRPTv1",
    "v=TLSRPTv1; rua=mailto:old@mailhost.example;",
    "v=TLSRPTv1; rua=mailto:new@mailhost.example;",
)
Kind = tuple[str, str, str, str]


@pytest.fixture
def settings(dns_server: Any) -> GateSettings:
    dns_server.zones.add(f"{DOMAIN}.")
    return GateSettings(20, Resolver("127.0.0.1", dns_server.port, timeout=1))


def inputs(zone: DnsZone, text: str) -> dict[str, Any]:
    """As the engine shows them to a hook."""
    if isinstance(zone, CloudflareZone):
        return {"zoneId": "c1", "name": STS[0], "type": "TXT", "content": f'"{text}"'}
    return {"zoneId": "Z1", "name": STS[0], "type": "TXT", "records": [text]}


def hook_args(zone: DnsZone, new: str, old: str | None = None, kind: str = "dns:record") -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(
        urn="urn:pulumi:test::mailtls::dns:record::txt",
        id="",
        name="txt",
        type=kind,
        new_inputs=inputs(zone, new),
        old_inputs=inputs(zone, old) if old else None,
    )


def create(kind: Kind, settings: GateSettings, zone: DnsZone = CLOUDFLARE) -> ForeignRecordGate:
    name, version, _, new = kind
    gate = ForeignRecordGate(name, version, zone, settings)
    asyncio.run(gate.before_create(hook_args(zone, new)))
    return gate


def update(kind: Kind, settings: GateSettings, zone: DnsZone = CLOUDFLARE) -> ForeignRecordGate:
    name, version, old, new = kind
    gate = ForeignRecordGate(name, version, zone, settings)
    asyncio.run(gate.before_update(hook_args(zone, new, old)))
    return gate


def publish(dns_server: Any, name: str, *values: str) -> None:
    dns_server.records[f"{name}.", "TXT"] = [f'"{value}"' for value in values]


@pytest.mark.parametrize("kind", [STS, RPT])
@pytest.mark.parametrize("ending", ["; id=theirs;", " ; id=theirs;", ""])
def test_no_first_record_is_written_beside_one_that_senders_count(
    dns_server: Any, settings: GateSettings, kind: Kind, ending: str
) -> None:
    publish(dns_server, kind[0], kind[1] + ending)
    with pytest.raises(
        GateError, match=r"this stack's state does not know it.*nothing was published\. Remove it, then"
    ):
        create(kind, settings)


@pytest.mark.parametrize("kind", [STS, RPT])
@pytest.mark.parametrize("ending", ["; id=theirs;", " ; id=theirs;", ""])
def test_no_record_is_changed_beside_one_that_appeared_later(
    dns_server: Any, settings: GateSettings, kind: Kind, ending: str
) -> None:
    """Up or down: senders find two, so none, and a run that says nothing would be green."""
    publish(dns_server, kind[0], kind[2], kind[1] + ending)
    with pytest.raises(GateError, match=r"this stack's state does not know it.*the old record stays as it is\. Remove"):
        update(kind, settings)


@pytest.mark.parametrize("published", [(), (STS[2],), (STS[3],), (STS[2], STS[3])])
def test_neither_the_old_nor_the_new_value_is_foreign(
    dns_server: Any, settings: GateSettings, display: Any, published: tuple[str, ...]
) -> None:
    publish(dns_server, STS[0], *published) if published else None
    assert update(STS, settings).looked
    assert display.lines == []


def test_a_first_record_that_a_run_which_was_cut_off_wrote_is_ours(dns_server: Any, settings: GateSettings) -> None:
    publish(dns_server, STS[0], STS[3])
    assert create(STS, settings).looked


def test_one_with_another_id_of_our_form_is_not_said_to_be_somebody_elses(
    dns_server: Any, settings: GateSettings
) -> None:
    """A run was cut off, then the spec changed: DNS shows the text only, so no more than what is known is said."""
    left = f"v=STSv1; id={policy_id_of('v1')};"
    publish(dns_server, STS[0], left)
    with pytest.raises(GateError) as caught:
        create(STS, settings)
    assert "a run that was cut off left it, or another stack has this domain too" in str(caught.value)
    assert "foreign" not in str(caught.value)
    publish(dns_server, STS[0], "v=STSv1; id=20200101T000000;")
    with pytest.raises(GateError) as caught:
        create(STS, settings)
    assert "cut off" not in str(caught.value)


def test_the_refusal_of_one_record_holds_the_command_that_takes_it_over(
    dns_server: Any, settings: GateSettings
) -> None:
    """With it the found value is the old one, and the change goes through `before_update`."""
    gate = ForeignRecordGate(STS[0], STS[1], ROUTE53, settings)
    args = hook_args(ROUTE53, STS[3], kind="aws:route53/record:Record")
    publish(dns_server, STS[0], "v=STSv1; id=theirs;")
    with pytest.raises(GateError, match=r'MAILTLS_ADOPT="txt=Z1__mta-sts\.contoso\.example_TXT" pulumi up --refresh'):
        asyncio.run(gate.before_create(args))
    publish(dns_server, STS[0], "v=STSv1; id=theirs;", "v=STSv1; id=more;")
    with pytest.raises(GateError) as caught:
        asyncio.run(gate.before_create(args))
    assert "MAILTLS_ADOPT" not in str(caught.value)


def test_a_record_of_ours_that_was_changed_by_hand_is_overwritten(dns_server: Any, settings: GateSettings) -> None:
    """docs/break-glass.md tells people to do so; senders never find two."""
    publish(dns_server, STS[0], "v=STSv1; id=20261201T031000Z;")
    assert update(STS, settings).looked


def test_where_an_update_writes_the_whole_set_what_goes_is_told(
    dns_server: Any, settings: GateSettings, display: Any
) -> None:
    publish(dns_server, STS[0], STS[2], "v=STSv1; id=theirs;", "d111.cloudfront.net")
    update(STS, settings, ROUTE53)
    (text,) = display.warnings
    assert "this update removes what our state does not know" in text
    assert "theirs" in text
    assert "d111.cloudfront.net" in text


@pytest.mark.parametrize("moment", [create, update])
def test_any_other_value_at_mta_sts_is_a_warning(
    dns_server: Any, settings: GateSettings, display: Any, moment: Any
) -> None:
    publish(dns_server, STS[0], "google-site-verification=1")
    moment(STS, settings)
    (text,) = display.warnings
    assert "'google-site-verification=1' stands there too; some senders join all TXT values" in text


def test_at_the_reports_name_another_value_harms_nobody(dns_server: Any, settings: GateSettings, display: Any) -> None:
    publish(dns_server, RPT[0], "google-site-verification=1")
    create(RPT, settings)
    assert display.lines == []


def test_without_an_answer_no_first_record_is_written(settings: GateSettings) -> None:
    impatient = GateSettings(0.3, settings.resolver)
    gate = ForeignRecordGate("_mta-sts.fabrikam.example", "v=STSv1", Route53Zone("fabrikam.example", "Z2"), impatient)
    with pytest.raises(GateError, match=r"still not known whether a record exists there: .*is the zone delegated"):
        asyncio.run(gate.before_create(hook_args(gate.zone, STS[3])))


def test_without_an_answer_a_change_is_not_held_up(settings: GateSettings, display: Any) -> None:
    """It may be the way back, and the record is ours already."""
    zone = CloudflareZone("fabrikam.example", "c2")
    gate = ForeignRecordGate("_mta-sts.fabrikam.example", "v=STSv1", zone, settings)
    asyncio.run(gate.before_update(hook_args(zone, STS[3], STS[2])))
    (text,) = display.warnings
    assert "not known whether a second record stands beside ours" in text


@pytest.mark.usefixtures("preview")
def test_in_a_preview_the_hooks_only_take_note(dns_server: Any, settings: GateSettings) -> None:
    publish(dns_server, STS[0], "v=STSv1; id=theirs;")
    assert create(STS, settings).new
    changed = update(STS, settings)
    assert (changed.new, changed.old, changed.looked) == (False, (STS[2],), False)
    assert dns_server.questions == []


def test_the_refusal_holds_the_command_that_shows_and_removes_the_record(
    dns_server: Any, settings: GateSettings
) -> None:
    publish(dns_server, STS[0], "v=STSv1; id=theirs;")
    with pytest.raises(GateError) as caught:
        create(STS, settings, CLOUDFLARE)
    records = "https://api.cloudflare.com/client/v4/zones/c1/dns_records"
    assert f'"{records}?type=TXT&name=_mta-sts.contoso.example"' in str(caught.value)
    assert f"-X DELETE {records}/ID" in str(caught.value)
    with pytest.raises(GateError) as caught:
        create(STS, settings, ROUTE53)
    _, _, query = str(caught.value).partition('--query "')
    own = {"Name": "_mta-sts.contoso.example.", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    listed = {"ResourceRecordSets": [own, {**own, "Type": "CNAME"}, {**own, "Name": "contoso.example."}]}
    batch = jmespath.search(query.partition('"')[0], json.loads(json.dumps(listed)))
    assert batch == {"Changes": [{"Action": "DELETE", "ResourceRecordSet": own}]}
