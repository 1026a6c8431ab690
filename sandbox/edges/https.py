"""The internet's HTTPS port: CloudFront's edge and Lambda's, for what was deployed, and the hosts of other people.

A host name is served only if the deployed state entitles the edge to it: an enabled distribution has it as an alias,
and its certificate is in us-east-1, issued, and covers the name. Any other name meets the edge's own certificate,
`*.cloudfront.net`, and fails there as it fails at CloudFront.
"""

import logging
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from sandbox.edges.certificates import Authority, Kind
from sandbox.edges.client_hello import server_name
from sandbox.edges.connections import Listener
from sandbox.edges.deployed import Endpoint, StateUnknown
from sandbox.edges.distributions import EDGE_NAME, UNKNOWN, Distributions, Presence
from sandbox.edges.faults import Fault, Faults
from sandbox.edges.http_message import Answer, Request, serve_requests
from sandbox.edges.lateness import LateView, View
from sandbox.edges.origin import fetch
from sandbox.edges.outside_hosts import OUTSIDE_HOSTS, POLICY_PATH, OutsideHost

HANDSHAKE_SECONDS = 10
ALERTS_HOST = "alerts.mailhost.example"
"""Where the operator of the example domains takes alerts."""

FUNCTION_URL = re.compile(r"[a-z0-9]{32}\.lambda-url\.[a-z0-9-]+\.on\.aws")
"""Names of Lambda's front door. The emulator knows whose they are, and answers for those that nobody has."""

LOG = logging.getLogger(__name__)


class Web(Protocol):
    """Answers the requests to a host of somebody else's."""

    def answer(self, request: Request) -> Answer: ...


class HttpsEdge:
    """authority: signs what is presented. endpoint: of the emulator. webhook: answers at `alerts.mailhost.example`.

    outside: the hosts of other people, by name.
    """

    def __init__(
        self,
        authority: Authority,
        faults: Faults,
        endpoint: Endpoint,
        webhook: Web,
        outside: Mapping[str, OutsideHost] = OUTSIDE_HOSTS,
    ) -> None:
        self._authority = authority
        self._faults = faults
        self._endpoint = endpoint
        self._distributions = Distributions(endpoint)
        self._webs: dict[str, Web] = {**outside, ALERTS_HOST: webhook}
        self._kinds = {name: host.certificate for name, host in outside.items()}
        self._late: dict[str, LateView] = {}
        self._listener = Listener("https", self._serve)
        faults.before_set(self._remember)

    def start(self, port: int = 0) -> str:
        """`127.0.0.1:PORT`."""
        return self._listener.start(port)

    def stop(self) -> None:
        self._listener.stop()

    # ------------------------------------------------------------------------------------------------ one connection

    def _serve(self, connection: socket.socket) -> None:
        name = server_name(connection, HANDSHAKE_SECONDS)
        presence = self._presence(name)
        context = self._authority.context_for(presence.certificate, presence.kind, presence.minimum)
        connection.settimeout(HANDSHAKE_SECONDS)
        # a copy: the listener keeps the socket itself, to end it when it stops
        with context.wrap_socket(connection.dup(), server_side=True) as secured:
            serve_requests(secured, self._answering(name))

    def _presence(self, name: str | None) -> Presence:
        if name is None:
            return UNKNOWN
        if name in self._webs:
            presence = Presence(name, self._kinds.get(name, Kind.GOOD), serves=True)
        elif FUNCTION_URL.fullmatch(name):
            presence = Presence(name, serves=True)  # Lambda's own front door, whose names all have a certificate
        elif (late := self._late_view(name)) is not None:
            presence = late.now().presence
        else:
            presence = self._distributions.presence(name)
        if not self._faults.has_certificate(name):
            return replace(presence, certificate=EDGE_NAME, kind=Kind.GOOD)
        return presence

    def _answering(self, name: str | None) -> Callable[[Request], Answer]:
        def answer(request: Request) -> Answer:
            host = request.host
            if name is not None and host != name:
                return Answer.text(421, f"this connection is for {name}, not for {host}\n")
            try:
                return self._answer(host, request)
            except StateUnknown as e:
                LOG.warning("%s: %s", host, e)
                return Answer.text(503, "the edge does not know its configuration\n")

        return answer

    def _answer(self, host: str, request: Request) -> Answer:
        if (web := self._webs.get(host)) is not None:
            return web.answer(request)
        if (late := self._late_view(host)) is not None:
            return self._answer_late(late.now(), request)
        if FUNCTION_URL.fullmatch(host):
            return self._answer_now(host, Presence(host, serves=True), request)
        return self._answer_now(host, self._distributions.presence(host), request)

    def _answer_now(self, host: str, presence: Presence, request: Request) -> Answer:
        endpoint = self._endpoint()
        if not presence.serves or endpoint is None:
            return Answer.text(403, "403 ERROR. No distribution serves this host.\n")
        try:
            return fetch(endpoint, host, request, cloudfront=FUNCTION_URL.fullmatch(host) is None)
        except OSError as e:
            LOG.warning("%s: %s", host, e)
            return Answer.text(502, "502 ERROR. The origin does not answer.\n")

    def _answer_late(self, view: View, request: Request) -> Answer:
        if request.path != POLICY_PATH or request.method not in ("GET", "HEAD"):
            return Answer.text(504, "504 ERROR. This edge is cut off, and has only the policy.\n")
        return view.policy

    # -------------------------------------------------------------------------------------------------------- faults

    def _remember(self, fault: Fault) -> None:
        """Looks at what the edge gives out now, for a fault that will hold it back. Raises ValueError."""
        if fault.lateness is None:
            return
        if fault.host in self._webs:
            raise ValueError(f"{fault.name} is for hosts that were deployed; {fault.host} is somebody else's")
        try:
            # an edge that is late already goes on from what it gives out, not from how things are
            late = self._late_view(fault.host)
            given = late.now() if late is not None else self._view(fault.host)
            self._late[fault.host] = LateView(lambda: self._view(fault.host), given, fault.lateness)
        except StateUnknown as e:
            raise ValueError(f"{fault}: the edge cannot look at what it gives out now: {e}") from e

    def _late_view(self, host: str) -> LateView | None:
        return self._late.get(host) if self._faults.late(host) is not None else None

    def _view(self, host: str) -> View:
        presence = self._distributions.presence(host)
        return View(presence, self._answer_now(host, presence, Request("GET", POLICY_PATH, (("Host", host),))))
