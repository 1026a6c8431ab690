"""The domains that are deployed, as the lists in the reports bucket name them."""

from mailtls.cli.trouble import Trouble
from mailtls.observe.domain_lists import listed_domains
from mailtls.observe.report_bucket import Bucket
from mailtls.tls_rpt.contract import OwnDomain


def own_domains(where: Bucket) -> dict[str, OwnDomain]:
    """By name. Raises Trouble where there is none; StoreTrouble."""
    own = {name: domain for name, (domain, _) in listed_domains(where).items()}
    if not own:
        raise Trouble(f"{where.name}: no list of domains under domains/; is it the reports bucket?")
    return own
