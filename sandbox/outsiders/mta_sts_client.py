"""Ask postfix-mta-sts-resolver, the MTA-STS client that Postfix sites run, what it makes of some domains.

Runs with the outsiders' Python, as a script:

    python mta_sts_client.py --dns 127.0.0.1:PORT --proxy http://127.0.0.1:PORT DOMAIN...   (SSL_CERT_FILE names the CA)

Prints one JSON line a domain: {"domain", "verdict": "VALID" | "NONE" | "FETCH_ERROR" | "NOT_CHANGED", "policy_id",
"policy": {"version", "mode", "mx": [...], "max_age"}, "words": [what the client logged]}.
"""

import argparse
import asyncio
import json
import logging
import os


class Words(logging.Handler):
    """Keeps what the client says about a domain: its reason for a refusal is in its log, not in its answer."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


async def ask(domains: list[str], dns: str) -> None:
    import aiodns
    from postfix_mta_sts_resolver.resolver import STSResolver

    host, port = dns.rsplit(":", 1)
    log = logging.getLogger("RES")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    for domain in domains:
        words = Words()
        log.handlers = [words]
        client = STSResolver(loop=asyncio.get_running_loop(), timeout=10)
        # the class takes no name server: it asks the machine's. This is the one thing it is told from outside.
        client._resolver = aiodns.DNSResolver(nameservers=[host], udp_port=int(port), tcp_port=int(port), timeout=3)
        result, found = await client.resolve(domain)
        policy_id, policy = found if found else (None, None)
        print(
            json.dumps(
                {
                    "domain": domain,
                    "verdict": result.name,
                    "policy_id": policy_id,
                    "policy": policy,
                    "words": [line for line in words.lines if not line.startswith("Got STS resolve request")],
                }
            ),
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask an unmodified MTA-STS client about domains.")
    parser.add_argument("--dns", required=True, help="name server, ADDRESS:PORT")
    parser.add_argument("--proxy", required=True, help="HTTP proxy that reaches the edge, http://ADDRESS:PORT")
    parser.add_argument("domains", nargs="+")
    arguments = parser.parse_args()
    # the client reads its proxy from the environment, in either case
    os.environ["https_proxy"] = os.environ["HTTPS_PROXY"] = arguments.proxy
    asyncio.run(ask(arguments.domains, arguments.dns))


if __name__ == "__main__":
    main()
