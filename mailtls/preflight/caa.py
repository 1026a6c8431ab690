"""Whether a CAA set lets Amazon issue (RFC 8659)."""

import re
from collections.abc import Iterable

AMAZON = ("amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com")
"""The names by which Amazon's authority knows itself ("Configure a CAA record" in ACM's guide)."""

_VALUE = re.compile(r'(\d+)\s+([A-Za-z0-9]+)\s+"?([^"]*)"?')
_CRITICAL = 128
_KNOWN = frozenset({"issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"})


def why_amazon_is_forbidden(values: Iterable[str]) -> str:
    """What in the set forbids a certificate for a host from Amazon; "" when nothing does. values: in presentation form,
    `0 issue "letsencrypt.org"`. A set without any `issue` forbids nothing (section 4.2)."""
    issuers = []
    for value in values:
        found = _VALUE.fullmatch(value.strip())
        if found is None:
            continue
        flags, tag, text = int(found[1]), found[2].lower(), found[3]
        if tag not in _KNOWN and flags & _CRITICAL:
            return f"its critical property {tag} is one that no authority knows"  # section 4.1
        if tag == "issue":
            issuers.append(text.split(";")[0].strip().lower())
    if not issuers or set(issuers) & set(AMAZON):
        return ""
    named = ", ".join(sorted({issuer for issuer in issuers if issuer}))
    return f"it lets only {named} issue" if named else "it lets nobody issue"
