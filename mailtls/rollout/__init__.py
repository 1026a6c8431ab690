"""Which safe change comes next for a domain, decided from what was served, what is seen and what was reported.

Pure: no clock, no I/O, no randomness. The same arguments always give the same decision, with its reasons as data.
"""
