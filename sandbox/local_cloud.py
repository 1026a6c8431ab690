"""The local cloud: one process that holds the emulator, the Cloudflare API and the internet's edges.

    program --(provider plugins)--> AWS emulator, Cloudflare API
    senders, judges --> DNS, HTTPS, SMTP --(what was deployed)--> AWS emulator, Cloudflare API;  alerts --> webhook

Started by `sandbox.lifecycle`. It says `READY` on its standard output, and ends at SIGTERM or when it is told to whose
life it is bound (`--parent`). Whatever it started ends with it, also after `kill -9`.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml

from sandbox import account
from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.start import Emulator, start_emulator
from sandbox.control import ControlServer, ask
from sandbox.edges.certificates import Authority
from sandbox.edges.dns import DnsEdge
from sandbox.edges.faults import Faults
from sandbox.edges.https import HttpsEdge
from sandbox.edges.proxy import Proxy
from sandbox.edges.smtp import SmtpEdge
from sandbox.edges.webhook import Webhook
from sandbox.edges.zones import CloudflareZones, CloudFrontNames, Route53Zones, ZoneSource
from sandbox.endpoints import Endpoints
from sandbox.engine.parentage import end_with_parent
from sandbox.engine.workspace import pulumi_env
from sandbox.place import REPOSITORY, AlreadyRunning, Place
from sandbox.world.senders import make_senders
from sandbox.world.world import World

CLOUDFLARE_TOKEN = "sandbox-token"  # noqa: S105 of an API on this machine
STACK_FILE = REPOSITORY / "stacks" / "Pulumi.sandbox.yaml"


class LocalCloud:
    """All parts, started in the order in which they need each other."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._parts = ExitStack()
        self._emulator: Emulator | None = None
        self._baseline: set[str] = set()
        self.faults = Faults()

    def start(self) -> Endpoints:
        place = self._place
        for folder in (place.logs, place.authority, place.keys):
            folder.mkdir(parents=True, exist_ok=True)
        world = World()
        make_senders(place.keys, world)
        authority = Authority(place.authority)
        zones = hosted_zones()
        cloudflare = Cloudflare(zones["cloudflare"], CLOUDFLARE_TOKEN)
        self.cloudflare = cloudflare

        cloudflare_url = self._run(cloudflare)
        sources: list[ZoneSource] = [
            CloudflareZones(cloudflare),
            Route53Zones(self._endpoint),
            CloudFrontNames(self._endpoint),
        ]
        dns = self._run(DnsEdge(sources, world))
        webhook = Webhook(self._endpoint)
        webhook_url = self._run(webhook)
        https = self._run(HttpsEdge(authority, self.faults, self._endpoint, webhook))
        proxy = self._run(Proxy(https, dns))
        self._emulator = start_emulator(dns, proxy, authority.ca, place.logs / "emulator.log")
        self._parts.callback(self._emulator.stop)
        smtp = self._run(SmtpEdge(authority, self._endpoint, dns, account.REGION))

        make_zones(self._emulator.endpoint, zones["route53"])
        self._baseline = set(self._things())
        control = self._run(ControlServer(self._answers()))
        endpoints = Endpoints(
            dns=dns,
            https=https,
            smtp=smtp,
            aws=self._emulator.endpoint,
            cloudflare=cloudflare_url,
            webhook=webhook_url,
            control=control,
            proxy=proxy,
            ca=str(authority.ca),
            keys=str(place.keys),
            pulumi_env=self._pulumi_env(dns, proxy, cloudflare_url, authority.ca),
        )
        endpoints.write(place.endpoints)
        self._parts.callback(place.endpoints.unlink, missing_ok=True)
        return endpoints

    def stop(self) -> None:
        self._parts.close()

    def _run(self, part: Any) -> str:
        where: str = part.start()
        self._parts.callback(part.stop)
        return where

    def _endpoint(self) -> str | None:
        return self._emulator.endpoint if self._emulator else None

    def _pulumi_env(self, dns: str, proxy: str, cloudflare: str, ca: Path) -> dict[str, str]:
        place = self._place
        return {
            **pulumi_env(place.pulumi_home, place.state),
            **account.environment(self._emulator.endpoint if self._emulator else ""),
            "CLOUDFLARE_BASE_URL": cloudflare,
            "CLOUDFLARE_API_TOKEN": CLOUDFLARE_TOKEN,
            # the publish gate's way to look: the sandbox's DNS, its internet, its authority
            "MAILTLS_RESOLVER": dns,
            "MAILTLS_PROXY": proxy,
            "SSL_CERT_FILE": str(ca),
        }

    def _things(self) -> list[str]:
        """Everything that exists in the two clouds."""
        return [*self._private("GET", "leftovers"), *self.cloudflare.leftovers()]

    def _private(self, method: str, path: str, **arguments: Any) -> Any:
        return ask(self._endpoint() or "", method, f"/_sandbox/{path}", **arguments)

    def _answers(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], Any]]:
        return {
            ("GET", "/faults"): lambda _: self.faults.active(),
            ("POST", "/faults"): self._set_fault,
            ("DELETE", "/faults"): lambda arguments: self.faults.clear(arguments.get("host")),
            ("POST", "/clock"): lambda arguments: self._private("POST", "clock", **arguments),
            ("GET", "/leftovers"): lambda _: sorted(set(self._things()) - self._baseline),
        }

    def _set_fault(self, arguments: dict[str, Any]) -> Any:
        host, seconds = str(arguments.get("host") or ""), arguments.get("seconds")
        return self.faults.set(str(arguments.get("fault")), host, None if seconds is None else float(seconds))


def hosted_zones() -> dict[str, list[str]]:
    """What the operator's accounts hold before the first deployment, by provider: the zones that the stack names."""
    config = yaml.safe_load(STACK_FILE.read_text())["config"]
    zones: dict[str, list[str]] = {"cloudflare": [], "route53": []}
    for zone in config["mailtls:zones"]:
        zones[zone["provider"]].append(zone["suffix"])
    return zones


def make_zones(endpoint: str, zones: list[str]) -> None:
    route53 = account.client("route53", endpoint, account.CERTIFICATE_REGION)
    for zone in zones:
        route53.create_hosted_zone(Name=zone, CallerReference=zone)


def main() -> int:
    parser = argparse.ArgumentParser(description="The local cloud's process.")
    parser.add_argument("--folder", type=Path, required=True, help="where it keeps its files")
    parser.add_argument("--parent", type=int, help="end when this process has ended")
    arguments = parser.parse_args()
    if arguments.parent is not None:
        end_with_parent(arguments.parent)
    place = Place(arguments.folder.resolve())
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with place.held():
            cloud = LocalCloud(place)
            try:
                cloud.start()
                print("READY", flush=True)
                stopped.wait()
            finally:
                cloud.stop()
    except AlreadyRunning as e:
        print(e, flush=True)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
