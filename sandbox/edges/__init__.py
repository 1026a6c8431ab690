"""What the internet sees of the deployed system: DNS, HTTPS, SMTP, and a subscriber of its alerts. Loopback only."""
