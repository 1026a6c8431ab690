"""The function that brings alerts to Slack, Teams and signed webhooks: a zip of its own."""
