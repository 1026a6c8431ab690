"""Findings, checks and plans as text, JSON, Markdown, SARIF. Takes values, returns strings; prints nothing."""
