"""What a receiving MTA looks up in DNS. Everything is asked of the one name server that it was given."""

import dns.exception
import dns.name
import dns.resolver

from sandbox.edges.resolver import resolver_at

NO_RECORD = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
NO_NAME = (dns.exception.SyntaxError, dns.name.NameTooLong, UnicodeError)
"""What a mail gives as a name may be none."""


class DnsFailed(Exception):
    """The name server gave no answer, so nothing is known: the mail may be tried again."""


class MailDns:
    """server: `127.0.0.1:PORT`."""

    def __init__(self, server: str) -> None:
        self._resolver = resolver_at(server)

    def mail_exchangers(self, domain: str) -> tuple[str, ...]:
        """MX hosts in lower case, without the final dot; () when there are none. Raises DnsFailed."""
        return tuple(one.exchange.to_text(omit_final_dot=True).lower() for one in self._ask(domain, "MX"))

    def texts(self, name: str) -> tuple[bytes, ...]:
        """TXT records, strings joined; () when there are none. Raises DnsFailed."""
        return tuple(b"".join(one.strings) for one in self._ask(name, "TXT"))

    def _ask(self, name: str, kind: str) -> dns.resolver.Answer | tuple[()]:
        try:
            return self._resolver.resolve(name, kind, search=False)
        except (*NO_RECORD, *NO_NAME):
            return ()
        except dns.exception.DNSException as e:
            raise DnsFailed(f"{name} {kind}: {e}") from e
