"""The peer: checkdmarc's two checks, as it comes or in threads. Runs with the outsiders' Python.

    python bench/internet/checkdmarc_peer.py DNSPORT THREADS DOMAIN...      prints seconds

The addresses of policy hosts are handed to it without a look-up, in its favour: it would ask the system's resolver.
"""

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def main() -> None:
    port, threads, domains = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    ours = socket.getaddrinfo

    def looked_up(host: Any, *arguments: Any, **options: Any) -> Any:
        return ours("127.0.0.43" if str(host).startswith("mta-sts.") else host, *arguments, **options)

    socket.getaddrinfo = looked_up
    from checkdmarc.mta_sts import check_mta_sts
    from checkdmarc.smtp_tls_reporting import check_smtp_tls_reporting
    from dns.nameserver import Do53Nameserver

    servers = [Do53Nameserver("127.0.0.1", port)]

    def check(domain: str) -> None:
        found = check_mta_sts(domain, nameservers=servers)
        assert found["valid"], found  # noqa: S101  a peer that fails fast would look fast
        check_smtp_tls_reporting(domain, nameservers=servers)

    began = time.perf_counter()
    if threads == 1:
        for domain in domains:
            check(domain)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(check, domains))
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
