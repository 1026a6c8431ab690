"""What an auditor is handed: policies, their changes, what was seen and reported, as files that prove themselves."""
