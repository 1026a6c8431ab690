"""Asking for a change: edits of specs, and what carries them to people. Nothing here changes what is published."""
