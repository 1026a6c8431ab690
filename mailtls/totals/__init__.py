"""Sums over stored reports: how many sessions succeeded and failed, by whatever a person asks for. Pure.

`facts.py` takes one ledger entry apart into countable rows; `summary.py` adds them up by one dimension, `totals.py`
keeps them whole, for one domain or many. Both are filled one entry at a time and hold no entry.

Three rules of the numbers, here and nowhere else: sessions are counted, never rows; policy types are never added up,
because one session may stand under two (sts and tlsa); a day without a report is absent, not zero.
"""
