"""An answer of the cloud that got lost, or a kill, and then a revert: senders must never keep the wrong policy.

One update is carried out by the cloud and never noted down; then the change is taken back. Specs and state are alike
now, and only a look at the cloud (`--refresh`) shows that it holds something else.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest
from dns.rdtypes.txtbase import TXTBase

from mailtls.mta_sts.record import Record, policy_id_of
from sandbox import account
from sandbox.deployment import Deployment, PulumiFailed
from sandbox.endpoints import Endpoints
from sandbox.providers.protocol.lost_answer import VARIABLE

pytestmark = pytest.mark.engine

DOMAIN = "northwind.example"
SPEC = f"policy_domain: {DOMAIN}\nmta_sts: {{mode: testing, mx: [mx1.northwind.example]}}\nowner: mail-team\n"
CHANGED = SPEC.replace("mx1", "mx2").replace("mail-team", "other-team")
CUT_OFF = [
    (f"{DOMAIN}-policy", "drop"),
    (f"{DOMAIN}-policy", "kill"),
    (f"{DOMAIN}-mta-sts-txt", "kill"),
    ("domain-list", "drop"),
]
"""Whatever a changed spec changes in the cloud, and how the answer to that is lost."""


def test_a_change_that_was_cut_off_and_taken_back_leaves_nothing_behind(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    own = two_stacks(stack, specs)
    for resource, how in CUT_OFF:
        (specs / "one.yaml").write_text(CHANGED)
        with pytest.raises(PulumiFailed) as failed:
            replace(own, env={**own.env, VARIABLE: f"update {resource} {how}"}).up()
        if how == "kill":
            own.unlock()
        else:
            assert VARIABLE in failed.value.output, failed.value.output
        (specs / "one.yaml").write_text(SPEC)
        own.up()
        assert published(endpoints, own) == (["mx1.northwind.example"], "mail-team"), (resource, how)
    assert "unchanged" in own.up("--expect-no-changes").changes


def test_what_a_lost_update_left_in_distribution_and_alias_is_put_right(
    stack: Callable[..., Deployment], specs: Path, endpoints: Endpoints
) -> None:
    """No spec changes these two, only another version of the program: here the cloud is told directly."""
    own = two_stacks(stack, specs)
    cloudfront = account.client("cloudfront", endpoints.aws, account.CERTIFICATE_REGION)
    (distribution,) = [
        one["Id"]
        for one in cloudfront.list_distributions()["DistributionList"]["Items"]
        if f"mta-sts.{DOMAIN}" in one["Aliases"].get("Items", [])
    ]
    got = cloudfront.get_distribution_config(Id=distribution)
    other = got["DistributionConfig"] | {"HttpVersion": "http1.1"}
    cloudfront.update_distribution(Id=distribution, IfMatch=got["ETag"], DistributionConfig=other)
    route53 = account.client("route53", endpoints.aws, account.CERTIFICATE_REGION)
    (zone,) = [one["Id"] for one in route53.list_hosted_zones()["HostedZones"] if one["Name"] == f"{DOMAIN}."]
    alias = {
        "Name": f"mta-sts.{DOMAIN}",
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": "elsewhere.outside.example"}],
    }
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": alias}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    own.up()
    assert cloudfront.get_distribution_config(Id=distribution)["DistributionConfig"]["HttpVersion"] == "http2and3"
    name = cloudfront.get_distribution(Id=distribution)["Distribution"]["DomainName"]
    assert [str(one) for one in looked_up(endpoints, f"mta-sts.{DOMAIN}", "CNAME")] == [f"{name}."]


def two_stacks(stack: Callable[..., Deployment], specs: Path) -> Deployment:
    """The domain's stack, deployed; the platform has one of its own, so that runs are short."""
    (specs / "one.yaml").write_text(SPEC)
    stack("test-lost-platform", kind="platform", policy_specs=None).up()
    own = stack(
        "test-lost",
        kind="domains",
        platform="organization/mailtls/test-lost-platform",
        reports=None,
        subscriptions=None,
    )
    own.up()
    return own


def published(endpoints: Endpoints, own: Deployment) -> tuple[list[str], str]:
    """The mx lines in the bucket and the owner in the domain list. The published id must be that of the bucket's text,
    and of no other version."""
    s3 = account.client("s3", endpoints.aws)
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    (policies,) = [name for name in buckets if name.startswith("policy-store-")]
    (reports,) = [name for name in buckets if name.startswith("reports-store-")]
    policy = s3.get_object(Bucket=policies, Key=f"{DOMAIN}/.well-known/mta-sts.txt")
    (record,) = looked_up(endpoints, f"_mta-sts.{DOMAIN}", "TXT")
    assert isinstance(record, TXTBase)
    assert Record.parse(b"".join(record.strings).decode()).policy_id == policy_id_of(policy["VersionId"])
    assert own.outputs()["policy_ids"] == {DOMAIN: policy_id_of(policy["VersionId"])}
    lines = policy["Body"].read().decode().splitlines()
    listed: Any = json.loads(s3.get_object(Bucket=reports, Key=f"domains/{own.stack}.json")["Body"].read())
    (owner,) = [one["owner"] for one in listed["policy_domains"]]
    return [line.removeprefix("mx: ") for line in lines if line.startswith("mx: ")], owner


def looked_up(endpoints: Endpoints, name: str, kind: str) -> list[Any]:
    """The answers of the sandbox's DNS of one type."""
    host, _, port = endpoints.dns.rpartition(":")
    answer = dns.query.udp(dns.message.make_query(name, kind), host, port=int(port), timeout=5)
    wanted = dns.rdatatype.from_text(kind)
    return [record for rrset in answer.answer if rrset.rdtype == wanted for record in rrset]
