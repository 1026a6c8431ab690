"""A resolver that asks the sandbox's name server, and nothing that this machine is configured with."""

import dns.resolver

DNS_SECONDS = 5
"""For one question, retries included."""


def resolver_at(server: str) -> dns.resolver.Resolver:
    """server: `127.0.0.1:PORT`."""
    host, port = server.rsplit(":", 1)
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port, made.lifetime = [host], int(port), DNS_SECONDS
    return made
