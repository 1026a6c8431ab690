"""Each query of the CloudWatch dashboard, over lines that the function really wrote."""

import json

import pytest
from logs_insights import query

from components.report_dashboard import Watched, dashboard_body

FUNCTION = "mailtls-test-reports-function"
GROUP = f"/aws/lambda/{FUNCTION}"
QUERIES = {
    widget["properties"]["title"]: widget["properties"]["query"]
    for widget in dashboard_body(Watched("eu-west-1", FUNCTION, "main", "dead", has_controller=False))["widgets"]
    if widget["type"] == "log"
}


def answers(cloud):
    """Rows of each table, by its title."""
    lines = [json.dumps(line) for line in cloud.lines]
    return {title: query(text, {GROUP: ["START RequestId: r-1", *lines]}) for title, text in QUERIES.items()}


@pytest.mark.parametrize("per_domain", ["true", "false"])
def test_every_table_tells_what_happened(cloud, mails, monkeypatch, per_domain):
    monkeypatch.setenv("MAILTLS_PER_DOMAIN_METRICS", per_domain)
    cloud.receive(mails.mail(mails.report(mails.policy(100, (mails.failure(12),)))))
    cloud.receive(mails.mail(mails.report(mails.policy(7), day="2026-11-29")))
    brand = mails.policy(1_000, **{"policy-domain": "brand01.example"})
    cloud.receive(mails.mail(mails.report(brand, day="2026-11-28")))
    cloud.receive(mails.mail(text="spam"))
    cloud.arrive(mails.mail(mails.report(day="2026-11-27")), "broken")
    cloud.faults.plan(1, after=False)
    assert cloud.notify("broken") == ["broken"]
    sessions, kept_apart, faults = answers(cloud).values()
    assert sessions == [
        {"PolicyDomain": "contoso.example", "PolicyType": "sts", "failed": 12, "successful": 107},
        {"PolicyDomain": "brand01.example", "PolicyType": "sts", "failed": 0, "successful": 1_000},
    ]
    assert kept_apart == [{"reason": "unreadable", "mails": 1}]
    assert [(row["event"], row["error"]) for row in faults] == [("failed", "StoreError")]
