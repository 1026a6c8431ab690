"""What AWS sees of the internet: DNS, asked for real, over UDP, at the name server that the process was given."""

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

TIMEOUT = 3.0
"""Seconds for one question."""


class Outside:
    """name_server: `127.0.0.1:PORT`, set before the first question. Questions block: never ask on the event loop."""

    def __init__(self) -> None:
        self.name_server = ""
        self.proxy: str | None = None
        self.ca: str | None = None

    def cname(self, name: str) -> set[str]:
        """Targets of the CNAME at `name`, in lower case without the final dot; empty when there is none."""
        return {value.rstrip(".").lower() for value in self._ask(name, "CNAME")}

    def txt(self, name: str) -> set[str]:
        """Texts at `name`, strings joined."""
        return set(self._ask(name, "TXT"))

    def _ask(self, name: str, rdtype: str) -> list[str]:
        host, port = self.name_server.rsplit(":", 1)
        query = dns.message.make_query(name, rdtype)
        try:
            response, _ = dns.query.udp_with_fallback(query, host, timeout=TIMEOUT, port=int(port))
        except (dns.exception.DNSException, OSError):
            return []  # a name server that does not answer shows no record
        wanted = dns.rdatatype.from_text(rdtype)
        found = [data for answer in response.answer if answer.rdtype == wanted for data in answer]
        if rdtype == "TXT":
            return [b"".join(data.strings).decode("ascii", "replace") for data in found]
        return [data.to_text() for data in found]


OUTSIDE = Outside()
"""The process's one outside."""
