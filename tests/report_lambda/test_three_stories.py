"""Three nights of a mail admin, each from the mails to the alert's text to what the dashboard and `summary` show.

The function takes the mails in as in the cloud; its bucket is then copied to a folder, as `aws s3 sync` does, and the
command reads that.
"""

import dataclasses
import html
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.reports.served import Served
from mailtls.tls_rpt.contract import OwnDomain

MONDAY = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)
"""In the past on every machine, so that the command takes it."""
SENDERS = {"google.com": "Google Inc.", "microsoft.com": "Microsoft Corporation", "mail.ru": "Mail.ru"}


class Week:
    """Days of one cloud: each day's reports arrive the morning after."""

    def __init__(self, cloud, mails, tmp_path, *domains):
        self.cloud, self.mails, self.folder = cloud, mails, tmp_path
        cloud.now = MONDAY
        cloud.own(*domains)
        cloud.policies.served = {domain.policy_domain: self._served(domain) for domain in domains}
        self._domains = {domain.policy_domain: domain for domain in domains}

    def _served(self, domain):
        policy = Policy(Mode(domain.mode), 604800, tuple(map(MxPattern, domain.mx)))
        return (Served(policy, MONDAY - timedelta(days=100)),)

    @property
    def yesterday(self):
        return (self.cloud.now - timedelta(days=1)).date().isoformat()

    def report(self, signer, name, good, *failed):
        """A mail about yesterday."""
        domain = self._domains[name]
        lines = ["version: STSv1", f"mode: {domain.mode}", *(f"mx: {host}" for host in domain.mx), "max_age: 604800"]
        about = {"policy-domain": name, "policy-string": lines, "mx-host": list(domain.mx)}
        report = self.mails.report(
            self.mails.policy(good, failed, **about),
            day=self.yesterday,
            organization=SENDERS[signer],
            report_id=f"{self.yesterday}-{name}",
        )
        assert self.cloud.receive(self.mails.mail(report, signer=signer))["disposition"] == "stored"

    def next_morning(self):
        for _ in range(24):
            self.cloud.tick()

    def alerts(self):
        """Subject and text of what was sent since the last question."""
        sent = [(subject, text) for subject, text, _ in self.cloud.topic.messages]
        self.cloud.topic.messages.clear()
        return sent

    def copied(self):
        bucket = self.folder / f"bucket-{self.cloud.now:%d}"
        for key, body in self.cloud.store.objects.items():
            path = bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        return bucket

    def dashboard(self):
        site = self.folder / f"site-{self.cloud.now:%d}"
        self._reports("dashboard", site, *self._period())
        return {str(page.relative_to(site)): page.read_text("utf-8") for page in site.rglob("*.html")}

    def summary(self, by):
        rows = json.loads(self._reports("summary", "--by", by, "--format", "json", *self._period()))
        return rows

    def _period(self):
        return "--store", self.copied(), "--from", f"{MONDAY - timedelta(days=3):%F}", "--to", self.yesterday

    def _reports(self, *arguments):
        command = [sys.executable, "-m", "mailtls.cli", "reports", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def words(page):
    """A page's text, each run of white space one space."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style.*?</style>", "", page))))


def own(name, mode, *mx):
    return OwnDomain(name, mode, mx, "mail-team", "", f"policy_specs/{name}.yaml")


def failed_by(week, by):
    """What `summary` counts under sts, by group."""
    return {row["group"]: row["failed_sessions"] for row in week.summary(by)["rows"] if row["failed_sessions"]}


def test_an_expired_certificate_on_a_shared_mx(cloud, mails, tmp_path):
    shops = [own(f"shop{n}.example", "enforce", "mx1.mailhost.example", "mx2.mailhost.example") for n in (1, 2, 3)]
    week = Week(cloud, mails, tmp_path, *shops)
    for shop in shops:
        week.report("google.com", shop.policy_domain, 900)
    week.next_morning()
    assert week.alerts() == []

    for shop in shops:
        week.report("google.com", shop.policy_domain, 500, mails.failure(120, mx="mx2.mailhost.example"))
    cloud.tick()
    (subject, text), (others, more) = week.alerts()  # one fault of one host: two messages, not one for each domain
    assert subject == "[critical] shop1.example: certificate of mx2.mailhost.example expired, senders hold mail"
    assert "120 failed sessions on 5 Oct, 19 % of all 620" in text
    assert "openssl s_client -starttls smtp -connect mx2.mailhost.example:25" in text
    assert others == "[critical] now also shop2.example and 1 more: certificate of mx2.mailhost.example expired"
    assert "shop1.example (enforce), shop2.example (enforce),\n        shop3.example (enforce)" in more

    assert failed_by(week, "result-type") == {"certificate-expired": 360}
    pages = week.dashboard()
    assert "Domains with open causes 3" in words(pages["index.html"])
    for shop in shops:
        page = words(pages[f"domains/{shop.policy_domain}/index.html"])
        assert "Open causes 1" in page
        assert "MX host certificate-expired mx2.mailhost.example 120" in page

    week.next_morning()  # renewed; the senders' next reports are clean
    for shop in shops:
        week.report("google.com", shop.policy_domain, 700)
    for _ in range(8):
        cloud.tick()
    ended = [subject for subject, _ in week.alerts() if subject.startswith("[over]")]
    assert ended == ["[over] shop1.example and 2 more: certificate of mx2.mailhost.example expired"]
    assert failed_by(week, "domain") == {shop.policy_domain: 120 for shop in shops}


def test_starttls_gone_for_some_senders(cloud, mails, tmp_path):
    brand = own("brand01.example", "testing", "mx-a.mailhost.example", "mx-b.mailhost.example")
    week = Week(cloud, mails, tmp_path, brand)
    week.report("google.com", "brand01.example", 558)
    week.report("microsoft.com", "brand01.example", 342)
    week.next_morning()
    week.report("google.com", "brand01.example", 558)
    stripped = mails.failure(342, "starttls-not-supported", "mx-b.mailhost.example")
    week.report("microsoft.com", "brand01.example", 0, stripped)
    [(subject, text)] = week.alerts()
    assert subject.startswith("[warning")
    assert "brand01.example" in subject
    assert "Mode testing" in text or "mode testing" in text
    assert "342 failed sessions" in text
    assert "google.com" in text  # whom it does not touch

    assert failed_by(week, "result-type") == {"starttls-not-supported": 342}
    assert failed_by(week, "reporter") == {"microsoft.com": 342}
    page = words(week.dashboard()["domains/brand01.example/index.html"])
    assert "MX host starttls-not-supported mx-b.mailhost.example 342" in page
    assert "microsoft.com Microsoft Corporation" in page
    assert "google.com Google Inc." in page


def test_an_mx_that_the_policy_does_not_name(cloud, mails, tmp_path):
    contoso = own("contoso.example", "enforce", "mx1.contoso.example", "mx2.contoso.example")
    week = Week(cloud, mails, tmp_path, contoso)
    week.report("google.com", "contoso.example", 800)
    week.next_morning()
    week.report("google.com", "contoso.example", 760, mails.failure(40, "validation-failure", "mx3.contoso.example"))
    [(subject, text)] = week.alerts()
    assert subject.startswith("[critical] contoso.example: ")
    assert "mx3.contoso.example" in subject
    assert "40 failed sessions" in text

    assert failed_by(week, "mx") == {"mx3.contoso.example": 40}
    page = words(week.dashboard()["domains/contoso.example/index.html"])
    assert "an MX host that the policy does not name mx3.contoso.example 40" in page
    assert "MX host validation-failure mx3.contoso.example 40" in page

    contoso = dataclasses.replace(contoso, mx=(*contoso.mx, "mx3.contoso.example"))
    week = Week(cloud, mails, tmp_path / "later", contoso)  # the policy names it now
    for _ in range(3):
        week.next_morning()
    week.report("google.com", "contoso.example", 900)
    for _ in range(8):
        cloud.tick()
    assert [subject for subject, _ in week.alerts() if subject.startswith("[over] contoso.example")]
