"""`python -m sandbox report`: a mail goes in by the deployed way, and what became of it is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.deployment import Deployment
from sandbox.endpoints import Endpoints
from sandbox.place import Place
from sandbox.report import Report, send

pytestmark = pytest.mark.engine
DOMAIN = "contoso.example"
SPEC = f"""policy_domain: {DOMAIN}
mta_sts: {{mode: testing, mx: [mx1.{DOMAIN}, mx2.{DOMAIN}]}}
"""


def test_what_became_of_a_report_is_told(
    stack: Callable[..., Deployment], endpoints: Endpoints, place: Place, specs: Path, tmp_path: Path
) -> None:
    (specs / "contoso.yaml").write_text(SPEC)
    stack("test-report-command").up()

    bad = list(send(place, endpoints, Report(DOMAIN, "certificate-expired")))
    assert "became: stored" in bad
    assert [line for line in bad if line.startswith(f"ledger: reports/{DOMAIN}/")]
    assert [line for line in bad if line.startswith("alert: ") and DOMAIN in line]

    file = tmp_path / "mail.eml"
    file.write_text("From: nobody@nowhere.example\nTo: reports\nSubject: hello\n\nhello\n")
    kept = list(send(place, endpoints, Report(DOMAIN, file=file)))
    assert [line for line in kept if line.startswith("became: quarantined, dkim-missing: ")]
