"""The gates under the real engine: a second record, a typing error in `mx`, an object without a version. Each time the
other domain of the stack goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dns.message
import dns.query
import httpx
import pytest

from sandbox import account
from sandbox.deployment import Deployment, PulumiFailed
from sandbox.endpoints import Endpoints

pytestmark = pytest.mark.engine

SPEC = "policy_domain: {}\nmta_sts: {{mode: {}, mx: [{}]}}\nowner: mail-team\n"
MX = "mx1.contoso.example, mx2.contoso.example"
SECOND = '"v=STSv1 ; id=2020;"'


class RecordsByHand:
    """TXT records at `_mta-sts` of zones at Cloudflare, added as their owner would."""

    def __init__(self, endpoints: Endpoints) -> None:
        token = endpoints.pulumi_env["CLOUDFLARE_API_TOKEN"]
        self._api = httpx.Client(
            base_url=endpoints.cloudflare, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )
        self._added: list[str] = []

    def add(self, zone: str, content: str) -> None:
        (found,) = self._api.get("/zones", params={"name": zone}).json()["result"]
        records = f"/zones/{found['id']}/dns_records"
        record = {"type": "TXT", "name": f"_mta-sts.{zone}", "content": content, "ttl": 60}
        self._added.append(f"{records}/{self._api.post(records, json=record).json()['result']['id']}")

    def take_away(self) -> None:
        while self._added:
            self._api.delete(self._added.pop()).raise_for_status()

    def close(self) -> None:
        self._api.close()


@pytest.fixture
def by_hand(endpoints: Endpoints) -> Iterator[RecordsByHand]:
    records = RecordsByHand(endpoints)
    yield records
    records.take_away()
    records.close()


def txt(endpoints: Endpoints, name: str) -> list[str]:
    """The values that senders find."""
    address, _, port = endpoints.dns.rpartition(":")
    answer = dns.query.udp(dns.message.make_query(name, "TXT"), address, port=int(port), timeout=5)
    return sorted(b"".join(data.strings).decode() for rrset in answer.answer for data in rrset)


def policy_of(endpoints: Endpoints, own: Deployment, policy_domain: str) -> str:
    """The policy in the bucket."""
    key = f"{policy_domain}/.well-known/mta-sts.txt"
    bucket = own.outputs()["policy_bucket"]
    body: bytes = account.client("s3", endpoints.aws).get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def test_a_second_record_warns_in_every_run_and_no_change_is_written_beside_it(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints, by_hand: RecordsByHand
) -> None:
    (specs / "one.yaml").write_text(SPEC.format("contoso.example", "enforce", MX))
    own = stack("test-second")
    assert "stands there" not in own.up().output
    ours = txt(endpoints, "_mta-sts.contoso.example")
    by_hand.add("contoso.example", SECOND)
    for run in (own.up("--expect-no-changes"), own.preview()):
        assert "_mta-sts.contoso.example: 'v=STSv1 ; id=2020;' stands there" in run.output
    (specs / "one.yaml").write_text(SPEC.format("contoso.example", "testing", MX))
    assert "'v=STSv1 ; id=2020;' stands there" in (preview := own.preview().output)
    assert ours[0] not in preview.partition("warning")[2].partition("stands there")[0]
    with pytest.raises(PulumiFailed) as failed:
        own.up()
    assert "the old record stays as it is. Remove it" in failed.value.output
    assert txt(endpoints, "_mta-sts.contoso.example") == sorted([*ours, "v=STSv1 ; id=2020;"])
    by_hand.take_away()
    assert "stands there" not in own.up().output
    assert len(txt(endpoints, "_mta-sts.contoso.example")) == 1
    assert txt(endpoints, "_mta-sts.contoso.example") != ours


def test_a_typing_error_in_mx_reaches_no_sender_and_stops_no_other_domain(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    typed = MX.replace("mx2.contoso", "mx2.contosso")
    (specs / "a.yaml").write_text(SPEC.format("northwind.example", "testing", "mx1.northwind.example"))
    (specs / "b.yaml").write_text(SPEC.format("contoso.example", "enforce", MX))
    own = stack("test-mx", gate={"timeout": 30})
    own.up()
    served = policy_of(endpoints, own, "contoso.example")
    ours = txt(endpoints, "_mta-sts.contoso.example")
    other = txt(endpoints, "_mta-sts.northwind.example")
    (specs / "a.yaml").write_text(SPEC.format("northwind.example", "testing", "mx2.northwind.example"))
    (specs / "b.yaml").write_text(SPEC.format("contoso.example", "enforce", typed))
    with pytest.raises(PulumiFailed) as failed:
        own.up()
    assert "contoso.example: DNS lists mx2.contoso.example" in failed.value.output
    assert "mx2.contosso.example matches no live MX" in failed.value.output
    assert policy_of(endpoints, own, "contoso.example") == served
    assert txt(endpoints, "_mta-sts.contoso.example") == ours
    assert txt(endpoints, "_mta-sts.northwind.example") != other
    # the way back is never held up
    (specs / "b.yaml").write_text(SPEC.format("contoso.example", "testing", typed))
    assert "DNS lists mx2.contoso.example" in own.up().output
    assert "mode: testing" in policy_of(endpoints, own, "contoso.example")


def test_an_object_without_a_version_stops_its_own_domain_only_and_is_written_again(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    (specs / "a.yaml").write_text(SPEC.format("contoso.example", "testing", "mx1.contoso.example"))
    (specs / "b.yaml").write_text(SPEC.format("northwind.example", "testing", "mx1.northwind.example"))
    own = stack("test-unversioned")
    own.up()
    key = "contoso.example/.well-known/mta-sts.txt"
    place = {"Bucket": own.outputs()["policy_bucket"], "Key": key}
    s3 = account.client("s3", endpoints.aws)
    body = policy_of(endpoints, own, "contoso.example")
    versioning = {"Bucket": place["Bucket"], "VersioningConfiguration": {"Status": "Suspended"}}
    s3.put_bucket_versioning(**versioning)
    s3.put_object(**place, Body=body.encode(), ContentType="text/plain; charset=utf-8")
    versioning["VersioningConfiguration"] = {"Status": "Enabled"}
    s3.put_bucket_versioning(**versioning)
    assert s3.head_object(**place).get("VersionId") in (None, "null")

    other = txt(endpoints, "_mta-sts.northwind.example")
    (specs / "b.yaml").write_text(SPEC.format("northwind.example", "testing", "mx2.northwind.example"))
    for _ in range(2):  # what failed before fails again in the same words
        with pytest.raises(PulumiFailed) as failed:
            own.up("--refresh")
        assert f"contoso.example: s3://{place['Bucket']}/{key} was written before" in failed.value.output
        assert "Traceback" not in failed.value.output
    assert txt(endpoints, "_mta-sts.northwind.example") != other

    # what the message's command does: read it, and write the same text again
    s3.put_object(**place, Body=s3.get_object(**place)["Body"].read(), ContentType="text/plain; charset=utf-8")
    own.up("--refresh")
    assert set(own.outputs()["policy_ids"]) == {"contoso.example", "northwind.example"}
    assert "unchanged" in own.up("--expect-no-changes").changes
