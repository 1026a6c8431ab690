"""Who runs an MX: the one who reads the alert, a mail provider with a name, or somebody that we do not know. Pure.

Who is told to reload an MTA that Microsoft runs has been told nothing. The names are those under which large providers
hand out MX hosts, from their own setup pages; a missing one costs a sentence ("not yours?"), not the truth.
"""

from collections.abc import Mapping

PROVIDERS: Mapping[str, str] = {
    "mail.protection.outlook.com": "Microsoft",
    "mx.microsoft": "Microsoft",
    "google.com": "Google",
    "googlemail.com": "Google",
    "smtp.goog": "Google",
    "pphosted.com": "Proofpoint",
    "ppe-hosted.com": "Proofpoint",
    "mimecast.com": "Mimecast",
    "barracudanetworks.com": "Barracuda",
    "iphmx.com": "Cisco",
    "messagelabs.com": "Broadcom (Symantec)",
    "hornetsecurity.com": "Hornetsecurity",
    "antispameurope.com": "Hornetsecurity",
    "amazonaws.com": "Amazon Web Services",
    "mx.cloudflare.net": "Cloudflare",
    "mail.icloud.com": "Apple",
    "messagingengine.com": "Fastmail",
    "protonmail.ch": "Proton",
    "zoho.com": "Zoho",
    "zoho.eu": "Zoho",
    "yandex.net": "Yandex",
    "kundenserver.de": "IONOS",
    "ovh.net": "OVHcloud",
    "mailbox.org": "mailbox.org",
}
"""Suffix of the MX's name to the provider's."""


def provider_of(mx: str, policy_domain: str) -> str:
    """The provider that runs `mx`; "" where it is the domain's own, or nobody that we know."""
    if is_own(mx, policy_domain):
        return ""  # a provider's own domains have MX under their own name
    return next((name for suffix, name in PROVIDERS.items() if _is_under(mx, suffix)), "")


def is_own(mx: str, policy_domain: str) -> bool:
    """Does the MX's name stand under the policy domain, or beside it under the same parent?

    `mx1.contoso.example` is contoso.example's, and shop.contoso.example's.
    """
    parent = mx.partition(".")[2]
    return _is_under(mx, policy_domain) or ("." in parent and _is_under(policy_domain, parent))


def _is_under(name: str, suffix: str) -> bool:
    return name == suffix or name.endswith(f".{suffix}")
