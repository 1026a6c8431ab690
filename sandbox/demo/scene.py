"""What every chapter of the demo has at hand: the running cloud, the deployment, the outside world."""

import json
import os
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dns.exception
import dns.resolver
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.demo.specs import Expected
from sandbox.demo.story import DemoError, Story, expect
from sandbox.deployment import Deployment
from sandbox.endpoints import Endpoints
from sandbox.place import REPOSITORY, Place

OUTSIDERS = REPOSITORY / "sandbox" / "outsiders"
POLICY_PATH = "/.well-known/mta-sts.txt"
JUDGE_SECONDS = 120


@dataclass
class Scene:
    """expected: the example specs by policy domain, as a reader of the files expects them to be published.

    judges: `bin` folder of the outside judges' own environment.
    """

    story: Story
    place: Place
    endpoints: Endpoints
    deployment: Deployment
    judges: Path
    expected: Mapping[str, Expected]

    def txt(self, name: str) -> tuple[str, ...]:
        """TXT values in DNS now; () when there are none."""
        try:
            found = self._resolver.resolve(name, "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except dns.exception.DNSException as e:
            raise DemoError(f"DNS does not say what TXT {name} has: {e}") from e
        return tuple(b"".join(value.strings).decode() for value in found)

    def policy_id(self, policy_domain: str) -> str:
        """The id in DNS now; "" without a record."""
        values = self.txt(f"_mta-sts.{policy_domain}")
        return values[0].partition("id=")[2].rstrip(";").strip() if values else ""

    def fetch(self, host: str) -> str:
        """The policy that `host` serves now, or `HTTP <status>`."""
        try:
            answer = self._browser.get(f"https://{host}{POLICY_PATH}", follow_redirects=False)
        except httpx.HTTPError as e:
            raise DemoError(f"no policy from {host}: {type(e).__name__}: {e}") from e
        return answer.text if answer.status_code == 200 else f"HTTP {answer.status_code}"

    def judge(self, script: str, *domains: str) -> list[dict[str, Any]]:
        """Ask one of the outside judges (a script in sandbox/outsiders) about domains."""
        command = [str(self.judges / "python"), str(OUTSIDERS / script)]
        command += ["--dns", self.endpoints.dns, "--proxy", self.endpoints.proxy, *domains]
        environment = {**os.environ, **self.trust}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=JUDGE_SECONDS, env=environment
            )
        except subprocess.TimeoutExpired as e:
            raise DemoError(f"{script} has no verdict after {JUDGE_SECONDS} s") from e
        expect(done.returncode == 0, f"{script}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    @cached_property
    def trust(self) -> dict[str, str]:
        """Variables by which programs learn of the sandbox's certificate authority."""
        return dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), self.endpoints.ca)

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        host, port = self.endpoints.dns.rsplit(":", 1)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 5
        return resolver

    @cached_property
    def _browser(self) -> httpx.Client:
        """Reaches every host of the sandbox's internet; a new connection each time, as a sender does once a day."""
        return httpx.Client(
            proxy=self.endpoints.proxy,
            verify=ssl.create_default_context(cafile=self.endpoints.ca),
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            timeout=20,
        )


@contextmanager
def asking(what: str) -> Iterator[None]:
    """AWS is asked about `what`: its refusal, or its silence, is a DemoError that says so."""
    try:
        yield
    except (BotoCoreError, ClientError) as e:
        raise DemoError(f"{what}: {e}") from e
