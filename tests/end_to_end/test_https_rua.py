"""Reports by HTTPS POST, from `rua=https:` in the published record to the bucket, with curl as the sender."""

import gzip
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest

from sandbox import account
from sandbox.deployment import Deployment
from sandbox.endpoints import Endpoints

pytestmark = pytest.mark.engine
DOMAIN = "contoso.example"
SPEC = f"""policy_domain: {DOMAIN}
mta_sts: {{mode: testing, mx: [mx1.{DOMAIN}, mx2.{DOMAIN}]}}
"""
REPORT = {
    "organization-name": "Curl & Co",
    "date-range": {"start-datetime": "2026-10-01T00:00:00Z", "end-datetime": "2026-10-01T23:59:59Z"},
    "contact-info": "tls@curl.example",
    "report-id": "by-post",
    "policies": [
        {
            "policy": {"policy-type": "sts", "policy-domain": DOMAIN, "mx-host": [f"mx1.{DOMAIN}"]},
            "summary": {"total-successful-session-count": 7, "total-failure-session-count": 3},
            "failure-details": [
                {"result-type": "starttls-not-supported", "sending-mta-ip": "192.0.2.77",
                 "receiving-mx-hostname": f"mx1.{DOMAIN}", "failed-session-count": 3}
            ],
        }
    ],
}  # fmt: skip
REPORTS = {"domain": "reports.mailhost.example", "local_part": "tlsrpt", "rule_set": "own", "activate": True}


def published(endpoints: Endpoints) -> str:
    host, _, port = endpoints.dns.rpartition(":")
    question = dns.message.make_query(f"_smtp._tls.{DOMAIN}", "TXT")
    [answer] = dns.query.udp(question, host, port=int(port), timeout=10).answer
    return str(answer[0]).strip('"')


def curl(endpoints: Endpoints, *arguments: str) -> tuple[int, str]:
    """Status and body. The name leads to the edge, and the certificate is checked."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", endpoints.ca, "--proxy", "",
         "--connect-to", f"::{endpoints.https}", "--write-out", "\n%{http_code}", *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def objects(s3: Any, bucket: str, prefix: str) -> dict[str, Any]:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {one["Key"]: json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()) for one in listed}


def test_a_posted_report_ends_beside_the_ledger(
    stack: Callable[..., Deployment], endpoints: Endpoints, specs: Path, tmp_path: Path
) -> None:
    (specs / "contoso.yaml").write_text(SPEC)
    own = stack("test-https-rua", reports={**REPORTS, "https": True})
    own.up()
    outputs = own.outputs()
    mail, https = published(endpoints).removeprefix("v=TLSRPTv1; rua=").rstrip(";").split(",")
    assert mail == "mailto:tlsrpt@reports.mailhost.example"
    assert https == outputs["rua_https"]

    body = tmp_path / "report.json.gz"
    body.write_bytes(gzip.compress(json.dumps(REPORT).encode()))
    posted = ("--data-binary", f"@{body}", "--header", "content-type: application/tlsrpt+gzip", https)
    assert curl(endpoints, *posted) == (200, "stored\n")
    assert curl(endpoints, *posted) == (200, "stored\n")
    assert curl(endpoints, https)[0] == 405
    assert curl(endpoints, "--data", "<html>", "--header", "content-type: text/html", https)[0] == 415
    assert curl(endpoints, *posted[:-1], https.replace("tlsrpt", "elsewhere"))[0] == 404

    s3, bucket = account.client("s3", endpoints.aws), outputs["reports_bucket"]
    until = time.monotonic() + 60
    while not (dispositions := objects(s3, bucket, "dispositions/https-")) and time.monotonic() < until:
        time.sleep(0.5)
    [disposition] = dispositions.values()
    assert disposition["disposition"] == "stored", disposition
    [(key, entry)] = objects(s3, bucket, f"posted/{DOMAIN}/").items()
    assert disposition["stored"] == [key]
    assert (entry["signer"], entry["report"]["report-id"]) == ("", "by-post")
    assert objects(s3, bucket, f"reports/{DOMAIN}/") == {}
    assert objects(s3, bucket, f"alerts/{DOMAIN}/") == {}

    changes = own.preview().changes
    assert "unchanged" in changes
    assert not set(changes) & set("+~±-"), changes
