"""What a sending site adds around a report: a DKIM signature, the way through the recipient's MX, STARTTLS.

Used as a module by the demo for sample mails, and as a script in place of `sendmail -t` by the TLS-RPT reporter:

    python submission.py --dns … --smtp … --ca … --key … --selector … --domain …   < mail
"""

import argparse
import email
import email.utils
import smtplib
import socket
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

import dkim
import dns.resolver

SIGNED_HEADERS = [b"from", b"to", b"subject", b"date", b"message-id", b"tls-report-domain", b"tls-report-submitter"]


class SubmissionError(Exception):
    """The mail did not go out; the text says at which step and what the other side answered."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A sending site's DKIM key: `domain` is d=, `selector` is s=, `key` a PEM file with the private key."""

    domain: str
    selector: str
    key: Path

    def sign(self, mail: bytes) -> bytes:
        """The mail with its DKIM-Signature on top. Signs relaxed/relaxed, the listed headers that are there, no l=."""
        present = {line.split(b":", 1)[0].lower() for line in mail.split(b"\r\n\r\n", 1)[0].split(b"\r\n")}
        signature: bytes = dkim.sign(
            mail,
            self.selector.encode(),
            self.domain.encode(),
            self.key.read_bytes(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=[name for name in SIGNED_HEADERS if name in present],
        )
        return signature + mail


class ThroughEdge(smtplib.SMTP):
    """A session with the MX host `exchanger` whose port 25 is, in the sandbox, the SMTP edge's port.

    The name stays the MX's, so that STARTTLS verifies the certificate for it.
    """

    def __init__(self, edge: tuple[str, int], exchanger: str) -> None:
        self._edge = edge
        super().__init__(exchanger, 25, local_hostname="mta.sender.example", timeout=20)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection(self._edge, timeout)


@dataclass(frozen=True, slots=True)
class Internet:
    """Where the outside is: name server and SMTP edge as ADDRESS:PORT, the CA that signed the MX's certificate."""

    dns: str
    smtp: str
    ca: Path

    def mail_exchanger(self, domain: str) -> str:
        """The most preferred MX of `domain`, asked at the sandbox's name server."""
        host, port = self.dns.rsplit(":", 1)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = [host], int(port), 5
        try:
            found = sorted(resolver.resolve(domain, "MX"), key=lambda record: record.preference)
            exchanger: str = found[0].exchange.to_text(omit_final_dot=True)
            address = resolver.resolve(exchanger, "A")[0].to_text()
        except dns.exception.DNSException as e:
            raise SubmissionError(f"no way to {domain}: {e}") from e
        if not address.startswith("127."):
            raise SubmissionError(f"{exchanger} is at {address}: the sandbox sends to this machine only")
        return exchanger

    def submit(self, mail: bytes, sender: str, recipient: str) -> None:
        """Deliver one mail to the recipient's MX over STARTTLS, certificate verified. Raises SubmissionError."""
        exchanger = self.mail_exchanger(recipient.rsplit("@", 1)[1])
        host, port = self.smtp.rsplit(":", 1)
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with ThroughEdge((host, int(port)), exchanger) as session:
                session.starttls(context=context)
                session.sendmail(sender, [recipient], mail)
        except (smtplib.SMTPException, OSError) as e:
            raise SubmissionError(f"{exchanger} did not take the mail for {recipient}: {e}") from e


def crlf(mail: bytes) -> bytes:
    """The mail with CRLF line ends, as it travels: a signature made over anything else would not verify."""
    return mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Sign a mail from standard input and deliver it to the MX of its To.")
    for name in ("dns", "smtp", "ca", "key", "selector", "domain"):
        parser.add_argument(f"--{name}", required=True)
    a = parser.parse_args()
    mail = crlf(sys.stdin.buffer.read())
    headers = email.message_from_bytes(mail)
    sender = email.utils.parseaddr(headers["From"])[1]
    recipient = email.utils.parseaddr(headers["To"])[1]
    signed = Signer(a.domain, a.selector, Path(a.key)).sign(mail)
    try:
        Internet(a.dns, a.smtp, Path(a.ca)).submit(signed, sender, recipient)
    except SubmissionError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
