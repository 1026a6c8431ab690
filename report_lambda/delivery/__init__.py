"""The function that brings alerts to Slack, Teams, PagerDuty and signed webhooks: a zip of its own."""
