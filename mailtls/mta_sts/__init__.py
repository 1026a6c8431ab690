"""SMTP MTA Strict Transport Security, RFC 8461: pure values and their wire forms, standard library only.

A domain that receives mail (the Policy Domain) says in a file, fetched over HTTPS, which MX hosts its mail may be
delivered to and that this must happen over TLS with a certificate that is valid for the MX host's name. A TXT record
at `_mta-sts.<policy domain>` says that the file exists and, by its id, when to fetch it anew. Without it, SMTP's
STARTTLS gives way to anyone on the path who strikes a line from the conversation.

`record` is the TXT record, `policy` is the file; value and wire form live together. Readers take all that the RFC lets
them take; what the writers give out is the one form that every validator in the field accepts. Values that have no
valid wire form cannot be built.
"""


class MtaStsError(ValueError):
    """Base of all errors of this package."""


def shown(text: str) -> str:
    """A stranger's text inside a message: quoted, escaped and short."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")
