"""SMTP TLS Reporting, RFC 8460: pure values and their wire forms, standard library only (it ships in the Lambda's zip).

A domain asks, in a TXT record at `_smtp._tls.<policy domain>`, for reports; whoever sends mail to it then mails, once a
day, how many sessions met the domain's policies (MTA-STS, DANE) and how the others failed. Nearly all that is known
about the transport security of inbound mail comes from these reports, and nearly all of them break the RFC somewhere.

The way of a report through the files:

- `record`: the TXT record that asks for reports.
- `message`: a mail's bytes -> the JSON texts in it. `header_block`, `mime` and `unpack` are its three steps: header
  fields, MIME parts, and transfer encoding with compression.
- `report`: a JSON text -> a `Report`. `i_json` decodes, `report_reader` reads liberally, `report_values` is the model,
  `report_stored` the normalised form of the ledger.
- `attribution`: which of our domains a row of a report is about. `failures`: what a failure means and what to do.
- `contract`, `ledger`: what the other rooms agree on about the bucket.

Readers take what is seen in the wild and say in notes what was odd; nothing that they saw is dropped. They are given
whatever a stranger mails: each bound is applied before the work it bounds, and only errors named here come out.
"""

from mailtls.mta_sts import shown

__all__ = ["TlsRptError", "shown"]


class TlsRptError(ValueError):
    """Base of all errors of this package."""
