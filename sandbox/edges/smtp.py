"""SES's inbound SMTP endpoint: takes what the deployed state takes, and stores it as the receipt rules say.

RCPT  MX in DNS leads here · domain is a verified identity · a rule of the active set matches · its TLS policy
DATA  DKIM, SPF, DMARC · SES's headers on top · every matching rule's actions
"""

import asyncio
import logging
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.edges.certificates import Authority
from sandbox.edges.deployed import Endpoint, Service, StateUnknown
from sandbox.edges.mail_authentication import dkim_results, dmarc_result, from_domain, spf_result
from sandbox.edges.mail_dns import DnsFailed, MailDns
from sandbox.edges.receipt_actions import LARGEST_MAIL, Bounced, run
from sandbox.edges.receipt_rules import Rule, active_rules, matching, verified
from sandbox.edges.ses_headers import Reception, headers, new_message_id

IDLE_SECONDS = 60
MOST_RECIPIENTS = 100
STOP_SECONDS = 10
TRY_AGAIN = "451 4.3.0 Requested action aborted: local error in processing"
NO_SUCH_MAILBOX = "550 5.1.1 Requested action not taken: mailbox unavailable"

LOG = logging.getLogger(__name__)


class SmtpEdge:
    """authority: signs the certificate of `inbound-smtp.<region>.amazonaws.com`. endpoint: of the emulator.

    dns: name server, `127.0.0.1:PORT`.
    """

    def __init__(self, authority: Authority, endpoint: Endpoint, dns: str, region: str) -> None:
        self._host = f"inbound-smtp.{region}.amazonaws.com"
        self._authority = authority
        self._handler = _Handler(_Intake(endpoint, MailDns(dns), region, self._host))
        self._sessions: set[SMTP] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> str:
        """`127.0.0.1:PORT`."""
        listening = socket.create_server(("127.0.0.1", port), backlog=128)
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        where = listening.getsockname()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listening), name="smtp", daemon=True)
        self._thread.start()
        return f"127.0.0.1:{where[1]}"

    def stop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(STOP_SECONDS)
        self._loop = self._thread = None

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._serve(loop, listening))

    async def _serve(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        server = await loop.create_server(lambda: self._session(loop), sock=listening)
        await self._stopped.wait()
        server.close()
        for session in self._sessions:
            if isinstance(session.transport, asyncio.WriteTransport):
                session.transport.abort()
        await asyncio.sleep(0)  # the transports say so to their sessions, which end

    def _session(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return _Session(
            self._handler,
            sessions=self._sessions,
            data_size_limit=LARGEST_MAIL,
            hostname=self._host,
            ident="ESMTP SimpleEmailService-sandbox",
            tls_context=self._authority.context_for(self._host),
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=loop,
        )


class _Session(SMTP):
    """Is in `sessions` for as long as its connection lives."""

    def __init__(self, *args: Any, sessions: set[SMTP], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sessions.discard(self)
        super().connection_lost(error)


class _Handler:
    """aiosmtpd's hooks. What blocks runs in a thread."""

    def __init__(self, intake: "_Intake") -> None:
        self._intake = intake

    async def handle_RCPT(self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        reply = await asyncio.to_thread(self._intake.recipient, address, session.ssl is not None)
        if reply is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            return "250 OK"
        return reply

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:
        offered = _Offered(
            client=str(session.peer[0]) if session.peer else "",
            helo=session.host_name or "",
            mail_from="" if envelope.mail_from in (None, "<>") else envelope.mail_from,
            recipients=tuple(envelope.rcpt_tos),
            mail=envelope.content if isinstance(envelope.content, bytes) else b"",
        )
        return await asyncio.to_thread(self._intake.mail, offered)

    async def handle_exception(self, error: Exception) -> str:
        LOG.error("a session failed", exc_info=error)
        return TRY_AGAIN


@dataclass(frozen=True, slots=True)
class _Offered:
    """A mail and its envelope. mail: as it came, CRLF line ends, dots unstuffed."""

    client: str
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    mail: bytes


class _Intake:
    """Decides by the deployed state, read anew for each question. Answers are SMTP replies."""

    def __init__(self, endpoint: Endpoint, dns: MailDns, region: str, host: str) -> None:
        self._endpoint = endpoint
        self._ses = Service("ses", endpoint, region)
        self._dns = dns
        self._region = region
        self._host = host

    def recipient(self, address: str, over_tls: bool) -> str | None:
        """The reply that refuses the address; None: it is taken."""
        try:
            rules = self._rules_for(address)
        except _NotHere as e:
            LOG.warning("%s is refused: %s", address, e)
            return NO_SUCH_MAILBOX
        except (DnsFailed, StateUnknown) as e:
            LOG.warning("%s: nobody knows: %s", address, e)
            return TRY_AGAIN
        if not over_tls and (strict := [rule.name for rule in rules if rule.requires_tls]):
            LOG.warning("%s is refused without TLS: rule %s", address, strict[0])
            return "530 5.7.0 Must issue a STARTTLS command first"
        return None

    def mail(self, offered: _Offered) -> str:
        """The reply to a whole mail."""
        message_id = new_message_id()
        try:
            with self._ses.asked() as ses:
                rules = matching(active_rules(ses, self._region) or (), offered.recipients)
            if not rules:
                raise Bounced(TRY_AGAIN, "no rule matches any more")
            reception = self._reception(message_id, offered)
            on_top = {scans: headers(reception, offered.mail, scans) for scans in (False, True)}
            run(rules, offered.mail, message_id, on_top, self._endpoint() or "")
        except Bounced as e:
            LOG.warning("mail from <%s> bounces: %s", offered.mail_from, e)
            return e.reply
        except StateUnknown as e:
            LOG.warning("mail from <%s> bounces: %s", offered.mail_from, e)
            return TRY_AGAIN
        return f"250 OK {message_id}"

    def _rules_for(self, address: str) -> tuple[Rule, ...]:
        """Raises _NotHere, DnsFailed, StateUnknown."""
        domain = address.rpartition("@")[2].lower()
        exchangers = self._dns.mail_exchangers(domain)
        if self._host not in exchangers:
            raise _NotHere(f"the MX of {domain} is {', '.join(exchangers) or 'missing'}: no sender would come here")
        with self._ses.asked() as ses:
            rules = active_rules(ses, self._region)
            is_verified = verified(ses, domain)
        if rules is None:
            raise _NotHere(f"no receipt rule set is active in {self._region}")
        if not is_verified:
            raise _NotHere(f"{domain} is no verified identity in {self._region}")
        taking = matching(rules, [address])
        if not taking:
            raise _NotHere("no rule of the active set matches")
        return taking

    def _reception(self, message_id: str, offered: _Offered) -> Reception:
        envelope_domain = (offered.mail_from.rpartition("@")[2] or offered.helo).lower()
        spf = spf_result(envelope_domain, offered.client, self._dns)
        dkim = dkim_results(offered.mail, self._dns)
        author = from_domain(offered.mail)
        passed = [one.domain for one in dkim if one.result == "pass"]
        passed += [envelope_domain] if spf.result == "pass" else []
        return Reception(
            message_id=message_id,
            region=self._region,
            when=datetime.now(UTC),
            client=offered.client,
            helo=offered.helo,
            mail_from=offered.mail_from,
            recipients=offered.recipients,
            spf=spf,
            dkim=dkim,
            dmarc=dmarc_result(author, tuple(passed), self._dns),
            from_domain=author,
        )


class _NotHere(Exception):
    """Why the address is not taken; SES tells nobody."""
