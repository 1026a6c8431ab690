"""The hooks as the engine would run them, against DNS and HTTPS on loopback."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pytest

from components.dns_zones.route53 import Route53Zone
from components.publish_gates.edge import edge_gate
from components.publish_gates.settings import GateSettings
from components.publish_gates.waiting import GateError
from mailtls.mta_sts.record import policy_id_of
from mailtls.observe.dns import Resolver

DOMAIN = "contoso.example"
ZONE = Route53Zone(DOMAIN, "Z1")
OLD_BODY = b"version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"
BODY = b"version: STSv1\r\nmode: testing\r\nmx: mx1.contoso.example\r\nmax_age: 86400\r\n"


def headers(version: str) -> dict[str, str]:
    return {"Content-Type": "text/plain", "x-amz-version-id": version}


def txt_inputs(text: str) -> dict[str, Any]:
    return {"name": f"_mta-sts.{DOMAIN}", "type": "TXT", "records": [text]}


def hook_args(new: str, old: str | None = None) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs(
        urn="urn:pulumi:test::mailtls::aws:route53/record:Record::txt",
        id="",
        name="txt",
        type="aws:route53/record:Record",
        new_inputs=txt_inputs(new),
        old_inputs=txt_inputs(old) if old else None,
    )


def record_of(version: str) -> str:
    return f"v=STSv1; id={policy_id_of(version)};"


@pytest.fixture
def settings(dns_server: Any, policy_host_server: Any) -> GateSettings:
    dns_server.zones.add(f"{DOMAIN}.")
    dns_server.records[f"mta-sts.{DOMAIN}.", "CNAME"] = ["d1.cdn.test."]
    dns_server.records["d1.cdn.test.", "A"] = ["127.0.0.1"]
    return GateSettings(20, Resolver("127.0.0.1", dns_server.port, timeout=1), None, policy_host_server.port)


def test_the_edge_gate_waits_until_the_new_version_is_served(policy_host_server: Any, settings: GateSettings) -> None:
    policy_host_server.says(403)
    policy_host_server.says(200, headers("v1"), OLD_BODY)
    policy_host_server.says(200, headers("v2"), BODY)
    asyncio.run(edge_gate(DOMAIN, BODY, ZONE, settings)(hook_args(record_of("v2"), record_of("v1"))))
    assert len(policy_host_server.seen) == 3


def test_the_same_text_in_another_version_is_not_enough(policy_host_server: Any, settings: GateSettings) -> None:
    policy_host_server.says(200, headers("v1"), BODY)
    policy_host_server.says(200, headers("v2"), BODY)
    asyncio.run(edge_gate(DOMAIN, BODY, ZONE, settings)(hook_args(record_of("v2"))))
    assert len(policy_host_server.seen) == 2


def test_at_the_limit_the_cause_and_what_stays_published_are_told(
    policy_host_server: Any, settings: GateSettings
) -> None:
    policy_host_server.says(200, headers("v1"), OLD_BODY)
    impatient = GateSettings(0.5, settings.resolver, None, settings.port)
    with pytest.raises(GateError) as caught:
        asyncio.run(edge_gate(DOMAIN, BODY, ZONE, impatient)(hook_args(record_of("v2"), record_of("v1"))))
    assert str(caught.value) == (
        "contoso.example: the new policy is not live at the edge after 0.5 s: it serves another text "
        f"(44 octets, 72 expected); the old id {policy_id_of('v1')} stays published; "
        'the next "pulumi up" tries again'
    )


def test_a_first_record_that_fails_leaves_nothing_published(dns_server: Any, settings: GateSettings) -> None:
    del dns_server.records[f"mta-sts.{DOMAIN}.", "CNAME"]
    impatient = GateSettings(0.3, settings.resolver, None, settings.port)
    with pytest.raises(GateError, match=r"mta-sts\.contoso\.example has no address; no id is published yet"):
        asyncio.run(edge_gate(DOMAIN, BODY, ZONE, impatient)(hook_args(record_of("v2"))))


def test_the_proxy_of_the_settings_is_used(policy_host_server: Any, proxy: Any, settings: GateSettings) -> None:
    policy_host_server.says(200, headers("v2"), BODY)
    through = GateSettings(20, settings.resolver, proxy.url)
    asyncio.run(edge_gate(DOMAIN, BODY, ZONE, through)(hook_args(record_of("v2"))))
    assert proxy.connects == ["CONNECT 127.0.0.1:443 HTTP/1.1"]


@pytest.mark.timeout(60)
def test_a_hundred_hooks_pass_while_the_default_executor_is_full(
    policy_host_server: Any, settings: GateSettings
) -> None:
    """The SDK's registration calls hold every thread of the default executor until the hooks are through."""
    policy_host_server.says(200, headers("v2"), BODY)
    through = threading.Event()

    async def all_at_once() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
        registration = loop.run_in_executor(None, through.wait)
        hook = edge_gate(DOMAIN, BODY, ZONE, settings)
        await asyncio.gather(*(hook(hook_args(record_of("v2"))) for _ in range(100)))
        through.set()
        await registration

    asyncio.run(all_at_once())
    assert len(policy_host_server.seen) == 100
