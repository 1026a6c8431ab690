"""Ask checkdmarc what it makes of a domain's MTA-STS and TLS-RPT. Runs with the outsiders' Python, as a script:

    python checkdmarc_client.py --dns 127.0.0.1:PORT --proxy http://127.0.0.1:PORT DOMAIN...   (REQUESTS_CA_BUNDLE)

Prints one JSON line a domain: {"domain", "mta_sts": {...}, "tls_rpt": {...}}, both as checkdmarc returns them. With
--mx also "mx": what it says about the MX hosts, compared with the policy where that is valid.
"""

import argparse
import json
import os


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask checkdmarc about domains.")
    parser.add_argument("--dns", required=True, help="name server, ADDRESS:PORT")
    parser.add_argument("--proxy", required=True, help="HTTP proxy that reaches the edge, http://ADDRESS:PORT")
    parser.add_argument("--mx", action="store_true", help="look at the MX hosts too")
    parser.add_argument("domains", nargs="+")
    arguments = parser.parse_args()
    os.environ["https_proxy"] = os.environ["HTTPS_PROXY"] = arguments.proxy

    from checkdmarc.mta_sts import check_mta_sts
    from checkdmarc.smtp import check_mx
    from checkdmarc.smtp_tls_reporting import check_smtp_tls_reporting
    from dns.nameserver import Do53Nameserver

    host, port = arguments.dns.rsplit(":", 1)
    servers = [Do53Nameserver(host, int(port))]
    for domain in arguments.domains:
        found = check_mta_sts(domain, nameservers=servers)
        answer = {
            "domain": domain,
            "mta_sts": found,
            "tls_rpt": check_smtp_tls_reporting(domain, nameservers=servers),
        }
        if arguments.mx:
            patterns = found["policy"]["mx"] if found["valid"] else []
            answer["mx"] = check_mx(domain, mta_sts_mx_patterns=patterns, nameservers=servers)
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
